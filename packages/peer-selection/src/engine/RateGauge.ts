/**
 * Measures bytes/s of a peer over the time in which something was in flight, so that neither idle time nor several batches in
 * flight at once distort it. The average is weighted by time: one batch that takes 20 s counts for more than ten that take 50 ms.
 */
export class RateGauge {
  private readonly memoryMillis: number
  private rate = 0
  private markMillis = 0
  private bytes = 0
  private millis = 0

  constructor(memoryMillis: number) {
    this.memoryMillis = memoryMillis
  }

  /** 0 while unknown. */
  get bytesPerSecond(): number {
    return this.rate
  }

  /** Time starts to count from here: the first batch left, or the last one failed. */
  mark(nowMillis: number): void {
    this.markMillis = nowMillis
    this.bytes = 0
    this.millis = 0
  }

  /** Milliseconds that a batch that comes in now took by itself. */
  tookMillis(nowMillis: number): number {
    return Math.max(0, nowMillis - this.markMillis)
  }

  /** Bytes came in. `isTelling`: enough of them that their time was not just the round trip; others give a lower bound only. */
  received(bytes: number, nowMillis: number, isTelling: boolean): void {
    this.millis += this.tookMillis(nowMillis)
    this.markMillis = nowMillis
    this.bytes += bytes
    // Answers that arrive in the same millisecond are counted together with the next ones.
    if (this.millis >= 1 && this.bytes > 0) {
      const sample = (this.bytes * 1000) / this.millis
      const weight = this.rate === 0 ? 1 : 1 - Math.exp(-this.millis / this.memoryMillis)
      if (isTelling || sample > this.rate) this.rate += weight * (sample - this.rate)
      this.bytes = 0
      this.millis = 0
    }
  }
}
