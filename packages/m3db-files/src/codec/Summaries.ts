/**
 * The summaries file: every 33rd index entry by id, so that a lookup reads a few entries only. Msgpack objects of type 6:
 * write index, id, offset in the index file. (specs: storage 5.5)
 */
import { Limits } from "../contract/Limits.ts"
import { Malformed } from "../contract/Malformed.ts"
import { compareRange } from "./Bytes.ts"
import { MsgpackReader, type MsgpackWriter } from "./Msgpack.ts"

const type = 6

/** M3's 3 % of the entries: floor(n / (n * 0.03)). */
export const summaryInterval = 33

/** Summaries of a fileset with so many index entries. */
export const summaryCount = (entries: number): number => Math.ceil(entries / summaryInterval)

/** Appends a summary; the id is `source[idStart, idEnd)`. */
export const encodeSummary = (
  writer: MsgpackWriter,
  writeIndex: number,
  source: Uint8Array,
  idStart: number,
  idEnd: number,
  indexOffset: number
): void => {
  writer.header(type, 3)
  writer.uint(writeIndex)
  writer.binary(source, idStart, idEnd)
  writer.uint(indexOffset)
}

/** Decoded summaries as columns; ids are ranges of `bytes`. */
export interface Summaries {
  readonly bytes: Uint8Array
  readonly count: number
  readonly writeIndex: Uint32Array
  readonly idStart: Uint32Array
  readonly idEnd: Uint32Array
  readonly indexOffset: Float64Array
}

/** `count` comes from the info file. Ids and offsets must ascend strictly. */
export const decodeSummaries = (bytes: Uint8Array, count: number): Summaries | Malformed => {
  // The smallest summary has 8 bytes: a count that the bytes cannot hold allocates nothing.
  if (count * 8 > bytes.length || bytes.length > Limits.maxSummariesBytes) {
    const reason = bytes.length > Limits.maxSummariesBytes ? "limit" : "malformed"
    return new Malformed(reason, 0, `${count} summaries do not fit into ${bytes.length} bytes`)
  }
  const writeIndex = new Uint32Array(count)
  const idStart = new Uint32Array(count)
  const idEnd = new Uint32Array(count)
  const indexOffset = new Float64Array(count)
  const reader = new MsgpackReader(bytes)
  for (let i = 0; i < count; i++) {
    const at = reader.position
    const fields = reader.header(type, 3)
    writeIndex[i] = reader.uint(Limits.maxEntries - 1, "write index")
    reader.binary(Limits.maxEntryBytes)
    if (reader.failure === undefined && reader.binaryStart < 0) reader.fail("a summary without id", at)
    idStart[i] = reader.binaryStart
    idEnd[i] = reader.binaryEnd
    indexOffset[i] = reader.uint(Number.MAX_SAFE_INTEGER, "offset in the index file")
    reader.skip(fields - 3)
    if (reader.failure !== undefined) return reader.failure
    if (i === 0) continue
    if (compareRange(bytes, idStart[i - 1]!, idEnd[i - 1]!, bytes, idStart[i]!, idEnd[i]!) >= 0) {
      return new Malformed("malformed", at, `summary ${i} is not above the one before it`)
    }
    if (indexOffset[i]! <= indexOffset[i - 1]!) {
      return new Malformed("malformed", at, `summary ${i} points before the one before it`)
    }
  }
  if (reader.position !== bytes.length) {
    return new Malformed("malformed", reader.position, `${bytes.length - reader.position} bytes after the last summary`)
  }
  return { bytes, count, writeIndex, idStart, idEnd, indexOffset }
}

/** Offset in the index file from which a search for `id` has to read on, 0 when every summary is above it. */
export const searchSummaries = (summaries: Summaries, id: Uint8Array): number => {
  let low = 0
  let high = summaries.count
  while (low < high) {
    const middle = (low + high) >>> 1
    const order = compareRange(
      summaries.bytes,
      summaries.idStart[middle]!,
      summaries.idEnd[middle]!,
      id,
      0,
      id.length
    )
    if (order <= 0) low = middle + 1
    else high = middle
  }
  return low === 0 ? 0 : summaries.indexOffset[low - 1]!
}
