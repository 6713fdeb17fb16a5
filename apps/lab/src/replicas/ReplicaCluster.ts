/** Starts replica processes and owns them: they end with the scope, and by themselves when this process is gone. */
import { CommandError } from "@peerstrap/command-line"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { type ChildProcessByStdio, spawn } from "node:child_process"
import { createInterface } from "node:readline"
import type { Readable, Writable } from "node:stream"
import { ownProgram } from "./OwnProgram.ts"
import { encodePlan, type ReplicaPlan } from "./ReplicaPlan.ts"
import type { ReplicaAnswer } from "./ReplicaProcess.ts"

export interface RunningReplica {
  readonly id: string
  /** `host:port`. */
  readonly address: string
  readonly pid: number
  /** How the process ended, e.g. `killed by SIGKILL`; completes when it does. */
  readonly ended: Effect.Effect<string>
}

type Child = ChildProcessByStdio<Writable, Readable, null>

/** The name of the command under which this program runs one replica. */
export const replicaCommand = "replica-process"

/** A replica holds up to all series in memory; no more than this in one process. */
const maxHeapMebibytes = 4_096

const launch = (plan: ReplicaPlan): Child => {
  const { args, command } = ownProgram()
  const child = spawn(command, [`--max-old-space-size=${maxHeapMebibytes}`, ...args, replicaCommand], {
    stdio: ["pipe", "pipe", "inherit"]
  })
  // A process that ended early is told by its exit, not by the pipe.
  child.stdin.on("error", () => undefined)
  child.stdin.write(`${encodePlan(plan)}\n`)
  return child
}

const answerOf = (child: Child): Effect.Effect<ReplicaAnswer> =>
  Effect.callback<ReplicaAnswer>((resume) => {
    const fail = (problem: string) => resume(Effect.succeed({ problem }))
    createInterface({ input: child.stdout }).once("line", (line) => resume(Effect.sync(() => JSON.parse(line))))
    child.once("error", (error) => fail(error.message))
    child.once("close", (code, signal) => fail(`the process ended before it served (${endOf(code, signal)})`))
  })

const endOf = (code: number | null, signal: string | null): string =>
  signal === null ? `ended with exit code ${code}` : `killed by ${signal}`

const kill = (child: Child, ended: Effect.Effect<string>): Effect.Effect<void> =>
  Effect.andThen(Effect.sync(() => child.kill("SIGKILL")), Effect.asVoid(ended))

/** One replica; serves when this completes. */
export const startReplicaProcess = Effect.fnUntraced(function*(plan: ReplicaPlan) {
  const end = Deferred.makeUnsafe<string>()
  const ended = Deferred.await(end)
  const child = yield* Effect.acquireRelease(
    Effect.sync(() => {
      const child = launch(plan)
      child.once("exit", (code, signal) => Deferred.doneUnsafe(end, Effect.succeed(endOf(code, signal))))
      child.once("error", (error) => Deferred.doneUnsafe(end, Effect.succeed(error.message)))
      return child
    }),
    (child) => kill(child, ended)
  )
  const answer = yield* answerOf(child)
  if ("problem" in answer || child.pid === undefined) {
    return yield* new CommandError({
      exitCode: 4,
      message: `replica ${plan.id} at ${plan.host}:${plan.port} does not start: ${
        "problem" in answer ? answer.problem : "no process"
      }`,
      remedy: "choose an address of this machine and free ports (--host, --base-port 0 takes any)"
    })
  }
  return { id: plan.id, address: answer.address, pid: child.pid, ended } satisfies RunningReplica
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
