/**
 * One bootstrap from its plan to its result.
 *
 *   directory ─► control socket ─► what is there ─► stream (engine) ─► verify what was written ─► report, exit code
 *                     └ status, why, set-level          └ SIGINT, SIGTERM: whole blocks stay, the rest is dropped
 */
import {
  CommandError,
  type CommandInput,
  type CommandResult,
  ExitCode,
  makeReporter,
  type Reporter,
  type StopSignal,
  watchRun
} from "@peerstrap/command-line"
import { LevelControl, LevelSource } from "@peerstrap/consistency-policy"
import { type BlockKey, BlockSink, PeerBlocks, SinkError, startPeerStreaming } from "@peerstrap/m3db-bootstrap"
import { filePath, filesetFiles, FilesetSink, type FilesetVerification, verifyFileset } from "@peerstrap/m3db-files"
import { NodeClients, nodeClientsLayer } from "@peerstrap/m3db-wire"
import { mergeRules } from "@peerstrap/m3tsz"
import { leastLoaded, makeThroughputWeighted } from "@peerstrap/peer-selection"
import { formatBytes, serveControl } from "@peerstrap/progress"
import { type FileError, FileSystem } from "@peerstrap/storage"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { BlockSizeWatch, type Misfit } from "./BlockSizeWatch.ts"
import type { bootstrapFlags } from "./BootstrapFlags.ts"
import { type BootstrapPlan, planJobs } from "./BootstrapPlan.ts"
import { controlCommands } from "./ControlCommands.ts"
import { blockName, checkExisting, type Existing } from "./Existing.ts"
import { levelLayer } from "./Level.ts"
import { announcePlan } from "./PlanText.ts"
import { logsOf, reporting } from "./Reporter.ts"
import { reportFileName } from "./ReportText.ts"
import { bootstrapResult, type Ending } from "./Result.ts"
import { RunState } from "./RunState.ts"

export type BootstrapInput = CommandInput<typeof bootstrapFlags, BootstrapPlan>

/** Below this a warning is said before anything is written. */
const littleSpaceBytes = 256 * 2 ** 20

/** How often the evidence against peers is looked at: it decides nothing while data flow. */
const evidenceMillis = 500

const diskRemedies: Partial<Record<FileError["reason"], string>> = {
  "permission": "run as the owner of the directory, or write elsewhere with --out",
  "read-only": "the file system is mounted read-only: write elsewhere with --out",
  "no-space": "free space, or write elsewhere with --out",
  "not-a-directory": "a part of the path is a file: write elsewhere with --out"
}

const diskError = (error: FileError): CommandError =>
  new CommandError({
    exitCode: ExitCode.local,
    message: error.message,
    remedy: diskRemedies[error.reason] ?? "look at the system's log for this device, or write elsewhere with --out"
  })

const stoppedEarly = (signal: StopSignal): CommandError =>
  new CommandError({
    exitCode: signal === "SIGINT" ? ExitCode.interrupted : ExitCode.terminated,
    message: `stopped by ${signal} before anything was written`,
    remedy: ""
  })

/** Ends `effect` at the first signal: for the time in which there is nothing to drain. */
const unlessStopped = <A, E, R>(effect: Effect.Effect<A, E, R>, { stop }: BootstrapInput) =>
  Effect.raceFirst(effect, Effect.flatMap(stop, (signal) => Effect.fail(stoppedEarly(signal))))

