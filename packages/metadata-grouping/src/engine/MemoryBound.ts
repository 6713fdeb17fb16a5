/** Counts the bytes of an instance's columns and chunks against its maximum, so that growth is refused, never attempted. */
export class MemoryBound {
  readonly maxBytes: number
  private usedBytes = 0

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes
  }

  get used(): number {
    return this.usedBytes
  }

  /** Takes `bytes`, or takes nothing and returns `false`. */
  tryTake(bytes: number): boolean {
    if (this.usedBytes + bytes > this.maxBytes) return false
    this.usedBytes += bytes
    return true
  }

  reset(): void {
    this.usedBytes = 0
  }
}
