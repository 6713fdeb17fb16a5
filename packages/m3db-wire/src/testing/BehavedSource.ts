/**
 * Misbehaviours in what a replica says about its data: wrong, missing and surplus elements, hostile page tokens. Wraps any source;
 * with no behaviours set it changes nothing.
 */
import * as Effect from "effect/Effect"
import {
  type BlockBytes,
  type BlocksBatchRequest,
  DeclaredError,
  type ListingElement,
  type ListingPage,
  type ListingRequest,
  type ReplicaSourceShape,
  type SegmentBytes,
  type SeriesBlocks
} from "../contract/ReplicaSource.ts"
import { behavedPage, type MadeUp } from "./BehavedPages.ts"
import type { Behaviours } from "./Behaviours.ts"
import { picksSeries, type SeriesRuleName, shuffled } from "./Picks.ts"
import type { Stream } from "./ReplicaShard.ts"
import { otherValues, splitStream } from "./StreamChanges.ts"

const hits = (behaviours: Behaviours, name: SeriesRuleName, id: Uint8Array): boolean => {
  const every = behaviours.get(name)?.every
  return every !== undefined && picksSeries(id, every)
}

const segmentOf = (like: SegmentBytes, { checksum, head, tail }: Stream): SegmentBytes => ({
  ...like,
  head,
  tail,
  checksum
})

const unmergedBlock = (block: BlockBytes): BlockBytes => {
  const { merged } = block
  if (merged === undefined) return block
  const unmerged = splitStream(merged, block.start).map((stream) => segmentOf(merged, stream))
  return { ...block, merged: undefined, unmerged, checksum: undefined }
}

/** One bit in the middle, under the checksum of the true bytes. */
const flipped = (segment: SegmentBytes): SegmentBytes => {
  const head = segment.head.slice()
  const at = head.length >> 1
  if (head.length > 0) head[at] = head[at]! ^ 4
  return { ...segment, head }
}

const lyingBlock = (block: BlockBytes, mode: "flip" | "valid"): BlockBytes => {
  const lie = (segment: SegmentBytes) =>
    mode === "flip" ? flipped(segment) : segmentOf(segment, otherValues(segment, block.start))
  const merged = block.merged === undefined ? undefined : lie(block.merged)
  return {
    ...block,
    merged,
    unmerged: block.unmerged?.map(lie),
    checksum: mode === "valid" && merged !== undefined ? merged.checksum : block.checksum
  }
}

const withoutChecksums = (block: BlockBytes): BlockBytes => ({
  ...block,
  checksum: undefined,
  merged: block.merged === undefined ? undefined : { ...block.merged, checksum: undefined },
  unmerged: block.unmerged?.map((segment) => ({ ...segment, checksum: undefined }))
})

const blockSizeOf = (block: BlockBytes): bigint => (block.merged ?? block.unmerged?.[0])?.blockSize ?? 1n

const movedBlock = (block: BlockBytes): BlockBytes => ({ ...block, start: block.start + blockSizeOf(block) })

const behavedBlock = (behaviours: Behaviours, id: Uint8Array, block: BlockBytes): BlockBytes => {
  if (hits(behaviours, "block-err", id)) {
    const error = new DeclaredError({ type: "INTERNAL_ERROR", message: "cannot read block", flags: 0 })
    return { start: block.start, merged: undefined, unmerged: undefined, error, checksum: undefined }
  }
  let out = block
  if (hits(behaviours, "lie-data", id)) out = lyingBlock(out, behaviours.get("lie-data")!.mode)
  if (hits(behaviours, "unmerged", id)) out = unmergedBlock(out)
  if (hits(behaviours, "wrong-start", id)) out = movedBlock(out)
  return behaviours.has("no-checksum") ? withoutChecksums(out) : out
}

