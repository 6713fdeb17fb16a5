/** `peerstrap-lab replicas`: embedded replicas, each a process, until it is stopped. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { command } from "../cli/Command.ts"
import { ExitCode } from "../cli/ExitCode.ts"
import { integer, many, toggle, withDefault } from "../cli/Flag.ts"
import type { Terminal } from "../cli/Terminal.ts"
import { behaviourFlag, behaviourJson, behaviourList } from "../replicas/ReplicaBehaviour.ts"
import { readyLine, type RunningReplica, startCluster } from "../replicas/ReplicaCluster.ts"
import { type ClusterPlan, replicaPlans } from "../replicas/ReplicaPlan.ts"
import { clusterFlags, clusterPlan, clusterProblems, replicaCount } from "./ClusterFlags.ts"

const flags = {
  replicas: withDefault(replicaCount, "3", "how many; they are called A, B, C …"),
  ...clusterFlags,
  active: withDefault(
    integer(0, 1_000),
    "0",
    "the last so many blocks are still in memory, as those that still change"
  ),
  behaviour: many(behaviourFlag, "what a replica does differently, e.g. C:slow:200000+delay:20 or B:lack-series:5"),
  listBehaviours: toggle("print all behaviours and end"),
  json: toggle("one line of JSON on standard output as soon as all replicas serve")
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

const watch = (terminal: Terminal) => ({ ended, id }: RunningReplica) =>
  Effect.map(ended, (how) => terminal.error(`replica ${id} ${how}\n`))

export const replicas = command({
  name: "replicas",
  operands: "",
  summary: "start embedded replicas that serve a seeded data set over TChannel",
  details: [
    "Each replica is a process of its own and serves until it is stopped or killed. The same seed gives the same data. All of them end with"
    + " this process, however it ends."
  ],
  flags,
  examples: [
    { args: "replicas --json", says: "three replicas, for a program" },
    {
      args: "replicas --series 1000 --behaviour B:lack-series:5 --behaviour C:slow:200000+delay:20",
      says: "one lacks data, one is slow"
    },
    { args: "replicas --list-behaviours", says: "what replicas can do" }
  ],
  check: (settings, operands) => [
    ...operands.map((each) => `${JSON.stringify(each)}: replicas takes flags only`),
    ...clusterProblems(settings, settings.replicas, settings.behaviour),
    ...(settings.active > settings.blocks ? [`--active: only ${settings.blocks} blocks (--blocks)`] : [])
  ],
  run: Effect.fnUntraced(function*({ settings, terminal }) {
    if (settings.listBehaviours) {
      yield* terminal.out(settings.json ? `${JSON.stringify(behaviourJson())}\n` : behaviourList())
      return ExitCode.done
    }
    const nowNanos = BigInt(yield* Clock.currentTimeMillis) * 1_000_000n
    const { active, behaviour: behaviours, replicas } = settings
    const plan = clusterPlan(settings, { replicas, active, behaviours, nowNanos })
    const running = yield* startCluster(replicaPlans(plan))
    yield* terminal.out(settings.json ? `${JSON.stringify(readyLine(plan.spec, running))}\n` : readyText(plan, running))
    yield* Effect.forEach(running, watch(terminal), { concurrency: "unbounded" })
    terminal.error("no replica is left\n")
    return ExitCode.peers
  })
})
