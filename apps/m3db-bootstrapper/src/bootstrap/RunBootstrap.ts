/**
 * One bootstrap from its plan and its parts to its result.
 *
 *   directory ─► control socket ─► parts start ─► what is there ─► stream (engine) ─► verify what was written ─► parts stop ─► report
 *                     └ status, why, set-level                        └ SIGINT, SIGTERM: whole blocks stay, the rest is dropped
 *
 * What is there and what was written is looked at when the sink writes filesets; what another sink does with blocks is its own.
 */
import {
  CommandError,
  type CommandInput,
  type CommandResult,
  ExitCode,
  makeReporter,
  type Reporter,
  watchRun
} from "@peerstrap/command-line"
import { LevelSource } from "@peerstrap/consistency-policy"
import type { Outcome } from "@peerstrap/m3db-bootstrap"
import { Host, LogThreshold, machineBudgets, type PluginStatus, type Status } from "@peerstrap/plugin-host"
import { formatBytes, serveControl } from "@peerstrap/progress"
import { type FileError, FileSystem } from "@peerstrap/storage"
import { BufferMemory } from "@peerstrap/transport"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type { bootstrapFlags } from "./BootstrapFlags.ts"
import type { BootstrapPlan } from "./BootstrapPlan.ts"
import { controlCommands, levelPart } from "./ControlCommands.ts"
import { checkExisting, nothingExists } from "./Existing.ts"
import { filesetOutputOf, verifyFilesets } from "./FilesetOutput.ts"
import type { BootstrapHost, BootstrapParts } from "./Parts.ts"
import { plannedPeers } from "./PlannedPeers.ts"
import { announcePlan } from "./PlanText.ts"
import { logsOf, reporting } from "./Reporter.ts"
import { reportFileName } from "./ReportText.ts"
import { bootstrapResult, type Ending } from "./Result.ts"
import { type EndPhase, RunState } from "./RunState.ts"
import { diskError, fatalPlugin, partError, stoppedEarly } from "./StartErrors.ts"
import { readStoredReport } from "./StoredReport.ts"
import { streamBlocks } from "./StreamBlocks.ts"

export type BootstrapInput = CommandInput<typeof bootstrapFlags, BootstrapPlan, BootstrapParts>

/** Below this a warning is said before anything is written. */
const littleSpaceBytes = 256 * 2 ** 20

/** Ends `effect` at the first signal: for the time in which there is nothing to drain. */
const unlessStopped = <A, E, R>(effect: Effect.Effect<A, E, R>, { stop }: BootstrapInput) =>
  Effect.raceFirst(effect, Effect.flatMap(stop, (signal) => Effect.fail(stoppedEarly(signal))))

const startControl = ({ plan, settings }: BootstrapInput, state: RunState) =>
  serveControl(
    plan.controlPath,
    controlCommands({ state, namespace: settings.namespace, outPath: plan.outPath })
  ).pipe(
    Effect.mapError((error) =>
      new CommandError({
        exitCode: error.reason === "path-too-long" ? ExitCode.usage : ExitCode.local,
        message: error.message,
        remedy: error.reason === "in-use"
          ? "another run writes there: wait for it, or write elsewhere with --out"
          : "choose another path for the socket with --control"
      })
    )
  )

const inTrouble: ReadonlySet<Status> = new Set(["recoverable", "permanent", "fatal"])

/** A person hears of trouble, and of its end. */
const tellStatus = (now: PluginStatus, state: RunState, reporter: Reporter): void => {
  const { id, message, status } = now
  const before = state.plugins.find((plugin) => plugin.id === id)?.status
  state.plugin(now)
  const why = message === "" ? "" : `: ${message}`
  // The host's words for a plugin that hangs while it stops.
  if (status === "stopped" && message !== "") state.warnings.push(`${id} ${message}`)
  // One that is well may say anew how well.
  if (status === "ok" && before === "ok") return
  const isMended = status === "ok" && before !== undefined && inTrouble.has(before)
  const text = inTrouble.has(status)
    ? `plugin ${id} is ${status}${why}`
    : isMended
    ? `plugin ${id} is ok again`
    : undefined
  reporter.event("plugin-status", { plugin: id, status, message }, text)
}

const startParts = (input: BootstrapInput, state: RunState, reporter: Reporter) =>
  Host.start(input.resolved, {
    machine: machineBudgets(),
    onStatus: (status) => tellStatus(status, state, reporter),
    onEvent: ({ fields, name, plugin, text }) => reporter.event(name, { plugin, ...fields }, text),
    onProgress: (progress) => state.pluginProgress(progress),
    onChange: ({ from, origin, plugin, setting, to }) => {
      // The level's change is told by the engine, whoever made it.
      const isTold = state.host !== undefined && plugin === levelPart(state.host.graph)
      const text = isTold ? undefined : `${plugin} ${setting} ${from} → ${to}, set by ${origin}`
      reporter.event("setting-changed", { plugin, setting, from, to, origin }, text)
    }
  }).pipe(Effect.mapError(partError), (started) => unlessStopped(started, input))

const prepareDirectory = Effect.fnUntraced(function*({ plan }: BootstrapInput, state: RunState) {
  const fs = yield* FileSystem
  yield* fs.makeDirectory(plan.outPath).pipe(Effect.mapError(diskError))
  const freeBytes = yield* fs.freeBytes(plan.outPath).pipe(Effect.orElseSucceed(() => undefined))
  if (freeBytes !== undefined && freeBytes < littleSpaceBytes) {
    state.warnings.push(`only ${formatBytes(freeBytes)} are free at ${plan.outPath}`)
  }
  return freeBytes
})

