/**
 * A replica's data in memory behind the contract that the node server serves: two-phase listings with M3's own tokens, block
 * answers with M3's edge cases. What is not a misbehaviour must look exactly as a real node's answer.
 */
import * as Effect from "effect/Effect"
import { decodePageToken, encodePageToken, type PageToken } from "../codec/PageToken.ts"
import { WireFault } from "../codec/WireFault.ts"
import {
  type BlockBytes,
  type BlocksBatchRequest,
  type DeclaredError,
  DeclaredErrors,
  type ListingElement,
  type ListingPage,
  type ListingRequest,
  type ReplicaSourceShape,
  type SegmentBytes,
  type SeriesBlocks
} from "../contract/ReplicaSource.ts"
import {
  blockChecksum,
  blockSizeBytes,
  type ReplicaBlock,
  type ReplicaSeries,
  type ReplicaShard
} from "./ReplicaShard.ts"

/** One namespace of a replica: its block size in ns, the shards it owns, and their series. */
export interface NamespaceData {
  readonly name: string
  /** ns. */
  readonly blockSize: bigint
  /** The shards owned. */
  readonly shards: ReadonlySet<number>
  /** Called only with a shard owned; the same object on every call. */
  readonly shard: (shard: number) => ReplicaShard
  /** Volume of the filesets, shown in tokens. A token of another volume makes its block start again. Default 0. */
  readonly volume?: number | undefined
  /** ns; blocks before it have left retention and are neither listed nor answered. Default: none has. */
  readonly earliestStart?: (() => bigint) | undefined
}

/** A page never holds more than this many series or elements, whatever `limit` asks: bounds the memory of one answer. */
export const maxPageLimit = 65_536

/** The token that ends the memory phase: `12 00`. */
export const diskPhaseToken = encodePageToken({ phase: "flushed", blockStart: 0n, entryIndex: 0n, volume: 0n })

const text = new TextDecoder()

const floorTo = (value: bigint, size: bigint): bigint => {
  const rest = value % size
  return rest < 0n ? value - rest - size : value - rest
}

export class ReplicaData implements ReplicaSourceShape {
  readonly bootstrapped: Effect.Effect<boolean>
  private readonly namespaces: ReadonlyMap<string, NamespaceData>
  private readonly isBootstrapped: () => boolean

  constructor(namespaces: ReadonlyArray<NamespaceData>, isBootstrapped: () => boolean = () => true) {
    this.namespaces = new Map(namespaces.map((namespace) => [namespace.name, namespace]))
    this.isBootstrapped = isBootstrapped
    this.bootstrapped = Effect.sync(isBootstrapped)
  }

  listMetadata(request: ListingRequest): Effect.Effect<ListingPage, DeclaredError> {
    return Effect.suspend(() => {
      const page = this.page(request)
      return "_tag" in page ? Effect.fail(page) : Effect.succeed(page)
    })
  }

  fetchBlocks(request: BlocksBatchRequest): Effect.Effect<ReadonlyArray<SeriesBlocks>, DeclaredError> {
    return Effect.suspend(() => {
      const answer = this.blocks(request)
      return "_tag" in answer ? Effect.fail(answer) : Effect.succeed(answer)
    })
  }

  /** The namespaces with their shards, for tests that compare what was streamed with what is there. */
  get held(): ReadonlyArray<NamespaceData> {
    return [...this.namespaces.values()]
  }

  /** The checks that both calls share, in M3's order: namespace, shard owned, shard bootstrapped. */
  private admit(
    name: Uint8Array,
    shard: number,
    unknown: (name: string) => DeclaredError
  ): { readonly namespace: NamespaceData; readonly shard: ReplicaShard } | DeclaredError {
    const namespace = this.namespaces.get(text.decode(name))
    if (namespace === undefined) return unknown(text.decode(name))
    if (!namespace.shards.has(shard)) return DeclaredErrors.notResponsible(shard)
    if (!this.isBootstrapped()) return DeclaredErrors.shardNotBootstrapped()
    return { namespace, shard: namespace.shard(shard) }
  }

  /** A page, or the error to declare. */
  private page(request: ListingRequest): ListingPage | DeclaredError {
    if (request.limit <= 0) return { elements: undefined, nextPageToken: undefined }
    const admitted = this.admit(request.namespace, request.shard, DeclaredErrors.unknownNamespaceOfListing)
    if ("_tag" in admitted) return admitted
    const given = request.pageToken
    const token: PageToken | WireFault = given === undefined || given.length === 0
      ? { phase: "active", cursor: 0n }
      : decodePageToken(given)
    if (token instanceof WireFault) return DeclaredErrors.badPageToken()
    return token.phase === "active"
      ? memoryPage(admitted.namespace, admitted.shard, request, Number(token.cursor))
      : diskPage(admitted.namespace, admitted.shard, request, token)
  }

