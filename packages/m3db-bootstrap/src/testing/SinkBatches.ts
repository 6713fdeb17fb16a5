/** Batches as streaming makes them, for the checks of sinks: streams in pieces, some of them empty. */
import { encodeTags } from "@peerstrap/m3db-wire"
import { adler32 } from "@peerstrap/m3tsz"
import type { Random } from "@peerstrap/m3tsz/testing"
import type { BlockBatch, BlockKey } from "../contract/BlockSink.ts"
import type { PublishedSeries } from "./SinkStore.ts"

/** A series as a check gives it to a sink. */
export interface GivenSeries {
  readonly id: string
  readonly tags?: Uint8Array
  readonly pieces: ReadonlyArray<string>
}

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text)

const bytesOf = ({ pieces }: GivenSeries): Uint8Array => ascii(pieces.join(""))

const tagsOf = ({ tags }: GivenSeries): Uint8Array => tags?.slice() ?? new Uint8Array(0)

/** Buffers are made anew for each batch. */
export const batchOf = (key: BlockKey, series: ReadonlyArray<GivenSeries>): BlockBatch => ({
  key,
  count: series.length,
  ids: series.map(({ id }) => ascii(id)),
  tags: series.map(tagsOf),
  data: series.map(({ pieces }) => pieces.map(ascii)),
  checksums: Uint32Array.from(series, (one) => adler32(bytesOf(one))),
  bytes: series.reduce((total, one) => total + bytesOf(one).length, 0)
})

/** What a reader must see of these: series without bytes are left out. */
export const seriesOf = (series: ReadonlyArray<GivenSeries>): ReadonlyArray<PublishedSeries> =>
  series.map((one) => ({ id: ascii(one.id), tags: tagsOf(one), bytes: bytesOf(one) }))
    .filter(({ bytes }) => bytes.length > 0)

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
  { id: "foo", tags: encodeTags([[ascii("city"), ascii("sf")]]), pieces: ["head", "tail"] },
  { id: "bar", pieces: ["", "only"] },
  { id: "without data", pieces: ["", ""] },
  { id: "last", pieces: ["of the first"] }
]

export const second: ReadonlyArray<GivenSeries> = [
  { id: "", pieces: ["the empty id is legal"] },
  { id: "a", pieces: ["1", "2", "3"] }
]

/** Series with ids that no other call with a later `from` makes. */
export const randomSeries = (random: Random, from: number): ReadonlyArray<GivenSeries> =>
  Array.from({ length: random.below(5) }, (_, i) => {
    const pieces = Array.from({ length: random.below(4) }, () => "abcdefgh".slice(random.below(9)))
    const tags = encodeTags([[ascii("t"), ascii(String(random.below(3)))]])
    return { id: `id ${(from + i) * 7}`, pieces, ...(random.below(2) === 0 ? { tags } : {}) }
  })
