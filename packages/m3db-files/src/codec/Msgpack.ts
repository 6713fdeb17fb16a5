/**
 * The part of msgpack that M3DB's files use, written exactly as M3 writes it: non-negative integers always in the smallest
 * *unsigned* form, absent byte strings as nil. The reader accepts any legal width. (specs: storage 5.2)
 */
import { Limits } from "../contract/Limits.ts"
import { Malformed } from "../contract/Malformed.ts"

const two32 = 4_294_967_296
const two64 = BigInt("18446744073709551616")
const maxInt64 = BigInt("9223372036854775807")
const safe = BigInt(Number.MAX_SAFE_INTEGER)

/** A growing buffer. `take` hands out what was written; `length` and `bytes` serve checksums over a part of it. */
export class MsgpackWriter {
  bytes: Uint8Array
  length = 0

  constructor(capacity = 256) {
    this.bytes = new Uint8Array(capacity)
  }

  /** A copy of what was written. */
  take(): Uint8Array {
    return this.bytes.slice(0, this.length)
  }

  private reserve(extra: number): void {
    const needed = this.length + extra
    if (needed <= this.bytes.length) return
    const grown = new Uint8Array(Math.max(needed, this.bytes.length * 2))
    grown.set(this.bytes.subarray(0, this.length))
    this.bytes = grown
  }

  private u32(value: number): void {
    const { bytes, length } = this
    bytes[length] = value >>> 24
    bytes[length + 1] = value >>> 16
    bytes[length + 2] = value >>> 8
    bytes[length + 3] = value
    this.length = length + 4
  }

  private u16(value: number): void {
    this.bytes[this.length++] = value >>> 8
    this.bytes[this.length++] = value
  }

  /** A non-negative safe integer. */
  uint(value: number): void {
    this.reserve(9)
    if (value < 128) this.bytes[this.length++] = value
    else if (value < 256) {
      this.bytes[this.length++] = 0xcc
      this.bytes[this.length++] = value
    } else if (value < 65_536) {
      this.bytes[this.length++] = 0xcd
      this.u16(value)
    } else if (value < two32) {
      this.bytes[this.length++] = 0xce
      this.u32(value)
    } else {
      this.bytes[this.length++] = 0xcf
      this.u32(Math.floor(value / two32))
      this.u32(value % two32)
    }
  }

  /** A signed 64-bit integer. */
  int(value: bigint): void {
    if (value >= 0) {
      if (value <= safe) return this.uint(Number(value))
      this.reserve(9)
      this.bytes[this.length++] = 0xcf
      return this.big(value)
    }
    this.reserve(9)
    if (value >= -32) this.bytes[this.length++] = Number(value) & 0xff
    else if (value >= -128) {
      this.bytes[this.length++] = 0xd0
      this.bytes[this.length++] = Number(value) & 0xff
    } else if (value >= -32_768) {
      this.bytes[this.length++] = 0xd1
      this.u16(Number(value))
    } else if (value >= -2_147_483_648) {
      this.bytes[this.length++] = 0xd2
      this.u32(Number(value))
    } else {
      this.bytes[this.length++] = 0xd3
      this.big(value)
    }
  }

  private big(value: bigint): void {
    const unsigned = BigInt.asUintN(64, value)
    this.u32(Number(unsigned >> BigInt(32)))
    this.u32(Number(BigInt.asUintN(32, unsigned)))
  }

  /** `source[start, end)` as a byte string. */
  binary(source: Uint8Array, start: number, end: number): void {
    const size = end - start
    this.reserve(size + 5)
    if (size < 256) {
      this.bytes[this.length++] = 0xc4
      this.bytes[this.length++] = size
    } else if (size < 65_536) {
      this.bytes[this.length++] = 0xc5
      this.u16(size)
    } else {
      this.bytes[this.length++] = 0xc6
      this.u32(size)
    }
    if (size < 64) {
      let at = this.length
      for (let i = start; i < end; i++) this.bytes[at++] = source[i]!
      this.length = at
    } else {
      this.bytes.set(source.subarray(start, end), this.length)
      this.length += size
    }
  }

  nil(): void {
    this.reserve(1)
    this.bytes[this.length++] = 0xc0
  }

