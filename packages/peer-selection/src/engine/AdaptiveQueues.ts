/**
 * The queues of all peers: hands out batches in turns and keeps account of those in flight.
 *
 *   enqueue ─► [queue of a peer, by lane] ─► next ─► in flight ─► succeeded | failed
 *                       ▲       └─► withdraw            │
 *                       └────────────── undo ◄──────────┘
 */
import type { Wait } from "@peerstrap/progress"
import type {
  BreakerState,
  FailureKind,
  PeerQueues,
  PeerState,
  QueueLimits,
  WorkBatch
} from "../contract/PeerQueues.ts"
import type { Candidate } from "../contract/Ranking.ts"
import { type Flight, PeerQueue, type QueuedItem } from "./PeerQueue.ts"
import { resolveQueueLimits } from "./QueueLimits.ts"
import { waitOf } from "./QueueWaits.ts"

/** Whose queues, within which bounds. */
export interface PeerQueuesOptions {
  /** Ids of the peers; a peer is its index here. */
  readonly peers: ReadonlyArray<string>
  readonly limits?: Partial<QueueLimits>
  /** Uniform in [0, 1); jitters the back-off. */
  readonly random: () => number
}

/** `PeerQueues` whose bytes/s limit can be changed while running. */
export interface AdaptivePeerQueues extends PeerQueues {
  /** The new average of bytes/s asked of each peer; 0 = no limit. */
  setBytesPerSecond(bytesPerSecond: number): void
}

class Queues implements AdaptivePeerQueues {
  private readonly queues: ReadonlyArray<PeerQueue>
  private readonly flights = new Map<number, { readonly queue: PeerQueue; readonly flight: Flight }>()
  private turn = 0
  private lastBatch = 0
  private lastTried = 0

  constructor(options: PeerQueuesOptions) {
    const limits = resolveQueueLimits(options.limits)
    this.queues = options.peers.map((id, peer) => new PeerQueue(peer, id, limits, options.random))
  }

  get peerCount(): number {
    return this.queues.length
  }

  hasRoom(peer: number, nowMillis: number): boolean {
    return this.queueOf(peer).hasRoom(nowMillis)
  }

  enqueue(peer: number, lane: number, item: number, bytes: number): void {
    if (!Number.isSafeInteger(bytes) || bytes < 0) {
      throw new RangeError(`PeerQueues: bytes of item ${item} must be an integer from 0, got ${bytes}`)
    }
    const queue = this.queueOf(peer)
    queue.enqueue(lane, item, bytes)
    queue.lastTried = ++this.lastTried
  }

  next(nowMillis: number): WorkBatch | undefined {
    for (let step = 0; step < this.queues.length; step++) {
      const peer = (this.turn + step) % this.queues.length
      const queue = this.queueOf(peer)
      if (!queue.canGive(nowMillis)) continue
      const flight = queue.take(++this.lastBatch, nowMillis)
      if (flight === undefined) continue
      this.flights.set(flight.batch, { queue, flight })
      this.turn = (peer + 1) % this.queues.length
      return { batch: flight.batch, peer, lane: flight.lane, items: flight.items, bytes: flight.bytes }
    }
    return undefined
  }

  undo(batch: number): void {
    const { flight, queue } = this.land(batch)
    queue.putBack(flight)
    // As if it had not been given: what the caller had no memory for comes first when there is some.
    if (batch === this.lastBatch) this.turn = queue.peer
  }

  succeeded(batch: number, receivedBytes: number, nowMillis: number): void {
    if (!(receivedBytes >= 0)) throw new RangeError(`PeerQueues: cannot have received ${receivedBytes} bytes`)
    const { flight, queue } = this.land(batch)
    queue.succeeded(flight, receivedBytes, nowMillis)
  }

  failed(batch: number, kind: FailureKind, message: string, nowMillis: number): void {
    const { flight, queue } = this.land(batch)
    queue.failed(flight, kind, message, nowMillis)
  }

  observe(peer: number, outcome: "ok" | FailureKind, message: string, nowMillis: number): void {
    this.queueOf(peer).observe(outcome, message, nowMillis)
  }

  beginCall(peer: number, nowMillis: number): boolean {
    return this.queueOf(peer).beginCall(nowMillis)
  }

  endCall(peer: number): void {
    this.queueOf(peer).endCall()
  }

  cancelled(batch: number, nowMillis: number): void {
    const { flight, queue } = this.land(batch)
    queue.cancelled(flight, nowMillis)
  }

  suspect(peer: number): void {
    this.queueOf(peer).suspect()
  }

  breaker(peer: number, nowMillis: number): BreakerState {
    return this.queueOf(peer).breakerAt(nowMillis)
  }

  withdraw(peer: number, lane?: number): Array<QueuedItem> {
    return this.queueOf(peer).withdraw(lane)
  }

  candidate(peer: number, attempts: number): Candidate {
    const queue = this.queueOf(peer)
    return {
      peer,
      id: queue.id,
      attempts,
      outstandingBytes: queue.queuedBytes + queue.inFlightBytes,
      lastTried: queue.lastTried,
      bytesPerSecond: queue.rate.bytesPerSecond
    }
  }

  wakeAt(nowMillis: number): number {
    let earliest = Number.POSITIVE_INFINITY
    for (const queue of this.queues) {
      // A resting peer counts even with an empty queue: it had no room, so its work waits with the caller.
      if (queue.isResting(nowMillis)) {
        earliest = Math.min(earliest, Math.max(queue.restUntilMillis, this.freeAt(queue, nowMillis)))
      } else if (queue.isThrottled(nowMillis)) earliest = Math.min(earliest, queue.limit.freeAt)
    }
    // Whole milliseconds, so that a timer that truncates does not fire just before.
    return Math.ceil(earliest)
  }

  state(peer: number): PeerState {
    return this.queueOf(peer).state()
  }

  waits(nowMillis: number): ReadonlyArray<Wait> {
    return this.queues.map((queue) => waitOf(queue, nowMillis)).filter((wait) => wait !== undefined)
  }

  setBytesPerSecond(bytesPerSecond: number): void {
    if (!(bytesPerSecond >= 0)) {
      throw new RangeError(`PeerQueues: bytes/s must be 0 (no limit) or more, got ${bytesPerSecond}`)
    }
    for (const queue of this.queues) queue.limit.setBytesPerSecond(bytesPerSecond)
  }

  private freeAt(queue: PeerQueue, nowMillis: number): number {
    return queue.isThrottled(nowMillis) ? queue.limit.freeAt : nowMillis
  }

  private queueOf(peer: number): PeerQueue {
    const queue = this.queues[peer]
    if (queue === undefined) throw new RangeError(`PeerQueues: no peer ${peer}, there are ${this.queues.length}`)
    return queue
  }

  private land(batch: number): { readonly queue: PeerQueue; readonly flight: Flight } {
    const landed = this.flights.get(batch)
    if (landed === undefined) throw new RangeError(`PeerQueues: batch ${batch} is not in flight`)
    this.flights.delete(batch)
    return landed
  }
}

/**
 * Per-peer queues whose batches follow what each peer manages (see `defaultQueueLimits` for the bounds). Throws a RangeError that lists
 * every wrong limit. Cost: O(1) amortised an item, O(peers) a call of `next`, `wakeAt` and `waits`, memory by the items queued and in flight.
 */
export const makePeerQueues = (options: PeerQueuesOptions): AdaptivePeerQueues => new Queues(options)
