/**
 * Reads one data fileset: all series in bounded memory, in id order or write order, or single series by id. Every byte that it
 * hands out has been checked against its checksum. (specs: storage 5.10)
 */
import { adler32Start } from "@peerstrap/m3tsz"
import { type File, FileSystem } from "@peerstrap/storage"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { adler32Combine } from "../codec/AdlerCombine.ts"
import { compareRange } from "../codec/Bytes.ts"
import type { FileDigests } from "../codec/DigestFile.ts"
import { hex32 } from "../codec/IndexEntry.ts"
import type { FilesetInfo } from "../codec/InfoFile.ts"
import { FilesetError } from "../contract/errors.ts"
import { Limits } from "../contract/Limits.ts"
import { EntryColumns } from "../engine/EntryColumns.ts"
import { filePath, type FilesetKey } from "../engine/FilesetName.ts"
import type { Files } from "./Directory.ts"
import { fault, io, refetch } from "./Faults.ts"
import { IndexWindow } from "./IndexWindow.ts"
import { type FilesetLocation, locate, openInfo } from "./OpenFileset.ts"
import { readSeries } from "./ReadSeries.ts"
import { makeSeek } from "./Seek.ts"

/** Index entries as columns. `tags[i]` has no bytes when the series has no tags. */
export interface EntryBatch {
  readonly count: number
  readonly ids: ReadonlyArray<Uint8Array>
  readonly tags: ReadonlyArray<Uint8Array>
  /** Position in write order. */
  readonly writeIndexes: Uint32Array
  readonly offsets: Float64Array
  readonly sizes: Uint32Array
  /** Adler-32 of each stream. */
  readonly checksums: Uint32Array
}

/** Entries with their verified streams. */
export interface SeriesBatch extends EntryBatch {
  readonly bytes: ReadonlyArray<Uint8Array>
}

/** One series as it lies in a fileset, checksum already verified. */
export interface SeekResult {
  readonly id: Uint8Array
  readonly tags: Uint8Array
  readonly bytes: Uint8Array
  readonly checksum: number
}

/** In which order series are read. */
export interface ReadOptions {
  /**
   * "id" streams the index and needs a batch of memory; its data reads are sequential when the writer wrote in id order.
   * "write" holds the whole index in memory and reads the data file once from front to back. Default "id".
   */
  readonly order?: "id" | "write"
  /** For "write": index entries held in memory. Default `Limits.maxIndexBytes`. */
  readonly maxIndexBytes?: number
}

const noTags = new Uint8Array(0)

/** Rows being collected for one batch. */
class BatchRows {
  readonly ids: Array<Uint8Array> = []
  readonly tags: Array<Uint8Array> = []
  private readonly columns: Array<number> = []
  bytes = 0

  get full(): boolean {
    return this.ids.length >= Limits.maxBatchSeries || this.bytes >= Limits.readChunkBytes
  }

  push(id: Uint8Array, tags: Uint8Array, writeIndex: number, offset: number, size: number, checksum: number): void {
    this.ids.push(id)
    this.tags.push(tags)
    this.columns.push(writeIndex, offset, size, checksum)
    this.bytes += size
  }

  take(): EntryBatch {
    const { columns, ids, tags } = this
    const count = ids.length
    const column = (which: number) => (_: unknown, i: number): number => columns[i * 4 + which]!
    return {
      count,
      ids,
      tags,
      writeIndexes: Uint32Array.from({ length: count }, column(0)),
      offsets: Float64Array.from({ length: count }, column(1)),
      sizes: Uint32Array.from({ length: count }, column(2)),
      checksums: Uint32Array.from({ length: count }, column(3))
    }
  }
}

/** An open fileset. Its methods fail with `FilesetError`, which names file and offset. */
export class FilesetReader {
  readonly key: FilesetKey
  readonly info: FilesetInfo
  readonly digests: FileDigests
  readonly indexBytes: number
  readonly dataBytes: number
  /** The series of an id, undefined when the fileset has none. Looks it up by bloom filter, summaries and a few index entries. */
  readonly seek: (id: Uint8Array) => Effect.Effect<SeekResult | undefined, FilesetError>
  private readonly index: File
  private readonly dataFile: File

  private constructor(
    fs: Files,
    key: FilesetKey,
    info: FilesetInfo,
    digests: FileDigests,
    files: { readonly index: File; readonly indexBytes: number; readonly data: File; readonly dataBytes: number }
  ) {
    this.key = key
    this.info = info
    this.digests = digests
    this.index = files.index
    this.indexBytes = files.indexBytes
    this.dataFile = files.data
    this.dataBytes = files.dataBytes
    this.seek = makeSeek(fs, { key, info, digests, ...files })
  }

  /** Opens a complete fileset until the scope closes: checks checkpoint, digest file and info file. */
  static readonly open: (
    location: FilesetLocation
  ) => Effect.Effect<FilesetReader, FilesetError, FileSystem | Scope.Scope> = Effect.fnUntraced(function*(location) {
    const fs = yield* FileSystem
    const key = yield* locate(fs, location)
    const { decoded, digests } = yield* openInfo(fs, key)
    const opened = (file: "index" | "data") =>
      Effect.acquireRelease(io(fs.openRead(filePath(key, file))), (handle) => Effect.ignore(handle.close))
    const index = yield* opened("index")
    const data = yield* opened("data")
    const indexBytes = yield* io(index.size)
    const dataBytes = yield* io(data.size)
    return new FilesetReader(fs, key, decoded.info, digests, { index, indexBytes, data, dataBytes })
  })

