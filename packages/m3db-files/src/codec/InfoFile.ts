/**
 * The info file: what a fileset holds, in one msgpack object of type 2. Written with 11 fields (V5), read from 6 (V1) on.
 * (specs: storage 5.3; M3: persist/schema/types.go)
 */
import { Limits } from "../contract/Limits.ts"
import type { Malformed } from "../contract/Malformed.ts"
import { MsgpackReader, MsgpackWriter } from "./Msgpack.ts"

const type = 2
const fieldsOfVersion = [6, 8, 9, 10, 11] as const

/** What an info file says of its fileset. */
export interface FilesetInfo {
  /** ns since the Unix epoch. */
  readonly blockStart: bigint
  /** ns. */
  readonly blockSize: bigint
  /** Number of index entries. */
  readonly entries: number
  readonly majorVersion: number
  readonly minorVersion: number
  /** Number of summaries. */
  readonly summaries: number
  /** Bits of the bloom filter (m). */
  readonly bloomBits: number
  /** Hash functions of the bloom filter (k). */
  readonly bloomHashes: number
  /** ns; 0 for flushed data. */
  readonly snapshotTime: bigint
  /** Always 0, for snapshots too: only the directory tells them apart. */
  readonly fileType: number
  /** 16 bytes; undefined for flushed data. */
  readonly snapshotId: Uint8Array | undefined
  readonly volume: number
}

/** An info file's content, with the version that wrote it. */
export interface DecodedInfo {
  readonly info: FilesetInfo
  /** 1 to 5, from the number of fields. */
  readonly layout: number
  /** Bytes that belong to the object; more in the file is damage. */
  readonly length: number
}

/** From M3's schema 1.1 on, index entries carry their own checksum. */
export const hasEntryChecksums = (info: FilesetInfo): boolean =>
  info.majorVersion >= 2 || (info.majorVersion === 1 && info.minorVersion >= 1)

/** `layout` 5 is what M3 writes today; 1 to 4 exist to make old filesets for tests. */
export const encodeInfo = (info: FilesetInfo, layout: 1 | 2 | 3 | 4 | 5 = 5): Uint8Array => {
  const writer = new MsgpackWriter(96)
  writer.header(type, fieldsOfVersion[layout - 1]!)
  writer.int(info.blockStart)
  writer.int(info.blockSize)
  writer.uint(info.entries)
  writer.uint(info.majorVersion)
  writer.array(1)
  writer.uint(info.summaries)
  writer.array(2)
  writer.uint(info.bloomBits)
  writer.uint(info.bloomHashes)
  if (layout >= 2) {
    writer.int(info.snapshotTime)
    writer.uint(info.fileType)
  }
  if (layout >= 3) {
    if (info.snapshotId === undefined) writer.nil()
    else writer.binary(info.snapshotId, 0, info.snapshotId.length)
  }
  if (layout >= 4) writer.uint(info.volume)
  if (layout >= 5) writer.uint(info.minorVersion)
  return writer.take()
}

const decodeNested = (reader: MsgpackReader, first: number, maxFirst: number, what: string): [number, number] => {
  const count = reader.array()
  if (reader.failure === undefined && count < first) reader.fail(`${what} has ${count} fields, expected ${first}`)
  const one = reader.uint(maxFirst, what)
  const two = first === 2 ? reader.uint(Limits.maxBloomHashes, "bloom filter hash count") : 0
  reader.skip(Math.max(0, count - first))
  return [one, two]
}

/** Decodes an info file of any version. */
export const decodeInfo = (bytes: Uint8Array): DecodedInfo | Malformed => {
  const reader = new MsgpackReader(bytes, 0, Math.min(bytes.length, Limits.maxInfoBytes))
  const fields = reader.header(type, 6)
  const blockStart = reader.int64()
  const blockSize = reader.int64()
  const entries = reader.uint(Limits.maxEntries, "number of entries")
  const majorVersion = reader.uint(0xffff, "major version")
  const [summaries] = decodeNested(reader, 1, Limits.maxEntries, "number of summaries")
  const [bloomBits, bloomHashes] = decodeNested(reader, 2, Limits.maxBloomBytes * 8 - 64, "bloom filter bits")
  const snapshotTime = fields >= 8 ? reader.int64() : BigInt(0)
  const fileType = fields >= 8 ? reader.uint(0xffff, "file type") : 0
  let snapshotId: Uint8Array | undefined
  if (fields >= 9) {
    reader.binary(1024)
    if (reader.failure === undefined && reader.binaryStart >= 0) {
      snapshotId = bytes.slice(reader.binaryStart, reader.binaryEnd)
    }
  }
  const volume = fields >= 10 ? reader.uint(0x7fffffff, "volume") : 0
  const minorVersion = fields >= 11 ? reader.uint(0xffff, "minor version") : 0
  // Seven fields are V1 with one unknown field after it.
  reader.skip(fields - (fields >= 11 ? 11 : fields === 7 ? 6 : fields))
  if (reader.failure !== undefined) return reader.failure
  const layout = fields >= 11 ? 5 : fields >= 8 ? fields - 6 : 1
  const info = {
    blockStart,
    blockSize,
    entries,
    majorVersion,
    minorVersion,
    summaries,
    bloomBits,
    bloomHashes,
    snapshotTime,
    fileType,
    snapshotId,
    volume
  }
  return { info, layout, length: reader.position }
}
