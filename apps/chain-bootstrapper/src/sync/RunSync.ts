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
import { type CommandResult, makeReporter, watchRun } from "@peerstrap/command-line"
import { Transport } from "@peerstrap/transport"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { loadNetwork } from "../network/NetworkOfRun.ts"
import { storeReport } from "../store/StoredReport.ts"
import { verifyApplied } from "../store/VerifyApplied.ts"
import { makeApplier } from "./Appliers.ts"
import { inTime, leftOf } from "./EarlyEnds.ts"
import { makeNoticeBook, type NoticeBook, tellNotice } from "./Notices.ts"
import { type Prepared, prepareSync, type Running, type SyncInput } from "./PrepareSync.ts"
import { logsOf, reporting } from "./Reporter.ts"
import { type Ended, type Ending, syncResult } from "./Result.ts"
import { runFault } from "./RunFaults.ts"
import { prepareDirectory, startControl } from "./RunPlace.ts"
import { RunState } from "./RunState.ts"

/** How long a drain may take; what is not durable by then is fetched again by the next run. */
const drainMillis = 15_000
/** After a fault of the store or the applier nothing is left to drain but connections. */
const faultDrainMillis = 1000

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
  const isFault = ended.outcome === "failed"
  const drained = yield* Effect.timeoutOption(run.stop, isFault ? faultDrainMillis : drainMillis)
  if (drained._tag === "None" && !isFault) {
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

/** Starts the engine on what was prepared. */
const begin = Effect.fnUntraced(function*({ input, reporter, state }: Running, ready: Prepared, notices: NoticeBook) {
  const { settings } = input
  const { baseHeader, ledger, options, peers, protocol, store, transport, trouble } = ready
  const applier = yield* inTime(makeApplier({ settings, network: ready.network, head: ready.head, reporter }), {
    input,
    state
  })
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
  state.begin({ run, until: settings.until, trouble })
  return run
})

const steps = Effect.fnUntraced(function*(running: Running) {
  const { input, state } = running
  const { plan, settings } = input
  const network = yield* loadNetwork(plan.network)
  const controlled: { run: SyncRun | undefined } = { run: undefined }
  yield* startControl(plan.controlPath, {
    command: "sync",
    state,
    network: network.chainName,
    store: plan.storePath,
    run: () => controlled.run,
    listening: () => controlled.run?.listening
  })
  const ready = yield* prepareSync(running, network)
  const { head, ledger, protocol, store } = ready
  const notices = makeNoticeBook()
  const run = yield* begin(running, ready, notices)
  controlled.run = run
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
    endedMillis: yield* Clock.currentTimeMillis,
    startLevel: head.level,
    snapshot,
    notices,
    verification,
    waits: isWhole || ended.outcome === "failed" ? [] : state.lastWaits,
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
  const options = reporting({ terminal, json, state })
  const reporter = yield* makeReporter(options)
  yield* watchRun(reporter, options).pipe(Effect.forkScoped)
  const result: CommandResult = yield* steps({ input, state, reporter }).pipe(
    Effect.scoped,
    Effect.provide(logsOf(reporter))
  )
  return yield* storeReport(plan.storePath, "sync", result)
})
