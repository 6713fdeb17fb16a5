/** The last part of writing a fileset: everything beside the data file, each file durable, the checkpoint last. */
import { showId } from "@peerstrap/m3db-wire"
import { adler32, adler32Start, adler32Update } from "@peerstrap/m3tsz"
import type { File, FileError } from "@peerstrap/storage"
import * as Effect from "effect/Effect"
import { BloomFilter } from "../codec/BloomFilter.ts"
import { encodeCheckpoint, encodeDigests } from "../codec/DigestFile.ts"
import { encodeIndexEntry } from "../codec/IndexEntry.ts"
import { encodeInfo } from "../codec/InfoFile.ts"
import { MsgpackWriter } from "../codec/Msgpack.ts"
import { encodeSummary, summaryCount, summaryInterval } from "../codec/Summaries.ts"
import { Limits } from "../contract/Limits.ts"
import type { EntryColumns } from "../engine/EntryColumns.ts"
import { filePath, type FilesetKey, shardDirectory } from "../engine/FilesetName.ts"
import { findDuplicate, IdSort } from "../engine/IdSort.ts"
import type { Files } from "./Directory.ts"
import { fault, io } from "./Faults.ts"

/** Work between two turns of other fibers: some 2 ms. */
const comparisonsPerStep = 20_000

/** Entries encoded in one step; with short ids they fill no chunk. */
const mostEntriesPerChunk = 8192

/** Creates a file, lets `use` append to it, makes it durable. */
const durableFile = <A>(
  fs: Files,
  path: string,
  use: (file: File) => Effect.Effect<A, FileError>
): Effect.Effect<A, FileError> =>
  Effect.acquireUseRelease(
    fs.create(path),
    (file) => Effect.tap(use(file), () => file.sync),
    (file) => Effect.ignore(file.close)
  )

const wholeFile = (fs: Files, path: string, bytes: Uint8Array): Effect.Effect<void, FileError> =>
  durableFile(fs, path, (file) => bytes.length === 0 ? Effect.void : file.append([bytes]))

/** Rows in id order; fails when two ids are equal. */
const sortById = Effect.fnUntraced(function*(columns: EntryColumns, indexPath: string) {
  const sort = new IdSort(columns)
  while (!sort.step(comparisonsPerStep)) yield* Effect.yieldNow
  const { order } = sort
  if (columns.ascending) return order
  for (let at = 0; at < order.length; at += comparisonsPerStep) {
    const row = findDuplicate(columns, order, at, Math.min(order.length, at + comparisonsPerStep))
    if (row >= 0) {
      return yield* fault(
        "duplicate-id",
        indexPath,
        `the series ${showId(columns.id(row))} was written twice`,
        "merge the streams of a series before writing them; a fileset holds each id once"
      )
    }
    yield* Effect.yieldNow
  }
  return order
})

/** Appends what a writer holds once it is large enough, and keeps the file's digest. */
class DigestedAppend {
  readonly writer = new MsgpackWriter(Limits.indexChunkBytes + 4096)
  digest = adler32Start
  position = 0
  private readonly file: File

  constructor(file: File) {
    this.file = file
  }

  /** Offset in the file of what is written next. */
  get offset(): number {
    return this.position + this.writer.length
  }

  readonly flush: Effect.Effect<void, FileError> = Effect.suspend(() => {
    const { writer } = this
    if (writer.length === 0) return Effect.void
    this.digest = adler32Update(this.digest, writer.bytes, 0, writer.length)
    return Effect.map(this.file.append([writer.bytes.subarray(0, writer.length)]), () => {
      this.position += writer.length
      writer.length = 0
    })
  })
}

