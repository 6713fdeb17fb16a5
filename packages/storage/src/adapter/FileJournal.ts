/**
 * The journal over the `FileSystem` port: a directory of segments that are only ever appended to. Each opening that appends begins a segment, whose
 * first record number says how far the one before it holds; so a torn end is cut without writing to it.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import { encodeFrame, encodeSegmentHeader, payloadBytesOf, segmentHeaderBytes } from "../codec/JournalFrame.ts"
import { type File, type FileError, FileSystem } from "../contract/FileSystem.ts"
import { Journal, JournalError, type JournalErrorReason, type JournalRecords } from "../contract/Journal.ts"
import { Limits } from "../contract/Limits.ts"
import { segmentName } from "../engine/SegmentNames.ts"
import { makeGroupCommit } from "./GroupCommit.ts"
import { openSegments } from "./JournalOpening.ts"
import { readSegmentPage, type Segment, type SegmentPosition, startOf } from "./JournalSegment.ts"

/** Where a journal lies, and its bounds in bytes. */
export interface FileJournalOptions {
  /** Holds the segments, a lock, and nothing else; made at opening. One journal at a time is open on it. */
  readonly directory: string
  /** Bytes of a segment after which the next begins; default `Limits.journalSegmentBytes`. */
  readonly segmentBytes?: number
  /** The largest record that may be appended; default and maximum `Limits.journalRecordBytes`. */
  readonly maxRecordBytes?: number
}

type Failure = JournalError | FileError
type Files = (typeof FileSystem)["Service"]
type Batch = ReadonlyArray<Uint8Array>

const journalError = (reason: JournalErrorReason, message: string): JournalError =>
  new JournalError({ reason, message })

const damaged = (path: string, { next, offset }: SegmentPosition, because: string): JournalError =>
  journalError(
    "damaged",
    `${path}: record ${next} at offset ${offset} does not hold: ${because}; later records exist, so this is no torn end: restore the file`
  )

interface State {
  readonly directory: string
  readonly segmentBytes: number
  segments: Array<Segment>
  next: number
  writing: { readonly file: File; readonly mark: number; bytes: number } | undefined
  isBroken: boolean
}

const beginSegment = Effect.fnUntraced(function*(files: Files, state: State) {
  const header = { first: state.next, mark: yield* Random.nextIntBetween(1, 2 ** 32) }
  const path = `${state.directory}/${segmentName(header.first)}`
  // All of it is synced: a close that fails loses nothing.
  if (state.writing !== undefined) yield* Effect.ignore(state.writing.file.close)
  state.writing = undefined
  const file = yield* files.create(path)
  const write = Effect.andThen(file.append([encodeSegmentHeader(header)]), file.sync).pipe(
    Effect.andThen(files.syncDirectory(state.directory))
  )
  yield* Effect.onError(write, () => Effect.ignore(file.close))
  // An opening that found a segment without records is followed by one of the same name.
  state.segments = [...state.segments.filter(({ first }) => first !== header.first), { ...header, path }]
  state.writing = { file, mark: header.mark, bytes: segmentHeaderBytes }
  return state.writing
})

const commitGroup = (files: Files, state: State) =>
  Effect.fnUntraced(function*(batches: ReadonlyArray<Batch>): Effect.fn.Return<ReadonlyArray<number>, Failure> {
    if (state.isBroken) {
      return yield* journalError("broken", `${state.directory}: a sync failed before; open the journal anew`)
    }
    const writing = state.writing !== undefined && state.writing.bytes < state.segmentBytes
      ? state.writing
      : yield* beginSegment(files, state)
    const chunks = encodeFrame(writing.mark, state.next, batches.flat())
    yield* writing.file.append(chunks)
    // After a failed sync the system may have dropped the bytes and say nothing the next time: nothing more is believed.
    yield* Effect.tapError(writing.file.sync, () => Effect.sync(() => (state.isBroken = true)))
    writing.bytes += chunks.reduce((total, { length }) => total + length, 0)
    return batches.map(({ length }) => (state.next += length) - length)
  })

const refuse = (batch: Batch, maxRecordBytes: number): JournalError | undefined => {
  const largest = batch.reduce((most, { length }) => Math.max(most, length), 0)
  if (largest > maxRecordBytes) {
    return journalError("too-large", `a record of ${largest} bytes, at most ${maxRecordBytes} are accepted here`)
  }
  const bytes = payloadBytesOf(batch)
  return bytes > Limits.journalFrameBytes
    ? journalError("too-large", `a batch of ${bytes} bytes, at most ${Limits.journalFrameBytes}; append it in parts`)
    : undefined
}

const openAt = (files: Files, { first, path }: Segment) =>
  Effect.acquireRelease(
    Effect.mapError(
      files.openRead(path),
      (error) =>
        error.reason === "not-found" ? journalError("dropped", `${path}: records from ${first} on are dropped`) : error
    ),
    (file) => Effect.ignore(file.close)
  )