  /** All entries without their data, in id order; ends with the check of the index file's digest. */
  readonly entries: Stream.Stream<EntryBatch, FilesetError> = Stream.suspend(() => {
    const window = new IndexWindow(this.index, this.indexBytes)
    return Stream.unfold({ seen: 0, bytes: 0 }, (state) => this.nextEntries(window, state))
  })

  /** All series with their data, each verified; ends with the checks that index and data files hold nothing else. */
  series(options: ReadOptions = {}): Stream.Stream<SeriesBatch, FilesetError> {
    const entries = options.order === "write"
      ? Stream.unwrap(
        Effect.map(
          this.loadIndex(options.maxIndexBytes ?? Limits.maxIndexBytes),
          (columns) => this.inWriteOrder(columns)
        )
      )
      : this.entries
    return Stream.mapEffect(
      entries,
      (batch) => Effect.map(readSeries(this.dataFile, batch), (bytes): SeriesBatch => ({ ...batch, bytes }))
    )
  }

  private failIndex(message: string, offset: number): FilesetError {
    return fault("malformed", this.index.path, message, refetch, offset)
  }

  private readonly nextEntries = Effect.fnUntraced(function*(
    this: FilesetReader,
    window: IndexWindow,
    state: { seen: number; bytes: number; last?: Uint8Array }
  ) {
    const rows = new BatchRows()
    let { last } = state
    while (state.seen < this.info.entries && !rows.full) {
      const at = window.offset
      const found = window.next()
      if (found === "malformed") return yield* window.problem
      if (found === "more") {
        if (rows.ids.length > 0) break
        yield* window.fill
        continue
      }
      const { bytes, entry } = window
      const id = bytes.subarray(entry.idStart, entry.idEnd)
      if (last !== undefined && compareRange(last, 0, last.length, id, 0, id.length) >= 0) {
        return yield* this.failIndex("the ids of the index do not ascend", at)
      }
      if (entry.offset + entry.size > this.dataBytes) {
        return yield* this.failIndex(
          `an entry ends at ${entry.offset + entry.size}, the data file at ${this.dataBytes}`,
          at
        )
      }
      last = id
      const tags = entry.tagsStart < 0 ? noTags : bytes.subarray(entry.tagsStart, entry.tagsEnd)
      rows.push(id, tags, entry.writeIndex, entry.offset, entry.size, entry.checksum)
      state.seen++
    }
    state.bytes += rows.bytes
    if (rows.ids.length > 0) return [rows.take(), last === undefined ? state : { ...state, last }] as const
    yield* this.endOfEntries(window, state.bytes)
    return undefined
  })

  private endOfEntries(window: IndexWindow, bytes: number): Effect.Effect<void, FilesetError> {
    if (!window.atEnd) return Effect.fail(this.failIndex("bytes after the last entry", window.offset))
    if (window.digest !== this.digests.index) {
      const message = `digest is ${hex32(this.digests.index)}, the file has ${hex32(window.digest)}`
      return Effect.fail(fault("checksum", this.index.path, message, refetch))
    }
    if (bytes === this.dataBytes) return Effect.void
    const message = `the series have ${bytes} bytes, the file ${this.dataBytes}`
    return Effect.fail(fault("malformed", this.dataFile.path, message, refetch))
  }

  private loadIndex(maxBytes: number): Effect.Effect<EntryColumns, FilesetError> {
    return Effect.suspend(() => {
      const columns = new EntryColumns()
      return Effect.as(
        Stream.runForEach(this.entries, (batch) => {
          for (let i = 0; i < batch.count; i++) {
            const id = batch.ids[i]!
            const tags = batch.tags[i]!
            columns.push(
              id,
              0,
              id.length,
              tags,
              0,
              tags.length,
              batch.writeIndexes[i]!,
              batch.sizes[i]!,
              batch.offsets[i]!,
              batch.checksums[i]!
            )
          }
          if (columns.bytes <= maxBytes) return Effect.void
          const message = `the index needs more than ${maxBytes} bytes of memory in write order`
          return Effect.fail(fault("limit", this.index.path, message, "read in id order, or raise maxIndexBytes"))
        }),
        columns
      )
    })
  }

  /** Write order is a permutation that must lay the series end to end over the data file. */
  private inWriteOrder(columns: EntryColumns): Stream.Stream<EntryBatch, FilesetError> {
    const { count } = columns
    const rowOf = new Int32Array(count).fill(-1)
    for (let row = 0; row < count; row++) {
      const at = columns.writeIndex[row]!
      if (at >= count || rowOf[at] !== -1) return Stream.fail(this.failIndex(`write index ${at} is out of place`, -1))
      rowOf[at] = row
    }
    return Stream.unfold({ next: 0, position: 0, digest: adler32Start }, (state) =>
      Effect.suspend(() => {
        const rows = new BatchRows()
        while (state.next < count && !rows.full) {
          const row = rowOf[state.next++]!
          const size = columns.size[row]!
          const offset = columns.offset[row]!
          if (offset !== state.position) {
            return Effect.fail(
              this.failIndex(`a series begins at ${offset}, the one before it ended at ${state.position}`, -1)
            )
          }
          state.position += size
          state.digest = adler32Combine(state.digest, columns.checksum[row]!, size)
          rows.push(columns.id(row), columns.tags(row), columns.writeIndex[row]!, offset, size, columns.checksum[row]!)
        }
        if (rows.ids.length > 0) return Effect.succeed([rows.take(), state] as const)
        if (state.digest === this.digests.data) return Effect.undefined
        const message = `digest is ${hex32(this.digests.data)}, the file has ${hex32(state.digest)}`
        return Effect.fail(fault("checksum", this.dataFile.path, message, refetch))
      }))
  }
}