  private blocks(request: BlocksBatchRequest): ReadonlyArray<SeriesBlocks> | DeclaredError {
    const admitted = this.admit(request.namespace, request.shard, DeclaredErrors.unknownNamespaceOfBlocks)
    if ("_tag" in admitted) return admitted
    const { namespace, shard } = admitted
    const earliest = namespace.earliestStart?.()
    return request.elements.map((element) => {
      const series = shard.find(element.id)
      const blocks: Array<BlockBytes> = []
      if (series !== undefined) {
        for (const start of element.starts.toSorted((a, b) => a < b ? -1 : a > b ? 1 : 0)) {
          if (earliest !== undefined && start < earliest) continue
          const block = blockAnswer(series, start, namespace.blockSize)
          if (block !== undefined) blocks.push(block)
        }
      }
      return { id: element.id, blocks }
    })
  }
}

const listed = (request: ListingRequest, series: ReplicaSeries, block: ReplicaBlock): ListingElement => ({
  id: series.id,
  start: block.start,
  error: undefined,
  size: request.includeSizes ? BigInt(blockSizeBytes(block)) : undefined,
  checksum: request.includeChecksums ? blockChecksum(block) : undefined,
  lastRead: request.includeLastRead ? 0n : undefined,
  encodedTags: series.encodedTags
})

/** Series from insertion index `cursor` on; every one with all its buffered blocks that overlap the range. */
const memoryPage = (
  namespace: NamespaceData,
  shard: ReplicaShard,
  request: ListingRequest,
  cursor: number
): ListingPage => {
  const end = Math.min(shard.buffered.length, cursor + Math.min(request.limit, maxPageLimit))
  const earliest = namespace.earliestStart?.()
  const elements: Array<ListingElement> = []
  for (let index = Math.max(0, cursor); index < end; index++) {
    const series = shard.buffered[index]!
    for (const block of series.blocks) {
      if (!block.inMemory || block.start >= request.rangeEnd) continue
      if (block.start + namespace.blockSize <= request.rangeStart) continue
      if (earliest !== undefined && block.start < earliest) continue
      elements.push(listed(request, series, block))
    }
  }
  const more = end < shard.buffered.length
  return { elements, nextPageToken: more ? encodePageToken({ phase: "active", cursor: BigInt(end) }) : diskPhaseToken }
}

/** Filesets from the newest down to the range's start; a block that the range's end cuts is not listed (K19). */
const diskPage = (
  namespace: NamespaceData,
  shard: ReplicaShard,
  request: ListingRequest,
  token: Extract<PageToken, { readonly phase: "flushed" }>
): ListingPage => {
  const limit = Math.min(request.limit, maxPageLimit)
  const volume = BigInt(namespace.volume ?? 0)
  const last = floorTo(request.rangeEnd, namespace.blockSize) - namespace.blockSize
  const earliest = namespace.earliestStart?.()
  const elements: Array<ListingElement> = []
  const resumed = token.blockStart !== 0n
  for (const start of shard.diskStarts) {
    if (start > last || (resumed && start > token.blockStart)) continue
    if (start < request.rangeStart || (earliest !== undefined && start < earliest)) break
    const entries = shard.diskEntries(start)
    let entry = resumed && start === token.blockStart && volume === token.volume ? Number(token.entryIndex) : 0
    while (entry < entries.length && elements.length < limit) {
      const { block, series } = entries[entry++]!
      elements.push(listed(request, series, block))
    }
    if (elements.length >= limit) {
      return {
        elements,
        nextPageToken: encodePageToken({ phase: "flushed", blockStart: start, entryIndex: BigInt(entry), volume })
      }
    }
  }
  return { elements, nextPageToken: undefined }
}

/** All readers of one start, filesets first: one gives `merged`, several `unmerged` without a checksum of the block. */
const blockAnswer = (series: ReplicaSeries, start: bigint, blockSize: bigint): BlockBytes | undefined => {
  const segments: Array<SegmentBytes> = []
  for (const inMemory of [false, true]) {
    for (const block of series.blocks) {
      if (block.start !== start || block.inMemory !== inMemory) continue
      for (const { checksum, head, tail } of block.streams) {
        segments.push({ head, tail, startTime: start, blockSize, checksum })
      }
    }
  }
  const first = segments[0]
  if (first === undefined) return undefined
  return segments.length === 1
    ? { start, merged: first, unmerged: undefined, error: undefined, checksum: first.checksum }
    : { start, merged: undefined, unmerged: segments, error: undefined, checksum: undefined }
}
