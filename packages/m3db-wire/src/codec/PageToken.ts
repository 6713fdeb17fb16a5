/**
 * M3DB's page tokens. Opaque in requests: hand back what came. A client may parse one to show progress; the scriptable
 * replica makes them (specs: peer streaming 5.2, 11.2).
 *
 *     PageToken { 1 active { 1 int64 cursor } · 2 flushed { 1 int64 blockStart · 2 int64 entryIndex · 3 int64 volume } }
 */
import { catchFault, WireFault } from "./WireFault.ts"

/** Where a listing stands: within the series in memory, or within one fileset. All numbers are int64. */
export type PageToken =
  | { readonly phase: "active"; readonly cursor: bigint }
  | { readonly phase: "flushed"; readonly blockStart: bigint; readonly entryIndex: bigint; readonly volume: bigint }

const bits = (count: number): bigint => BigInt(count)
const zero = BigInt(0)

const pushVarint = (out: Array<number>, value: bigint): void => {
  let rest = BigInt.asUintN(64, value)
  while (rest >= bits(128)) {
    out.push(Number(rest & bits(127)) | 128)
    rest >>= bits(7)
  }
  out.push(Number(rest))
}

/** Encodes a token as M3DB does (protobuf; zero fields are left out). */
export const encodePageToken = (token: PageToken): Uint8Array => {
  const values = token.phase === "active" ? [token.cursor] : [token.blockStart, token.entryIndex, token.volume]
  const inner: Array<number> = []
  values.forEach((value, index) => {
    if (value === zero) return
    inner.push(((index + 1) << 3) | 0)
    pushVarint(inner, value)
  })
  return Uint8Array.from([token.phase === "active" ? 0x0a : 0x12, inner.length, ...inner])
}

class ProtoCursor {
  private readonly bytes: Uint8Array
  private readonly end: number
  position: number

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.bytes = bytes
    this.position = start
    this.end = end
  }

  get done(): boolean {
    return this.position >= this.end
  }

  varint(): bigint {
    let value = zero
    for (let shift = 0; shift < 70; shift += 7) {
      if (this.done) throw new WireFault("varint is cut", this.position)
      const byte = this.bytes[this.position++]!
      value |= BigInt(byte & 127) << bits(shift)
      if (byte < 128) return BigInt.asIntN(64, value)
    }
    throw new WireFault("varint of more than 10 bytes", this.position)
  }

  take(count: bigint): number {
    const at = this.position
    if (count < zero || count > BigInt(this.end - at)) throw new WireFault(`${count} bytes wanted, token is cut`, at)
    this.position = at + Number(count)
    return at
  }

  skip(wireType: number): void {
    if (wireType === 0) this.varint()
    else if (wireType === 1) this.take(bits(8))
    else if (wireType === 2) this.take(this.varint())
    else if (wireType === 5) this.take(bits(4))
    else throw new WireFault(`unknown wire type ${wireType}`, this.position)
  }
}

const parseFields = (cursor: ProtoCursor, count: number): Array<bigint> => {
  const values: Array<bigint> = Array.from({ length: count }, () => zero)
  while (!cursor.done) {
    const key = Number(BigInt.asUintN(32, cursor.varint()))
    const field = key >>> 3
    if (field >= 1 && field <= count && (key & 7) === 0) values[field - 1] = cursor.varint()
    else cursor.skip(key & 7)
  }
  return values
}

/** Parses a token. One without either phase (an empty one) counts as the beginning of the active phase. */
export const decodePageToken = (bytes: Uint8Array): PageToken | WireFault =>
  catchFault(() => {
    const cursor = new ProtoCursor(bytes, 0, bytes.length)
    let token: PageToken = { phase: "active", cursor: zero }
    while (!cursor.done) {
      const key = Number(BigInt.asUintN(32, cursor.varint()))
      if (key !== 0x0a && key !== 0x12) {
        cursor.skip(key & 7)
        continue
      }
      const length = cursor.varint()
      const at = cursor.take(length)
      const inner = new ProtoCursor(bytes, at, cursor.position)
      const values = parseFields(inner, key === 0x0a ? 1 : 3)
      token = key === 0x0a
        ? { phase: "active", cursor: values[0]! }
        : { phase: "flushed", blockStart: values[0]!, entryIndex: values[1]!, volume: values[2]! }
    }
    return token
  })
