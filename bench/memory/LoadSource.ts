/**
 * A replica of any size in little memory: ids come from the number of the series, streams from a few dozen that were encoded at the
 * start, tokens are M3's own. Every replica of the same size has the same bytes. Only what is asked for exists.
 */
import {
  type BlocksBatchRequest,
  DeclaredErrors,
  decodePageToken,
  encodePageToken,
  encodeTags,
  isWireFault,
  type ListingElement,
  type ListingPage,
  type ListingRequest,
  type ReplicaSourceShape,
  type SeriesBlocks,
  shardOf
} from "@peerstrap/m3db-wire"
import { diskPhaseToken, seededPoints, seededSpec, type Stream, streamOf } from "@peerstrap/m3db-wire/testing"
import * as Effect from "effect/Effect"

export interface LoadSize {
  readonly series: number
  readonly blocks: number
  readonly shards: number
  readonly points: number
}

export const namespace = "metrics"
export const blockStart = 1_795_204_800_000_000_000n
export const blockSize = 7_200_000_000_000n

/** Different streams of a block start: enough for sizes and checksums to vary from series to series. */
const distinct = 64

const utf8 = new TextEncoder()
const numberDigits = 8

const idOf = (series: number): Uint8Array =>
  utf8.encode(`http_requests_total{host=web,path=/api}-${String(series).padStart(numberDigits, "0")}`)

const seriesOf = (id: Uint8Array): number => Number(Buffer.from(id).toString("latin1", id.length - numberDigits))

const tagsOf = (series: number): Uint8Array =>
  encodeTags(
    [["__name__", "http_requests_total"], ["host", `web-${series % 997}`], ["path", "/api"], ["series", String(series)]]
      .map(([name, value]) => [utf8.encode(name), utf8.encode(value)] as const)
  )

const mixed = (one: number): number => Math.imul(one ^ (one >>> 15), 0x2c1b3c6d) >>> 0

/** Numbers of the series of each shard; in the order of another hash, as entries of data files are not sorted by id. */
const membersOf = ({ series, shards }: LoadSize): ReadonlyArray<Uint32Array> => {
  const shardBySeries = Uint16Array.from({ length: series }, (_, one) => shardOf(idOf(one), 0, shards))
  const counts = new Uint32Array(shards)
  for (const shard of shardBySeries) counts[shard]!++
  const members = Array.from(counts, (count) => new Uint32Array(count))
  counts.fill(0)
  shardBySeries.forEach((shard, one) => {
    members[shard]![counts[shard]!++] = one
  })
  for (const own of members) own.sort((a, b) => mixed(a) - mixed(b))
  return members
}

/** The source that one replica serves. */
export const makeLoadSource = (size: LoadSize): ReplicaSourceShape => {
  const spec = seededSpec({ series: distinct, blocks: size.blocks, start: blockStart, blockSize, points: size.points })
  const startOf = (block: number): bigint => blockStart + BigInt(block) * blockSize
  const streams: ReadonlyArray<ReadonlyArray<Stream>> = Array.from(
    { length: size.blocks },
    (_, block) =>
      Array.from({ length: distinct }, (_, one) => streamOf(seededPoints(spec, one, block), startOf(block), false))
  )
  const streamAt = (series: number, block: number): Stream => streams[block]![series % distinct]!
  const members = membersOf(size)

  const element = (series: number, block: number): ListingElement => {
    const { checksum, head } = streamAt(series, block)
    return {
      id: idOf(series),
      start: startOf(block),
      error: undefined,
      size: BigInt(head.length),
      checksum,
      lastRead: undefined,
      encodedTags: tagsOf(series)
    }
  }

  /** From the newest block down, as a node lists its filesets. */
  const page = ({ limit, pageToken, shard }: ListingRequest): ListingPage | undefined => {
    if (pageToken === undefined || pageToken.length === 0) return { elements: [], nextPageToken: diskPhaseToken }
    const token = decodePageToken(pageToken)
    if (isWireFault(token) || token.phase === "active") return undefined
    const own = members[shard]!
    let block = token.blockStart === 0n ? size.blocks - 1 : Number((token.blockStart - blockStart) / blockSize)
    let entry = token.blockStart === 0n ? 0 : Number(token.entryIndex)
    const elements: Array<ListingElement> = []
    for (; block >= 0; block--, entry = 0) {
      while (entry < own.length && elements.length < limit) elements.push(element(own[entry++]!, block))
      if (elements.length < limit) continue
      const next = { phase: "flushed", blockStart: startOf(block), entryIndex: BigInt(entry), volume: 0n } as const
      return { elements, nextPageToken: encodePageToken(next) }
    }
    return { elements, nextPageToken: undefined }
  }

  const blocksOf = ({ elements }: BlocksBatchRequest): ReadonlyArray<SeriesBlocks> =>
    elements.map(({ id, starts }) => ({
      id,
      blocks: starts.map((start) => {
        const { checksum, head, tail } = streamAt(seriesOf(id), Number((start - blockStart) / blockSize))
        const merged = { head, tail, startTime: start, blockSize, checksum }
        return { start, merged, unmerged: undefined, error: undefined, checksum }
      })
    }))

  return {
    bootstrapped: Effect.succeed(true),
    listMetadata: (request) =>
      Effect.suspend(() => {
        const made = page(request)
        return made === undefined ? Effect.fail(DeclaredErrors.badPageToken()) : Effect.succeed(made)
      }),
    fetchBlocks: (request) => Effect.sync(() => blocksOf(request))
  }
}