  array(count: number): void {
    this.reserve(5)
    if (count < 16) this.bytes[this.length++] = 0x90 | count
    else if (count < 65_536) {
      this.bytes[this.length++] = 0xdc
      this.u16(count)
    } else {
      this.bytes[this.length++] = 0xdd
      this.u32(count)
    }
  }

  /** version, array(2), type, array(fields): what every M3 object begins with. */
  header(type: number, fields: number): void {
    this.uint(1)
    this.array(2)
    this.uint(type)
    this.array(fields)
  }
}

/**
 * A cursor over `bytes[position, end)`. The first failure sticks: later reads return zero values, so a decoder checks once at
 * its end. `truncated` tells a streaming caller that more bytes could help; `needed` is then the end offset it must have.
 */
export class MsgpackReader {
  bytes: Uint8Array
  position: number
  end: number
  failure: Malformed | undefined
  truncated = false
  needed = 0
  /** Limits of the byte string read last; `binaryStart` is -1 for nil. */
  binaryStart = -1
  binaryEnd = -1

  constructor(bytes: Uint8Array, position = 0, end = bytes.length) {
    this.bytes = bytes
    this.position = position
    this.end = end
  }

  reset(bytes: Uint8Array, position: number, end: number): void {
    this.bytes = bytes
    this.position = position
    this.end = end
    this.failure = undefined
    this.truncated = false
    this.needed = 0
  }

  fail(message: string, offset = this.position, reason: Malformed["reason"] = "malformed"): void {
    this.failure ??= new Malformed(reason, offset, message)
  }

  private has(count: number): boolean {
    if (this.failure !== undefined) return false
    if (this.position + count <= this.end) return true
    this.truncated = true
    this.needed = this.position + count
    this.fail(`the bytes end at ${this.end}, the value needs ${count} from ${this.position}`)
    return false
  }

  private u8(): number {
    return this.has(1) ? this.bytes[this.position++]! : 0
  }

  private u16(): number {
    if (!this.has(2)) return 0
    const at = this.position
    this.position = at + 2
    return (this.bytes[at]! << 8) | this.bytes[at + 1]!
  }

  private u32(): number {
    if (!this.has(4)) return 0
    const { bytes, position } = this
    this.position = position + 4
    return ((bytes[position]! << 24) | (bytes[position + 1]! << 16) | (bytes[position + 2]! << 8) |
      bytes[position + 3]!) >>> 0
  }

  /** An integer of any width that a number holds exactly. */
  int(): number {
    const at = this.position
    const code = this.u8()
    if (code < 0x80) return code
    if (code >= 0xe0) return code - 256
    switch (code) {
      case 0xcc:
        return this.u8()
      case 0xcd:
        return this.u16()
      case 0xce:
        return this.u32()
      case 0xd0:
        return (this.u8() << 24) >> 24
      case 0xd1:
        return (this.u16() << 16) >> 16
      case 0xd2:
        return this.u32() | 0
      case 0xcf:
      case 0xd3: {
        const high = code === 0xd3 ? this.u32() | 0 : this.u32()
        const value = high * two32 + this.u32()
        if (!Number.isSafeInteger(value)) this.fail("an integer beyond 2^53", at)
        return value
      }
      default:
        this.fail(`expected an integer, found code 0x${code.toString(16)}`, at)
        return 0
    }
  }

  /** A non-negative integer up to `max`. */
  uint(max: number, what: string): number {
    const at = this.position
    const value = this.int()
    if (this.failure === undefined && (value < 0 || value > max)) {
      this.fail(`${what} is ${value}, allowed are 0 to ${max}`, at, value < 0 ? "malformed" : "limit")
      return 0
    }
    return value
  }

  /** A signed 64-bit integer. */
  int64(): bigint {
    const at = this.position
    const code = at < this.end ? this.bytes[at]! : 0
    if (code !== 0xcf && code !== 0xd3) return BigInt(this.int())
    this.position++
    const high = this.u32()
    const unsigned = BigInt(high) * BigInt(two32) + BigInt(this.u32())
    if (unsigned <= maxInt64) return unsigned
    if (code === 0xcf) {
      this.fail("an integer beyond int64", at)
      return BigInt(0)
    }
    return unsigned - two64
  }