/** One segment's records from number `from` on, up to `bound`: damage below it is no torn end. */
const replaySegment = (
  files: Files,
  segment: Segment,
  from: number,
  bound: number
): Stream.Stream<JournalRecords, Failure> =>
  Stream.unwrap(Effect.map(openAt(files, segment), (file) =>
    Stream.paginate(
      startOf(segment),
      Effect.fnUntraced(function*(at: SegmentPosition) {
        if (at.next >= bound) return [[], Option.none()] as const
        const page = yield* readSegmentPage(file, segment.mark, at)
        if (page.records.length === 0) return yield* damaged(segment.path, at, page.damage ?? "the file ends there")
        const low = Math.max(from, at.next)
        const records = page.records.slice(low - at.next, bound - at.next)
        const found: ReadonlyArray<JournalRecords> = records.length === 0 ? [] : [{ first: low, records }]
        return [found, Option.some(page.at)] as const
      })
    )))

const replay = (files: Files, state: State, from: number | undefined): Stream.Stream<JournalRecords, Failure> =>
  Stream.suspend(() => {
    const { next, segments } = state
    const start = segments[0]?.first ?? next
    const low = from ?? start
    if (low < start) {
      return Stream.fail(journalError("dropped", `records below ${start} are dropped, asked for those from ${low} on`))
    }
    const parts = segments.flatMap((segment, i) => {
      const bound = segments[i + 1]?.first ?? next
      return bound > low ? [replaySegment(files, segment, low, bound)] : []
    })
    return Stream.flatMap(Stream.fromIterable(parts), (part) => part)
  })

const dropBefore = Effect.fnUntraced(function*(files: Files, state: State, record: number) {
  for (;;) {
    const [oldest, second] = state.segments
    if (oldest === undefined || second === undefined || second.first > record) return
    // The oldest alone, each made durable: a crash between two leaves no gap.
    yield* files.remove(oldest.path)
    yield* files.syncDirectory(state.directory)
    state.segments = state.segments.filter((each) => each !== oldest)
  }
})

/** Nobody else may append or drop segments, nor cut what looks like a torn end while it is being written. */
const lockDirectory = (files: Files, directory: string): Effect.Effect<void, Failure, Scope.Scope> =>
  Effect.mapError(
    files.lock(`${directory}/lock`),
    (error) =>
      error.reason === "in-use"
        ? journalError("in-use", `the journal in ${directory} is open already: ${error.message}`)
        : error
  )

const openLocked = Effect.fnUntraced(function*(options: FileJournalOptions) {
  const files = yield* FileSystem
  const { directory, maxRecordBytes = Limits.journalRecordBytes, segmentBytes = Limits.journalSegmentBytes } = options
  if (maxRecordBytes > Limits.journalRecordBytes) {
    return yield* journalError(
      "too-large",
      `maxRecordBytes ${maxRecordBytes}, at most ${Limits.journalRecordBytes} are possible`
    )
  }
  yield* lockDirectory(files, directory)
  const opened = yield* openSegments(files, directory)
  const state: State = { directory, segmentBytes, writing: undefined, isBroken: false, ...opened }
  yield* Effect.addFinalizer(() => Effect.suspend(() => Effect.ignore(state.writing?.file.close ?? Effect.void)))
  const closed = (): Failure => journalError("closed", `${directory}: the journal is closed`)
  const group = yield* makeGroupCommit({
    maxBytes: Limits.journalFrameBytes,
    commit: commitGroup(files, state),
    closed
  })
  const dropping = yield* Semaphore.make(1)
  let isClosed = false
  // What another journal finds must not change any more.
  yield* Effect.addFinalizer(() => dropping.withPermit(Effect.sync(() => (isClosed = true))))
  return Journal.of({
    append: (records) =>
      Effect.suspend((): Effect.Effect<number, Failure> => {
        const refusal = refuse(records, maxRecordBytes)
        if (refusal !== undefined) return Effect.fail(refusal)
        return records.length === 0
          ? Effect.sync(() => state.next)
          : group.submit(records, payloadBytesOf(records))
      }),
    replay: (from) => replay(files, state, from),
    dropBefore: (record) =>
      dropping.withPermit(Effect.uninterruptible(
        Effect.suspend(() => isClosed ? Effect.fail(closed()) : dropBefore(files, state, record))
      )),
    bounds: Effect.sync(() => ({ first: state.segments[0]?.first ?? state.next, next: state.next })),
    cut: opened.cut
  })
})

/**
 * Opens a journal; it ends with its scope, once appends under way are durable. Fails when what is there does not hold, and with `in-use` while another has
 * the directory open, in this process or any other. A failed or interrupted opening leaves the directory free at once.
 */
export const open = Effect.fnUntraced(function*(options: FileJournalOptions) {
  const own = yield* Scope.fork(yield* Effect.scope)
  return yield* Effect.onError(
    Scope.provide(openLocked(options), own),
    (cause) => Scope.close(own, Exit.failCause(cause))
  )
})

/** Provides the journal of one directory. */
export const layer = (options: FileJournalOptions): Layer.Layer<Journal, Failure, FileSystem> =>
  Layer.effect(Journal, open(options))
