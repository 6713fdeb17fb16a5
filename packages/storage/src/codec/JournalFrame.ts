/**
 * Bytes of a journal. A segment is a header and frames; a frame is what one sync made durable, so that damage with a whole frame behind it
 * cannot be a torn tail. All numbers are little-endian.
 *
 *     segment header, 24 bytes                    frame header, 28 bytes
 *      0  8  "PSJRNL01"                            0  4  mark of the segment: frames inside of records do not count
 *      8  8  number of the first record            4  4  bytes of the payload
 *     16  4  mark of the segment                   8  8  number of the first record
 *     20  4  CRC-32 of bytes 0–19                 16  4  records
 *                                                 20  4  CRC-32 of the payload
 *     payload: of each record                     24  4  CRC-32 of bytes 0–23
 *      4 bytes its length, then its bytes
 */
import { crc32 } from "node:zlib"
import { Limits } from "../contract/Limits.ts"

export const segmentHeaderBytes = 24
export const frameHeaderBytes = 28
const magic = new TextEncoder().encode("PSJRNL01")

const viewOf = (bytes: Uint8Array, at: number, length: number): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset + at, length)

/** A u64 that is a record number, or undefined when it is none (2^53 and above). */
const numberAt = (view: DataView, at: number): number | undefined => {
  const value = view.getBigUint64(at, true)
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : undefined
}

export interface SegmentHeader {
  readonly first: number
  /** A random u32. */
  readonly mark: number
}

export const encodeSegmentHeader = ({ first, mark }: SegmentHeader): Uint8Array => {
  const out = new Uint8Array(segmentHeaderBytes)
  out.set(magic)
  const view = viewOf(out, 0, segmentHeaderBytes)
  view.setBigUint64(8, BigInt(first), true)
  view.setUint32(16, mark, true)
  view.setUint32(20, crc32(out.subarray(0, 20)), true)
  return out
}

/** The header, or undefined when the bytes are none. */
export const decodeSegmentHeader = (bytes: Uint8Array): SegmentHeader | undefined => {
  if (bytes.length < segmentHeaderBytes || !magic.every((byte, i) => bytes[i] === byte)) return undefined
  const view = viewOf(bytes, 0, segmentHeaderBytes)
  if (view.getUint32(20, true) !== crc32(bytes.subarray(0, 20))) return undefined
  const first = numberAt(view, 8)
  return first === undefined ? undefined : { first, mark: view.getUint32(16, true) }
}

/** Bytes of a frame's payload that holds these records. */
export const payloadBytesOf = (records: ReadonlyArray<Uint8Array>): number =>
  records.reduce((total, { length }) => total + 4 + length, 0)

/** The chunks of one frame, header first; the records themselves are not copied. */
export const encodeFrame = (
  mark: number,
  first: number,
  records: ReadonlyArray<Uint8Array>
): ReadonlyArray<Uint8Array> => {
  const head = new Uint8Array(frameHeaderBytes + 4 * records.length)
  const view = viewOf(head, 0, head.length)
  const chunks: Array<Uint8Array> = [head.subarray(0, frameHeaderBytes)]
  let payloadBytes = 0
  let crc = 0
  records.forEach((record, i) => {
    const at = frameHeaderBytes + 4 * i
    view.setUint32(at, record.length, true)
    const prefix = head.subarray(at, at + 4)
    crc = crc32(record, crc32(prefix, crc))
    payloadBytes += 4 + record.length
    chunks.push(prefix, record)
  })
  view.setUint32(0, mark, true)
  view.setUint32(4, payloadBytes, true)
  view.setBigUint64(8, BigInt(first), true)
  view.setUint32(16, records.length, true)
  view.setUint32(20, crc, true)
  view.setUint32(24, crc32(head.subarray(0, 24)), true)
  return chunks
}

export interface FrameHeader {
  readonly payloadBytes: number
  readonly first: number
  readonly count: number
  readonly payloadCrc: number
}

