/**
 * Turns the copies that several replicas delivered of one block into the one stream that is stored, the same whatever the
 * order of arrival. Copies that broke their own word are left out where enough others kept theirs. (specs: peer streaming 3.11, 6.8; D11)
 */
import {
  adler32OfPieces,
  type Datapoints,
  decodeBlock,
  encodeBlock,
  type MergeRule,
  mergeSegments
} from "@peerstrap/m3tsz"
import { noChecksum } from "@peerstrap/metadata-grouping"
import type { Encoding } from "../contract/StreamRun.ts"
export interface HeldCopy {
  /** Index in the job. */
  readonly peer: number
  readonly peerId: string
  /** Streams, oldest layer first, each in one piece. */
  readonly segments: ReadonlyArray<Uint8Array>
  /** Of the one segment, or `noChecksum` when there are several. */
  readonly checksum: number
  readonly bytes: number
  /** False when the copy is not what this very peer advertised. */
  readonly asAdvertised: boolean
}

export interface MergeOptions {
  readonly required: number
  readonly blockStart: bigint
  readonly blockSize: bigint
  /** Blocks that still change: a copy that differs from its listing is newer, not a lie, and takes part. */
  readonly mutable: boolean
  readonly encoding: Encoding
  readonly rule: MergeRule
  readonly maxPoints: number
}

/** A copy that does not decode, with what is wrong. */
export interface BadCopy {
  readonly copy: HeldCopy
  readonly detail: string
}

export interface Stored {
  /** `one`: a copy as it came; `merged`: encoded anew. */
  readonly _tag: "one" | "merged"
  readonly pieces: ReadonlyArray<Uint8Array>
  readonly checksum: number
  readonly bytes: number
  /** Copies that were left out because they do not decode. */
  readonly bad: ReadonlyArray<BadCopy>
}

export type Merged =
  | Stored
  /** With the copies that decode the level is not met. */
  | { readonly _tag: "undecodable"; readonly bad: ReadonlyArray<BadCopy> }
  | { readonly _tag: "refused"; readonly detail: string }

const sameBytes = (a: HeldCopy, b: HeldCopy): boolean =>
  a.segments.length === 1 && b.segments.length === 1 && Buffer.compare(a.segments[0]!, b.segments[0]!) === 0

const bytesOf = (column: ArrayBufferView, length: number): Uint8Array =>
  new Uint8Array(column.buffer, column.byteOffset, length)

const same = (x: ArrayBufferView, y: ArrayBufferView, length: number): boolean =>
  Buffer.compare(bytesOf(x, length), bytesOf(y, length)) === 0

/** Same times, value bits, units and annotations. */
const samePoints = (a: Datapoints, b: Datapoints): boolean => {
  if (a.count !== b.count || a.annotations.size !== b.annotations.size) return false
  if (!same(a.timestamps, b.timestamps, a.count * 8) || !same(a.values, b.values, a.count * 8)) return false
  if (!same(a.units, b.units, a.count)) return false
  for (const [point, annotation] of a.annotations) {
    const other = b.annotations.get(point)
    if (other === undefined || Buffer.compare(annotation, other) !== 0) return false
  }
  return true
}

const storedAsIs = (copy: HeldCopy, bad: ReadonlyArray<BadCopy> = []): Stored => ({
  _tag: "one",
  pieces: [copy.segments[0]!],
  checksum: copy.checksum,
  bytes: copy.bytes,
  bad
})

const decodeCopy = (copy: HeldCopy, options: MergeOptions): Datapoints | string => {
  const layers: Array<Datapoints> = []
  for (const segment of copy.segments) {
    const layer = decodeBlock([segment], { maxPoints: options.maxPoints })
    if ("_tag" in layer) return layer.message
    layers.push(layer)
  }
  const points = mergeSegments(layers)
  if ("_tag" in points) return points.message
  const end = options.blockStart + options.blockSize
  for (let i = 0; i < points.count; i++) {
    const at = points.timestamps[i]!
    if (at < options.blockStart || at >= end) return `point ${i} at ${at} ns lies outside of the block`
  }
  return points
}

/** Merges at least one copy; `copies` in any order. */
export const settleCopies = (copies: ReadonlyArray<HeldCopy>, options: MergeOptions): Merged => {
  const honest = options.mutable ? copies : copies.filter((copy) => copy.asAdvertised)
  const enough = honest.length > 0 && honest.length >= options.required
  const used = (enough ? honest : copies).toSorted((a, b) => (a.peerId < b.peerId ? -1 : 1))
  const first = used[0]!
  if (used.length > 1 && used.every((copy) => sameBytes(first, copy))) return storedAsIs(first)
  if (options.encoding === "protobuf") {
    if (used.length === 1 && first.segments.length === 1) return storedAsIs(first)
    return { _tag: "refused", detail: "the copies differ and a Protobuf namespace cannot be merged without its schema" }
  }
  const bad: Array<BadCopy> = []
  const decoded: Array<{ readonly peer: string; readonly points: Datapoints; readonly copy: HeldCopy }> = []
  for (const copy of used) {
    const points = decodeCopy(copy, options)
    if (typeof points === "string") bad.push({ copy, detail: points })
    else decoded.push({ peer: copy.peerId, points, copy })
  }
  if (decoded.length === 0 || bad.length > 0 && decoded.length < options.required) return { _tag: "undecodable", bad }
  const base = decoded[0]!
  if (decoded.every((other) => samePoints(base.points, other.points))) {
    const whole = decoded.find((other) => other.copy.checksum !== noChecksum)
    if (whole !== undefined) return storedAsIs(whole.copy, bad)
  }
  const points = decoded.length === 1 ? base.points : options.rule.merge(decoded)
  const stream = encodeBlock(points, options.blockStart)
  if ("_tag" in stream) return { _tag: "refused", detail: stream.message }
  const checksum = adler32OfPieces([stream.bytes])
  return { _tag: "merged", pieces: [stream.bytes], checksum, bytes: stream.bytes.length, bad }
}
