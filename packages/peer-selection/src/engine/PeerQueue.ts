/**
 * Queue, window, batch size and rests of one peer.
 *
 *   unproven ──success──► healthy ──fault──► resting, breaker open ──time──► half-open, unproven (one probe) ──fault──► resting, longer
 *   healthy ──pushback──► resting shortly, window halved ──time──► healthy; the window grows back by one a window of successes
 */
import type { BreakerState, FailureKind, PeerState, QueueLimits } from "../contract/PeerQueues.ts"
import { Breaker } from "./Breaker.ts"
import { ByteRateLimit } from "./ByteRateLimit.ts"
import { LaneRing } from "./LaneQueue.ts"
import { LateBatches } from "./LateBatches.ts"
import { RateGauge } from "./RateGauge.ts"

/** What a batch needs to be accounted for when it comes back. */
export interface Flight {
  readonly batch: number
  readonly lane: number
  readonly items: ReadonlyArray<number>
  readonly itemBytes: Float64Array
  readonly bytes: number
  /** Bytes charged to the bytes/s limit. */
  readonly chargedBytes: number
  /** Whether it was as large as the peer may get, so that its time says something about larger ones. */
  readonly full: boolean
  /** Faults and pushbacks counted when it left: what fails together counts once. */
  readonly faultsAtDeparture: number
  readonly pushbacksAtDeparture: number
}

export interface QueuedItem {
  readonly lane: number
  readonly item: number
  readonly bytes: number
}

export class PeerQueue {
  readonly peer: number
  readonly id: string
  readonly rate: RateGauge
  readonly limit: ByteRateLimit
  restUntilMillis = 0
  failuresInRow = 0
  pushbacksInRow = 0
  troubleSinceMillis = 0
  lastFailure: FailureKind | undefined
  lastFailureMessage: string | undefined
  lastTried = 0
  queuedItems = 0
  queuedBytes = 0
  inFlightBatches = 0
  inFlightBytes = 0
  completedBytes = 0
  private isSuspect = false
  private readonly breaker = new Breaker()
  private readonly limits: QueueLimits
  private readonly random: () => number
  private readonly lanes = new LaneRing()
  private readonly late = new LateBatches()
  private readonly firstSizeBytes: number
  private sizeBytes: number
  private windowNow: number
  private successesSinceGrowth = 0
  private proven = false
  private backoffsInRow = 0
  private faults = 0
  private pushbacks = 0

  constructor(peer: number, id: string, limits: QueueLimits, random: () => number) {
    this.peer = peer
    this.id = id
    this.limits = limits
    this.random = random
    this.rate = new RateGauge(2 * limits.targetBatchMillis)
    this.limit = new ByteRateLimit(limits.bytesPerSecond)
    this.firstSizeBytes = Math.min(limits.maxBatchBytes, Math.max(limits.minBatchBytes, limits.initialBatchBytes))
    this.sizeBytes = this.firstSizeBytes
    this.windowNow = limits.windowBatches
  }

  /** Bytes that the next batch may have. */
  get batchBytes(): number {
    return Math.floor(Math.min(this.sizeBytes, this.limit.batchBytes))
  }

  /** Batches that may be in flight now: one until the peer has proved itself. */
  private get window(): number {
    return this.proven ? this.windowNow : 1
  }

  /**
   * Whether another batch may be in flight. What is in flight cannot be moved to a faster peer, so a peer gets a second batch only while
   * it has less than its target time of work, or when it is only far away.
   */
  private get hasWindow(): boolean {
    if (this.inFlightBatches === 0) return true
    const rate = this.rate.bytesPerSecond
    return this.inFlightBatches < this.window &&
      (rate === 0 || this.late.isLatency || this.inFlightBytes * 1000 < rate * this.limits.targetBatchMillis)
  }

  isResting(nowMillis: number): boolean {
    return nowMillis < this.restUntilMillis
  }

  /** Held back by the bytes/s limit alone. */
  isThrottled(nowMillis: number): boolean {
    return this.queuedItems > 0 && this.hasWindow && nowMillis < this.limit.freeAt
  }

  hasRoom(nowMillis: number): boolean {
    if (this.isResting(nowMillis) || this.isSuspect) return false
    const { maxBatchItems, queuedBatches } = this.limits
    // Nothing is known of an unproven peer: it gets the one batch that tells, and no more piles up behind that.
    if (!this.proven) {
      return this.inFlightBatches === 0 && this.queuedBytes < this.batchBytes && this.queuedItems < maxBatchItems
    }
    return this.queuedBytes < queuedBatches * this.batchBytes && this.queuedItems < queuedBatches * maxBatchItems
  }

