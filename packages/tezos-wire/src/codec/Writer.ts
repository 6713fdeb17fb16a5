/** Bytes that grow as they are written; numbers are big-endian. What does not fit a field is a defect of the caller: RangeError. */

/** Throws a RangeError that says what is wrong when `fits` is false. */
export const demand = (fits: boolean, message: () => string): void => {
  if (!fits) throw new RangeError(message())
}

export class Writer {
  private bytes: Uint8Array
  length = 0

  /** `capacity` avoids copies when it is at least what is written. */
  constructor(capacity: number) {
    this.bytes = new Uint8Array(capacity)
  }

  private reserve(count: number): number {
    const at = this.length
    if (at + count > this.bytes.length) {
      const grown = new Uint8Array(Math.max(2 * this.bytes.length, at + count))
      grown.set(this.bytes.subarray(0, at))
      this.bytes = grown
    }
    this.length = at + count
    return at
  }

  private integer(width: 1 | 2 | 4, value: number, least: number, greatest: number, field: string): void {
    demand(
      Number.isInteger(value) && value >= least && value <= greatest,
      () => `${field} is ${value}, not an integer from ${least} to ${greatest}`
    )
    const at = this.reserve(width)
    for (let i = 0; i < width; i++) this.bytes[at + i] = value >>> 8 * (width - 1 - i)
  }

  u8(value: number, field: string): void {
    this.integer(1, value, 0, 0xff, field)
  }

  u16(value: number, field: string): void {
    this.integer(2, value, 0, 0xffff, field)
  }

  u32(value: number, field: string): void {
    this.integer(4, value, 0, 0xffff_ffff, field)
  }

  i32(value: number, field: string): void {
    this.integer(4, value, -(2 ** 31), 2 ** 31 - 1, field)
  }

  i64(value: number, field: string): void {
    demand(Number.isSafeInteger(value), () => `${field} is ${value}, not a safe integer`)
    this.i32(Math.floor(value / 2 ** 32), field)
    this.u32(value - Math.floor(value / 2 ** 32) * 2 ** 32, field)
  }

  raw(bytes: Uint8Array): void {
    const at = this.reserve(bytes.length)
    this.bytes.set(bytes, at)
  }

  /** Bytes of a fixed number. */
  fixed(bytes: Uint8Array, width: number, field: string): void {
    demand(bytes.length === width, () => `${field} has ${bytes.length} bytes, not ${width}`)
    this.raw(bytes)
  }

  /** u32 length, then the bytes. */
  prefixed(bytes: Uint8Array, field: string): void {
    this.u32(bytes.length, field)
    this.raw(bytes)
  }

  /** Writes the size of what `write` writes before it. */
  sized(write: () => void, field: string): void {
    const at = this.reserve(4)
    write()
    const end = this.length
    this.length = at
    this.u32(end - at - 4, field)
    this.length = end
  }

  /** All that was written; the writer is not used after. */
  finish(): Uint8Array {
    return this.bytes.subarray(0, this.length)
  }
}
