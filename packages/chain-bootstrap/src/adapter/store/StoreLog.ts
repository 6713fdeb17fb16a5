/**
 * The log files of a chain store, `blocks-000001.log` and so on. They are appended only; a file is never written again after the process that made it has
 * ended, or after a write failed. The next file's first record says where the one before ends, which cuts whatever was left behind there.
 */
import { type File, FileSystem } from "@peerstrap/storage"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import { StoreError } from "../../contract/ChainStore.ts"
import { storeLimits } from "../../contract/StoreLimits.ts"
import { GroupEncoder } from "../../engine/store/GroupEncoder.ts"
import type { RecordLocation } from "../../engine/store/IndexEntry.ts"
import { readRecord } from "../../engine/store/RecordCodec.ts"
import { fromFile } from "./StoreErrors.ts"

type Files = (typeof FileSystem)["Service"]

export interface LogOptions {
  readonly directory: string
  readonly salt: number
  readonly idBytes: number
  readonly fileBytes: number
}

/** Where the log ends. */
export interface LogEnd {
  readonly file: number
  readonly offset: number
}

const digits = 6
const namePattern = /^blocks-(\d{6})\.log$/

export const logName = (file: number): string => `blocks-${String(file).padStart(digits, "0")}.log`

/** Numbers of the log files in a directory, ascending. */
export const listLogs = (files: Files, directory: string): Effect.Effect<ReadonlyArray<number>, StoreError> =>
  Effect.mapError(
    Effect.map(files.list(directory), (names) =>
      names.flatMap((name) => {
        const number = namePattern.exec(name)?.[1]
        return number === undefined ? [] : [Number(number)]
      })),
    fromFile
  )

interface OpenFile {
  readonly file: File
  users: number
  stale: boolean
}

/** Read handles of log files, the last used ones kept. */
class ReadHandles {
  private readonly open = new Map<number, OpenFile>()
  private readonly opening = Semaphore.makeUnsafe(1)
  private readonly files: Files
  private readonly directory: string

  constructor(files: Files, directory: string) {
    this.files = files
    this.directory = directory
  }

  use<A>(file: number, body: (file: File) => Effect.Effect<A, StoreError>): Effect.Effect<A, StoreError> {
    return Effect.acquireUseRelease(
      this.opening.withPermits(1)(this.take(file)),
      (one) => body(one.file),
      (one) => this.giveBack(one)
    )
  }

  /** Closes everything; for the end of the store. */
  get close(): Effect.Effect<void> {
    return Effect.suspend(() => {
      const all = [...this.open.values()]
      this.open.clear()
      return Effect.forEach(all, (one) => Effect.ignore(one.file.close), { discard: true })
    })
  }

  private take(number: number): Effect.Effect<OpenFile, StoreError> {
    return Effect.gen({ self: this }, function*() {
      const there = this.open.get(number)
      const one = there ?? {
        file: yield* Effect.mapError(this.files.openRead(`${this.directory}/${logName(number)}`), fromFile),
        users: 0,
        stale: false
      }
      this.open.delete(number)
      this.open.set(number, one)
      one.users++
      for (const [oldest, stale] of this.open) {
        if (this.open.size <= storeLimits.openFiles) break
        this.open.delete(oldest)
        stale.stale = true
        if (stale.users === 0) yield* Effect.ignore(stale.file.close)
      }
      return one
    })
  }

  private giveBack(one: OpenFile): Effect.Effect<void> {
    one.users--
    return one.stale && one.users === 0 ? Effect.ignore(one.file.close) : Effect.void
  }
}

interface CurrentFile {
  readonly number: number
  readonly file: File
  offset: number
}

export class StoreLog {
  readonly options: LogOptions
  private readonly files: Files
  private readonly handles: ReadHandles
  private end: LogEnd
  private next: number
  private current: CurrentFile | undefined

  private constructor(files: Files, options: LogOptions, end: LogEnd, next: number) {
    this.files = files
    this.options = options
    this.handles = new ReadHandles(files, options.directory)
    this.end = end
    this.next = next
  }

  /** `end`: where the log was found to end; `last`: highest number of any file there. Closes its files with the scope. */
  static make(
    options: LogOptions,
    end: LogEnd,
    last: number
  ): Effect.Effect<StoreLog, never, FileSystem | Scope.Scope> {
    return Effect.acquireRelease(
      Effect.map(FileSystem, (files) => new StoreLog(files, options, end, last + 1)),
      (log) => Effect.andThen(log.leave, log.handles.close)
    )
  }

