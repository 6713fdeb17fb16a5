/**
 * The one account from which all large buffers of a process draw. It refuses instead of growing: whoever asks for bytes
 * that are not there waits or does without. Plain and synchronous, so that engines can use it.
 */
export class ByteLedger {
  readonly capacity: number
  private usedBytes = 0
  private peakBytes = 0
  private readonly perAccount = new Map<string, number>()

  constructor(capacityBytes: number) {
    if (!Number.isSafeInteger(capacityBytes) || capacityBytes <= 0) {
      throw new RangeError(`ByteLedger: capacity must be a positive integer of bytes, got ${capacityBytes}`)
    }
    this.capacity = capacityBytes
  }

  /** Bytes drawn now. Never above `capacity`. */
  get used(): number {
    return this.usedBytes
  }

  /** The highest `used` ever seen. */
  get peak(): number {
    return this.peakBytes
  }

  get free(): number {
    return this.capacity - this.usedBytes
  }

  /** Bytes drawn by one account (a label such as `listing`, `answers`, `copies`, `index`). */
  usedBy(account: string): number {
    return this.perAccount.get(account) ?? 0
  }

  /** Draws `bytes` for `account`, or draws nothing and returns `false`. */
  tryReserve(account: string, bytes: number): boolean {
    if (!(bytes >= 0)) throw new RangeError(`ByteLedger: cannot reserve ${bytes} bytes`)
    if (this.usedBytes + bytes > this.capacity) return false
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

  snapshot(): {
    readonly capacity: number
    readonly used: number
    readonly peak: number
    readonly accounts: Record<string, number>
  } {
    return {
      capacity: this.capacity,
      used: this.usedBytes,
      peak: this.peakBytes,
      accounts: Object.fromEntries(this.perAccount)
    }
  }
}
