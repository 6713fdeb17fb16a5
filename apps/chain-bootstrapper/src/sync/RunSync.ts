/**
 * One sync from its plan to its result.
 *
 *   network ─► control socket ─► identity ─► peers ─► base, store ─► run (engine) ─► what was stored is read again ─► report, exit code
 *                  └ status, why, peers            └ SIGINT, SIGTERM, --deadline: drained, the store stays valid
 */
import {
  BlockApplier,
  ChainProtocol,
  type ChainRules,
  ChainStore,
  type FileChainStore,
  startSync,
  type SyncRun
} from "@peerstrap/chain-bootstrap"
import { CommandError, type CommandInput, type CommandResult, ExitCode, type StopSignal } from "@peerstrap/command-line"
import { formatBytes, serveControl } from "@peerstrap/progress"
import { FileSystem } from "@peerstrap/storage"
import { makeTezosRules, tezosProtocol } from "@peerstrap/tezos-bootstrap"
import { Crypto } from "@peerstrap/tezos-wire"
import { ByteLedger, Transport } from "@peerstrap/transport"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { peerIdText } from "../identity/IdentityFile.ts"
import { startIdentity } from "../identity/StartIdentity.ts"
import { fileFault } from "../LocalFaults.ts"
import { clockFault, keepNetwork, loadNetwork } from "../network/NetworkOfRun.ts"
import { storeReport } from "../store/StoredReport.ts"
import { verifyApplied } from "../store/VerifyApplied.ts"
import { makeApplier } from "./Appliers.ts"
import { baseAndStore } from "./BaseAndStore.ts"
import { controlCommands, type ControlledRun } from "./ControlCommands.ts"
import { makeNoticeBook, type NoticeBook, tellNotice } from "./Notices.ts"
import { PeerTrouble } from "./PeerTrouble.ts"
import { announcePlan, foreseenProblems } from "./PlanText.ts"
import { logsTo, makeReporter, type Reporter, watchRun } from "./Reporter.ts"
import { type Ended, type Ending, syncResult } from "./Result.ts"
import { runFault } from "./RunFaults.ts"
import { RunState } from "./RunState.ts"
import { startPeers } from "./StartPeers.ts"
import type { syncFlags } from "./SyncFlags.ts"
import { misfitOf, syncOptions } from "./SyncOptions.ts"
import type { SyncPlan } from "./SyncPlan.ts"

export type SyncInput = CommandInput<typeof syncFlags, SyncPlan>

/** Below this a warning is said before anything is written. */
const littleSpaceBytes = 256 * 2 ** 20

/** How long a drain may take; what is not durable by then is fetched again by the next run. */
const drainMillis = 15_000

interface Running {
  readonly input: SyncInput
  readonly state: RunState
  readonly reporter: Reporter
}

const stoppedEarly = (signal: StopSignal): CommandError =>
  new CommandError({
    exitCode: signal === "SIGINT" ? ExitCode.interrupted : ExitCode.terminated,
    message: `stopped by ${signal} before the run began`,
    remedy: ""
  })

/** Ends `effect` at the first signal: for the time in which there is nothing to drain. */
export const unlessStopped = <A, E, R>(effect: Effect.Effect<A, E, R>, { stop }: Pick<SyncInput, "stop">) =>
  Effect.raceFirst(effect, Effect.flatMap(stop, (signal) => Effect.fail(stoppedEarly(signal))))

/** What is left of `--deadline`, which counts from the start of the process. */
const leftOf = (deadline: number, { startedMillis }: RunState): Effect.Effect<number> =>
  Effect.map(Clock.currentTimeMillis, (now) => Math.max(0, deadline - (now - startedMillis)))

/** Makes the store's directory and warns of little space; the socket lies there before the store does. */
export const prepareDirectory = Effect.fnUntraced(function*(directory: string, state: RunState) {
  const fs = yield* FileSystem
  yield* fs.makeDirectory(directory).pipe(Effect.mapError(fileFault))
  const freeBytes = yield* fs.freeBytes(directory).pipe(Effect.orElseSucceed(() => undefined))
  if (freeBytes !== undefined && freeBytes < littleSpaceBytes) {
    state.warnings.push(`only ${formatBytes(freeBytes)} are free at ${directory}`)
  }
})

