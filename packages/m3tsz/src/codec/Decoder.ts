/**
 * M3TSZ blocks to columns. Accepts what M3's reader accepts and gives the same points, losses of the writer included;
 * stricter in one thing: a time unit id outside 1–8, which no writer makes, is an error.
 * (specs: peer streaming 6, K8, K10)
 */
import type { Datapoints } from "../contract/Datapoints.ts"
import { DecodeError } from "../contract/Errors.ts"
import { m3tszLimits } from "../contract/Limits.ts"
import { DatapointsBuffer } from "../engine/DatapointsBuffer.ts"
import { high, low } from "../engine/Words.ts"
import { BlockCursor, sizeOf } from "./BlockCursor.ts"
import * as Status from "./Status.ts"

/** Bounds of what one stream may hold. */
export interface DecodeLimits {
  /** Points that one stream may hold; each costs 17 bytes of columns. */
  readonly maxPoints: number
  /** Bytes of one stream, default and maximum `m3tszLimits.maxStreamBytes`. */
  readonly maxBytes?: number
}

/** What a decoder takes. */
export interface DecodeOptions {
  /** False takes a stream that breaks off as its whole points. Default true, as in M3. */
  readonly requireEnd?: boolean
}

/**
 * Decodes one stream, given as consecutive pieces (head, tail), into `into`, which is cleared first. Returns an error
 * value, or undefined; after an error `into` holds the points before it.
 */
export const decodeInto = (
  cursor: BlockCursor,
  into: DatapointsBuffer,
  pieces: ReadonlyArray<Uint8Array>,
  limits: DecodeLimits,
  options?: DecodeOptions
): DecodeError | undefined => {
  into.clear()
  const size = sizeOf(pieces)
  if (size > Math.min(limits.maxBytes ?? m3tszLimits.maxStreamBytes, m3tszLimits.maxStreamBytes)) {
    return new DecodeError("too-large", 0, 0, `M3TSZ stream of ${size} bytes: ${Status.sentenceOf("too-large")}`)
  }
  let status = cursor.open(pieces, size)
  if (status === Status.point) status = readPoints(cursor, into, limits.maxPoints)
  if (status === overfull) return cursor.error("too-many-points")
  if (status === Status.endOfStream) return undefined
  if (status === Status.truncated && options?.requireEnd === false) return undefined
  return cursor.error(Status.reasonOf(status))
}

const overfull = -1

const readPoints = (cursor: BlockCursor, into: DatapointsBuffer, maxPoints: number): number => {
  const { time, value } = cursor
  for (let i = 0;; i++) {
    const status = cursor.next()
    if (status !== Status.point) return status
    if (i >= maxPoints || (i === into.capacity && !into.grow(maxPoints))) return overfull
    into.timeWords[2 * i + low] = time.timeLow
    into.timeWords[2 * i + high] = time.timeHigh
    if (value.isFloat) {
      into.valueWords[2 * i + low] = value.bitsLow
      into.valueWords[2 * i + high] = value.bitsHigh
    } else {
      into.values[i] = value.intValue
    }
    into.units[i] = time.unit
    if (time.annotationLength > 0) into.annotations.set(i, cursor.annotation())
    into.count = i + 1
  }
}

const sharedCursor = new BlockCursor()
const sharedBuffer = new DatapointsBuffer()

/**
 * Decodes one stream into columns of its own. Pieces are consecutive (head, tail); no bytes at all mean no points.
 * For many streams `decodeInto` with one cursor and one buffer is cheaper.
 */
export const decodeBlock = (
  pieces: ReadonlyArray<Uint8Array>,
  limits: DecodeLimits,
  options?: DecodeOptions
): Datapoints | DecodeError => {
  // A byte holds fewer than three points of 17 bytes: long streams get a buffer that is not kept.
  const buffer = sizeOf(pieces) * 51 > m3tszLimits.maxKeptBytes ? new DatapointsBuffer() : sharedBuffer
  const error = decodeInto(sharedCursor, buffer, pieces, limits, options)
  const result = error ?? buffer.toDatapoints()
  sharedCursor.bits.trim(m3tszLimits.maxKeptBytes)
  buffer.clear()
  return result
}
