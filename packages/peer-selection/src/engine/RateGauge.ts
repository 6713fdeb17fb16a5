/**
 * Measures bytes/s of a peer over the time in which something was in flight, so that neither idle time nor several batches in
 * flight at once distort it. Bytes and milliseconds fade together: one batch that takes 20 s counts for more than ten that take 50 ms.
 */
export class RateGauge {
  private readonly memoryMillis: number
  private markMillis = 0
  private bytes = 0
  private millis = 0
  private fadedBytes = 0
  private fadedMillis = 0
  /** Best that small batches have shown, while no batch has told more. */
  private atLeast = 0

  constructor(memoryMillis: number) {
    this.memoryMillis = memoryMillis
  }

  /** 0 while unknown. */
  get bytesPerSecond(): number {
    return this.fadedMillis > 0 ? (this.fadedBytes * 1000) / this.fadedMillis : this.atLeast
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
    if (this.millis < 1 || this.bytes === 0) return
    const sample = (this.bytes * 1000) / this.millis
    if (isTelling || (this.fadedMillis > 0 && sample > this.bytesPerSecond)) {
      const keep = Math.exp(-this.millis / this.memoryMillis)
      this.fadedBytes = this.fadedBytes * keep + this.bytes
      this.fadedMillis = this.fadedMillis * keep + this.millis
    } else if (this.fadedMillis === 0) {
      this.atLeast = Math.max(this.atLeast, sample)
    }
    this.bytes = 0
    this.millis = 0
  }
}
