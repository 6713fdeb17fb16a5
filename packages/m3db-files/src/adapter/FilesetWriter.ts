/**
 * Writes one data fileset as M3DB does, with two differences that a node cannot see: every file is durable before the
 * checkpoint, and whatever ends early leaves no checkpoint. (specs: storage 5.2–5.7, T20)
 *
 *   open ──write──▶ open ──finish──▶ finishing ──checkpoint──▶ finished
 *     │               │                  │
 *     └──abort, failed write, scope──────┴──failure, interruption──▶ aborted (files removed)
 */
import { showId } from "@peerstrap/m3db-wire"
import { adler32Start, adler32Update } from "@peerstrap/m3tsz"
import { type File, FileSystem } from "@peerstrap/storage"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import { adler32Combine } from "../codec/AdlerCombine.ts"
import { hex32 } from "../codec/IndexEntry.ts"
import type { FilesetError } from "../contract/errors.ts"
import { Limits } from "../contract/Limits.ts"
import { EntryColumns } from "../engine/EntryColumns.ts"
import { filePath, type FilesetKey, isNamespaceName } from "../engine/FilesetName.ts"
import { clearPlace, type Files, removeFileset } from "./Directory.ts"
import { fault, io } from "./Faults.ts"
import { GatheredPieces } from "./GatheredPieces.ts"
import { publishFileset } from "./PublishFileset.ts"

/** Which fileset is written, and where; times in ns. */
export interface FilesetWriterOptions {
  readonly prefix: string
  readonly namespace: string
  readonly shard: number
  /** ns. */
  readonly blockStart: bigint
  /** ns. */
  readonly blockSize: bigint
  /** Default 0, as the bootstrap of a node writes. */
  readonly volume?: number
  /** Replace a complete fileset of the same volume; it is gone from the moment of opening. Default false. */
  readonly overwrite?: boolean
}

/** Series in write order; a `BlockBatch` is one. `data[i]` is the stream in pieces, `checksums[i]` the Adler-32 over them. */
export interface FilesetBatch {
  readonly count: number
  readonly ids: ReadonlyArray<Uint8Array>
  readonly tags: ReadonlyArray<Uint8Array>
  readonly data: ReadonlyArray<ReadonlyArray<Uint8Array>>
  readonly checksums: Uint32Array
}

/** A fileset that is complete and durable. */
export interface WrittenFileset {
  readonly key: FilesetKey
  readonly entries: number
  readonly dataBytes: number
}

const emptyPieces: ReadonlyArray<Uint8Array> = []

/** A batch checked and laid out: what goes to the file, and the sizes of its series (0: dropped). */
interface Layout {
  readonly pieces: ReadonlyArray<Uint8Array>
  readonly sizes: Float64Array
  readonly bytes: number
  readonly digest: number
}

/** An open fileset: `write` series, then `commit` or `abort`. */
export class FilesetWriter {
  readonly key: FilesetKey
  private readonly fs: Files
  private readonly blockSize: bigint
  private readonly file: File
  private readonly lock = Semaphore.makeUnsafe(1)
  private readonly columns = new EntryColumns()
  private state: "open" | "failed" | "finishing" | "finished" | "aborted" = "open"
  private digest = adler32Start
  private position = 0

  private constructor(fs: Files, key: FilesetKey, blockSize: bigint, file: File) {
    this.fs = fs
    this.key = key
    this.blockSize = blockSize
    this.file = file
  }

  /** Opens a fileset that is aborted when the scope closes before `finish` has succeeded. */
  static readonly open = (
    options: FilesetWriterOptions
  ): Effect.Effect<FilesetWriter, FilesetError, FileSystem | Scope.Scope> =>
    Effect.acquireRelease(
      Effect.flatMap(FileSystem, (fs) => FilesetWriter.openUnscoped(fs, options)),
      (writer) => writer.abort
    )

  /** For owners that call `abort` themselves. Not interruptible: a file is open or it is not. */
  static readonly openUnscoped = (
    fs: Files,
    options: FilesetWriterOptions
  ): Effect.Effect<FilesetWriter, FilesetError> =>
    Effect.uninterruptible(Effect.gen(function*() {
      const { blockSize, blockStart, namespace, prefix, shard, volume = 0 } = options
      const key: FilesetKey = { prefix, namespace, shard, blockStart, volume }
      yield* validate(key, blockSize)
      yield* clearPlace(fs, key, options.overwrite ?? false)
      return new FilesetWriter(fs, key, blockSize, yield* io(fs.create(filePath(key, "data"))))
    }))

  /** Series written so far, without those of zero length. */
  get entries(): number {
    return this.columns.count
  }

  get dataBytes(): number {
    return this.position
  }

  /** Memory that index entries hold until `finish`. */
  get indexBytes(): number {
    return this.columns.bytes
  }

  /**
   * Appends the series of a batch, complete or not at all; series of zero length are dropped, as M3 does. Each checksum is
   * computed again: buffers that changed since they were verified fail here and not in a later read.
   */
  write(batch: FilesetBatch): Effect.Effect<void, FilesetError> {
    return this.lock.withPermit(Effect.uninterruptible(Effect.suspend(() => {
      if (this.state !== "open") return this.notOpen()
      const layout = this.lay(batch)
      if ("_tag" in layout) return Effect.fail(layout)
      if (layout.bytes === 0) return Effect.void
      this.state = "failed"
      const gathered = new GatheredPieces(layout.pieces, layout.bytes)
      return io(this.file.append(gathered.chunks)).pipe(
        Effect.ensuring(Effect.sync(() => gathered.release())),
        Effect.map(() => {
          this.record(batch, layout)
          this.state = "open"
        })
      )
    })))
  }

