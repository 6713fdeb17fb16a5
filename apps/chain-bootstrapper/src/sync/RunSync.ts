/**
 * One sync from its plan to its result.
 *
 *   network ─► control socket ─► peers ─► parts (identity, base, store, …) ─► run (engine) ─► what was stored is read again ─► report, exit code
 *                  └ status, why, peers     └ Parts.ts                            └ SIGINT, SIGTERM, --deadline: drained, the store stays valid
 */
import { ChainProtocol, ChainStore, ReorganisationStrategy, startSync, type SyncRun } from "@peerstrap/chain-bootstrap"
import { type CommandResult, makeReporter, watchRun } from "@peerstrap/command-line"
import type { RunningHost } from "@peerstrap/plugin-host"
import { BufferMemory } from "@peerstrap/transport"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { loadNetwork } from "../network/NetworkOfRun.ts"
import { storeReport } from "../store/StoredReport.ts"
import { verifyApplied } from "../store/VerifyApplied.ts"
import { inTime, leftOf } from "./EarlyEnds.ts"
import { makeNoticeBook, type NoticeBook, tellNotice } from "./Notices.ts"
import { type Prepared, prepareSync, type Running, type SyncInput } from "./PrepareSync.ts"
import { logsOf, reporting } from "./Reporter.ts"
import { type Ended, type Ending, syncResult } from "./Result.ts"
import { runFault } from "./RunFaults.ts"
import { prepareDirectory, startControl } from "./RunPlace.ts"
import { RunState } from "./RunState.ts"
import { fatalPlugin } from "./StartFaults.ts"

/** How long a drain may take; what is not durable by then is fetched again by the next run. */
const drainMillis = 15_000
/** After a fault of the store or the applier nothing is left to drain but connections. */
const faultDrainMillis = 1000

/** Until the run ends by itself, by a fault, by a deadline or by a signal; then it is drained. */
const untilEnded = Effect.fnUntraced(function*(
  { input, reporter, state }: Running,
  run: SyncRun,
  fatal: RunningHost<unknown>["fatal"]
) {
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
  const gaveUp = Effect.match(fatal, {
    onSuccess: (never) => never,
    onFailure: (error): Ended => ({ outcome: "failed", ...fatalPlugin(error) })
  })
  const ended = yield* Effect.raceAllFirst([itself, signal, late, gaveUp])
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

/** Verifies what this run applied, from the lowest level that it changed; whatever keeps it. */
const readAgain = Effect.fnUntraced(function*(startLevel: number, { lowestFork }: NoticeBook, state: RunState) {
  return yield* verifyApplied({
    store: yield* ChainStore,
    rules: (yield* ChainProtocol).rules,
    fromLevel: Math.min(startLevel, lowestFork()) + 1,
    onProgress: (done, total) => state.stepTo("verifying", done, total)
  })
})

/** Starts the engine on what was prepared. */
const begin = Effect.fnUntraced(function*({ input, reporter, state }: Running, ready: Prepared, notices: NoticeBook) {
  const { settings } = input
  const { baseHeader, context, options, peers, repair, trouble } = ready
  const run = yield* startSync({
    sync: options,
    strategy: Context.get(context, ReorganisationStrategy),
    ...(baseHeader === undefined ? {} : { baseHeader }),
    named: peers.named,
    resolveNames: peers.resolveNames,
    // A chain with a hole is not told to others as if it were whole.
    serve: repair === undefined || repair.blocksLeft === 0,
    ...(settings.listen === undefined ? {} : { listen: settings.listen }),
    ledger: Context.get(context, BufferMemory).ledger,
    onNotice: (notice) => {
      notices.add(notice)
      const { fields, name, text } = tellNotice(notice)
      reporter.event(name, fields, text)
    }
  }).pipe(Effect.provideContext(context), Effect.mapError(runFault))
  state.begin({ run, until: settings.until, trouble })
  return run
})

const steps = Effect.fnUntraced(function*(running: Running) {
  const { input, state } = running
  const { plan } = input
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
  const { context, feared, head, host, names, repair } = ready
  const notices = makeNoticeBook()
  const run = yield* inTime(begin(running, ready, notices), running)
  controlled.run = run
  const { ended, snapshot } = yield* untilEnded(running, run, host.fatal)
  state.end()
  const isWhole = ended.outcome === "synced" || ended.outcome === "level-reached"
  const verification = isWhole
    ? yield* Effect.provideContext(readAgain(head.level, notices, state), context)
    : undefined
  const isSound = verification === undefined || verification.problemCount === 0
  state.enter(!isWhole ? ended.outcome : isSound ? "done" : "failed")
  const ending: Ending = {
    ended,
    network: network.chainName,
    directory: plan.storePath,
    store: names.store,
    applier: names.applier,
    parts: names.parts,
    startedMillis: state.startedMillis,
    endedMillis: yield* Clock.currentTimeMillis,
    startLevel: head.level,
    snapshot,
    notices,
    verification,
    repair,
    waits: isWhole || ended.outcome === "failed" ? [] : state.lastWaits,
    warnings: isWhole || snapshot.segments > 0
      ? state.warnings.filter((warning) => !feared.includes(warning))
      : state.warnings,
    peakMemoryBytes: Context.get(context, BufferMemory).ledger.peak
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
    Effect.onError(() => Effect.sync(() => state.enter("failed"))),
    Effect.provide(logsOf(reporter, state))
  )
  return yield* storeReport(plan.storePath, "sync", result)
})