/** What a run that fetched nothing keeps: the report of the last one that did. What cannot be read is none. */
const reportBefore = ({ plan, report }: Ending) =>
  report.blocks.committed > 0 || report.bytes > 0
    ? Effect.undefined
    : readStoredReport(plan.outPath).pipe(
      Effect.map((last) => {
        if (last === undefined) return undefined
        const { blocks, bytes } = last.report
        return blocks.committed > 0 || bytes > 0 ? last : last.before
      }),
      Effect.orElseSucceed(() => undefined)
    )

/** The report is for `status` and for programs; a disk that cannot take it spoils an otherwise good end. */
const storeReport = Effect.fnUntraced(function*(ending: Ending) {
  const fs = yield* FileSystem
  const result = bootstrapResult(ending)
  const path = `${ending.plan.outPath}/${reportFileName}`
  const before = yield* reportBefore(ending)
  const document = { command: "bootstrap", exitCode: result.exitCode, ...result.json, before }
  const text = `${JSON.stringify(document, undefined, 2)}\n`
  const kept = before === undefined
    ? ""
    : `  the report of the run that fetched (until ${before.ended}) is kept in it\n`
  return yield* fs.writeFileAtomic(path, new TextEncoder().encode(text)).pipe(
    Effect.as<CommandResult>({ ...result, text: result.text + kept }),
    Effect.catch((error: FileError) =>
      Effect.succeed<CommandResult>({
        ...result,
        exitCode: result.exitCode === ExitCode.done ? ExitCode.local : result.exitCode,
        text: `${result.text}  report: not stored: ${error.path}: ${error.message}\n`
      })
    )
  )
})

const endPhases: Readonly<Record<Outcome["_tag"], EndPhase>> = {
  complete: "done",
  incomplete: "incomplete",
  deadline: "deadline",
  stopped: "stopped",
  failed: "failed"
}

const steps = Effect.fnUntraced(
  function*(host: BootstrapHost, input: BootstrapInput, state: RunState, reporter: Reporter) {
    const { plan, settings } = input
    const { graph } = host
    const filesets = filesetOutputOf(graph)
    const peers = yield* plannedPeers(plan)
    state.enter("checking output")
    const existing = filesets === undefined ? nothingExists : yield* checkExisting(
      { ...plan, outPath: filesets.out },
      { ...settings, namespace: filesets.namespace, overwrite: filesets.overwrite },
      (done, total) => state.checked(done, total)
    ).pipe(
      (check) => Effect.raceFirst(check, host.fatal),
      Effect.catchTag(
        "PluginFatalError",
        (error) => Effect.fail(new CommandError({ exitCode: ExitCode.local, ...fatalPlugin(error) }))
      ),
      (check) => unlessStopped(check, input)
    )
    const { level, origin } = yield* LevelSource.use((levels) => levels.current)
    const memoryBytes = (yield* BufferMemory).ledger.capacity
    announcePlan({ host, plan, settings, existing, level, origin, memoryBytes }, reporter)
    const streamed = yield* streamBlocks({ input, peers, host, existing, state, reporter })
    const { outcome, written } = streamed
    const isWhole = outcome._tag === "complete" || outcome._tag === "incomplete"
    let done = 0
    if (isWhole && filesets !== undefined) state.enter("verifying", written.length)
    const verified = isWhole && filesets !== undefined
      ? yield* Effect.raceFirst(
        verifyFilesets(
          filesets,
          { numShards: plan.numShards, seed: settings.hashSeed },
          written,
          () => state.checked(++done, written.length)
        ),
        input.stop
      )
      : undefined
    const stoppedWhileVerifying = typeof verified === "string" ? verified : undefined
    const isSound = typeof verified === "string" || verified?.every(({ ok }) => ok) !== false
    state.enter(stoppedWhileVerifying !== undefined ? "stopped" : isSound ? endPhases[outcome._tag] : "failed")
    const ending: Ending = {
      plan,
      settings,
      graph,
      existing,
      ...streamed,
      stoppedBy: streamed.stoppedBy ?? stoppedWhileVerifying,
      verified: typeof verified === "string" ? undefined : verified,
      // A run that ended by itself waits for nothing more: what is missing says why.
      waits: isWhole ? [] : state.lastWaits,
      warnings: state.warnings
    }
    return ending
  }
)

/** From the control socket on, which answers while parts start, to the end of the last part. */
const runParts = Effect.fnUntraced(function*(input: BootstrapInput, state: RunState, reporter: Reporter) {
  yield* startControl(input, state)
  return yield* startParts(input, state, reporter).pipe(
    Effect.flatMap((started) => {
      state.host = started
      return Effect.provideContext(steps(started, input, state, reporter), started.context)
    }),
    // Parts have stopped before anything is told of the end.
    Effect.scoped
  )
})

/** Streams, verifies and tells. Fails only when there is nothing to report on. `FileSystem` is for the run's own directory. */
export const runBootstrap = Effect.fnUntraced(function*(input: BootstrapInput) {
  const clock = yield* Clock.Clock
  const state = new RunState(input.plan, () => clock.currentTimeMillisUnsafe())
  const options = reporting({ terminal: input.terminal, json: input.json, state })
  const freeBytes = yield* prepareDirectory(input, state)
  const reporter = yield* makeReporter(options)
  yield* watchRun(reporter, options).pipe(Effect.forkScoped)
  if (freeBytes !== undefined) reporter.event("disk", { path: input.plan.outPath, freeBytes })
  const threshold = () => state.host === undefined ? "info" : Context.get(state.host.context, LogThreshold).level()
  const ending = yield* Effect.provide(runParts(input, state, reporter), logsOf(reporter, threshold)).pipe(
    Effect.onError(() => Effect.sync(() => state.enter("failed")))
  )
  return yield* storeReport(ending)
})
