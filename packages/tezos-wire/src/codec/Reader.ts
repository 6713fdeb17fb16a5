/**
 * A bounds-checked cursor over received bytes. Inside this folder a fault is thrown as `Malformed`; `reading` turns it into the value that
 * decoders answer. Nothing is allocated by a declared length: views only, and lists are counted before they are made.
 */
import { Malformed } from "../contract/Malformed.ts"

export class Reader {
  readonly bytes: Uint8Array
  /** Named in errors. */
  what: string
  position: number
  /** Where the innermost enclosing length ends. */
  end: number

  constructor(what: string, bytes: Uint8Array) {
    this.what = what
    this.bytes = bytes
    this.position = 0
    this.end = bytes.length
  }

  get left(): number {
    return this.end - this.position
  }

  fail(message: string, offset: number = this.position): never {
    throw new Malformed({ what: this.what, offset, message })
  }

  private take(count: number, field: string): number {
    const at = this.position
    if (count > this.end - at) this.fail(`${field} needs ${count} bytes, ${this.end - at} are left`)
    this.position = at + count
    return at
  }

  u8(field: string): number {
    return this.bytes[this.take(1, field)]!
  }

  i8(field: string): number {
    return this.u8(field) << 24 >> 24
  }

  u16(field: string): number {
    const at = this.take(2, field)
    return this.bytes[at]! << 8 | this.bytes[at + 1]!
  }

  i32(field: string): number {
    const at = this.take(4, field)
    const { bytes } = this
    return bytes[at]! << 24 | bytes[at + 1]! << 16 | bytes[at + 2]! << 8 | bytes[at + 3]!
  }

  u32(field: string): number {
    return this.i32(field) >>> 0
  }

  /** An i64 that must be a safe integer. */
  i64(field: string): number {
    const at = this.position
    const value = this.i32(field) * 2 ** 32 + this.u32(field)
    if (!Number.isSafeInteger(value)) this.fail(`${field} ${value} is beyond ±(2^53 − 1)`, at)
    return value
  }

  /** Any byte but 00 is true, as Octez reads. */
  bool(field: string): boolean {
    return this.u8(field) !== 0
  }

  /** A view, whatever class of array the bytes came in. */
  view(count: number, field: string): Uint8Array {
    const at = this.take(count, field)
    return new Uint8Array(this.bytes.buffer, this.bytes.byteOffset + at, count)
  }

  rest(): Uint8Array {
    return this.view(this.end - this.position, "rest")
  }

  /** A u32 that counts bytes that follow. */
  length(maxBytes: number, field: string): number {
    const at = this.position
    const length = this.u32(field)
    if (length > this.end - this.position) {
      this.fail(`${field} claims ${length} bytes, ${this.end - this.position} are left`, at)
    }
    if (length > maxBytes) this.fail(`${field} has ${length} bytes, the limit is ${maxBytes}`, at)
    return length
  }

  /** Length-prefixed text, one character a byte. */
  text(maxBytes: number, field: string): string {
    const view = this.view(this.length(maxBytes, field), field)
    return Buffer.from(view.buffer, view.byteOffset, view.byteLength).toString("latin1")
  }

  /** Confines reading to the next `length` bytes; give the result to `leave`. */
  enter(length: number): number {
    const outer = this.end
    this.end = this.position + length
    return outer
  }

  /** Ends an `enter`: all of it must have been read. */
  leave(outer: number, field: string): void {
    this.finish(field)
    this.end = outer
  }

  finish(field: string): void {
    if (this.position !== this.end) this.fail(`${this.end - this.position} bytes too many after ${field}`)
  }

  /** Views of `width` bytes each up to the end; at most `maxCount`. */
  views(width: number, maxCount: number, field: string): ReadonlyArray<Uint8Array> {
    const count = this.countTo(this.end, width, maxCount, field)
    const items: Array<Uint8Array> = []
    for (let i = 0; i < count; i++) items.push(this.view(width, field))
    return items
  }

  /** How many elements of `width` bytes the bytes up to `end` are. */
  countTo(end: number, width: number, maxCount: number, field: string): number {
    const count = (end - this.position) / width
    if (!Number.isInteger(count)) this.fail(`${field}: ${end - this.position} bytes are no multiple of ${width}`)
    if (count > maxCount) this.fail(`${count} ${field}, the limit is ${maxCount}`)
    return count
  }
}

/** Runs a decoder over all of `bytes`; a fault that it throws becomes its answer. */
export const reading = <A>(what: string, bytes: Uint8Array, read: (reader: Reader) => A): A | Malformed => {
  try {
    const reader = new Reader(what, bytes)
    const value = read(reader)
    reader.finish("the last field")
    return value
  } catch (fault) {
    if (fault instanceof Malformed) return fault
    throw fault
  }
}