const startControl = Effect.fnUntraced(function*(input: BootstrapInput, state: RunState) {
  const { plan, settings } = input
  const levels = yield* LevelSource
  const levelControl = yield* LevelControl
  const { namespace } = settings
  const commands = controlCommands({ state, namespace, outPath: plan.outPath, levels, levelControl })
  yield* serveControl(plan.controlPath, commands).pipe(
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
})

/** What the sink saw: what it published, and whether blocks fit the settings at all. */
interface Seen {
  readonly written: Array<BlockKey>
  /** Commits that were begun: what an end in between publishes all the same. */
  readonly begun: Array<BlockKey>
  misfit: Misfit | undefined
}

const misfitError = (misfit: Misfit): SinkError => new SinkError({ subject: "block", reason: "io", ...misfit })

/** The sink of filesets, with a look at what passes through. */
const watchedSink = Effect.fnUntraced(function*({ plan, settings }: BootstrapInput, watch: BlockSizeWatch, seen: Seen) {
  const context = yield* Layer.build(FilesetSink.layer({
    prefix: plan.outPath,
    namespace: settings.namespace,
    blockSize: settings.blockSize,
    // With --resume whole blocks are no jobs: what is still there is damaged.
    overwrite: settings.overwrite || settings.resume
  }))
  const sink = Context.get(context, BlockSink)
  return BlockSink.of({
    write: (batch) =>
      Effect.suspend(() => {
        if (settings.encoding === "m3tsz") seen.misfit ??= watch.look(batch)
        return seen.misfit === undefined ? sink.write(batch) : Effect.fail(misfitError(seen.misfit))
      }),
    abort: (key) => sink.abort(key),
    commit: (key) =>
      Effect.suspend(() => {
        seen.begun.push(key)
        return Effect.tap(sink.commit(key), () => Effect.sync(() => seen.written.push(key)))
      })
  })
})

const openPeers = Effect.fnUntraced(function*({ plan, settings }: BootstrapInput) {
  const context = yield* Layer.build(nodeClientsLayer({
    connections: settings.connectionsPerPeer,
    idleTimeoutMillis: settings.idleTimeout,
    totalTimeoutMillis: settings.callTimeout
  }))
  const clients = Context.get(context, NodeClients)
  return PeerBlocks.of({ peers: yield* Effect.forEach(plan.peers, ({ address, id }) => clients.open(id, address)) })
})

const streamingOptions = ({ plan, settings }: BootstrapInput, existing: Existing, reporter: Reporter) => ({
  stream: {
    namespace: settings.namespace,
    blockSizeNanos: settings.blockSize,
    replicationFactor: plan.replicationFactor,
    numShards: plan.numShards,
    hashSeed: settings.hashSeed,
    errorPolicy: settings.errorPolicy,
    encoding: settings.encoding,
    retentionNanos: settings.retention,
    immutableEnd: plan.immutableEnd
  },
  jobs: planJobs(plan, (shard, start) => existing.kept.has(blockName(shard, start)), settings.jobsInFlight),
  memoryBytes: settings.memory,
  limits: { jobsInFlight: settings.jobsInFlight },
  queueLimits: {
    windowBatches: settings.window,
    maxBatchBytes: settings.batchBytes,
    maxBatchItems: settings.batchItems,
    initialBatchBytes: Math.min(256 * 1024, settings.batchBytes),
    ...(settings.peerBytesPerSecond === undefined ? {} : { bytesPerSecond: settings.peerBytesPerSecond })
  },
  ranking: settings.ranking === "least-loaded" ? leastLoaded : makeThroughputWeighted(),
  mergeRule: mergeRules.get(settings.mergeRule)!,
  deadlineMillis: settings.deadline,
  onNote: reporter.event
})

/** Takes back what was published under settings that turned out wrong: blocks that seemed empty. */
const removeFilesets = Effect.fnUntraced(function*({ plan, settings }: BootstrapInput, keys: ReadonlyArray<BlockKey>) {
  const fs = yield* FileSystem
  for (const key of keys) {
    const fileset = { prefix: plan.outPath, namespace: settings.namespace, volume: 0, ...key }
    // The checkpoint goes first: without it the rest is no fileset.
    for (const file of filesetFiles.toReversed()) yield* Effect.ignore(fs.remove(filePath(fileset, file)))
  }
})

interface Streaming {
  readonly input: BootstrapInput
  readonly existing: Existing
  readonly state: RunState
  readonly reporter: Reporter
}

/** Until the run ends by itself, by a deadline or by a signal. Whatever wrote has ended when its scope has. */
const streamInScope = Effect.fnUntraced(function*({ existing, input, reporter, state }: Streaming, seen: Seen) {
  const watch = new BlockSizeWatch(input.settings.blockSize)
  const sink = yield* watchedSink(input, watch, seen)
  const peers = yield* openPeers(input)
  const handle = yield* startPeerStreaming(streamingOptions(input, existing, reporter)).pipe(
    Effect.provideService(BlockSink, sink),
    Effect.provideService(PeerBlocks, peers)
  )
  state.stream(handle.run)
  let stoppedBy: StopSignal | undefined
  yield* input.stop.pipe(
    Effect.flatMap((signal) => {
      stoppedBy = signal
      reporter.say(`${signal}: stopping in order; whole blocks stay. A second signal ends the process at once.`)
      return handle.stop
    }),
    Effect.forkScoped
  )
  yield* Effect.suspend(() => {
    if (input.settings.encoding === "m3tsz") seen.misfit ??= watch.lookAtEvidence(handle.run)
    return seen.misfit === undefined ? Effect.void : handle.stop
  }).pipe(Effect.andThen(Effect.sleep(evidenceMillis)), Effect.forever, Effect.forkScoped)
  const { outcome, report } = yield* handle.result
  return { outcome, report, stoppedBy: outcome._tag === "stopped" ? stoppedBy : undefined }
})

const stream = Effect.fnUntraced(function*(streaming: Streaming) {
  const seen: Seen = { written: [], begun: [], misfit: undefined }
  const ended = yield* Effect.scoped(streamInScope(streaming, seen))
  const { begun, misfit, written } = seen
  const outcome = misfit === undefined ? ended.outcome : { _tag: "failed", fault: "usage", ...misfit } as const
  if (outcome._tag !== "failed" || outcome.fault !== "usage") return { ...ended, written }
  yield* removeFilesets(streaming.input, begun)
  return { outcome, report: ended.report, stoppedBy: undefined, written: [] }
})

/** Reads every fileset again; the signal when one ended that. */
const verifyWritten = (input: BootstrapInput, written: ReadonlyArray<BlockKey>, state: RunState) => {
  const { plan, settings } = input
  const sharding = { numShards: plan.numShards, seed: settings.hashSeed }
  let done = 0
  state.enter("verifying", written.length)
  const verify = Effect.forEach(
    written,
    (key): Effect.Effect<FilesetVerification, never, FileSystem> =>
      verifyFileset({ prefix: plan.outPath, namespace: settings.namespace, volume: 0, ...key }, { sharding }).pipe(
        Effect.tap(() => Effect.sync(() => state.checked(++done, written.length)))
      ),
    { concurrency: 2 }
  )
  return Effect.raceFirst(verify, input.stop)
}

const prepareDirectory = Effect.fnUntraced(function*({ plan }: BootstrapInput, state: RunState) {
  const fs = yield* FileSystem
  yield* fs.makeDirectory(plan.outPath).pipe(Effect.mapError(diskError))
  const freeBytes = yield* fs.freeBytes(plan.outPath).pipe(Effect.orElseSucceed(() => undefined))
  if (freeBytes !== undefined && freeBytes < littleSpaceBytes) {
    state.warnings.push(`only ${formatBytes(freeBytes)} are free at ${plan.outPath}`)
  }
  return freeBytes
})

/** The report is for `status` and for programs; a disk that cannot take it spoils an otherwise good end. */
const storeReport = Effect.fnUntraced(function*(plan: BootstrapPlan, result: CommandResult) {
  const fs = yield* FileSystem
  const path = `${plan.outPath}/${reportFileName}`
  const text = `${JSON.stringify({ command: "bootstrap", exitCode: result.exitCode, ...result.json }, undefined, 2)}\n`
  return yield* fs.writeFileAtomic(path, new TextEncoder().encode(text)).pipe(
    Effect.as(result),
    Effect.catch((error: FileError) =>
      Effect.succeed<CommandResult>({
        ...result,
        exitCode: result.exitCode === ExitCode.done ? ExitCode.local : result.exitCode,
        text: `${result.text}  report: not stored: ${error.path}: ${error.message}\n`
      })
    )
  )
})

const steps = Effect.fnUntraced(function*(input: BootstrapInput, state: RunState, reporter: Reporter) {
  const { plan, settings } = input
  yield* startControl(input, state)
  state.enter("checking output")
  const existing = yield* unlessStopped(
    checkExisting(plan, settings, (done, total) => state.checked(done, total)),
    input
  )
  const { level, origin } = yield* LevelSource.use((levels) => levels.current)
  announcePlan({ plan, settings, existing, level, origin }, reporter)
  const streamed = yield* stream({ input, existing, state, reporter })
  const { outcome } = streamed
  const isWhole = outcome._tag === "complete" || outcome._tag === "incomplete"
  const verified = isWhole ? yield* verifyWritten(input, streamed.written, state) : undefined
  const stoppedWhileVerifying = typeof verified === "string" ? verified : undefined
  state.enter("done")
  const ending: Ending = {
    plan,
    settings,
    existing,
    ...streamed,
    stoppedBy: streamed.stoppedBy ?? stoppedWhileVerifying,
    verified: typeof verified === "string" ? undefined : verified,
    // A run that ended by itself waits for nothing more: what is missing says why.
    waits: isWhole ? [] : state.lastWaits,
    warnings: state.warnings
  }
  return yield* storeReport(plan, bootstrapResult(ending))
})

/** Streams, verifies and tells. Fails only when there is nothing to report on. */
export const runBootstrap = Effect.fnUntraced(function*(input: BootstrapInput) {
  const clock = yield* Clock.Clock
  const state = new RunState(() => clock.currentTimeMillisUnsafe())
  const options = reporting({ terminal: input.terminal, json: input.json, state })
  const freeBytes = yield* prepareDirectory(input, state)
  const reporter = yield* makeReporter(options)
  yield* watchRun(reporter, options).pipe(Effect.forkScoped)
  if (freeBytes !== undefined) reporter.event("disk", { path: input.plan.outPath, freeBytes })
  return yield* steps(input, state, reporter).pipe(
    Effect.provide(Layer.provideMerge(levelLayer(input.settings), logsOf(reporter)))
  )
})
