/**
 * The one account from which all large buffers of a process draw. It refuses instead of growing: whoever asks for bytes
 * that are not there waits or does without. Plain and synchronous, so that engines can use it.
 */
const checkCapacity = (bytes: number): number => {
  if (Number.isSafeInteger(bytes) && bytes > 0) return bytes
  throw new RangeError(`ByteLedger: capacity must be a positive integer of bytes, got ${bytes}`)
}

/** Bytes that are drawn and given back under named accounts, never more at a time than the capacity, which may change. */
export class ByteLedger {
  private capacityBytes: number
  private usedBytes = 0
  private peakBytes = 0
  private readonly perAccount = new Map<string, number>()
  private readonly listeners = new Set<() => void>()

  /** Throws a `RangeError` for anything but a positive integer. */
  constructor(capacityBytes: number) {
    this.capacityBytes = checkCapacity(capacityBytes)
  }

  /** Bytes that may be drawn in all, as of now. Ask anew each time: it may change. */
  get capacity(): number {
    return this.capacityBytes
  }

  /** Bytes drawn now. Every draw left it at most at the `capacity` of that moment; since then the capacity may have been lowered below it. */
  get used(): number {
    return this.usedBytes
  }

  /** The highest `used` ever seen; never above the largest capacity that there was. */
  get peak(): number {
    return this.peakBytes
  }

  /** Bytes that may be drawn now; 0, never less, while more is drawn than a lowered capacity allows. */
  get free(): number {
    return Math.max(0, this.capacityBytes - this.usedBytes)
  }

  /** Bytes drawn by one account (a label such as `listing`, `answers`, `copies`, `index`). */
  usedBy(account: string): number {
    return this.perAccount.get(account) ?? 0
  }

  /** Draws `bytes` for `account`, or draws nothing and returns `false`. */
  tryReserve(account: string, bytes: number): boolean {
    if (!(bytes >= 0)) throw new RangeError(`ByteLedger: cannot reserve ${bytes} bytes`)
    // Nothing is always there, also above a lowered capacity.
    if (bytes > 0 && this.usedBytes + bytes > this.capacityBytes) return false
    this.usedBytes += bytes
    if (this.usedBytes > this.peakBytes) this.peakBytes = this.usedBytes
    this.perAccount.set(account, this.usedBy(account) + bytes)
    return true
  }

  /** Gives bytes back. Giving back more than the account holds is a defect and throws. */
  release(account: string, bytes: number): void {
    const held = this.usedBy(account)
    if (!(bytes >= 0) || bytes > held) {
      throw new RangeError(`ByteLedger: account "${account}" holds ${held} bytes, cannot release ${bytes}`)
    }
    this.perAccount.set(account, held - bytes)
    this.usedBytes -= bytes
  }

  /**
   * Changes the capacity. Nothing that is drawn is taken away: below `used`, nothing is granted until enough has come back. Who listens by
   * `onResized` is told at once. Throws a `RangeError` for anything but a positive integer.
   */
  resize(capacityBytes: number): void {
    if (checkCapacity(capacityBytes) === this.capacityBytes) return
    this.capacityBytes = capacityBytes
    for (const listener of this.listeners) listener()
  }

  /** Calls `listener` whenever the capacity has changed, until the function that it returns is called. Whoever waits for bytes tries again then. */
  onResized(listener: () => void): () => void {
    // A function of its own: the same listener given twice is told twice, and each is ended alone.
    const own = (): void => listener()
    this.listeners.add(own)
    return () => void this.listeners.delete(own)
  }

  /** The figures at this moment, as a plain value. */
  snapshot(): {
    readonly capacity: number
    readonly used: number
    readonly peak: number
    readonly accounts: Record<string, number>
  } {
    return {
      capacity: this.capacityBytes,
      used: this.usedBytes,
      peak: this.peakBytes,
      accounts: Object.fromEntries(this.perAccount)
    }
  }
}