  /** Sorts, writes all other files, makes everything durable and puts the checkpoint last. A failure is an abort. */
  readonly finish: Effect.Effect<WrittenFileset, FilesetError> = Effect.suspend(() =>
    this.lock.withPermit(Effect.suspend(() => {
      if (this.state !== "open") return this.notOpen()
      this.state = "finishing"
      return Effect.onError(this.publish(), () => this.abandon)
    }))
  )

  /** Removes what was written. Does nothing after a successful `finish`; never fails (a file that stays is logged). */
  readonly abort: Effect.Effect<void> = Effect.suspend(() => this.lock.withPermit(this.abandon))

  private readonly abandon: Effect.Effect<void> = Effect.suspend(() => {
    if (this.state === "finished" || this.state === "aborted") return Effect.void
    this.state = "aborted"
    return Effect.ignore(this.file.close).pipe(
      Effect.andThen(removeFileset(this.fs, this.key)),
      Effect.catch((error) => Effect.logWarning(`could not remove an unfinished fileset: ${error.message}`, error.path))
    )
  })

  private notOpen(): Effect.Effect<never, FilesetError> {
    const path = filePath(this.key, "data")
    return Effect.fail(
      fault("closed", path, `the writer is ${this.state}`, "abort it and write the whole block with a new writer")
    )
  }

  private publish(): Effect.Effect<WrittenFileset, FilesetError> {
    const { columns, file, fs, key, position } = this
    const data = { durable: Effect.andThen(file.sync, file.close), digest: this.digest }
    return publishFileset(fs, key, this.blockSize, columns, data, () => {
      this.state = "finished"
    }).pipe(Effect.as({ key, entries: columns.count, dataBytes: position }))
  }

  /** Checks a batch and computes every checksum before anything is written. */
  private lay(batch: FilesetBatch): Layout | FilesetError {
    const path = filePath(this.key, "data")
    const { checksums, count, data, ids, tags } = batch
    const invalid = (message: string) => fault("invalid-argument", path, message, "correct the caller of write")
    if (ids.length < count || tags.length < count || data.length < count || checksums.length < count) {
      return invalid(`a batch of ${count} series with columns of ${ids.length}, ${tags.length}, ${data.length}`)
    }
    if (this.columns.count + count > Limits.maxEntries) {
      return fault("limit", path, `more than ${Limits.maxEntries} series`, "use more shards")
    }
    const pieces: Array<Uint8Array> = []
    const sizes = new Float64Array(count)
    let { digest } = this
    let bytes = 0
    for (let i = 0; i < count; i++) {
      let size = 0
      let checksum = adler32Start
      for (const piece of data[i] ?? emptyPieces) {
        if (piece.length === 0) continue
        size += piece.length
        checksum = adler32Update(checksum, piece, 0, piece.length)
        pieces.push(piece)
      }
      if (size === 0) continue
      const id = ids[i]!
      if (size > Limits.maxSeriesBytes || id.length + tags[i]!.length > Limits.maxEntryBytes) {
        const message = `series ${showId(id)}: ${size} bytes, id and tags ${id.length + tags[i]!.length}`
        return fault(
          "limit",
          path,
          `${message}; allowed are ${Limits.maxSeriesBytes} and ${Limits.maxEntryBytes}`,
          "leave it out"
        )
      }
      if (checksum !== checksums[i]) {
        const message = `series ${showId(id)}: checksum given is ${hex32(checksums[i]!)}, the bytes have ${
          hex32(checksum)
        }`
        return fault("checksum", path, message, "do not change or reuse buffers before the write has completed")
      }
      sizes[i] = size
      bytes += size
      digest = adler32Combine(digest, checksum, size)
    }
    return { pieces, sizes, bytes, digest }
  }

  private record(batch: FilesetBatch, layout: Layout): void {
    const { columns } = this
    // A batch may make its columns when they are looked at.
    const { checksums, count, ids, tags } = batch
    let offset = this.position
    for (let i = 0; i < count; i++) {
      const size = layout.sizes[i]!
      if (size === 0) continue
      const id = ids[i]!
      const own = tags[i]!
      columns.push(id, 0, id.length, own, 0, own.length, columns.count, size, offset, checksums[i]!)
      offset += size
    }
    this.position = offset
    this.digest = layout.digest
  }
}

const validate = (key: FilesetKey, blockSize: bigint): Effect.Effect<void, FilesetError> => {
  const { blockStart, namespace, shard, volume } = key
  const problem = !isNamespaceName(namespace)
    ? `"${namespace}" is no name of a namespace`
    : !Number.isInteger(shard) || shard < 0 || shard > 0xffffffff
    ? `${shard} is no shard`
    : !Number.isInteger(volume) || volume < 0 || volume > 0x7fffffff
    ? `${volume} is no volume`
    : blockStart < 0 || BigInt.asIntN(64, blockStart) !== blockStart
    ? `${blockStart} is no block start in ns`
    : blockSize <= 0 || BigInt.asIntN(64, blockSize) !== blockSize
    ? `${blockSize} is no block size in ns`
    : undefined
  return problem === undefined
    ? Effect.void
    : Effect.fail(fault("invalid-argument", filePath(key, "data"), problem, "correct the caller of open"))
}
