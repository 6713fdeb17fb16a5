/**
 * Token bucket of one peer, kept as the time at which the bucket is out of debt. A batch may leave as soon as that time has come, so
 * no window of time sees more than its share plus one batch and the burst.
 */
/** A batch under a limit is at most this much of the limit: 2.5 % of a 10 s window. */
const batchMillis = 250
/** Time that a late caller may catch up: half a batch, another 1.25 % of 10 s. */
const burstMillis = 125

export class ByteRateLimit {
  private perSecond: number
  private freeAtMillis = Number.NEGATIVE_INFINITY

  constructor(bytesPerSecond: number) {
    this.perSecond = bytesPerSecond
  }

  /** 0 = no limit. What was already charged stays charged. */
  setBytesPerSecond(bytesPerSecond: number): void {
    this.perSecond = bytesPerSecond
    if (bytesPerSecond === 0) this.freeAtMillis = Number.NEGATIVE_INFINITY
  }

  get bytesPerSecond(): number {
    return this.perSecond
  }

  /** Largest batch that keeps the limit smooth. */
  get batchBytes(): number {
    return this.perSecond === 0 ? Number.POSITIVE_INFINITY : Math.max(1, (this.perSecond * batchMillis) / 1000)
  }

  /** Time from which the next batch may leave. */
  get freeAt(): number {
    return this.freeAtMillis
  }

  /** Returns what was charged: nothing without a limit. */
  charge(bytes: number, nowMillis: number): number {
    if (this.perSecond === 0) return 0
    this.freeAtMillis = Math.max(this.freeAtMillis, nowMillis - burstMillis) + (bytes * 1000) / this.perSecond
    return bytes
  }

  /** Corrects an earlier charge: positive when more came than was announced, negative when less. */
  correct(bytes: number): void {
    if (this.perSecond !== 0) this.freeAtMillis += (bytes * 1000) / this.perSecond
  }
}