/** A block answer under these behaviours. */
const behavedElements = (
  behaviours: Behaviours,
  elements: ReadonlyArray<SeriesBlocks>
): ReadonlyArray<SeriesBlocks> => {
  const out: Array<SeriesBlocks> = []
  const extra = behaviours.get("extra")?.kind
  for (const { blocks, id } of elements) {
    if (hits(behaviours, "missing", id)) continue
    if (hits(behaviours, "hollow", id)) {
      out.push({ id, blocks: [] })
      continue
    }
    const behaved = blocks.map((block) => behavedBlock(behaviours, id, block))
    if (extra === "block" && behaved.length > 0) behaved.push(movedBlock(behaved.at(-1)!))
    const shown = hits(behaviours, "wrong-id", id) ? Uint8Array.from([...id, 0x3f]) : id
    out.push({ id: shown, blocks: behaved })
  }
  if (extra === "element") out.push({ id: new TextEncoder().encode("nobody-asked"), blocks: [] })
  const reorder = behaviours.get("reorder")?.what
  return reorder === "blocks" || reorder === "all" ? shuffled(out) : out
}

const listingError = new DeclaredError({ type: "INTERNAL_ERROR", message: "cannot read metadata", flags: 0 })

const behavedListed = (
  behaviours: Behaviours,
  element: ListingElement,
  splitSize: bigint | undefined
): ReadonlyArray<ListingElement> => {
  let out = element
  if (behaviours.has("no-checksum")) out = { ...out, checksum: undefined }
  if (out.checksum !== undefined && hits(behaviours, "lie-checksum", out.id)) {
    out = { ...out, checksum: (out.checksum ^ 0xdeadbeef) >>> 0 }
  }
  if (splitSize !== undefined) {
    out = { ...out, checksum: undefined, size: out.size === undefined ? undefined : splitSize }
  }
  if (hits(behaviours, "meta-err", out.id)) out = { ...out, checksum: undefined, size: undefined, error: listingError }
  return hits(behaviours, "duplicate", out.id) ? [out, out] : [out]
}

/** What misbehaves, how, and with which made-up series. */
export interface BehavedOptions {
  readonly source: ReplicaSourceShape
  /** Read at each call, so that behaviours can change while the replica runs. */
  readonly behaviours: () => Behaviours
  /** Series for `endless-pages` that hash into the shard asked. */
  readonly madeUp: MadeUp
}

const sizesOfSplits = Effect.fnUntraced(function*(
  source: ReplicaSourceShape,
  request: ListingRequest,
  elements: ReadonlyArray<ListingElement>
) {
  const batch: BlocksBatchRequest = {
    namespace: request.namespace,
    shard: request.shard,
    elements: elements.map(({ id, start }) => ({ id, starts: [start] }))
  }
  const answers = yield* source.fetchBlocks(batch)
  return new Map(answers.map(({ blocks }, index) => {
    const segments = blocks[0] === undefined ? [] : unmergedBlock(blocks[0]).unmerged ?? []
    const size = segments.reduce((sum, { head, tail }) => sum + head.length + tail.length, 0)
    return [elements[index]!, BigInt(size)] as const
  }))
})

const listBehaved = Effect.fnUntraced(function*(options: BehavedOptions, request: ListingRequest) {
  const behaviours = options.behaviours()
  const page = yield* behavedPage(options.source, behaviours, request, options.madeUp)
  if (page.elements === undefined || behaviours.names.length === 0) return page
  const split = page.elements.filter(({ id }) => hits(behaviours, "unmerged", id))
  const sizes = split.length === 0 ? undefined : yield* sizesOfSplits(options.source, request, split)
  const elements = page.elements.flatMap((element) => behavedListed(behaviours, element, sizes?.get(element)))
  const reorder = behaviours.get("reorder")?.what
  const shown = reorder === "meta" || reorder === "all" ? shuffled(elements) : elements
  return { elements: shown, nextPageToken: page.nextPageToken } satisfies ListingPage
})

/** The source under the behaviours of the moment. `bootstrapped` is the source's own. */
export const behavedSource = (options: BehavedOptions): ReplicaSourceShape => ({
  bootstrapped: options.source.bootstrapped,
  listMetadata: (request) => listBehaved(options, request),
  fetchBlocks: (request) =>
    Effect.map(options.source.fetchBlocks(request), (elements) => {
      const behaviours = options.behaviours()
      return behaviours.names.length === 0 ? elements : behavedElements(behaviours, elements)
    })
})
