/** `peerstrap-lab replicas`: embedded replicas, each a process, until it is stopped. */
import {
  command,
  type CommandInput,
  type CommandResult,
  ExitCode,
  many,
  type Terminal,
  toggle,
  Type,
  withDefault
} from "@peerstrap/command-line"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { behaviourFlag, behaviourJson, behaviourList } from "../replicas/ReplicaBehaviour.ts"
import { readyLine, type RunningReplica, startCluster } from "../replicas/ReplicaCluster.ts"
import { type ClusterPlan, maxReplicas, replicaPlans } from "../replicas/ReplicaPlan.ts"
import { checkCluster, clusterFlags, clusterPlan, replicaCount } from "./ClusterFlags.ts"

const flags = {
  replicas: withDefault(replicaCount, "3", "How many; they are called A, B, C …"),
  ...clusterFlags,
  active: withDefault(
    Type.integer(0, 1_000, 1),
    "0",
    "The last so many blocks are still in memory, as those that still change."
  ),
  behaviour: many(behaviourFlag, "What a replica does differently, e.g. C:slow:200000+delay:20 or B:lack-series:5."),
  listBehaviours: toggle("Print all behaviours and end."),
  json: toggle("One line of JSON on standard output as soon as all replicas serve.")
}

const readyText = ({ spec }: ClusterPlan, replicas: ReadonlyArray<RunningReplica>): string => {
  const end = spec.start + BigInt(spec.blocks) * spec.blockSize
  const peers = replicas.map(({ address, id }) => `--peer ${id}=${address}`).join(" ")
  const range = `--block-size ${spec.blockSize / 1_000_000_000n}s --from ${spec.start} --to ${end}`
  return [
    `${replicas.length} replicas serve namespace ${spec.namespace}: ${spec.series} series × ${spec.blocks} blocks in ${spec.numShards} shards`,
    ...replicas.map(({ address, id, pid }) => `  ${id}  ${address}  (process ${pid})`),
    "Stream from them:",
    `  npx peerstrap-m3db bootstrap ${peers} --namespace ${spec.namespace} --num-shards ${spec.numShards} ${range} --level majority --out DIR`,
    "Stop them: Ctrl-C",
    ""
  ].join("\n")
}

/** Everything was printed on the way. */
const ended = (exitCode: ExitCode): CommandResult => ({ exitCode, text: "" })

const watch = (terminal: Terminal) => ({ ended, id }: RunningReplica) =>
  Effect.map(ended, (how) => terminal.error(`replica ${id} ${how}\n`))

const serve = Effect.fnUntraced(function*({ json, settings, terminal }: CommandInput<typeof flags, void>) {
  if (settings.listBehaviours) {
    yield* terminal.out(json ? `${JSON.stringify(behaviourJson())}\n` : behaviourList())
    return ended(ExitCode.done)
  }
  const nowNanos = BigInt(yield* Clock.currentTimeMillis) * 1_000_000n
  const { active, behaviour: behaviours, replicas } = settings
  const plan = clusterPlan(settings, { replicas, active, behaviours, nowNanos })
  const running = yield* startCluster(replicaPlans(plan))
  yield* terminal.out(json ? `${JSON.stringify(readyLine(plan.spec, running))}\n` : readyText(plan, running))
  yield* Effect.forEach(running, watch(terminal), { concurrency: "unbounded" })
  terminal.error("no replica is left\n")
  return ended(ExitCode.peers)
})

export const replicas = command({
  name: "replicas",
  summary: "Start embedded replicas that serve a seeded data set over TChannel",
  details: [
    "Each replica is a process of its own and serves until it is stopped or killed. The same seed gives the same data. All of them end with"
    + " this process, however it ends."
  ],
  flags,
  linesOnly: true,
  examples: [
    { args: "replicas --json", says: "Three replicas, for a program" },
    {
      args: "replicas --series 1000 --behaviour B:lack-series:5 --behaviour C:slow:200000+delay:20",
      says: "One lacks data, one is slow"
    },
    { args: "replicas --list-behaviours", says: "What replicas can do" }
  ],
  check: ({ active, basePort, behaviour = [], blocks, replicas = maxReplicas }, _operands, _context, problem) => {
    checkCluster({ basePort, behaviours: behaviour, replicas }, problem)
    if (active !== undefined && blocks !== undefined && active > blocks) {
      problem({ where: "--active", message: `only ${blocks} blocks (--blocks)` })
    }
  },
  run: serve
})
