/**
 * Runs the streaming engine over real peers, a sink and a level that may change: one fiber feeds events to the engine and
 * executes its actions; each call to a peer is a fiber of its own; a few lanes write to the sink.
 *
 *   PeerBlocks ◄── list, fetch ── StreamRun ── deliver, commit, abort ──► BlockSink
 *        └── page, answer ──────►    ▲ └──────── written, committed ◄────────┘
 *                                    └ level ◄── LevelSource
 */
import { LevelSource } from "@peerstrap/consistency-policy"
import { type AnswerBuffers, CallError, makeAnswerBuffers, type NodeClient } from "@peerstrap/m3db-wire"
import { type MergeRule, mostReplicas } from "@peerstrap/m3tsz"
import {
  leastLoaded,
  makePeerQueues,
  type PeerRateSource,
  type QueueLimits,
  type Ranking
} from "@peerstrap/peer-selection"
import { ByteLedger } from "@peerstrap/transport"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import * as Random from "effect/Random"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { BlockSink } from "../contract/BlockSink.ts"
import { defaultStreamLimits, type StreamLimits } from "../contract/Limits.ts"
import { PeerBlocks } from "../contract/PeerBlocks.ts"
import type { RunReport } from "../contract/RunReport.ts"
import type { Outcome, StreamAction, StreamEvent, StreamJob, StreamOptions } from "../contract/StreamRun.ts"
import { StreamRun } from "../engine/StreamRun.ts"
import { RunningCalls } from "./RunningCalls.ts"
import { type SinkLanes, startSinkLanes } from "./SinkLanes.ts"

/** What is streamed, within which bounds, and who hears of it. */
/** What all large buffers of a run draw from: a ledger, or the bytes of one of its own. */
export type StreamingMemory =
  | { readonly memoryBytes: number; readonly ledger?: never }
  | { readonly ledger: ByteLedger; readonly memoryBytes?: never }

export interface StreamingChoices {
  /** `peers` is taken from the `PeerBlocks` service. */
  readonly stream: Omit<StreamOptions, "peers">
  readonly jobs: ReadonlyArray<StreamJob>
  readonly limits?: Partial<StreamLimits>
  readonly queueLimits?: Partial<QueueLimits>
  /** A rate that may change; without it that of `queueLimits` stands. */
  readonly peerRate?: PeerRateSource["Service"]
  /** Default `leastLoaded`. */
  readonly ranking?: Ranking
  /** Default `mostReplicas`. */
  readonly mergeRule?: MergeRule
  /** Time after which the run ends with what it has; absent: it retries for ever. */
  readonly deadlineMillis?: number | undefined
  /** Notes of the engine, by stable names. */
  readonly onNote?: (name: string, fields: Readonly<Record<string, unknown>>) => void
}

/** A run that goes on: looked at, ended in order, or awaited. */
/** What a run of streaming is given. */
export type PeerStreamingOptions = StreamingChoices & StreamingMemory

/** A run of streaming: what it does, how it ends, how to end it. */
export interface PeerStreamingHandle {
  /** The engine, for `waits()`, `snapshot()` and `report()`: read only. */
  readonly run: StreamRun
  /** Completes when the run has ended, in whatever way. Never fails: the outcome is a value. */
  readonly result: Effect.Effect<{ readonly outcome: Outcome; readonly report: RunReport }>
  /** Ends the run in order: whole blocks are published, the rest is dropped. */
  readonly stop: Effect.Effect<void>
}

/** Events taken from the queue in one turn: many enough to be cheap, few enough for timers to be on time. */
const maxEventsPerTurn = 64

