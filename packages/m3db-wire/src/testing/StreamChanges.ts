/** A stream as other streams: cut in two, or with other values. For variations and lies that still are valid M3TSZ. */
import { type Datapoints, decodeBlock, DecodeError, encodeBlock, EncodeError } from "@peerstrap/m3tsz"
import type { SegmentBytes } from "../contract/ReplicaSource.ts"
import { makeStream, type Stream } from "./ReplicaShard.ts"

/** Far above any block that a replica in memory holds. */
const maxPoints = 10_000_000

const noBytes = new Uint8Array(0)

/**
 * Encodes points. A buffered stream keeps its last bytes apart, as an open encoder does; one from disk is all head. Throws on
 * points that M3TSZ cannot hold: these are ours.
 */
export const streamOf = (points: Datapoints, start: bigint, inMemory: boolean): Stream => {
  const encoded = encodeBlock(points, start)
  if (encoded instanceof EncodeError) throw new RangeError(encoded.message)
  const { bytes, headLength } = encoded
  return inMemory
    ? makeStream(bytes.subarray(0, headLength), bytes.subarray(headLength))
    : makeStream(bytes, noBytes)
}

/** Decodes a stream of ours. Throws on one that does not decode. */
export const pointsOf = ({ head, tail }: Pick<SegmentBytes, "head" | "tail">): Datapoints => {
  const points = decodeBlock([head, tail], { maxPoints })
  if (points instanceof DecodeError) throw new RangeError(points.message)
  return points
}

/** The points whose index `keep` wants. */
export const keepPoints = (points: Datapoints, keep: (index: number) => boolean): Datapoints => {
  const kept: Array<number> = []
  for (let i = 0; i < points.count; i++) if (keep(i)) kept.push(i)
  const annotations = new Map<number, Uint8Array>()
  for (const [to, from] of kept.entries()) {
    const annotation = points.annotations.get(from)
    if (annotation !== undefined) annotations.set(to, annotation)
  }
  return {
    count: kept.length,
    timestamps: BigInt64Array.from(kept, (from) => points.timestamps[from]!),
    values: Float64Array.from(kept, (from) => points.values[from]!),
    units: Uint8Array.from(kept, (from) => points.units[from]!),
    annotations
  }
}

/** Every value plus one; infinities and NaN become 1. */
export const raiseValues = (points: Datapoints): Datapoints => ({
  ...points,
  values: points.values.map((value) => (Number.isFinite(value) ? value : 0) + 1)
})

/** The same points as two streams, by even and odd index. One point alone stands in both. */
export const splitPoints = (points: Datapoints, start: bigint, inMemory: boolean): readonly [Stream, Stream] => {
  const half = (remainder: number) => points.count < 2 ? points : keepPoints(points, (index) => index % 2 === remainder)
  return [streamOf(half(0), start, inMemory), streamOf(half(1), start, inMemory)]
}

/** Cuts a stream into two that hold its points in turn; `start` is the block's, in ns. */
export const splitStream = (segment: SegmentBytes, start: bigint): readonly [Stream, Stream] =>
  splitPoints(pointsOf(segment), start, segment.tail.length > 0)

/** A valid stream of the same times with other values. */
export const otherValues = (segment: SegmentBytes, start: bigint): Stream =>
  streamOf(raiseValues(pointsOf(segment)), start, segment.tail.length > 0)
