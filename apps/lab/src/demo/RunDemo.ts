/**
 * The demonstration on replicas, from nothing to a verdict:
 *
 *   seed ─► three replica processes ─► bootstrap at majority ─► filesets ─► verify ─► comparison with the seed ─► exit code
 *                └ A lacks, B differs, C dies        └ why, set-level on the control socket
 */
import { type CommandResult, ExitCode, type Terminal } from "@peerstrap/command-line"
import { NodeFileSystem } from "@peerstrap/storage"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { mkdtempSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { startSibling } from "../processes/SiblingProcess.ts"
import { readyLine, type RunningReplica, startCluster } from "../replicas/ReplicaCluster.ts"
import { type ClusterPlan, replicaPlans } from "../replicas/ReplicaPlan.ts"
import { compareWithSeed } from "./Comparison.ts"
import { makeDirectory, messagesOf } from "./DemoOutput.ts"
import { bootstrapArgs, controlPathIn, faultsInWords, verifyArgs } from "./DemoPlan.ts"
import { codeOf, type DemoEnd, demoJson, demoText } from "./DemoResult.ts"
import { controlCommand, type Watch, watchRun } from "./WatchRun.ts"

export interface DemoOptions {
  readonly cluster: ClusterPlan
  readonly faults: boolean
  /** Undefined: a fresh directory for temporary files. */
  readonly out: string | undefined
  readonly json: boolean
  readonly terminal: Terminal
}

/** The folder of the app that bootstraps and verifies. */
const bootstrapper = "m3db-bootstrapper"

const announce = Effect.fnUntraced(function*(
  options: DemoOptions,
  replicas: ReadonlyArray<RunningReplica>,
  out: string,
  control: string
) {
  const { cluster: { spec }, faults, json, terminal } = options
  if (json) return yield* terminal.out(`${JSON.stringify({ ...readyLine(spec, replicas), control, out })}\n`)
  const served = replicas.map(({ address, id, pid }) => `${id} at ${address} (process ${pid})`).join(", ")
  terminal.error(
    [
      `replicas ${served}`,
      `serve ${spec.series} series × ${spec.blocks} blocks in ${spec.numShards} shards of namespace ${spec.namespace}`,
      faults ? `faults: ${faultsInWords(spec.numShards)}` : "faults: none",
      ""
    ].join("\n")
  )
})

const sayDeaths = (replicas: ReadonlyArray<RunningReplica>, watch: Watch) =>
  Effect.forEach(
    replicas,
    ({ ended, id }) => Effect.flatMap(ended, (how) => watch.say(`replica ${id} ${how}\n`)),
    { concurrency: "unbounded", discard: true }
  )

const bootstrap = Effect.fnUntraced(function*(
  { cluster, terminal }: DemoOptions,
  replicas: ReadonlyArray<RunningReplica>,
  out: string,
  control: string,
  take: (line: string) => void
) {
  const program = "peerstrap-m3db"
  const end = controlCommand(program, "set-level none", control)
  const ending = `To end the run with what there is, and the list of what is missing: ${end}`
  const watch = yield* watchRun(terminal, { program, control, ending })
  yield* sayDeaths(replicas, watch).pipe(Effect.forkScoped)
  const { ended } = yield* startSibling(bootstrapper, bootstrapArgs(cluster.spec, replicas, out, control), take)
  return yield* ended
}, Effect.scoped)

/** 0 and 1 are ends of a whole run: what there is can be checked. */
const leavesFiles = (exitCode: number | undefined): boolean => exitCode === ExitCode.done || exitCode === ExitCode.no

export const runDemo = Effect.fnUntraced(function*(options: DemoOptions) {
  const { cluster, json, terminal } = options
  const { spec } = cluster
  const started = yield* Clock.currentTimeMillis
  const out = yield* makeDirectory(options.out)
  const control = controlPathIn(out, () => mkdtempSync(join(tmpdir(), "peerstrap-demo-")))
  const plans = replicaPlans(cluster)
  const { messages, take } = messagesOf()
  const streamed = yield* Effect.gen(function*() {
    const replicas = yield* startCluster(plans)
    yield* announce(options, replicas, out, control)
    return yield* bootstrap(options, replicas, out, control, take)
  }).pipe(Effect.scoped)
  const check = Effect.gen(function*() {
    const verified = yield* startSibling(bootstrapper, verifyArgs(spec, out), take)
    const comparison = yield* compareWithSeed(plans, out)
    return { verify: yield* verified.ended, comparison }
  }).pipe(Effect.scoped, Effect.provide(NodeFileSystem.layer))
  const checked = leavesFiles(streamed.exitCode) ? yield* check : { verify: undefined, comparison: undefined }
  const tookMillis = (yield* Clock.currentTimeMillis) - started
  const { namespace } = spec
  const end: DemoEnd = { out, control, namespace, tookMillis, bootstrap: streamed, ...checked, messages }
  if (json) { for (const line of messages) terminal.error(`${line}\n`) }
  yield* terminal.out(json ? `${JSON.stringify(demoJson(end))}\n` : demoText(end))
  return { exitCode: codeOf(end), text: "" } satisfies CommandResult as CommandResult
})