/** Starts a run in the surrounding scope. */
export const startPeerStreaming = Effect.fn("startPeerStreaming")(function*(options: PeerStreamingOptions) {
  const { peers } = yield* PeerBlocks
  const sink = yield* BlockSink
  const levels = yield* LevelSource
  const nowMillis = steadyEpochMillis(yield* Clock.Clock)
  const random = yield* Random.Random
  const scope = yield* Effect.scope
  const draw = (): number => random.nextDoubleUnsafe()
  const firstRate = options.peerRate === undefined
    ? options.queueLimits?.bytesPerSecond
    : (yield* options.peerRate.current).bytesPerSecond
  const ledger = options.ledger ?? new ByteLedger(options.memoryBytes)
  const run = new StreamRun({
    options: { ...options.stream, peers: peers.map((client) => client.peer) },
    jobs: options.jobs,
    limits: { ...defaultStreamLimits, ...options.limits },
    level: (yield* levels.current).level,
    ledger,
    queues: makePeerQueues({
      peers: peers.map((client) => client.peer),
      limits: { ...options.queueLimits, ...(firstRate === undefined ? {} : { bytesPerSecond: firstRate }) },
      random: draw
    }),
    ranking: options.ranking ?? leastLoaded,
    mergeRule: options.mergeRule ?? mostReplicas,
    random: draw,
    nowMillis: nowMillis()
  })

  const events = yield* Queue.unbounded<StreamEvent>()
  const calls = new RunningCalls(yield* Scope.fork(scope), (event) => void Queue.offerUnsafe(events, event))
  const tell = (event: StreamEvent): void => void Queue.offerUnsafe(events, event)
  const lanes = yield* startSinkLanes(sink, tell)
  yield* levels.changes.pipe(
    Stream.runForEach(({ level, origin }) => Effect.sync(() => tell({ _tag: "level", level, origin }))),
    Effect.forkScoped
  )
  if (options.peerRate !== undefined) {
    yield* options.peerRate.changes.pipe(
      Stream.map(({ bytesPerSecond, origin }) => ({ _tag: "rate" as const, bytesPerSecond, origin })),
      Stream.dropWhile((event) => event.bytesPerSecond === firstRate),
      Stream.runForEach((event) => Effect.sync(() => tell(event))),
      Effect.forkScoped
    )
  }
  const freshBuffers = () =>
    makeAnswerBuffers(
      Math.min(ledger.capacity / 8, options.limits?.idleBufferBytes ?? defaultStreamLimits.idleBufferBytes)
    )
  let buffers = freshBuffers()
  const deaf = ledger.onResized(() => {
    buffers = freshBuffers()
    // Whoever waits for memory tries again.
    tell({ _tag: "tick" })
  })
  yield* Effect.addFinalizer(() => Effect.sync(deaf))
  const execute = makeExecutor({ buffers: () => buffers, calls, lanes, peers, onNote: options.onNote })
  const loop = yield* runLoop({ run, events, calls, nowMillis, deadlineMillis: options.deadlineMillis, execute }).pipe(
    Effect.ensuring(calls.close),
    Effect.forkScoped
  )
  const handle: PeerStreamingHandle = {
    run,
    result: Fiber.join(loop).pipe(Effect.map((outcome) => ({ outcome, report: run.report() }))),
    stop: Effect.sync(() => tell({ _tag: "stop", why: "stopped" }))
  }
  return handle
})

/**
 * Milliseconds since the Unix epoch that never jump: the wall clock as it is now, carried on by the monotonic one. A clock that is set
 * in mid-run ends no pause and no deadline.
 */
const steadyEpochMillis = (clock: Clock.Clock): () => number => {
  const monotonic = (): number => Number(clock.monotonicTimeNanosUnsafe()) / 1e6
  const offset = clock.currentTimeMillisUnsafe() - monotonic()
  return () => offset + monotonic()
}

interface Executor {
  /** Those of the ledger's capacity as it is now. */
  readonly buffers: () => AnswerBuffers
  readonly calls: RunningCalls
  readonly lanes: SinkLanes
  readonly peers: ReadonlyArray<NodeClient>
  readonly onNote: PeerStreamingOptions["onNote"]
}

const callFailure = ({ message, reason, receivedBytes }: CallError) => ({ reason, message, receivedBytes })

