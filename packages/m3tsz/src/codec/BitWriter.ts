/** Most significant bit first into a growing buffer, 32 bits at a time. */
export class BitWriter {
  private bytes = new Uint8Array(1024)
  private view = new DataView(this.bytes.buffer)
  /** Whole bytes flushed. */
  private length = 0
  private word = 0
  private free = 32

  reset(): void {
    this.length = 0
    this.word = 0
    this.free = 32
  }

  get bitLength(): number {
    return this.length * 8 + 32 - this.free
  }

  /** Writes the low `count` bits of `value`, 0–32. */
  put(value: number, count: number): void {
    if (count === 0) return
    const bits = count === 32 ? value : value & ((1 << count) - 1)
    if (count < this.free) {
      this.free -= count
      this.word |= bits << this.free
      return
    }
    const over = count - this.free
    this.flush(this.word | (bits >>> over))
    this.free = 32 - over
    this.word = over === 0 ? 0 : bits << this.free
  }

  private flush(word: number): void {
    if (this.length + 8 > this.bytes.length) {
      const bytes = new Uint8Array(this.bytes.length * 2)
      bytes.set(this.bytes)
      this.bytes = bytes
      this.view = new DataView(bytes.buffer)
    }
    this.view.setInt32(this.length, word)
    this.length += 4
  }

  /** The bytes written, zero-padded; a copy. */
  finish(): Uint8Array {
    const size = Math.ceil(this.bitLength / 8)
    if (this.free < 32) this.flush(this.word)
    return this.bytes.slice(0, size)
  }

  /** Gives memory above `maxBytes` back and begins anew. */
  trim(maxBytes: number): void {
    if (this.bytes.length > maxBytes) {
      this.bytes = new Uint8Array(1024)
      this.view = new DataView(this.bytes.buffer)
    }
    this.reset()
  }
}
