/**
 * M3DB's encoded tags, **little-endian**: magic 10101 · n u16 · n × (length u16 · name · length u16 · value)
 * (specs: peer streaming 4.6).
 */
import { catchFault, WireFault } from "./WireFault.ts"

/** One tag: name and value as bytes, mostly UTF-8. */
export type TagPair = readonly [name: Uint8Array, value: Uint8Array]

const magic = 10_101
const maxU16 = 0xffff

/** Encodes pairs in the order given. Throws on an empty name or a literal above 65,535 bytes: defects of ours. */
export const encodeTags = (pairs: ReadonlyArray<TagPair>): Uint8Array => {
  if (pairs.length > maxU16) throw new RangeError(`${pairs.length} tags, at most ${maxU16}`)
  let size = 4
  for (const [name, value] of pairs) {
    if (name.length === 0) throw new RangeError("tag with an empty name")
    if (name.length > maxU16 || value.length > maxU16) throw new RangeError(`tag literal above ${maxU16} bytes`)
    size += 4 + name.length + value.length
  }
  const out = new Uint8Array(size)
  const view = new DataView(out.buffer)
  view.setUint16(0, magic, true)
  view.setUint16(2, pairs.length, true)
  let position = 4
  for (const literal of pairs.flat()) {
    view.setUint16(position, literal.length, true)
    out.set(literal, position + 2)
    position += 2 + literal.length
  }
  return out
}

/** Decodes `buffer[start, end)` into views of it. */
export const decodeTags = (
  buffer: Uint8Array,
  start = 0,
  end: number = buffer.length
): Array<TagPair> | WireFault =>
  catchFault(() => {
    const view = new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength)
    if (end - start < 4) throw new WireFault(`encoded tags of ${end - start} bytes, at least 4`, start)
    if (view.getUint16(start, true) !== magic) throw new WireFault("encoded tags do not begin with 7527", start)
    const count = view.getUint16(start + 2, true)
    let position = start + 4
    const literal = (): Uint8Array => {
      if (end - position < 2) throw new WireFault("tag is cut", position)
      const length = view.getUint16(position, true)
      if (length > end - position - 2) throw new WireFault(`tag literal of ${length} bytes is cut`, position)
      const from = position + 2
      position = from + length
      return buffer.subarray(from, position)
    }
    const pairs: Array<TagPair> = []
    for (let i = 0; i < count; i++) {
      const name = literal()
      if (name.length === 0) throw new WireFault("tag with an empty name", position)
      pairs.push([name, literal()])
    }
    if (position !== end) throw new WireFault(`${end - position} bytes after the last tag`, position)
    return pairs
  })
