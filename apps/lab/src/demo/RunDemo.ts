/**
 * The demonstration on replicas, from nothing to a verdict:
 *
 *   seed ─► three replica processes ─► bootstrap at majority ─► filesets ─► verify ─► comparison with the seed ─► exit code
 *                └ A lacks, B differs, C dies        └ why, set-level on the control socket
 */
import { CommandError, type CommandResult, ExitCode, type Terminal } from "@peerstrap/command-line"
import { NodeFileSystem } from "@peerstrap/storage"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { mkdirSync, mkdtempSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { readyLine, type RunningReplica, startCluster } from "../replicas/ReplicaCluster.ts"
import { type ClusterPlan, replicaPlans } from "../replicas/ReplicaPlan.ts"
import { compareWithSeed } from "./Comparison.ts"
import { bootstrapArgs, controlPathIn, faultsInWords, verifyArgs } from "./DemoPlan.ts"
import { codeOf, type DemoEnd, demoJson, demoText } from "./DemoResult.ts"
import { startSibling } from "./SiblingProcess.ts"
import { type Watch, watchRun } from "./WatchRun.ts"

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

/** Lines of a program that are no progress and are shown when it fails. */
const keptMessages = 20

const makeDirectory = (out: string | undefined): Effect.Effect<string, CommandError> =>
  Effect.try({
    try: () => {
      if (out === undefined) return mkdtempSync(join(tmpdir(), "peerstrap-demo-"))
      const path = resolve(out)
      mkdirSync(path, { recursive: true })
      return path
    },
    catch: (cause) =>
      new CommandError({
        exitCode: 4,
        message: `the output directory cannot be made: ${cause instanceof Error ? cause.message : String(cause)}`,
        remedy: "choose another one with --out"
      })
  })

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

/** Lines of `--json` progress are objects; anything else is for people. */
const messagesOf = () => {
  const messages: Array<string> = []
  return {
    messages,
    take: (line: string) => {
      if (line.startsWith("{")) return
      messages.push(line)
      if (messages.length > keptMessages) messages.shift()
    }
  }
}

const bootstrap = Effect.fnUntraced(function*(
  { cluster, terminal }: DemoOptions,
  replicas: ReadonlyArray<RunningReplica>,
  out: string,
  control: string,
  take: (line: string) => void
) {
  const watch = yield* watchRun(terminal, control)
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
