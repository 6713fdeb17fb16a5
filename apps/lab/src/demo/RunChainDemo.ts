/**
 * The demonstration on a chain, from nothing to a verdict:
 *
 *   seed ─► thirteen peers in four processes ─► sync, which follows ─► store ─► verify ─► comparison with the seed ─► exit code
 *             └ a forger, a staller, a flapper,    └ synced, then a reorganisation at the tip, then growth
 *               a fork that loses
 */
import { CommandError, type CommandResult, ExitCode, type Terminal } from "@peerstrap/command-line"
import { formatCount } from "@peerstrap/progress"
import { NodeFileSystem } from "@peerstrap/storage"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { existsSync, mkdtempSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type ChainNetwork, startChainNetwork } from "../chains/ChainNetwork.ts"
import { chainOfPlan, writeNetworkFile } from "../chains/NetworkOnDisk.ts"
import type { NetworkPlan } from "../chains/PeerPlan.ts"
import { networkLine, type ServedNetwork } from "../chains/ReadyLine.ts"
import { startSibling } from "../processes/SiblingProcess.ts"
import { compareChain } from "./ChainComparison.ts"
import {
  chainDemoFaults,
  type ChainDemoSettings,
  chainFaultsInWords,
  chainMoves,
  type ChainPaths,
  demoNetwork,
  syncArgs,
  syncDeadline,
  verifyStoreArgs
} from "./ChainDemoPlan.ts"
import { chainCodeOf, type ChainDemoEnd, chainDemoJson, chainDemoText } from "./ChainDemoResult.ts"
import { AppEvents, type StoryTold, tellStory } from "./ChainStory.ts"
import { makeDirectory, messagesOf } from "./DemoOutput.ts"
import { controlPathIn } from "./DemoPlan.ts"
import { controlCommand, type Watch, watchRun } from "./WatchRun.ts"

export interface ChainDemoOptions {
  readonly settings: ChainDemoSettings
  readonly faults: boolean
  /** Undefined: a fresh directory for temporary files. */
  readonly out: string | undefined
  readonly json: boolean
  readonly terminal: Terminal
}

/** The folder of the app that syncs and verifies. */
const bootstrapper = "chain-bootstrapper"
const program = "peerstrap-chain"

const pathsIn = (out: string): ChainPaths => ({
  network: join(out, "network.json"),
  store: join(out, "chain"),
  control: controlPathIn(out, () => mkdtempSync(join(tmpdir(), "peerstrap-demo-")))
})

/** The times of a chain end now: a store of an earlier one has other blocks. */
const checkUnused = ({ store }: ChainPaths): Effect.Effect<void, CommandError> =>
  existsSync(store)
    ? Effect.fail(
      new CommandError({
        exitCode: 4,
        message: `${store} exists already`,
        remedy: "remove it, or choose another directory with --out"
      })
    )
    : Effect.void

const announce = Effect.fnUntraced(
  function*(options: ChainDemoOptions, served: ServedNetwork, { control, store }: ChainPaths) {
    const { faults, json, settings, terminal } = options
    const { network, plan: { spec } } = served
    if (json) {
      return yield* terminal.out(`${JSON.stringify({ demo: "chain", ...networkLine(served), control, store })}\n`)
    }
    const losing = spec.forks.at(-1)
    terminal.error(
      [
        `${network.peers.length} peers in ${network.processes.length} processes ${
          network.processes.map(({ peers, pid }) => `${pid} (${peers})`).join(", ")
        }`,
        `serve ${formatCount(spec.levels)} blocks with ${spec.operationsPerBlock} operations each` +
        (losing === undefined ? "" : `, and a fork that loses above level ${formatCount(losing.at)}`),
        `faults: ${chainFaultsInWords(faults ? chainDemoFaults(settings.levels) : [])}`,
        ""
      ].join("\n")
    )
  }
)

