/**
 * TBinaryProtocol primitives (specs: peer streaming 1.11): a bounds-checked cursor that throws `WireFault` (decoders catch
 * it with `catchFault`) and a growing writer. Nothing is ever allocated by a declared length.
 */
import { Limits } from "../contract/Limits.ts"
import { WireFault } from "./WireFault.ts"

/** Type bytes of TBinaryProtocol by name (specs: peer streaming 1.11). */
export const ThriftType = {
  stop: 0,
  bool: 2,
  byte: 3,
  double: 4,
  i16: 6,
  i32: 8,
  i64: 10,
  binary: 11,
  struct: 12,
  map: 13,
  set: 14,
  list: 15
} as const

/** Bytes of a value of a type; 0 when they vary, −1 for an unknown type. */
const fixedSize = (type: number): number => {
  switch (type) {
    case ThriftType.bool:
    case ThriftType.byte:
      return 1
    case ThriftType.i16:
      return 2
    case ThriftType.i32:
      return 4
    case ThriftType.double:
    case ThriftType.i64:
      return 8
    case ThriftType.binary:
    case ThriftType.struct:
    case ThriftType.map:
    case ThriftType.set:
    case ThriftType.list:
      return 0
    default:
      return -1
  }
}

/** The fewest bytes that a value of a varying type has, to judge a count before anything is read. */
const leastSize = (type: number): number => {
  const fixed = fixedSize(type)
  if (fixed > 0) return fixed
  return type === ThriftType.struct ? 1 : type === ThriftType.map ? 6 : type === ThriftType.binary ? 4 : 5
}

/** Reads TBinaryProtocol from bytes, bounds checked; throws `WireFault` with the offset, never reads past `end`. */
export class ThriftCursor {
  readonly buffer: Uint8Array
  /** The same bytes; its reads of whole integers are several times faster than putting bytes together. */
  readonly view: DataView
  readonly end: number
  position: number
  /** High and low halves of the last `i64`. */
  hi = 0
  lo = 0
  /** Id of the last `field`. */
  fieldId = 0

  constructor(buffer: Uint8Array, position = 0, end: number = buffer.length) {
    this.buffer = buffer
    this.view = new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength)
    this.position = position
    this.end = end
  }

  fail(message: string): never {
    throw new WireFault(message, this.position)
  }

  private need(count: number): number {
    const at = this.position
    if (count > this.end - at) this.failNeed(count)
    this.position = at + count
    return at
  }

  private failNeed(count: number): never {
    return this.fail(`${count} bytes wanted, ${this.end - this.position} left`)
  }

  /** Reads a field's type and id; returns the type, `ThriftType.stop` at the end of the struct. */
  field(): number {
    const { buffer } = this
    const at = this.position
    if (at >= this.end) this.fail("struct without an end")
    const type = buffer[at]!
    if (type === ThriftType.stop) {
      this.position = at + 1
      return type
    }
    if (this.end - at < 3) this.fail("field header is cut")
    this.fieldId = this.view.getInt16(at + 1)
    this.position = at + 3
    return type
  }

  /** Refuses a known field of another type than declared. */
  expect(type: number, declared: number): void {
    if (type !== declared) this.fail(`field ${this.fieldId} has type ${type}, declared is ${declared}`)
  }

  byte(): number {
    return this.buffer[this.need(1)]!
  }

  bool(): boolean {
    return this.byte() === 1
  }

  /** Signed. */
  i32(): number {
    return this.view.getInt32(this.need(4))
  }

  /** Leaves the halves in `hi` and `lo`, both as signed 32-bit numbers. */
  i64(): void {
    const at = this.need(8)
    this.hi = this.view.getInt32(at)
    this.lo = this.view.getInt32(at + 4)
  }

  bigint(): bigint {
    this.i64()
    return (BigInt(this.hi) << BigInt(32)) | BigInt(this.lo >>> 0)
  }

  /** Reads a binary's length, checks it, steps over the bytes and returns their offset; the length is in `lo`. */
  binary(): number {
    const offset = this.need(4) + 4
    const length = this.view.getInt32(offset - 4)
    if (length < 0 || length > this.end - offset) this.failLength(offset - 4, length)
    this.position = offset + length
    this.lo = length
    return offset
  }

  private failLength(at: number, length: number): never {
    this.position = at
    return this.fail(`binary of ${length} bytes, ${this.end - at - 4} left`)
  }

  /** A binary as a view into the buffer. */
  bytes(): Uint8Array {
    const offset = this.binary()
    return this.buffer.subarray(offset, offset + this.lo)
  }

  /** Reads the head of a list or set whose elements have the declared type; returns their number. */
  list(declared: number): number {
    const type = this.byte()
    const count = this.i32()
    if (count === 0) return 0
    if (type !== declared) this.fail(`list elements have type ${type}, declared is ${declared}`)
    this.checkCount(count, leastSize(type))
    return count
  }

  private checkCount(count: number, size: number): void {
    if (count < 0 || count * size > this.end - this.position) {
      this.fail(`${count} elements of at least ${size} bytes, ${this.end - this.position} bytes left`)
    }
  }

  /** Steps over a value of a type. The work is bounded by the bytes, the nesting by `Limits.maxThriftDepth`. */
  skip(type: number, depth = 0): void {
    const fixed = fixedSize(type)
    if (fixed > 0) {
      this.need(fixed)
      return
    }
    if (fixed < 0) this.fail(`unknown type ${type}`)
    if (type === ThriftType.binary) {
      this.binary()
      return
    }
    if (depth >= Limits.maxThriftDepth) this.fail(`nested deeper than ${Limits.maxThriftDepth} levels`)
    if (type === ThriftType.struct) {
      for (let inner = this.field(); inner !== ThriftType.stop; inner = this.field()) this.skip(inner, depth + 1)
    } else if (type === ThriftType.map) this.skipMap(depth)
    else this.skipElements(depth)
  }

  private skipElements(depth: number): void {
    const type = this.byte()
    const count = this.i32()
    if (count === 0) return
    const fixed = fixedSize(type)
    if (fixed < 0) this.fail(`unknown element type ${type}`)
    this.checkCount(count, leastSize(type))
    if (fixed > 0) this.position += count * fixed
    else for (let i = 0; i < count; i++) this.skip(type, depth + 1)
  }

  private skipMap(depth: number): void {
    const key = this.byte()
    const value = this.byte()
    const count = this.i32()
    if (count === 0) return
    if (fixedSize(key) < 0 || fixedSize(value) < 0) this.fail(`unknown map types ${key}, ${value}`)
    this.checkCount(count, leastSize(key) + leastSize(value))
    for (let i = 0; i < count; i++) {
      this.skip(key, depth + 1)
      this.skip(value, depth + 1)
    }
  }

  /** The end of an argument: nothing may follow the struct. */
  finish(): void {
    if (this.position !== this.end) this.fail(`${this.end - this.position} bytes after the struct`)
  }
}