export const startControl = (path: string, controlled: ControlledRun) =>
  serveControl(path, controlCommands(controlled)).pipe(Effect.mapError((error) =>
    new CommandError({
      exitCode: error.reason === "path-too-long" ? ExitCode.usage : ExitCode.local,
      message: error.message,
      remedy: error.reason === "in-use"
        ? "another run works there: stop it, or name another --store"
        : "choose another path for the socket with --control"
    })
  ))

/** Until the run ends by itself, by a fault, by a deadline or by a signal; then it is drained. */
const untilEnded = Effect.fnUntraced(function*({ input, reporter, state }: Running, run: SyncRun) {
  const { deadline } = input.settings
  const itself = Effect.match(run.done, {
    onSuccess: (outcome): Ended => outcome ?? { outcome: "stopped", signal: "SIGTERM" },
    onFailure: (error): Ended => {
      const { exitCode, message, remedy } = runFault(error)
      return { outcome: "failed", exitCode, message, remedy }
    }
  })
  const signal = Effect.map(input.stop, (name): Ended => {
    reporter.say(`${name}: stopping in order; what has arrived is stored. A second signal ends the process at once.`)
    return { outcome: "stopped", signal: name }
  })
  const late = deadline === undefined
    ? Effect.never
    : Effect.as(
      Effect.flatMap(leftOf(deadline, state), Effect.sleep),
      { outcome: "deadline", afterMillis: deadline } satisfies Ended as Ended
    )
  const ended = yield* Effect.raceAllFirst([itself, signal, late])
  // The last words of the engine are from before it lets go of its peers.
  state.observe()
  const snapshot = run.snapshot()
  state.enter("stopping")
  const drained = yield* Effect.timeoutOption(run.stop, drainMillis)
  if (drained._tag === "None") {
    state.warnings.push(`the drain took longer than ${drainMillis / 1000} s and was given up; the store stays valid`)
  }
  return { ended, snapshot: { ...snapshot, head: run.snapshot().head, counters: run.snapshot().counters } }
})

/** Verifies what this run applied, from the lowest level that it changed. */
const readAgain = (
  store: FileChainStore.FileChainStore,
  rules: ChainRules,
  startLevel: number,
  { lowestFork }: NoticeBook,
  state: RunState
) =>
  verifyApplied({
    store,
    rules,
    fromLevel: Math.min(startLevel, lowestFork()) + 1,
    onProgress: (done, total) => state.stepTo("verifying", done, total)
  })