  enqueue(lane: number, item: number, bytes: number): void {
    this.lanes.add(lane).pushBack(item, bytes)
    this.queuedItems++
    this.queuedBytes += bytes
  }

  canGive(nowMillis: number): boolean {
    return this.queuedItems > 0 && this.hasWindow && !this.isResting(nowMillis) && !this.isSuspect &&
      nowMillis >= this.limit.freeAt && this.breaker.admits(false)
  }

  breakerAt(nowMillis: number): BreakerState {
    return this.breaker.stateAt(this.isResting(nowMillis))
  }

  beginCall(nowMillis: number): boolean {
    if (this.isResting(nowMillis) || !this.breaker.admits(false)) return false
    this.breaker.left("call")
    return true
  }

  endCall(): void {
    this.breaker.landed("call")
  }

  suspect(): void {
    if (this.inFlightBatches > 0) this.isSuspect = true
  }

  cancelled(flight: Flight, nowMillis: number): void {
    this.landed(flight)
    this.rate.mark(nowMillis)
  }

  /** The next batch of the lane whose turn it is. */
  take(batch: number, nowMillis: number): Flight | undefined {
    const queue = this.lanes.current()
    if (queue === undefined) return undefined
    const size = this.batchBytes
    const most = Math.min(queue.length, this.limits.maxBatchItems)
    let bytes = 0
    let count = 0
    for (; count < most; count++) {
      const next = queue.bytesAt(count)
      if (count > 0 && bytes + next > size) break
      bytes += next
    }
    const full = count < queue.length
    const { bytes: itemBytes, items } = queue.front(count)
    this.lanes.advance()
    queue.dropFront(count)
    if (queue.length === 0) this.lanes.remove(queue)
    this.queuedItems -= items.length
    this.queuedBytes -= bytes
    if (this.inFlightBatches === 0) this.rate.mark(nowMillis)
    this.breaker.left("batch")
    this.inFlightBatches++
    this.inFlightBytes += bytes
    return {
      batch,
      lane: queue.lane,
      items,
      itemBytes,
      bytes,
      chargedBytes: this.limit.charge(bytes, nowMillis),
      full: full || bytes >= size || items.length === this.limits.maxBatchItems,
      faultsAtDeparture: this.faults,
      pushbacksAtDeparture: this.pushbacks
    }
  }

  putBack(flight: Flight): void {
    const queue = this.lanes.add(flight.lane)
    for (let position = flight.items.length - 1; position >= 0; position--) {
      queue.pushFront(flight.items[position] ?? 0, flight.itemBytes[position] ?? 0)
    }
    this.lanes.giveTurn(queue)
    this.queuedItems += flight.items.length
    this.queuedBytes += flight.bytes
    this.landed(flight)
    this.limit.correct(-flight.chargedBytes)
  }

  succeeded(flight: Flight, receivedBytes: number, nowMillis: number): void {
    this.landed(flight)
    this.limit.correct(receivedBytes - flight.chargedBytes)
    this.completedBytes += receivedBytes
    const tookMillis = this.rate.tookMillis(nowMillis)
    const inTime = tookMillis <= this.limits.targetBatchMillis
    this.rate.received(receivedBytes, nowMillis, flight.full || !inTime)
    if (!inTime) this.late.note(receivedBytes, tookMillis)
    this.resize(flight.full, inTime)
    this.proven = true
    this.breaker.succeeded("batch")
    this.recovered()
    this.pushbacksInRow = 0
    if (this.windowNow < this.limits.windowBatches && ++this.successesSinceGrowth >= this.windowNow) {
      this.windowNow++
      this.successesSinceGrowth = 0
    }
  }

  failed(flight: Flight, kind: FailureKind, message: string, nowMillis: number): void {
    this.landed(flight)
    this.rate.mark(nowMillis)
    // These say that nothing was sent; after the others some of the bytes may well have come.
    if (kind === "unreachable" || kind === "pushback" || kind === "not-ready" || kind === "refused") {
      this.limit.correct(-flight.chargedBytes)
    }
    const isEcho = kind === "pushback"
      ? flight.pushbacksAtDeparture < this.pushbacks
      : flight.faultsAtDeparture < this.faults
    this.note("batch", kind, message, nowMillis, isEcho)
  }

  /** The outcome of a call outside of the queue. */
  observe(outcome: "ok" | FailureKind, message: string, nowMillis: number): void {
    this.breaker.landed("call")
    if (outcome !== "ok") return this.note("call", outcome, message, nowMillis, this.isResting(nowMillis))
    const wasClosed = this.breaker.isClosed
    const isClosed = this.breaker.succeeded("call")
    // Proof that it is there, not that it can deliver: only these rests end, and the next batch still goes alone.
    if (this.lastFailure === "unreachable" || this.lastFailure === "not-ready") {
      this.restUntilMillis = 0
      this.recovered()
    } else if (isClosed && !wasClosed) this.recovered()
  }

