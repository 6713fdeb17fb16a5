/**
 * Whether a stream is a sound block, without keeping its points: it ends as it should, its times ascend and lie inside
 * the block, and nothing follows the end but padding.
 */
import { DecodeError } from "../contract/Errors.ts"
import { m3tszLimits } from "../contract/Limits.ts"
import { compareWords, fromWords, highWord, lowWord } from "../engine/Words.ts"
import { BlockCursor, sizeOf } from "./BlockCursor.ts"
import type { DecodeLimits } from "./Decoder.ts"
import * as Status from "./Status.ts"

/**
 * `not-ascending`: an equal or earlier time follows · `outside-block`: a time outside [start, start + size) ·
 * `other-start`: the start written in the stream is not the block's · `padding`: set bits or whole bytes after the end.
 */
export type BlockProblem = "not-ascending" | "outside-block" | "other-start" | "padding"

/** The block that a stream must lie in. */
export interface BlockBounds extends DecodeLimits {
  /** ns. */
  readonly blockStart: bigint
  /** ns. */
  readonly blockSize: bigint
}

/** What a sound stream holds. */
export interface BlockCheck {
  readonly points: number
  /** ns; the start that the stream carries. */
  readonly encodedStart: bigint
  /** ns; undefined when there are no points. */
  readonly firstTimestamp: bigint | undefined
  readonly lastTimestamp: bigint | undefined
  /** Points whose time equals, or is before, that of their predecessor. */
  readonly repeatedTimestamps: number
  readonly backwardSteps: number
  readonly outsideBlock: number
  /** Everything that is wrong; empty for a sound block. M3 itself writes blocks that repeat a time or step back. */
  readonly problems: ReadonlyArray<BlockProblem>
}

const cursor = new BlockCursor()

/** Checks one stream given as consecutive pieces. An error value where it cannot be decoded to its end. */
export const checkBlock = (pieces: ReadonlyArray<Uint8Array>, bounds: BlockBounds): BlockCheck | DecodeError => {
  const size = sizeOf(pieces)
  if (size > Math.min(bounds.maxBytes ?? m3tszLimits.maxStreamBytes, m3tszLimits.maxStreamBytes)) {
    return new DecodeError("too-large", 0, 0, `M3TSZ stream of ${size} bytes: ${Status.sentenceOf("too-large")}`)
  }
  const opened = cursor.open(pieces, size)
  const result = opened === Status.point
    ? checkPoints(bounds)
    : opened === Status.endOfStream
    ? noPoints(bounds.blockStart)
    : cursor.error(Status.reasonOf(opened))
  cursor.bits.trim(m3tszLimits.maxKeptBytes)
  return result
}

const noPoints = (start: bigint): BlockCheck => ({
  points: 0,
  encodedStart: start,
  firstTimestamp: undefined,
  lastTimestamp: undefined,
  repeatedTimestamps: 0,
  backwardSteps: 0,
  outsideBlock: 0,
  problems: []
})

const checkPoints = (bounds: BlockBounds): BlockCheck | DecodeError => {
  const { time } = cursor
  const endTime = bounds.blockStart + bounds.blockSize
  const [fromHigh, fromLow] = [highWord(bounds.blockStart), lowWord(bounds.blockStart)]
  const [endHigh, endLow] = [highWord(endTime), lowWord(endTime)]
  const encodedStart = fromWords(time.timeHigh, time.timeLow)
  let [firstHigh, firstLow, lastHigh, lastLow] = [0, 0, 0, 0]
  let [repeated, backward, outside] = [0, 0, 0]
  for (;;) {
    const status = cursor.next()
    if (status === Status.endOfStream) break
    if (status !== Status.point) return cursor.error(Status.reasonOf(status))
    if (cursor.count > bounds.maxPoints) return cursor.error("too-many-points")
    const { timeHigh, timeLow } = time
    if (cursor.count === 1) {
      firstHigh = timeHigh
      firstLow = timeLow
    } else {
      const order = compareWords(timeHigh, timeLow, lastHigh, lastLow)
      if (order === 0) repeated++
      else if (order < 0) backward++
    }
    lastHigh = timeHigh
    lastLow = timeLow
    if (
      compareWords(timeHigh, timeLow, fromHigh, fromLow) < 0 || compareWords(timeHigh, timeLow, endHigh, endLow) >= 0
    ) outside++
  }
  const problems: Array<BlockProblem> = []
  if (repeated + backward > 0) problems.push("not-ascending")
  if (outside > 0) problems.push("outside-block")
  if (encodedStart !== bounds.blockStart) problems.push("other-start")
  if (!cursor.bits.onlyPaddingLeft()) problems.push("padding")
  const some = cursor.count > 0
  return {
    points: cursor.count,
    encodedStart,
    firstTimestamp: some ? fromWords(firstHigh, firstLow) : undefined,
    lastTimestamp: some ? fromWords(lastHigh, lastLow) : undefined,
    repeatedTimestamps: repeated,
    backwardSteps: backward,
    outsideBlock: outside,
    problems
  }
}