  /** A byte string (or text, or nil): sets `binaryStart` and `binaryEnd`. */
  binary(maxBytes: number): void {
    const at = this.position
    const code = this.u8()
    let size = 0
    if (code === 0xc0) {
      this.binaryStart = -1
      this.binaryEnd = -1
      return
    }
    if (code >= 0xa0 && code <= 0xbf) size = code & 0x1f
    else if (code === 0xc4 || code === 0xd9) size = this.u8()
    else if (code === 0xc5 || code === 0xda) size = this.u16()
    else if (code === 0xc6 || code === 0xdb) size = this.u32()
    else this.fail(`expected a byte string, found code 0x${code.toString(16)}`, at)
    if (size > maxBytes) this.fail(`a byte string of ${size} bytes, allowed are ${maxBytes}`, at, "limit")
    if (!this.has(size)) size = 0
    this.binaryStart = this.position
    this.position += size
    this.binaryEnd = this.position
  }

  array(): number {
    const at = this.position
    const code = this.u8()
    if (code >= 0x90 && code <= 0x9f) return code & 0x0f
    if (code === 0xdc) return this.u16()
    if (code === 0xdd) return this.u32()
    this.fail(`expected an array, found code 0x${code.toString(16)}`, at)
    return 0
  }

  /** Reads the header of an object of `type` with at least `minFields` fields; returns how many it has. */
  header(type: number, minFields: number): number {
    const at = this.position
    const version = this.int()
    if (this.failure === undefined && version !== 1) this.fail(`object version ${version}, known is 1`, at)
    const outer = this.array()
    if (this.failure === undefined && outer < 2) this.fail(`the object has ${outer} parts, expected 2`, at)
    const found = this.int()
    if (this.failure === undefined && found !== type) this.fail(`object type ${found}, expected ${type}`, at)
    const fields = this.array()
    if (this.failure === undefined && fields < minFields) {
      this.fail(`${fields} fields, expected at least ${minFields}`, at)
    }
    return fields
  }

  /** Skips `count` values of any kind. Each takes at least one byte, so the work is bounded by the input. */
  skip(count: number, depth = 0): void {
    for (let i = 0; i < count && this.failure === undefined; i++) this.skipOne(depth)
  }

  private skipOne(depth: number): void {
    const at = this.position
    if (depth > Limits.maxMsgpackDepth) return this.fail("values nested too deep", at, "limit")
    const code = this.u8()
    if (code < 0x80 || code >= 0xe0 || code === 0xc0 || code === 0xc2 || code === 0xc3) return
    if (code <= 0x8f) return this.skip((code & 0x0f) * 2, depth + 1)
    if (code <= 0x9f) return this.skip(code & 0x0f, depth + 1)
    if (code <= 0xbf) return this.advance(code & 0x1f)
    if (code === 0xc1) return this.fail("the reserved msgpack code 0xc1", at)
    if (code === 0xc4 || code === 0xd9) return this.advance(this.u8())
    if (code === 0xc5 || code === 0xda) return this.advance(this.u16())
    if (code === 0xc6 || code === 0xdb) return this.advance(this.u32())
    if (code === 0xc7) return this.advance(this.u8() + 1)
    if (code === 0xc8) return this.advance(this.u16() + 1)
    if (code === 0xc9) return this.advance(this.u32() + 1)
    if (code === 0xca) return this.advance(4)
    if (code === 0xcb) return this.advance(8)
    if (code <= 0xcf) return this.advance(1 << (code - 0xcc))
    if (code <= 0xd3) return this.advance(1 << (code - 0xd0))
    if (code <= 0xd8) return this.advance((1 << (code - 0xd4)) + 1)
    if (code === 0xdc) return this.skip(this.u16(), depth + 1)
    if (code === 0xdd) return this.skip(this.u32(), depth + 1)
    if (code === 0xde) return this.skip(this.u16() * 2, depth + 1)
    return this.skip(this.u32() * 2, depth + 1)
  }

  private advance(count: number): void {
    if (this.has(count)) this.position += count
  }
}