/** Writes index and summaries side by side and fills the bloom filter; answers both digests. */
const writeIndex = (
  columns: EntryColumns,
  order: Uint32Array,
  bloom: BloomFilter,
  index: DigestedAppend,
  summaries: DigestedAppend
): Effect.Effect<void, FileError> => {
  let next = 0
  // Where the ids stand in the index writer's bytes: a chunk of them goes into the filter at once.
  const ranges = new Uint32Array(2 * Math.min(order.length, mostEntriesPerChunk))
  const fill = (): boolean => {
    let count = 0
    while (next < order.length && count < mostEntriesPerChunk && index.writer.length < Limits.indexChunkBytes) {
      const row = order[next]!
      const source = columns.chunks[columns.chunk[row]!]!
      const start = columns.start[row]!
      const idEnd = start + columns.idLength[row]!
      const writeIndex = columns.writeIndex[row]!
      if (next % summaryInterval === 0) {
        encodeSummary(summaries.writer, writeIndex, source, start, idEnd, index.offset)
      }
      const tagsEnd = idEnd + columns.tagsLength[row]!
      const idAt = encodeIndexEntry(
        index.writer,
        writeIndex,
        source,
        start,
        idEnd,
        tagsEnd,
        columns.size[row]!,
        columns.offset[row]!,
        columns.checksum[row]!
      )
      ranges[2 * count] = idAt - (idEnd - start)
      ranges[2 * count + 1] = idAt
      count++
      next++
    }
    bloom.addAll(index.writer.bytes, ranges, count)
    return next < order.length
  }
  return Effect.gen(function*() {
    for (let more = true; more;) {
      more = fill()
      yield* index.flush
      if (!more || summaries.writer.length >= Limits.indexChunkBytes) yield* summaries.flush
    }
  })
}

/** Sorts, then writes index, summaries and bloom filter, each durable; answers the filter and the digests of the other two. */
const derivedFiles = Effect.fnUntraced(function*(fs: Files, key: FilesetKey, columns: EntryColumns) {
  const index = filePath(key, "index")
  const order = yield* sortById(columns, index)
  const bloom = BloomFilter.forEntries(columns.count)
  const digests = yield* io(
    durableFile(
      fs,
      index,
      (indexFile) =>
        durableFile(fs, filePath(key, "summaries"), (summariesFile) => {
          const [into, beside] = [new DigestedAppend(indexFile), new DigestedAppend(summariesFile)]
          return Effect.map(
            writeIndex(columns, order, bloom, into, beside),
            () => ({ index: into.digest, summaries: beside.digest })
          )
        })
    )
  )
  yield* io(wholeFile(fs, filePath(key, "bloomfilter"), bloom.bytes))
  return { bloom, ...digests }
})

/** A data file that is written to its end. */
export interface DataFile {
  /** Makes it durable and closes it. */
  readonly durable: Effect.Effect<void, FileError>
  readonly digest: number
}

/**
 * Makes the data file durable while index, summaries and bloom filter are written; then info and digest file, then the checkpoint.
 * `onPublished` runs together with the checkpoint: after it the fileset is complete.
 */
export const publishFileset = Effect.fnUntraced(function*(
  fs: Files,
  key: FilesetKey,
  blockSize: bigint,
  columns: EntryColumns,
  data: DataFile,
  onPublished: () => void
) {
  const [derived] = yield* Effect.all([derivedFiles(fs, key, columns), io(data.durable)], { concurrency: 2 })
  const { bloom } = derived
  const info = encodeInfo({
    blockStart: key.blockStart,
    blockSize,
    entries: columns.count,
    majorVersion: 1,
    minorVersion: 1,
    summaries: summaryCount(columns.count),
    bloomBits: bloom.bits,
    bloomHashes: bloom.hashes,
    snapshotTime: BigInt(0),
    fileType: 0,
    snapshotId: undefined,
    volume: key.volume
  })
  yield* io(wholeFile(fs, filePath(key, "info"), info))
  const digests = encodeDigests({
    info: adler32(info),
    index: derived.index,
    summaries: derived.summaries,
    bloomfilter: adler32(bloom.bytes),
    data: data.digest
  })
  yield* io(wholeFile(fs, filePath(key, "digest"), digests))
  yield* io(fs.syncDirectory(shardDirectory(key.prefix, key.namespace, key.shard, key.tree)))
  const checkpoint = fs.writeFileAtomic(filePath(key, "checkpoint"), encodeCheckpoint(digests))
  yield* Effect.uninterruptible(Effect.map(io(checkpoint), onPublished))
})
