/**
 * Tells a peer with little bandwidth from one that takes long to begin: a smaller batch of the first takes less time, one of the
 * second does not. Without this, waiting would be read as a low rate and the batches of a distant peer would shrink to nothing.
 */
export class LateBatches {
  private bytes = 0
  private millis = 0
  private waiting = false

  /** Late batches are late by waiting: smaller ones would not help. */
  get isLatency(): boolean {
    return this.waiting
  }

  /** A batch took longer than it should. */
  note(bytes: number, tookMillis: number): void {
    if (this.bytes > 0 && bytes < 0.9 * this.bytes) {
      const inProportion = (this.millis * bytes) / this.bytes
      this.waiting = tookMillis > (this.millis + inProportion) / 2
    } else if (tookMillis > 2 * this.millis) {
      this.waiting = false
    }
    this.bytes = bytes
    this.millis = tookMillis
  }

  /** It is fast again: what was learned no longer holds. */
  forget(): void {
    this.bytes = 0
    this.millis = 0
    this.waiting = false
  }
}