  /**
   * Writes one group and makes it durable. When it fails, nothing of it counts: the file is given up, and the next group begins another one that cuts the
   * half-written records off.
   */
  write(fill: (encoder: GroupEncoder) => void): Effect.Effect<GroupEncoder, StoreError> {
    return Effect.gen({ self: this }, function*() {
      const begun = this.current === undefined || this.current.offset >= this.options.fileBytes
      const current = begun ? yield* this.beginFile : this.current!
      const place = { salt: this.options.salt, file: current.number, offset: current.offset }
      const encoder = new GroupEncoder(place, this.options.idBytes)
      if (begun) encoder.begin(this.end.file, this.end.offset)
      fill(encoder)
      yield* current.file.append(encoder.chunks())
      yield* current.file.sync
      if (begun) yield* this.files.syncDirectory(this.options.directory)
      current.offset += encoder.bytes
      this.end = { file: current.number, offset: current.offset }
      if (begun) this.next = current.number + 1
      return encoder
    }).pipe(
      Effect.tapError(() => this.leave),
      Effect.mapError((error) => error instanceof StoreError ? error : fromFile(error))
    )
  }

  /** Where the log ends now. */
  get position(): LogEnd {
    return this.end
  }

  /**
   * Reads records at any places, neighbours together, and hands each one over in no particular order: its kind and payload, a view that is good during the
   * call, or undefined when it is not what was written there.
   */
  readRecords(
    places: ReadonlyArray<RecordLocation>,
    visit: (index: number, record: { readonly kind: number; readonly payload: Uint8Array } | undefined) => void
  ): Effect.Effect<void, StoreError> {
    return Effect.forEach(rangesOf(places), (range) => {
      const read = this.readRange(range.file, range.offset, range.end - range.offset)
      return Effect.map(read, (bytes) => {
        for (const index of range.indices) {
          const { file, length, offset } = places[index]!
          const from = offset - range.offset
          const whole = bytes.subarray(from, from + length)
          visit(index, readRecord(whole, { salt: this.options.salt, file, offset }))
        }
      })
    }, { discard: true })
  }

  /** Bytes of a file; fewer where it ends, none where it is gone. */
  readRange(file: number, offset: number, length: number): Effect.Effect<Uint8Array, StoreError> {
    const read = this.handles.use(file, (open) => Effect.mapError(open.read(offset, length), fromFile))
    return Effect.catchIf(read, ({ reason }) => reason === "not-found", () => Effect.succeed(new Uint8Array(0)))
  }

  private get beginFile(): Effect.Effect<CurrentFile, StoreError> {
    return Effect.gen({ self: this }, function*() {
      yield* this.leave
      if (this.next > storeLimits.files) {
        const message = `all ${storeLimits.files} numbers of log files are used. Export the chain into a new store`
        return yield* new StoreError({ reason: "too-large", path: this.options.directory, message })
      }
      const path = `${this.options.directory}/${logName(this.next)}`
      const file = yield* Effect.mapError(this.files.create(path), fromFile)
      this.current = { number: this.next, file, offset: 0 }
      return this.current
    })
  }

  private get leave(): Effect.Effect<void> {
    return Effect.suspend(() => {
      const left = this.current
      this.current = undefined
      return left === undefined ? Effect.void : Effect.ignore(left.file.close)
    })
  }
}

interface Range {
  readonly file: number
  readonly offset: number
  end: number
  readonly indices: Array<number>
}

/** Joins places that stand close together in one file into ranges of bounded length. */
const rangesOf = (places: ReadonlyArray<RecordLocation>): ReadonlyArray<Range> => {
  const order = [...places.keys()].toSorted((a, b) => {
    const [left, right] = [places[a]!, places[b]!]
    return left.file - right.file || left.offset - right.offset
  })
  const ranges: Array<Range> = []
  let last: Range | undefined
  for (const index of order) {
    const { file, length, offset } = places[index]!
    const end = offset + length
    const near = last !== undefined && last.file === file && offset - last.end <= 16_384 &&
      end - last.offset <= storeLimits.readBytes
    if (near) {
      last!.end = Math.max(last!.end, end)
      last!.indices.push(index)
    } else {
      last = { file, offset, end, indices: [index] }
      ranges.push(last)
    }
  }
  return ranges
}
