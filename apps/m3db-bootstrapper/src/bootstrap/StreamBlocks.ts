/**
 * The streaming of a run, from the services of its parts to its outcome.
 *
 *   m3db.peers ─► engine ─► BlockSizeWatch ─► m3db.sink        ends: by itself, deadline, signal, misfit settings, a fatal plugin
 */
import type { Reporter, StopSignal } from "@peerstrap/command-line"
import {
  type BlockKey,
  BlockSink,
  MergePolicy,
  type Outcome,
  PeerBlocks,
  SinkError,
  startPeerStreaming
} from "@peerstrap/m3db-bootstrap"
import type { FilesetSinkConfig } from "@peerstrap/m3db-files/plugin"
import { PeerRanking, PeerRateSource } from "@peerstrap/peer-selection"
import type { RunningHost } from "@peerstrap/plugin-host"
import { BufferMemory } from "@peerstrap/transport"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { BlockSizeWatch, type Misfit } from "./BlockSizeWatch.ts"
import { planJobs } from "./BootstrapPlan.ts"
import { blockName, type Existing } from "./Existing.ts"
import { filesetOutputOf, removeFilesets } from "./FilesetOutput.ts"
import { lookForFurtherShards } from "./FurtherShards.ts"
import type { BootstrapInput } from "./RunBootstrap.ts"
import type { RunState } from "./RunState.ts"
import { fatalPlugin } from "./StartErrors.ts"

export interface Streaming {
  readonly input: BootstrapInput
  /** By index in the plan. */
  readonly peers: PeerBlocks["Service"]["peers"]
  readonly host: RunningHost<never>
  readonly existing: Existing
  readonly state: RunState
  readonly reporter: Reporter
}

/** How often the evidence against peers is looked at: it decides nothing while data flow. */
const evidenceMillis = 500

/**
 * Who has not answered by then whether there are further shards has nothing to say: it takes a healthy node a few ms. The end of a run waits
 * for it no longer than that: only where most peers are silent.
 */
const shardsMillis = 10_000
const shardsAtEndMillis = 2_000

/** What the sink saw: what it published, and what ended the run against its will. */
interface Seen {
  readonly written: Array<BlockKey>
  /** Commits that were begun: what an end in between publishes all the same. */
  readonly begun: Array<BlockKey>
  /** Blocks do not fit the settings at all. */
  misfit: Misfit | undefined
  /** A plugin has given up. */
  fatal: { readonly message: string; readonly remedy: string } | undefined
}

const misfitError = (misfit: Misfit): SinkError => new SinkError({ subject: "block", reason: "io", ...misfit })

/** The sink, with a look at what passes through. */
const watchedSink = (sink: BlockSink["Service"], watch: BlockSizeWatch | undefined, seen: Seen) =>
  BlockSink.of({
    write: (batch) =>
      Effect.suspend(() => {
        seen.misfit ??= watch?.look(batch)
        return seen.misfit === undefined ? sink.write(batch) : Effect.fail(misfitError(seen.misfit))
      }),
    abort: (key) => sink.abort(key),
    commit: (key) =>
      Effect.suspend(() => {
        seen.begun.push(key)
        return Effect.tap(sink.commit(key), () => Effect.sync(() => seen.written.push(key)))
      })
  })

const streamingOptions = ({ existing, input: { plan, settings }, reporter }: Streaming) => ({
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
  limits: { jobsInFlight: settings.jobsInFlight },
  queueLimits: {
    windowBatches: settings.window,
    maxBatchBytes: settings.batchBytes,
    maxBatchItems: settings.batchItems,
    initialBatchBytes: Math.min(256 * 1024, settings.batchBytes)
  },
  deadlineMillis: settings.deadline,
  onNote: reporter.event
})

/** Until the run ends by itself, by a deadline or by a signal. Whatever wrote has ended when its scope has. */
const streamInScope = Effect.fnUntraced(
  function*(streaming: Streaming, filesets: FilesetSinkConfig | undefined, seen: Seen) {
    const { host, input, peers, reporter, state } = streaming
    const looks = filesets !== undefined && input.settings.encoding === "m3tsz"
    const watch = looks ? new BlockSizeWatch(input.settings.blockSize) : undefined
    const sink = watchedSink(yield* BlockSink, watch, seen)
    const options = {
      ...streamingOptions(streaming),
      ledger: (yield* BufferMemory).ledger,
      peerRate: yield* PeerRateSource,
      ranking: yield* PeerRanking,
      mergeRule: yield* MergePolicy
    }
    const handle = yield* startPeerStreaming(options).pipe(
      Effect.provideService(BlockSink, sink),
      Effect.provideService(PeerBlocks, { peers })
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
    yield* host.fatal.pipe(
      Effect.catch((error) => {
        seen.fatal = fatalPlugin(error)
        return handle.stop
      }),
      Effect.forkScoped
    )
    const further = yield* lookForFurtherShards(
      options.jobs.length === 0 ? [] : peers,
      input.plan,
      input.settings,
      shardsMillis
    )
      .pipe(
        Effect.flatMap((misfit) => {
          seen.misfit ??= misfit
          return misfit === undefined ? Effect.void : handle.stop
        }),
        Effect.forkScoped
      )
    yield* Effect.suspend(() => {
      seen.misfit ??= watch?.lookAtEvidence(handle.run)
      return seen.misfit === undefined ? Effect.void : handle.stop
    }).pipe(Effect.andThen(Effect.sleep(evidenceMillis)), Effect.forever, Effect.forkScoped)
    const { outcome, report } = yield* handle.result
    // A short run may be done before it: nothing is called complete until it is known.
    if (outcome._tag === "complete" || outcome._tag === "incomplete") {
      yield* Effect.timeoutOption(Fiber.join(further), shardsAtEndMillis)
    }
    return { outcome, report, stoppedBy: outcome._tag === "stopped" ? stoppedBy : undefined }
  }
)

const outcomeOf = ({ fatal, misfit }: Seen, ended: Outcome): Outcome =>
  misfit !== undefined
    ? { _tag: "failed", fault: "usage", ...misfit }
    : fatal !== undefined
    ? { _tag: "failed", fault: "self", ...fatal }
    : ended

/** Filesets of a run whose settings do not fit the cluster are taken back. */
export const streamBlocks = Effect.fnUntraced(function*(streaming: Streaming) {
  const filesets = filesetOutputOf(streaming.host.graph)
  const seen: Seen = { written: [], begun: [], misfit: undefined, fatal: undefined }
  const ended = yield* Effect.scoped(streamInScope(streaming, filesets, seen))
  const outcome = outcomeOf(seen, ended.outcome)
  if (outcome._tag !== "failed") return { ...ended, written: seen.written }
  const failed = { outcome, report: ended.report, stoppedBy: undefined }
  if (outcome.fault !== "usage" || filesets === undefined) return { ...failed, written: seen.written }
  yield* removeFilesets(filesets, seen.begun)
  return { ...failed, written: [] }
})
