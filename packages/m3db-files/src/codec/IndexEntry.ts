/**
 * One entry of the index file: msgpack object of type 5, sorted by id, no length between entries. V1 has 5 fields, V2 adds the
 * tags, V3 a checksum over the entry's own bytes. (specs: storage 5.4)
 */
import { adler32Start, adler32Update } from "@peerstrap/m3tsz"
import { Limits } from "../contract/Limits.ts"
import type { Malformed } from "../contract/Malformed.ts"
import { MsgpackReader, type MsgpackWriter } from "./Msgpack.ts"

const type = 5

/**
 * Appends a V3 entry; answers where in `writer.bytes` its id ends. Id is `source[idStart, idEnd)`, tags `source[idEnd, tagsEnd)`; no
 * tags bytes are written as nil.
 */
export const encodeIndexEntry = (
  writer: MsgpackWriter,
  writeIndex: number,
  source: Uint8Array,
  idStart: number,
  idEnd: number,
  tagsEnd: number,
  size: number,
  offset: number,
  checksum: number
): number => {
  const start = writer.length
  writer.header(type, 7)
  writer.uint(writeIndex)
  writer.binary(source, idStart, idEnd)
  const idAt = writer.length
  writer.uint(size)
  writer.uint(offset)
  writer.uint(checksum)
  if (tagsEnd === idEnd) writer.nil()
  else writer.binary(source, idEnd, tagsEnd)
  writer.uint(adler32Update(adler32Start, writer.bytes, start, writer.length - start))
  return idAt
}

/**
 * Decodes entries one after another without an object each: `read` fills the fields. Ids and tags are offsets into the bytes
 * given (`tagsStart` -1: none).
 */
export class IndexEntryDecoder {
  writeIndex = 0
  idStart = 0
  idEnd = 0
  size = 0
  offset = 0
  checksum = 0
  tagsStart = -1
  tagsEnd = -1
  /** 1, 2 or 3. */
  layout = 0
  /** Where the next entry begins. */
  next = 0
  /** Why `read` returned "malformed". */
  failure: Malformed | undefined
  /** When "more": the end offset that is certainly needed. */
  needed = 0
  private readonly reader = new MsgpackReader(new Uint8Array(0))

  /** The entry at `bytes[start, end)`: "more" when the bytes end before the entry does. */
  read(bytes: Uint8Array, start: number, end: number): "entry" | "more" | "malformed" {
    const reader = this.reader
    reader.reset(bytes, start, end)
    const fields = reader.header(type, 5)
    this.writeIndex = reader.uint(Limits.maxEntries - 1, "write index")
    reader.binary(Limits.maxEntryBytes)
    if (reader.failure === undefined && reader.binaryStart < 0) reader.fail("an entry without id")
    this.idStart = reader.binaryStart
    this.idEnd = reader.binaryEnd
    this.size = reader.uint(Limits.maxSeriesBytes, "series size")
    this.offset = reader.uint(Number.MAX_SAFE_INTEGER, "offset in the data file")
    this.checksum = reader.uint(0xffffffff, "series checksum")
    this.tagsStart = -1
    this.tagsEnd = -1
    if (fields >= 6) {
      reader.binary(Limits.maxEntryBytes)
      this.tagsStart = reader.binaryStart
      this.tagsEnd = reader.binaryEnd
    }
    if (fields >= 7) {
      // Fields of later versions stand before the checksum and count towards it.
      reader.skip(fields - 7)
      if (reader.failure === undefined) {
        const at = reader.position
        const actual = adler32Update(adler32Start, bytes, start, at - start)
        const stored = reader.uint(0xffffffff, "entry checksum")
        if (reader.failure === undefined && stored !== actual) {
          reader.fail(`entry checksum is ${hex32(stored)}, the entry has ${hex32(actual)}`, at, "checksum")
        }
      }
    }
    if (reader.failure !== undefined) {
      this.failure = reader.failure
      this.needed = reader.needed
      return reader.truncated ? "more" : "malformed"
    }
    this.layout = Math.min(fields, 7) - 4
    this.next = reader.position
    return "entry"
  }
}

/** A checksum as M3's tools print it. */
export const hex32 = (value: number): string => `0x${value.toString(16).padStart(8, "0")}`