/** The header at `at`, or what is wrong with it. Needs `frameHeaderBytes` there. */
export const decodeFrameHeader = (bytes: Uint8Array, at: number, mark: number): FrameHeader | string => {
  const view = viewOf(bytes, at, frameHeaderBytes)
  if (view.getUint32(0, true) !== mark) return "no frame of this segment begins here"
  if (view.getUint32(24, true) !== crc32(bytes.subarray(at, at + 24))) {
    return "the checksum of the frame's header does not hold"
  }
  const payloadBytes = view.getUint32(4, true)
  const count = view.getUint32(16, true)
  const first = numberAt(view, 8)
  if (first === undefined) return "the number of the first record is above 2^53"
  if (payloadBytes > Limits.journalFrameBytes) {
    return `a frame of ${payloadBytes} bytes, at most ${Limits.journalFrameBytes} are written`
  }
  if (count === 0 || count * 4 > payloadBytes) return `${count} records in ${payloadBytes} bytes`
  return { payloadBytes, first, count, payloadCrc: view.getUint32(20, true) }
}

/** The records of a payload as views of it, or what is wrong with it. */
export const decodePayload = (header: FrameHeader, payload: Uint8Array): ReadonlyArray<Uint8Array> | string => {
  if (crc32(payload) !== header.payloadCrc) return "the checksum of the frame's records does not hold"
  const view = viewOf(payload, 0, payload.length)
  const records: Array<Uint8Array> = []
  let at = 0
  while (records.length < header.count) {
    if (at + 4 > payload.length) return `record ${header.first + records.length} is missing`
    const end = at + 4 + view.getUint32(at, true)
    if (end > payload.length) return `record ${header.first + records.length} is longer than its frame`
    records.push(payload.subarray(at + 4, end))
    at = end
  }
  return at === payload.length ? records : `${payload.length - at} bytes behind the last record`
}

/** Where a whole header of a frame that begins with record `first` or a later one stands from `from` on, or -1. */
export const findFrameHeader = (bytes: Uint8Array, from: number, mark: number, first: number): number => {
  const view = viewOf(bytes, 0, bytes.length)
  const low = mark & 255
  for (let at = bytes.indexOf(low, from); at >= 0; at = bytes.indexOf(low, at + 1)) {
    if (at + frameHeaderBytes > bytes.length) return -1
    if (view.getUint32(at, true) !== mark) continue
    const header = decodeFrameHeader(bytes, at, mark)
    if (typeof header !== "string" && header.first >= first) return at
  }
  return -1
}

/** What stands at the beginning of some bytes of a segment. */
export interface ParsedFrames {
  /** Records of all whole frames. */
  readonly records: ReadonlyArray<Uint8Array>
  /** Bytes of these frames. */
  readonly bytes: number
  /** Why it stops there: the bytes end (`needs` of them are wanted from there on), or do not hold. */
  readonly stop: { readonly needs: number } | { readonly damage: string }
}

/** Reads frames from the beginning of `bytes` on, the first of which begins with record `first`. */
export const parseFrames = (bytes: Uint8Array, mark: number, first: number): ParsedFrames => {
  const records: Array<Uint8Array> = []
  let at = 0
  const stopped = (stop: ParsedFrames["stop"]): ParsedFrames => ({ records, bytes: at, stop })
  for (;;) {
    if (at + frameHeaderBytes > bytes.length) return stopped({ needs: frameHeaderBytes })
    const header = decodeFrameHeader(bytes, at, mark)
    if (typeof header === "string") return stopped({ damage: header })
    const expected = first + records.length
    if (header.first !== expected) {
      return stopped({ damage: `a frame that begins with record ${header.first}, expected ${expected}` })
    }
    const end = at + frameHeaderBytes + header.payloadBytes
    if (end > bytes.length) return stopped({ needs: end - at })
    const payload = decodePayload(header, bytes.subarray(at + frameHeaderBytes, end))
    if (typeof payload === "string") return stopped({ damage: payload })
    for (const record of payload) records.push(record)
    at = end
  }
}
