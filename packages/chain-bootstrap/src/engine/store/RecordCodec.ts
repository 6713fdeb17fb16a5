/**
 * Records of the chain store's log.
 *
 *   u32 length of the payload | u32 crc of kind and payload | u8 kind | u32 check of these nine bytes | payload        (big-endian)
 *
 * The check is seeded with the store's salt, the file's number and the record's offset: bytes that look like a record but were written elsewhere, by
 * another store, or by a peer into the body of a unit, are none. So a scan may trust a length, and find the next record behind damage.
 */
import { crc32 } from "node:zlib"
import { storeLimits } from "../../contract/StoreLimits.ts"

export const recordKinds = {
  header: 1,
  unit: 2,
  segmentPart: 3,
  segment: 4,
  applied: 5,
  rollback: 6,
  begin: 7
} as const
export type RecordKind = (typeof recordKinds)[keyof typeof recordKinds]

const highestKind = 7
const kindNames = ["", "header", "unit", "segment part", "segment", "applied", "rollback", "begin of file"]

/** Name of a record's kind for reports. */
export const kindName = (kind: number): string => kindNames[kind] ?? `kind ${kind}`

export const headBytes = 13
const checkedBytes = 9

/** Where a record stands: its seed follows from that. */
export interface RecordPlace {
  readonly salt: number
  readonly file: number
  readonly offset: number
}

const seedBytes = new Uint8Array(12)
const seedView = new DataView(seedBytes.buffer)

const seedOf = ({ file, offset, salt }: RecordPlace): number => {
  seedView.setUint32(0, file)
  seedView.setUint32(4, Math.floor(offset / 2 ** 32))
  seedView.setUint32(8, offset >>> 0)
  return crc32(seedBytes, salt)
}

const readUint32 = (bytes: Uint8Array, at: number): number =>
  ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0

export const writeUint32 = (bytes: Uint8Array, at: number, value: number): void => {
  bytes[at] = value >>> 24
  bytes[at + 1] = value >>> 16
  bytes[at + 2] = value >>> 8
  bytes[at + 3] = value
}

/** Writes a head to `into[at…at + 13]`; the payload may be in pieces. */
export const writeHead = (
  into: Uint8Array,
  at: number,
  kind: RecordKind,
  payload: ReadonlyArray<Uint8Array>,
  place: RecordPlace
): void => {
  let length = 0
  let crc = crc32(Uint8Array.of(kind))
  for (const piece of payload) {
    length += piece.length
    crc = crc32(piece, crc)
  }
  writeUint32(into, at, length)
  writeUint32(into, at + 4, crc)
  into[at + 8] = kind
  writeUint32(into, at + 9, crc32(into.subarray(at, at + checkedBytes), seedOf(place)))
}

/** Length of the payload whose head stands at `at`, or −1 when there is no head of this place. Needs 13 bytes. */
export const readHead = (bytes: Uint8Array, at: number, place: RecordPlace): number => {
  const kind = bytes[at + 8]!
  if (kind === 0 || kind > highestKind) return -1
  const length = readUint32(bytes, at)
  if (length > storeLimits.recordBytes) return -1
  const check = crc32(bytes.subarray(at, at + checkedBytes), seedOf(place))
  return check === readUint32(bytes, at + checkedBytes) ? length : -1
}

/** Whether the payload of `length` bytes behind a good head at `at` is the one that was written. */
export const payloadIsGood = (bytes: Uint8Array, at: number, length: number): boolean => {
  const from = at + headBytes
  const crc = crc32(bytes.subarray(from, from + length), crc32(bytes.subarray(at + 8, at + 9)))
  return crc === readUint32(bytes, at + 4)
}

/** A whole record at the start of `bytes`: its kind and payload (a view), or undefined when anything about it is not as written. */
export const readRecord = (
  bytes: Uint8Array,
  place: RecordPlace
): { readonly kind: number; readonly payload: Uint8Array } | undefined => {
  if (bytes.length < headBytes) return undefined
  const length = readHead(bytes, 0, place)
  if (length < 0 || bytes.length < headBytes + length || !payloadIsGood(bytes, 0, length)) return undefined
  return { kind: bytes[8]!, payload: bytes.subarray(headBytes, headBytes + length) }
}
