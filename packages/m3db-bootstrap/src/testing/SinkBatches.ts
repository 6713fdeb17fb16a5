/** Batches as streaming makes them, for the checks of sinks: streams in pieces, some of them empty. */
import { encodeTags } from "@peerstrap/m3db-wire"
import { adler32, type Datapoints, encodeBlock } from "@peerstrap/m3tsz"
import type { Random } from "@peerstrap/m3tsz/testing"
import type { BlockBatch, BlockKey } from "../contract/BlockSink.ts"
import type { PublishedSeries } from "./SinkStore.ts"

/** A series as a check gives it to a sink: M3TSZ, so that a sink may decode it. */
export interface GivenSeries {
  readonly id: string
  readonly tags?: Uint8Array
  /** Ten seconds apart from the block's start on; none: a stream without bytes. */
  readonly values: ReadonlyArray<number>
  /** Into how many the stream is cut. */
  readonly pieces: number
  /** The first piece is empty. */
  readonly isFirstEmpty?: boolean
}

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text)

const stepNanos = 10_000_000_000n

/** Points of a series in the block of a key. */
const pointsOf = ({ blockStart }: BlockKey, { values }: GivenSeries): Datapoints => ({
  count: values.length,
  timestamps: BigInt64Array.from(values, (_, i) => blockStart + BigInt(i) * stepNanos),
  values: Float64Array.from(values),
  units: new Uint8Array(values.length).fill(1),
  annotations: new Map()
})

const bytesOf = (key: BlockKey, series: GivenSeries): Uint8Array => {
  if (series.values.length === 0) return new Uint8Array(0)
  const encoded = encodeBlock(pointsOf(key, series), key.blockStart)
  if ("_tag" in encoded) throw new Error(encoded.message)
  return encoded.bytes
}

/** Pieces with buffers of their own. */
const cut = (bytes: Uint8Array, { isFirstEmpty = false, pieces }: GivenSeries): ReadonlyArray<Uint8Array> => {
  const whole = isFirstEmpty ? pieces - 1 : pieces
  const at = (piece: number): number => Math.floor(bytes.length * piece / whole)
  const cuts = Array.from({ length: whole }, (_, piece) => bytes.slice(at(piece), at(piece + 1)))
  return isFirstEmpty ? [new Uint8Array(0), ...cuts] : cuts
}

const tagsOf = ({ tags }: GivenSeries): Uint8Array => tags?.slice() ?? new Uint8Array(0)

/** Buffers are made anew for each batch. */
export const batchOf = (key: BlockKey, series: ReadonlyArray<GivenSeries>): BlockBatch => {
  const streams = series.map((one) => bytesOf(key, one))
  return {
    key,
    count: series.length,
    ids: series.map(({ id }) => ascii(id)),
    tags: series.map(tagsOf),
    data: series.map((one, i) => cut(streams[i]!, one)),
    checksums: Uint32Array.from(streams, (bytes) => adler32(bytes)),
    bytes: streams.reduce((total, { length }) => total + length, 0)
  }
}

/** What a reader must see of these: series without bytes are left out. */
export const seriesOf = (key: BlockKey, series: ReadonlyArray<GivenSeries>): ReadonlyArray<PublishedSeries> =>
  series.filter(({ values }) => values.length > 0)
    .map((one) => ({ id: ascii(one.id), tags: tagsOf(one), bytes: bytesOf(key, one) }))

/** As streaming does when the sink is done with a batch: the buffers become somebody else's. */
export const overwrite = ({ data, ids, tags }: BlockBatch): void => {
  for (const bytes of [...ids, ...tags, ...data.flat()]) bytes.fill(0x78)
}

const blockSize = 7_200_000_000_000n

/** The block of a shard that begins `block` block sizes after the first one. */
export const keyOf = (shard: number, block = 0): BlockKey => ({
  shard,
  blockStart: 1_609_459_200_000_000_000n + BigInt(block) * blockSize
})

export const first: ReadonlyArray<GivenSeries> = [
  { id: "foo", tags: encodeTags([[ascii("city"), ascii("sf")]]), values: [1, 2], pieces: 2 },
  { id: "bar", values: [3], pieces: 2, isFirstEmpty: true },
  { id: "without data", values: [], pieces: 2 },
  { id: "last", values: [4], pieces: 1 }
]

export const second: ReadonlyArray<GivenSeries> = [
  // The empty id is legal.
  { id: "", values: [5], pieces: 1 },
  { id: "a", values: [6, 7, 8], pieces: 3 }
]

/** Series with ids that no other call with a later `from` makes. */
export const randomSeries = (random: Random, from: number): ReadonlyArray<GivenSeries> =>
  Array.from({ length: random.below(5) }, (_, i) => {
    const values = Array.from({ length: random.below(4) }, () => random.below(100))
    const tags = encodeTags([[ascii("t"), ascii(String(random.below(3)))]])
    return {
      id: `id ${(from + i) * 7}`,
      values,
      pieces: random.between(1, 4),
      ...(random.below(2) === 0 ? { tags } : {})
    }
  })