/** A client that throws has a defect: a local fault, no peer's. */
const guarded = <A>(client: NodeClient, method: string, call: () => Effect.Effect<A, CallError>) =>
  Effect.catchDefect(Effect.suspend(call), (defect) =>
    Effect.fail(
      new CallError({
        peer: client.peer,
        address: client.address,
        method,
        reason: "local",
        message: `the client threw ${String(defect)}`,
        receivedBytes: 0
      })
    ))

/** Executes an action: what is quick at once, calls to peers as an effect that forks. */
const makeExecutor = ({ buffers, calls, lanes, onNote, peers }: Executor) =>
(
  action: StreamAction
): Effect.Effect<unknown> | undefined => {
  switch (action._tag) {
    case "list": {
      const { job, maxAnswerBytes, peer, request } = action
      const client = peers[peer]!
      const call = guarded(
        client,
        "fetchBlocksMetadata",
        () => client.fetchBlocksMetadata(request, { maxAnswerBytes })
      )
      return calls.run({ kind: "list", job, peer }, call, (page) => ({ _tag: "page", job, peer, page }), (error) => ({
        _tag: "page-failed",
        job,
        peer,
        ...callFailure(error)
      }))
    }
    case "fetch": {
      const { batch, maxAnswerBytes, peer, request } = action
      const client = peers[peer]!
      const call = guarded(
        client,
        "fetchBlocks",
        () => client.fetchBlocks(request, { maxAnswerBytes, buffers: buffers() })
      )
      return calls.run({ kind: "fetch", batch }, call, (answer) => ({ _tag: "answer", batch, answer }), (error) => ({
        _tag: "answer-failed",
        batch,
        ...callFailure(error)
      }))
    }
    case "cancel":
      return calls.cancel(action.call)
    case "deliver":
    case "commit":
    case "abort":
      return void lanes.offer(action)
    case "note":
      return void onNote?.(action.name, action.fields)
    case "finished":
      return void onNote?.("run-ended", { outcome: action.outcome._tag })
  }
}

interface Loop {
  readonly run: StreamRun
  readonly events: Queue.Queue<StreamEvent>
  readonly calls: RunningCalls
  readonly nowMillis: () => number
  readonly deadlineMillis: number | undefined
  readonly execute: (action: StreamAction) => Effect.Effect<unknown> | undefined
}

const runLoop = Effect.fnUntraced(function*({ calls, deadlineMillis, events, execute, nowMillis, run }: Loop) {
  const deadline = deadlineMillis === undefined ? Number.POSITIVE_INFINITY : nowMillis() + deadlineMillis
  const actions: Array<StreamAction> = []
  let batch: ReadonlyArray<StreamEvent> = [{ _tag: "tick" }]
  for (;;) {
    const now = nowMillis()
    for (const event of batch) if (!calls.isStale(event)) run.step(event, now)
    if (now >= deadline) run.step({ _tag: "stop", why: "deadline" }, now)
    run.drain(actions)
    for (const action of actions) {
      const effect = execute(action)
      if (effect !== undefined) yield* effect
    }
    actions.length = 0
    if (run.outcome !== undefined) return run.outcome
    if (run.hasWork) {
      // Merging goes on in slices; calls and timers get their turn in between.
      yield* Effect.yieldNow
      const waiting = yield* Queue.takeBetween(events, 0, maxEventsPerTurn)
      batch = [...waiting, { _tag: "tick" }]
      continue
    }
    const wake = Math.min(deadline, run.wakeAt()) - now
    if (wake === Number.POSITIVE_INFINITY) batch = yield* Queue.takeBetween(events, 1, maxEventsPerTurn)
    else {
      const waiting = yield* Queue.takeBetween(events, 1, maxEventsPerTurn).pipe(
        Effect.timeoutOption(Math.max(1, Math.ceil(wake)))
      )
      batch = waiting._tag === "Some" ? waiting.value : [{ _tag: "tick" }]
    }
  }
})