const steps = Effect.fnUntraced(function*(running: Running) {
  const { input, reporter, state } = running
  const { plan, settings } = input
  const clock = yield* Clock.Clock
  const network = yield* loadNetwork(plan.network)
  const pace = network
  const misfit = misfitOf(settings, pace)
  if (misfit !== undefined) return yield* misfit
  const controlled: { run: SyncRun | undefined } = { run: undefined }
  yield* startControl(plan.controlPath, {
    command: "sync",
    state,
    network: network.chainName,
    store: plan.storePath,
    run: () => controlled.run,
    listening: () => controlled.run?.listening
  })
  const { genesis, limits } = network
  const early = genesis.timeSeconds === undefined
    ? undefined
    : clockFault(clock.currentTimeMillisUnsafe(), "genesis", genesis.timeSeconds, limits.clockDriftSeconds)
  if (early !== undefined) return yield* early
  const identity = yield* unlessStopped(
    startIdentity({ path: plan.identityPath, difficulty: network.proofOfWork, state, reporter }),
    input
  )
  state.enter("starting")
  const peers = yield* unlessStopped(startPeers(settings.peer, network, settings.listen !== undefined), input)
  const ledger = new ByteLedger(settings.memory)
  const built = yield* Layer.build(tezosProtocol({
    network,
    identity,
    ledger,
    ...(settings.listen === undefined ? {} : { ownPort: settings.listen.port })
  }))
  const trouble = new PeerTrouble(() => clock.currentTimeMillisUnsafe())
  const protocol = trouble.watchProtocol(Context.get(built, ChainProtocol))
  const transport = trouble.watchTransport(yield* Transport)
  const { baseHeader, head, headTimeSeconds, store } = yield* unlessStopped(
    baseAndStore({
      directory: plan.storePath,
      base: settings.base,
      baseTimeoutMillis: settings.baseTimeout,
      network,
      genesis: makeTezosRules(yield* Crypto, network).genesis,
      protocol,
      peers,
      state,
      reporter
    }),
    input
  )
  if (headTimeSeconds !== undefined) {
    const block = `the last applied block, level ${head.level},`
    const ahead = clockFault(clock.currentTimeMillisUnsafe(), block, headTimeSeconds, limits.clockDriftSeconds)
    if (ahead !== undefined) return yield* ahead
  }
  yield* keepNetwork(plan.storePath, network)
  const options = syncOptions(settings, pace, peers.facts, clock.currentTimeMillisUnsafe() >>> 0)
  const { base } = store.identity
  announcePlan({ plan, settings, network, peers, options, base, head, peerId: peerIdText(identity) }, reporter)
  for (const warning of foreseenProblems({ base, head, network, options, peers })) {
    state.warnings.push(warning.split("\n")[0]!)
    reporter.say(`warning: ${warning}`)
  }
  const applier = yield* unlessStopped(makeApplier({ settings, network, head, reporter }), input)
  const notices = makeNoticeBook()
  const run = yield* startSync({
    sync: options,
    ...(baseHeader === undefined ? {} : { baseHeader }),
    named: peers.named,
    resolveNames: peers.resolveNames,
    ...(settings.listen === undefined ? {} : { listen: settings.listen }),
    ledger,
    onNotice: (notice) => {
      notices.add(notice)
      const { fields, name, text } = tellNotice(notice)
      reporter.event(name, fields, text)
    }
  }).pipe(
    Effect.provideService(ChainProtocol, protocol),
    Effect.provideService(ChainStore, store),
    Effect.provideService(BlockApplier, applier),
    Effect.provideService(Transport, transport),
    Effect.mapError(runFault)
  )
  controlled.run = run
  state.begin({ run, until: settings.until, trouble })
  const { ended, snapshot } = yield* untilEnded(running, run)
  state.end()
  const isWhole = ended.outcome === "synced" || ended.outcome === "level-reached"
  const verification = isWhole ? yield* readAgain(store, protocol.rules, head.level, notices, state) : undefined
  state.enter("done")
  const ending: Ending = {
    ended,
    network: network.chainName,
    storePath: plan.storePath,
    applier: settings.applier,
    startedMillis: state.startedMillis,
    endedMillis: clock.currentTimeMillisUnsafe(),
    startLevel: head.level,
    snapshot,
    notices,
    verification,
    waits: isWhole ? [] : state.lastWaits,
    warnings: state.warnings,
    peakMemoryBytes: ledger.peak
  }
  return syncResult(ending)
})

/** Syncs, reads again and tells. Fails only when there is nothing to report on. */
export const runSync = Effect.fnUntraced(function*(input: SyncInput) {
  const clock = yield* Clock.Clock
  const state = new RunState(() => clock.currentTimeMillisUnsafe())
  const { json, plan, terminal } = input
  yield* prepareDirectory(plan.storePath, state)
  const reporter = yield* makeReporter({ terminal, json, state })
  yield* watchRun(reporter, { terminal, json, state }).pipe(Effect.forkScoped)
  const result: CommandResult = yield* steps({ input, state, reporter }).pipe(
    Effect.scoped,
    Effect.provide(logsTo(reporter))
  )
  return yield* storeReport(plan.storePath, "sync", result)
})
