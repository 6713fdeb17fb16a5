/** What the source that is checked holds: one namespace, two shards of three, blocks on disk and in memory, some of them unmerged. */
import { absentChecksum, type BlocksAnswer, type BlocksRequest, type MetadataPage, toHex } from "@peerstrap/m3db-wire"
import { SeededReplica, seededSpec } from "@peerstrap/m3db-wire/testing"

/** The data set of the kit; `new SeededReplica(sourceSpec, sourceVariation)` holds it. */
export const sourceSpec = seededSpec({
  series: 90,
  numShards: 3,
  shards: [0, 1],
  blocks: 3,
  active: 1,
  points: 12,
  tags: -1,
  odd: 7,
  hashSeed: 42
})

/** Every fifth series has its blocks as two streams. */
export const sourceVariation = { unmerged: { every: 5, remainder: 0 } } as const

/** A replica with the data of the kit. */
export const sourceReplica = (): SeededReplica => new SeededReplica(sourceSpec, sourceVariation)

const truth = sourceReplica()

export const namespace = new TextEncoder().encode(sourceSpec.namespace)
export const shards = [0, 1]
/** A shard that nobody owns here. */
export const foreignShard = 2

/** One (series, block start) as it has to be listed and answered. */
export interface TrueBlock {
  readonly id: Uint8Array
  readonly start: bigint
  /** As a line: id, tags, start, size, checksum. */
  readonly listed: string
  /** As a line: each stream as hex. */
  readonly streams: string
}

const rowText = (id: Uint8Array, tags: Uint8Array, start: bigint, size: number, checksum: number): string =>
  `${toHex(id)} tags ${toHex(tags)} start ${start} size ${size} checksum ${checksum}`

const none = new Uint8Array(0)

/** All blocks of a shard, in no particular order. */
export const trueBlocks = (shard: number): ReadonlyArray<TrueBlock> =>
  truth.shard(shard).series.flatMap(({ blocks, encodedTags, id }) =>
    blocks.map(({ start, streams }) => {
      const size = streams.reduce((sum, { head, tail }) => sum + head.length + tail.length, 0)
      const checksum = streams.length === 1 ? streams[0]!.checksum : absentChecksum
      return {
        id,
        start,
        listed: rowText(id, encodedTags ?? none, start, size, checksum),
        streams: streams.map(({ head, tail }) => toHex(head) + toHex(tail)).join(" ")
      }
    })
  )

const int64 = (hi: number, lo: number): bigint => (BigInt(hi) << 32n) | BigInt(lo >>> 0)

/** Rows of a page as lines. */
export const pageLines = (page: MetadataPage): ReadonlyArray<string> => {
  const bytes = (offset: number, length: number) => page.buffer.subarray(offset, offset + length)
  return Array.from({ length: page.count }, (_, i) =>
    rowText(
      bytes(page.idOffset[i]!, page.idLength[i]!),
      bytes(page.tagsOffset[i]!, page.tagsLength[i]!),
      int64(page.startHi[i]!, page.startLo[i]!),
      page.size[i]!,
      page.checksum[i]!
    ) + (page.failed[i] === 1 ? " failed" : ""))
}

const rows = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i)

/** Elements of an answer as lines: id, then `start: streams` of each block. */
export const answerLines = (answer: BlocksAnswer): ReadonlyArray<string> => {
  const hex = (offset: number, length: number) => toHex(answer.buffer.subarray(offset, offset + length))
  const segment = (row: number): string =>
    hex(answer.headOffset[row]!, answer.headLength[row]!) + hex(answer.tailOffset[row]!, answer.tailLength[row]!)
  const block = (row: number): string => {
    const streams = rows(answer.firstSegment[row]!, answer.firstSegment[row + 1]!).map(segment)
    const error = answer.errorLength[row]! >= 0 ? " error" : ""
    return ` ${int64(answer.startHi[row]!, answer.startLo[row]!)}: ${streams.join(" ")}${error}`
  }
  return rows(0, answer.elementCount).map((element) =>
    hex(answer.idOffset[element]!, answer.idLength[element]!) +
    rows(answer.firstBlock[element]!, answer.firstBlock[element + 1]!).map(block).join("")
  )
}

/** The line of an element with one block that is as it should be. */
export const trueLine = ({ id, start, streams }: TrueBlock): string => `${toHex(id)} ${start}: ${streams}`

/** A request for blocks of one shard, one element each. */
export const blocksRequest = (
  shard: number,
  blocks: ReadonlyArray<Pick<TrueBlock, "id" | "start">>,
  from: Uint8Array = namespace
): BlocksRequest => ({
  namespace: from,
  shard,
  ids: blocks.map(({ id }) => id),
  startHi: Int32Array.from(blocks, ({ start }) => Number(start >> 32n)),
  startLo: Int32Array.from(blocks, ({ start }) => Number(BigInt.asIntN(32, start)))
})