const sayDeaths = ({ processes }: ChainNetwork, watch: Watch) =>
  Effect.forEach(
    processes,
    ({ ended, peers }) => Effect.flatMap(ended, (how) => watch.say(`the process of peers ${peers} ${how}\n`)),
    { concurrency: "unbounded", discard: true }
  )

/** The network, the app and the moves of the chain, until the app has ended. */
const follow = Effect.fnUntraced(
  function*(
    options: ChainDemoOptions,
    plan: NetworkPlan,
    paths: ChainPaths,
    told: StoryTold,
    take: (line: string) => void
  ) {
    const { settings: { levels }, terminal } = options
    const network = yield* startChainNetwork(plan)
    const { chain, file } = yield* writeNetworkFile(paths.network, plan, network)
    yield* announce(options, { plan, network, chain, file, path: paths.network }, paths)
    const ending = `It ends by itself after ${syncDeadline}; to see more: ${
      controlCommand(program, "status", paths.control)
    }`
    const watch = yield* watchRun(terminal, { program, control: paths.control, ending })
    yield* sayDeaths(network, watch).pipe(Effect.forkScoped)
    const events = new AppEvents()
    const moves = chainMoves(levels)
    const onLine = (line: string): void => {
      events.take(line)
      take(line)
    }
    const app = yield* startSibling(bootstrapper, syncArgs(paths, moves.finalLevel), onLine)
    const story = tellStory({ network, moves, events, told, say: watch.say })
    const sync = yield* Effect.raceFirst(app.ended, Effect.andThen(story, app.ended))
    const activity = yield* network.activity
    return { sync, activity, file, numbers: new Map(network.peers.map(({ id, peerId }) => [peerId, id])) }
  },
  Effect.scoped
)

const ended = ({ exitCode }: { readonly exitCode: number | undefined }): boolean =>
  exitCode === ExitCode.done || exitCode === ExitCode.no

export const runChainDemo = Effect.fnUntraced(function*(options: ChainDemoOptions) {
  const { json, settings, terminal } = options
  const started = yield* Clock.currentTimeMillis
  const out = yield* makeDirectory(options.out)
  const paths = pathsIn(out)
  // A directory of our own goes as a whole; in somebody else's there may be more.
  const leftovers = options.out === undefined ? [out] : [paths.store, paths.network]
  yield* checkUnused(paths)
  const plan = demoNetwork(settings, options.faults, Math.floor(started / 1_000))
  const moves = chainMoves(settings.levels)
  const told: StoryTold = { synced: false, reorganised: false }
  const { messages, take } = messagesOf()
  const { file, ...followed } = yield* follow(options, plan, paths, told, take)
  const check = Effect.gen(function*() {
    const verifier = yield* startSibling(bootstrapper, verifyStoreArgs(paths.store), take)
    const verify = yield* verifier.ended
    // One after the other: a store is open once.
    const { chain, crypto } = yield* chainOfPlan(plan)
    const head = chain.at(moves.finalLevel, moves.later.at(-1)!.branch)
    return { verify, comparison: yield* compareChain({ crypto, file, head, store: paths.store }) }
  }).pipe(Effect.scoped, Effect.provide(NodeFileSystem.layer))
  const checked = ended(followed.sync) ? yield* check : { verify: undefined, comparison: undefined }
  const tookMillis = (yield* Clock.currentTimeMillis) - started
  const faults = options.faults ? chainDemoFaults(settings.levels) : []
  const begun = { store: paths.store, leftovers, moves, faults, told }
  const end: ChainDemoEnd = { ...begun, tookMillis, ...followed, ...checked, messages }
  if (json) { for (const line of messages) terminal.error(`${line}\n`) }
  yield* terminal.out(json ? `${JSON.stringify(chainDemoJson(end))}\n` : chainDemoText(end))
  return { exitCode: chainCodeOf(end), text: "" } satisfies CommandResult as CommandResult
})
