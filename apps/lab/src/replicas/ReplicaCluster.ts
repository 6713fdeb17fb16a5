/** Starts replica processes and owns them: they end with the scope, and by themselves when this process is gone. */
import * as Effect from "effect/Effect"
import { startOwnProcess } from "../processes/OwnProcess.ts"
import { encodePlan, type ReplicaPlan } from "./ReplicaPlan.ts"

export interface RunningReplica {
  readonly id: string
  /** `host:port`. */
  readonly address: string
  readonly pid: number
  /** How the process ended, e.g. `killed by SIGKILL`; completes when it does. */
  readonly ended: Effect.Effect<string>
}

/** The name of the command under which this program runs one replica. */
export const replicaCommand = "replica-process"

/** A replica holds up to all series in memory; no more than this in one process. */
const maxHeapMebibytes = 4_096

/** One replica; serves when this completes. */
export const startReplicaProcess = Effect.fnUntraced(function*(plan: ReplicaPlan) {
  const { answer, ended, pid } = yield* startOwnProcess<{ readonly address: string }>({
    command: replicaCommand,
    plan: encodePlan(plan),
    maxHeapMebibytes,
    what: `replica ${plan.id} at ${plan.host}:${plan.port}`
  })
  return { id: plan.id, address: answer.address, pid, ended } satisfies RunningReplica
})

/** All of them, started at once. */
export const startCluster = (plans: ReadonlyArray<ReplicaPlan>) =>
  Effect.forEach(plans, startReplicaProcess, { concurrency: "unbounded" })

/** The line that says that replicas serve; ns as strings. */
export const readyLine = (spec: ReplicaPlan["spec"], replicas: ReadonlyArray<RunningReplica>) => ({
  namespace: spec.namespace,
  shards: spec.numShards,
  blockSize: String(spec.blockSize),
  start: String(spec.start),
  end: String(spec.start + BigInt(spec.blocks) * spec.blockSize),
  replicas: replicas.map(({ address, id, pid }) => ({ id, address, pid }))
})