/** Grows by doubling up to `maxBytes`; above that it throws, since what we write is ours. */
export class ThriftWriter {
  private readonly maxBytes: number
  private buffer: Uint8Array
  private position = 0

  constructor(maxBytes: number, capacity = 1024) {
    this.maxBytes = maxBytes
    this.buffer = new Uint8Array(Math.min(capacity, maxBytes))
  }

  private need(count: number): number {
    const at = this.position
    const wanted = at + count
    if (wanted > this.buffer.length) {
      if (wanted > this.maxBytes) throw new RangeError(`message of more than ${this.maxBytes} bytes`)
      const grown = new Uint8Array(Math.min(this.maxBytes, Math.max(wanted, this.buffer.length * 2)))
      grown.set(this.buffer.subarray(0, at))
      this.buffer = grown
    }
    this.position = wanted
    return at
  }

  byte(value: number): void {
    const at = this.need(1)
    this.buffer[at] = value
  }

  i32(value: number): void {
    const at = this.need(4)
    this.buffer[at] = value >>> 24
    this.buffer[at + 1] = value >>> 16
    this.buffer[at + 2] = value >>> 8
    this.buffer[at + 3] = value
  }

  i64(hi: number, lo: number): void {
    this.i32(hi)
    this.i32(lo)
  }

  bigint(value: bigint): void {
    this.i64(Number(BigInt.asIntN(32, value >> BigInt(32))), Number(BigInt.asIntN(32, value)))
  }

  bytes(value: Uint8Array): void {
    this.i32(value.length)
    const at = this.need(value.length)
    this.buffer.set(value, at)
  }

  field(type: number, id: number): void {
    const at = this.need(3)
    this.buffer[at] = type
    this.buffer[at + 1] = id >>> 8
    this.buffer[at + 2] = id
  }

  stop(): void {
    this.byte(ThriftType.stop)
  }

  i32Field(id: number, value: number): void {
    this.field(ThriftType.i32, id)
    this.i32(value)
  }

  i64Field(id: number, value: bigint): void {
    this.field(ThriftType.i64, id)
    this.bigint(value)
  }

  boolField(id: number, value: boolean): void {
    this.field(ThriftType.bool, id)
    this.byte(value ? 1 : 0)
  }

  bytesField(id: number, value: Uint8Array): void {
    this.field(ThriftType.binary, id)
    this.bytes(value)
  }

  listField(id: number, elementType: number, count: number): void {
    this.field(ThriftType.list, id)
    this.byte(elementType)
    this.i32(count)
  }

  /** What has been written, in an array of exactly that length's view. */
  finish(): Uint8Array {
    return this.buffer.subarray(0, this.position)
  }
}
