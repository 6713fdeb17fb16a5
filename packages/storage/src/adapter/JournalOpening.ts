/** What stands in a journal's directory: its segments, where the last one ends, and what of it is cut. */
import * as Effect from "effect/Effect"
import { segmentHeaderBytes } from "../codec/JournalFrame.ts"
import type { FileError, FileSystem } from "../contract/FileSystem.ts"
import { type JournalCut, JournalError } from "../contract/Journal.ts"
import { Limits } from "../contract/Limits.ts"
import { firstOfName } from "../engine/SegmentNames.ts"
import { findFrameBehind, readSegmentHeader, scanSegment, type Segment } from "./JournalSegment.ts"

type Files = (typeof FileSystem)["Service"]
type Failure = JournalError | FileError

export interface OpenedSegments {
  readonly segments: Array<Segment>
  /** Number of the next record. */
  readonly next: number
  readonly cut: JournalCut | undefined
}

const damaged = (message: string): JournalError => new JournalError({ reason: "damaged", message })

const withFile = <A, E>(
  files: Files,
  path: string,
  use: (file: Effect.Success<ReturnType<Files["openRead"]>>) => Effect.Effect<A, E>
) => Effect.acquireUseRelease(files.openRead(path), use, (file) => Effect.ignore(file.close))

/** A segment, or a cut where the making of the last segment was cut short: nothing was ever appended to it. */
const readHeader = (files: Files, path: string, isLast: boolean) =>
  withFile(
    files,
    path,
    Effect.fnUntraced(function*(file): Effect.fn.Return<Segment | JournalCut, Failure> {
      const header = yield* readSegmentHeader(file)
      const bytes = yield* file.size
      if (header === undefined) {
        const because = "the header of the segment does not hold"
        if (isLast && bytes <= segmentHeaderBytes) return { path, offset: 0, bytes, because }
        return yield* damaged(`${path}: ${because} (offset 0); restore the file`)
      }
      const named = firstOfName(path.slice(path.lastIndexOf("/") + 1))
      if (header.first !== named) {
        return yield* damaged(`${path}: begins with record ${header.first} by its header (offset 8); restore its name`)
      }
      return { ...header, path }
    })
  )

const scanLast = (files: Files, segment: Segment) =>
  withFile(
    files,
    segment.path,
    Effect.fnUntraced(function*(file): Effect.fn.Return<Omit<OpenedSegments, "segments">, Failure> {
      const { at, damage } = yield* scanSegment(file, segment)
      // What a killed process wrote and nobody synced is about to count as durable.
      yield* file.sync
      if (damage === undefined) return { next: at.next, cut: undefined }
      const behind = yield* findFrameBehind(file, segment.mark, at)
      if (behind !== undefined) {
        return yield* damaged(
          `${segment.path}: record ${at.next} at offset ${at.offset} does not hold: ${damage}; ` +
            `a frame stands behind it at offset ${behind}, so this is no torn end: restore the file`
        )
      }
      const bytes = (yield* file.size) - at.offset
      return { next: at.next, cut: { path: segment.path, offset: at.offset, bytes, because: damage } }
    })
  )

/** Reads the headers of all segments and the whole last one; changes nothing. */
export const openSegments = Effect.fnUntraced(function*(
  files: Files,
  directory: string
): Effect.fn.Return<OpenedSegments, Failure> {
  const all = yield* Effect.catchIf(
    files.list(directory),
    ({ reason }) => reason === "not-found",
    () => Effect.succeed<ReadonlyArray<string>>([])
  )
  const names = all.filter((name) => firstOfName(name) !== undefined)
  if (names.length > Limits.journalSegments) {
    return yield* damaged(`${directory}: ${names.length} segments, at most ${Limits.journalSegments}; drop some`)
  }
  const segments: Array<Segment> = []
  let cut: JournalCut | undefined
  for (const [index, name] of names.entries()) {
    const read = yield* readHeader(files, `${directory}/${name}`, index === names.length - 1)
    if ("mark" in read) segments.push(read)
    else cut = read
  }
  const last = segments.at(-1)
  if (last === undefined) return { segments, next: firstOfName(names[0] ?? "") ?? 0, cut }
  const end = yield* scanLast(files, last)
  return { segments, next: end.next, cut: end.cut ?? cut }
})
