/**
 * Most significant bit first over one contiguous copy of the pieces, followed by zeros, so that a window of 32 bits can
 * be taken anywhere without asking for the end first. Whoever reads compares `position` with `end` once per item.
 */

/** Zeros behind the stream: one point is read unchecked and takes at most 148 bits, a window 5 bytes more. */
const slackBytes = 32

export class BitReader {
  position = 0
  /** Bits in the stream. */
  end = 0
  private bytes = new Uint8Array(4096)
  private view = new DataView(this.bytes.buffer)

  load(pieces: ReadonlyArray<Uint8Array>, lengthBytes: number): void {
    if (this.bytes.length < lengthBytes + slackBytes) {
      this.bytes = new Uint8Array(Math.max(2 * this.bytes.length, lengthBytes + slackBytes))
      this.view = new DataView(this.bytes.buffer)
    }
    let at = 0
    for (const piece of pieces) {
      this.bytes.set(piece, at)
      at += piece.length
    }
    this.bytes.fill(0, at, at + slackBytes)
    this.position = 0
    this.end = at * 8
  }

  /** Gives memory above `maxBytes` back. */
  trim(maxBytes: number): void {
    if (this.bytes.length > maxBytes) {
      this.bytes = new Uint8Array(4096)
      this.view = new DataView(this.bytes.buffer)
    }
    this.position = 0
    this.end = 0
  }

  /** The next 32 bits as an int32, without moving. */
  peek(): number {
    const at = this.position >>> 3
    const shift = this.position & 7
    return (this.view.getInt32(at) << shift) | (this.bytes[at + 4]! >>> (8 - shift))
  }

  /** Reads 1–32 bits as an unsigned number. */
  take(count: number): number {
    const bits = this.peek() >>> (32 - count)
    this.position += count
    return bits
  }

  /** Reads 32 bits as an int32. */
  word(): number {
    const bits = this.peek()
    this.position += 32
    return bits
  }

  /** Whether nothing is left but fewer than 8 zero bits. */
  onlyPaddingLeft(): boolean {
    const left = this.end - this.position
    return left < 8 && (left === 0 || this.peek() >>> (32 - left) === 0)
  }

  /** Copies `length` bytes that begin at bit `from`. */
  copy(from: number, length: number): Uint8Array {
    const at = from >>> 3
    const shift = from & 7
    if (shift === 0) return this.bytes.slice(at, at + length)
    const out = new Uint8Array(length)
    for (let i = 0; i < length; i++) {
      out[i] = (this.bytes[at + i]! << shift) | (this.bytes[at + i + 1]! >>> (8 - shift))
    }
    return out
  }
}