  withdraw(lane: number | undefined): Array<QueuedItem> {
    const out: Array<QueuedItem> = []
    const queues = lane === undefined ? [...this.lanes.lanes()] : [this.lanes.get(lane)]
    for (const queue of queues) {
      if (queue === undefined) continue
      for (let position = 0; position < queue.length; position++) {
        const bytes = queue.bytesAt(position)
        out.push({ lane: queue.lane, item: queue.itemAt(position), bytes })
        this.queuedBytes -= bytes
      }
      this.queuedItems -= queue.length
      this.lanes.remove(queue)
    }
    return out
  }

  state(): PeerState {
    return {
      peer: this.peer,
      id: this.id,
      queuedItems: this.queuedItems,
      queuedBytes: this.queuedBytes,
      inFlightBatches: this.inFlightBatches,
      inFlightBytes: this.inFlightBytes,
      batchBytes: this.batchBytes,
      bytesPerSecond: this.rate.bytesPerSecond,
      failuresInRow: this.failuresInRow,
      lastFailure: this.lastFailure,
      lastFailureMessage: this.lastFailureMessage,
      restUntilMillis: this.restUntilMillis,
      isTripped: !this.breaker.isClosed,
      isSuspect: this.isSuspect,
      completedBytes: this.completedBytes
    }
  }

  private landed(flight: Flight): void {
    this.inFlightBatches--
    this.inFlightBytes -= flight.bytes
    this.isSuspect = false
    this.breaker.landed("batch")
  }

  private recovered(): void {
    this.failuresInRow = 0
    this.backoffsInRow = 0
  }

  /** Follows rate × target time: up, at most doubling, after a full batch in time; down after one that was late. */
  private resize(full: boolean, inTime: boolean): void {
    if (inTime ? !full : this.late.isLatency) return
    const { maxBatchBytes, minBatchBytes, targetBatchMillis } = this.limits
    const rate = this.rate.bytesPerSecond
    const manageable = rate === 0 ? Number.POSITIVE_INFINITY : (rate * targetBatchMillis) / 1000
    const wanted = inTime
      ? Math.max(this.sizeBytes, Math.min(2 * this.sizeBytes, manageable))
      : Math.min(this.sizeBytes, manageable)
    this.sizeBytes = Math.min(maxBatchBytes, Math.max(minBatchBytes, wanted))
    if (inTime && this.sizeBytes >= this.firstSizeBytes) this.late.forget()
  }

  private halve(): void {
    this.sizeBytes = Math.max(this.limits.minBatchBytes, this.sizeBytes / 2)
  }

  /** `isEcho`: belongs to trouble that was counted already, as when a connection with three batches on it closes. */
  private note(
    by: "batch" | "call",
    kind: FailureKind,
    message: string,
    nowMillis: number,
    isEcho: boolean
  ): void {
    if (isEcho) return
    if (this.failuresInRow === 0 && this.pushbacksInRow === 0) this.troubleSinceMillis = nowMillis
    this.lastFailure = kind
    this.lastFailureMessage = message
    if (kind === "pushback") return this.pushedBack(nowMillis)
    this.faults++
    this.failuresInRow++
    this.proven = false
    this.breaker.opened(by, kind)
    if (kind === "timeout" || kind === "closed") this.halve()
    if (kind === "not-ready") {
      this.restUntilMillis = Math.max(this.restUntilMillis, nowMillis + this.limits.notReadyMillis)
    } else {
      this.rest(++this.backoffsInRow, nowMillis)
    }
  }

  private pushedBack(nowMillis: number): void {
    this.pushbacks++
    this.pushbacksInRow++
    // A peer that gets one batch at a time can only be asked for less by smaller batches.
    if (this.windowNow === 1) this.halve()
    this.windowNow = Math.max(1, this.windowNow >> 1)
    this.successesSinceGrowth = 0
    this.rest(this.pushbacksInRow, nowMillis)
  }

  private rest(timesInRow: number, nowMillis: number): void {
    const { backoffBaseMillis, backoffCapMillis } = this.limits
    const whole = Math.min(backoffCapMillis, backoffBaseMillis * 2 ** (timesInRow - 1))
    this.restUntilMillis = Math.max(this.restUntilMillis, Math.ceil(nowMillis + whole * (0.5 + this.random() / 2)))
  }
}
