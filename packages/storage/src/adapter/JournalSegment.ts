/** Reads one segment of a journal: its header, its frames, and what its damaged end is. */
import * as Effect from "effect/Effect"
import {
  decodeSegmentHeader,
  findFrameHeader,
  frameHeaderBytes,
  parseFrames,
  type SegmentHeader,
  segmentHeaderBytes
} from "../codec/JournalFrame.ts"
import type { File, FileError } from "../contract/FileSystem.ts"
import { Limits } from "../contract/Limits.ts"

export interface Segment extends SegmentHeader {
  readonly path: string
}

/** Where reading stands, from the start of the file, and the record that is expected there. */
export interface SegmentPosition {
  readonly offset: number
  readonly next: number
}

export const startOf = ({ first }: Segment): SegmentPosition => ({ offset: segmentHeaderBytes, next: first })

/** The header of an open segment, or undefined when its first bytes are none. */
export const readSegmentHeader = (file: File): Effect.Effect<SegmentHeader | undefined, FileError> =>
  Effect.map(file.read(0, segmentHeaderBytes), decodeSegmentHeader)

/** Some whole frames with the position behind them; no records and a reason where none begins, no reason at the end of the file. */
export interface SegmentPage {
  readonly records: ReadonlyArray<Uint8Array>
  readonly at: SegmentPosition
  readonly damage: string | undefined
}

/** The whole frames that one read brings. */
export const readSegmentPage = Effect.fnUntraced(function*(file: File, mark: number, from: SegmentPosition) {
  let wanted: number = Limits.journalReadBytes
  for (;;) {
    const bytes = yield* file.read(from.offset, wanted)
    const page = (damage: string | undefined, records: ReadonlyArray<Uint8Array> = [], taken = 0): SegmentPage => ({
      records,
      at: { offset: from.offset + taken, next: from.next + records.length },
      damage
    })
    if (bytes.length === 0) return page(undefined)
    const parsed = parseFrames(bytes, mark, from.next)
    if (parsed.records.length > 0) return page(undefined, parsed.records, parsed.bytes)
    if ("damage" in parsed.stop) return page(parsed.stop.damage)
    if (bytes.length < wanted) {
      return page(`the file ends ${bytes.length} bytes into a frame of ${parsed.stop.needs} or more`)
    }
    wanted = parsed.stop.needs
  }
})

/** Offset of a frame that was begun behind a place that does not hold, or undefined: then that place is the end. */
export const findFrameBehind = Effect.fnUntraced(
  function*(file: File, mark: number, { next, offset }: SegmentPosition) {
    let from = offset + 1
    for (;;) {
      const bytes = yield* file.read(from, Limits.journalReadBytes)
      const found = findFrameHeader(bytes, 0, mark, next)
      if (found >= 0) return from + found
      if (bytes.length < Limits.journalReadBytes) return undefined
      from += bytes.length - frameHeaderBytes + 1
    }
  }
)

/** What a segment holds up to its end. */
export interface SegmentEnd {
  readonly at: SegmentPosition
  readonly damage: string | undefined
}

/** Reads a segment to its end or to what does not hold. */
export const scanSegment = Effect.fnUntraced(function*(file: File, segment: Segment) {
  let at = startOf(segment)
  for (;;) {
    const page = yield* readSegmentPage(file, segment.mark, at)
    if (page.records.length === 0) {
      const end: SegmentEnd = { at, damage: page.damage }
      return end
    }
    at = page.at
  }
})
