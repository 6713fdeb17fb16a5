// M3TSZ read as the specification says, with a string of bits and bigint: slow and plain, the reference of the decoder.
import type { Row } from "./Points.ts"
import { toHex } from "./Points.ts"

const units = [0n, 1_000_000_000n, 1_000_000n, 1_000n, 1n, 0n, 0n, 0n, 0n]
const int64 = (value: bigint): bigint => BigInt.asIntN(64, value)
const hex64 = (value: bigint): string => BigInt.asUintN(64, value).toString(16).padStart(16, "0")

class End extends Error {}

class Stream {
  at = 0
  readonly text: string
  constructor(bytes: Uint8Array) {
    this.text = Array.from(bytes, (byte) => byte.toString(2).padStart(8, "0")).join("")
  }
  take(count: number): bigint {
    if (this.at + count > this.text.length) throw new End("end of bytes")
    const bits = this.text.slice(this.at, this.at + count)
    this.at += count
    return count === 0 ? 0n : BigInt(`0b${bits}`)
  }
  signed(count: number): bigint {
    return BigInt.asIntN(count, this.take(count))
  }
  bit(): boolean {
    return this.take(1) === 1n
  }
}

export interface NaiveResult {
  readonly rows: ReadonlyArray<Row>
  readonly failed: boolean
}

/** The whole points, and whether the stream failed before its end marker. */
export const naiveDecode = (bytes: Uint8Array): NaiveResult => {
  const rows: Array<Row> = []
  if (bytes.length === 0) return { rows, failed: false }
  try {
    readAll(new Stream(bytes), rows)
    return { rows, failed: false }
  } catch (error) {
    if (error instanceof End) return { rows, failed: true }
    throw error
  }
}

const readAll = (stream: Stream, rows: Array<Row>): void => {
  let time = stream.signed(64)
  let delta = 0n
  let unit = time % 1_000_000_000n === 0n ? 1 : 0
  const value = new Value(stream)
  for (;;) {
    let changed = false
    let annotation: string | undefined
    for (;;) {
      const marker = stream.text.slice(stream.at, stream.at + 11)
      if (marker.length < 11 || !marker.startsWith("100000000") || marker.endsWith("11")) break
      stream.at += 11
      if (marker.endsWith("00")) return
      if (marker.endsWith("01")) annotation = readAnnotation(stream)
      else {
        const id = Number(stream.take(8))
        if (id === 0 || id > 8) throw new End("unit")
        changed ||= id !== unit
        unit = id
      }
    }
    if (!changed && unit === 0) throw new End("no unit")
    delta = int64(delta + (changed ? stream.signed(64) : int64(readDeltaOfDelta(stream, unit) * units[unit]!)))
    time = int64(time + delta)
    if (changed) delta = 0n
    const bits = value.read(rows.length === 0)
    rows.push({ t: String(time), bits, unit, ...(annotation === undefined ? {} : { annotation }) })
  }
}

const readDeltaOfDelta = (stream: Stream, unit: number): bigint => {
  if (!stream.bit() || unit > 4) return 0n
  for (const width of [7, 9, 12]) if (!stream.bit()) return stream.signed(width)
  return stream.signed(unit <= 2 ? 32 : 64)
}

const readAnnotation = (stream: Stream): string => {
  let encoded = 0n
  for (let shift = 0n;; shift += 7n) {
    const group = stream.take(8)
    if (shift === 63n && group > 1n) throw new End("varint")
    encoded |= (group & 0x7fn) << shift
    if (group < 0x80n) break
  }
  const length = ((encoded & 1n) === 1n ? -(encoded >> 1n) - 1n : encoded >> 1n) + 1n
  if (length <= 0n || length * 8n > BigInt(stream.text.length - stream.at)) throw new End("annotation")
  return toHex(Uint8Array.from({ length: Number(length) }, () => Number(stream.take(8))))
}

class Value {
  private isFloat = false
  private integer = 0
  private multiplier = 0
  private significant = 0
  private bits = 0n
  private last = 0n
  private readonly stream: Stream
  constructor(stream: Stream) {
    this.stream = stream
  }

  read(first: boolean): string {
    const { stream } = this
    if (first) this.mode(stream.bit())
    else if (stream.bit()) {
      if (this.isFloat) this.xor()
      else this.difference()
    } else if (!stream.bit()) this.mode(stream.bit())
    if (this.isFloat) return hex64(this.bits)
    const value = this.multiplier === 0 ? this.integer : this.integer / 10 ** this.multiplier
    return hex64(new BigUint64Array(Float64Array.of(value).buffer)[0]!)
  }

  private mode(isFloat: boolean): void {
    const { stream } = this
    this.isFloat = isFloat
    if (isFloat) {
      this.bits = this.last = stream.take(64)
      return
    }
    if (stream.bit()) this.significant = stream.bit() ? Number(stream.take(6)) + 1 : 0
    if (stream.bit()) this.multiplier = Number(stream.take(3))
    if (this.multiplier > 6) throw new End("multiplier")
    this.difference()
  }

  private difference(): void {
    const sign = this.stream.bit() ? 1 : -1
    this.integer += sign * Number(this.stream.take(this.significant))
  }

  private xor(): void {
    const { stream } = this
    const changes = stream.bit()
    if (!changes) this.last = 0n
    else if (stream.bit()) {
      const leading = Number(stream.take(6))
      const count = Number(stream.take(6)) + 1
      const bits = stream.take(count)
      const shift = 64 - leading - count
      this.last = shift < 0 ? 0n : BigInt.asUintN(64, bits << BigInt(shift))
    } else {
      const text = this.last.toString(2)
      const trailing = this.last === 0n ? 0 : text.length - 1 - text.lastIndexOf("1")
      this.last = stream.take(this.last === 0n ? 0 : text.length - trailing) << BigInt(trailing)
    }
    this.bits ^= this.last
  }
}
