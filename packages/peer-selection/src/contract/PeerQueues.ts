/**
 * Per-peer queues of work with a window in flight, batches bounded by bytes and count that adapt to what the peer manages,
 * a bytes/s limit, and back-off after failures. Knows nothing of what the work is: an item is an integer of the caller, a lane is
 * an integer too (items of one batch share the lane). Plain and synchronous; time and randomness are inputs.
 */
import type { Wait } from "@peerstrap/progress"
import type { Candidate } from "./Ranking.ts"

/** How a batch failed. `pushback` is the peer asking for less (overloaded, rate limit): never a fault. */
export type FailureKind = "unreachable" | "closed" | "timeout" | "pushback" | "not-ready" | "refused" | "faulty"

/**
 * `closed`: in use · `open`: left alone until its rest is over, others do its work · `half-open`: one call, a batch or another one, probes
 * whether it is back.
 */
export type BreakerState = "closed" | "open" | "half-open"

/** Bounds of the queues; times in ms. */
export interface QueueLimits {
  /**
   * Batches in flight a peer; 1 until it has completed one since the start or its last fault, and no further one while a near peer has
   * its target time of work in flight. Default 3.
   */
  readonly windowBatches: number
  /** Items a batch. Default 4096. */
  readonly maxBatchItems: number
  /** Largest batch in bytes. Default 4 MiB. */
  readonly maxBatchBytes: number
  /** Smallest size to which failures shrink a batch; one item always fits. Default 16 KiB. */
  readonly minBatchBytes: number
  /** First batch of a peer. Default 256 KiB. */
  readonly initialBatchBytes: number
  /** A batch should take about so long at the peer's measured rate. Default 500. */
  readonly targetBatchMillis: number
  /** Queue of a peer, as a multiple of its present batch size; full = `hasRoom` false. One batch in all until it has proved itself. Default 2. */
  readonly queuedBatches: number
  /** Average bytes/s asked of one peer, 0 = no limit. Default 0. */
  readonly bytesPerSecond: number
  /** Back-off after the n-th failure in a row: min(cap, base × 2^(n−1)), jittered to [½, 1). Pushbacks count apart. Defaults 100 and 5000. */
  readonly backoffBaseMillis: number
  readonly backoffCapMillis: number
  /** Poll of a peer that says it is not ready. Default 2000. */
  readonly notReadyMillis: number
}

/** Items that are given to one peer at once. */
export interface WorkBatch {
  readonly batch: number
  readonly peer: number
  readonly lane: number
  readonly items: ReadonlyArray<number>
  /** Sum of the items' bytes as announced. */
  readonly bytes: number
}

/** One peer's queue at one moment. */
export interface PeerState {
  readonly peer: number
  readonly id: string
  readonly queuedItems: number
  readonly queuedBytes: number
  readonly inFlightBatches: number
  readonly inFlightBytes: number
  readonly batchBytes: number
  readonly bytesPerSecond: number
  readonly failuresInRow: number
  readonly lastFailure: FailureKind | undefined
  readonly lastFailureMessage: string | undefined
  /** Engine time before which the peer is left alone; 0 when it is not. */
  readonly restUntilMillis: number
  /** A fault opened the breaker, and no probe has closed it yet; `breaker` tells open from half-open. */
  readonly isTripped: boolean
  /** A batch of it is overdue: it gets no further work until that has come to something. */
  readonly isSuspect: boolean
  readonly completedBytes: number
}

/** The queues of all peers. Synchronous; time is an argument, in ms. */
export interface PeerQueues {
  readonly peerCount: number
  /** Whether the peer's queue takes more now: not resting, below its queue limit. `enqueue` itself never refuses. */
  hasRoom(peer: number, nowMillis: number): boolean
  enqueue(peer: number, lane: number, item: number, bytes: number): void
  /** The next batch that may leave now, or undefined. Fair over peers and, within a peer, over lanes. Counts as in flight at once. */
  next(nowMillis: number): WorkBatch | undefined
  /** Takes back a batch that `next` gave but that did not leave (the ledger refused): its items return to the queue's head. */
  undo(batch: number): void
  succeeded(batch: number, receivedBytes: number, nowMillis: number): void
  /**
   * The items are not queued again: where they go next is the caller's choice. Batches that left before a fault and fail after it are
   * part of that fault (a closed connection fails all its batches at once): they lengthen no back-off.
   */
  failed(batch: number, kind: FailureKind, message: string, nowMillis: number): void
  /**
   * A call outside of the queues (a listing) told something about the peer. `ok` ends a rest after `unreachable` or `not-ready`; a failure
   * while the peer rests already lengthens nothing.
   */
  observe(peer: number, outcome: "ok" | FailureKind, message: string, nowMillis: number): void
  /**
   * A call outside of the queues wants to leave. False while the peer rests, and while another call probes it. After true the call's end
   * must be told: by `observe`, or by `endCall` when it was given up.
   */
  beginCall(peer: number, nowMillis: number): boolean
  /** A call outside of the queues was given up by the caller: it says nothing about the peer. */
  endCall(peer: number): void
  /** A batch was given up by the caller: it says nothing about the peer. Its items are the caller's. */
  cancelled(batch: number, nowMillis: number): void
  /** A batch of the peer is overdue: no room and no further batch until one of its batches has ended. Never a fault. */
  suspect(peer: number): void
  breaker(peer: number, nowMillis: number): BreakerState
  /** Removes and returns what is queued, not what is in flight, for a peer (or of one lane of it): work that should move elsewhere. */
  withdraw(peer: number, lane?: number): Array<{ readonly lane: number; readonly item: number; readonly bytes: number }>
  candidate(peer: number, attempts: number): Candidate
  /**
   * Earliest engine time, in whole milliseconds, at which a resting peer (with queued work or without: it has room again then) or a
   * rate-limited one with work can go on; Infinity when nothing waits for time.
   */
  wakeAt(nowMillis: number): number
  state(peer: number): PeerState
  waits(nowMillis: number): ReadonlyArray<Wait>
}
