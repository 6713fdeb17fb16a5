/** The calls that the kit's checks are made of: requests as trees, answers read back into plain values. */
import type { Address } from "@peerstrap/transport"
import * as Effect from "effect/Effect"
import { type Breach, breach, must, type RawPeer } from "./RawPeer.ts"
import {
  binary,
  bool,
  bytesAt,
  fieldOf,
  i32,
  i64,
  int32At,
  int64At,
  listAt,
  listOf,
  struct,
  type ThriftTree,
  writeTree
} from "./RawThrift.ts"

/** What the kit must know about the node it checks. The node has to be bootstrapped and at rest. */
export interface NodeFacts {
  readonly address: Address
  readonly namespace: string
  readonly numShards: number
  readonly hashSeed: number
  /** A shard that the node owns, with at least five series. */
  readonly shard: number
  /** Another shard that it owns. */
  readonly otherShard: number
  /** A shard that it does not own. */
  readonly unownedShard: number
  /** ns; together a range of whole blocks that holds all data of the shard. */
  readonly rangeStart: bigint
  readonly rangeEnd: bigint
  /** ns. */
  readonly blockSize: bigint
}

export const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)
export const textOf = (bytes: Uint8Array | undefined): string => new TextDecoder().decode(bytes)
export const keyOf = (id: Uint8Array, start: bigint): string => `${Buffer.from(id).toString("hex")}@${start}`

export interface ListingArgs {
  readonly namespace?: string
  readonly shard?: number
  readonly rangeStart?: bigint
  readonly rangeEnd?: bigint
  readonly limit?: bigint
  readonly token?: Uint8Array | undefined
  readonly includes?: boolean
}

export const listingArg3 = (facts: NodeFacts, args: ListingArgs): Uint8Array => {
  const include = args.includes === false ? undefined : bool(true)
  return writeTree(struct({
    1: struct({
      1: binary(utf8(args.namespace ?? facts.namespace)),
      2: i32(args.shard ?? facts.shard),
      3: i64(args.rangeStart ?? facts.rangeStart),
      4: i64(args.rangeEnd ?? facts.rangeEnd),
      5: i64(args.limit ?? 4_096n),
      6: args.token === undefined ? undefined : binary(args.token),
      7: include,
      8: include,
      9: include
    })
  }))
}

export interface BlocksArgs {
  readonly namespace?: string
  readonly shard?: number
  readonly elements: ReadonlyArray<{ readonly id: Uint8Array; readonly starts: ReadonlyArray<bigint> }>
}

export const blocksArg3 = (facts: NodeFacts, args: BlocksArgs): Uint8Array =>
  writeTree(struct({
    1: struct({
      1: binary(utf8(args.namespace ?? facts.namespace)),
      2: i32(args.shard ?? facts.shard),
      3: listOf(
        "struct",
        args.elements.map(({ id, starts }) => struct({ 1: binary(id), 2: listOf("i64", starts.map(i64)) }))
      )
    })
  }))

export const listingMethod = "Node::fetchBlocksMetadataRawV2"
export const blocksMethod = "Node::fetchBlocksRaw"
export const emptyArg3 = Uint8Array.of(0)

/** The value of a result with code 0. */
export const value = (peer: RawPeer, arg1: string, arg3: Uint8Array): Effect.Effect<ThriftTree | undefined, Breach> =>
  Effect.flatMap(peer.answered({ arg1, arg3 }), ({ answer, result }) => {
    const error = fieldOf(result, 1)
    if (error !== undefined) return Effect.fail(breach(`${arg1}: declared error "${textOf(bytesAt(error, 2))}"`))
    return answer.code === 0
      ? Effect.succeed(fieldOf(result, 0))
      : Effect.fail(breach(`${arg1}: code ${answer.code} beside a value`))
  })

/** A call that must end in a declared error of this type and text: code 1, field 1. */
export const declared = (
  peer: RawPeer,
  arg1: string,
  arg3: Uint8Array,
  type: 0 | 1,
  message: string
): Effect.Effect<void, Breach> =>
  Effect.flatMap(peer.answered({ arg1, arg3 }), ({ answer, result }) => {
    const error = fieldOf(result, 1)
    const seen = `code ${answer.code}, type ${int32At(error, 1)}, "${textOf(bytesAt(error, 2))}"`
    const holds = answer.code === 1 && int32At(error, 1) === type && textOf(bytesAt(error, 2)) === message
    return must(holds, () => `${arg1}: want a declared error of type ${type}, "${message}", got ${seen}`)
  })

export interface Listed {
  readonly id: Uint8Array
  readonly start: bigint
  readonly size: bigint | undefined
  readonly checksum: bigint | undefined
  readonly lastRead: bigint | undefined
  readonly lastReadType: number | undefined
  readonly encodedTags: Uint8Array | undefined
}

export interface ListedPage {
  readonly elements: ReadonlyArray<Listed>
  readonly token: Uint8Array | undefined
  readonly inMemory: boolean
}

const listed = (tree: ThriftTree): Effect.Effect<Listed, Breach> => {
  const id = bytesAt(tree, 1)
  const start = int64At(tree, 2)
  if (id === undefined || start === undefined) return Effect.fail(breach("a listing element lacks its id or start"))
  if (fieldOf(tree, 3) !== undefined) return Effect.fail(breach("a listing element carries an error"))
  return Effect.succeed({
    id,
    start,
    size: int64At(tree, 4),
    checksum: int64At(tree, 5),
    lastRead: int64At(tree, 6),
    lastReadType: int32At(tree, 7),
    encodedTags: bytesAt(tree, 8)
  })
}

export const page = Effect.fnUntraced(function*(peer: RawPeer, facts: NodeFacts, args: ListingArgs) {
  const result = yield* value(peer, listingMethod, listingArg3(facts, args))
  const trees = listAt(result, 1)
  if (trees === undefined) return yield* breach("a listing page has no list of elements")
  const inMemory = args.token === undefined || args.token.length === 0 || args.token[0] === 0x0a
  return { elements: yield* Effect.forEach(trees, listed), token: bytesAt(result, 2), inMemory } satisfies ListedPage
})

/** Pages beyond which a listing counts as endless. */
const maxPages = 2_000

/** All pages of a listing. A token that repeats, or no end, is a breach; so is an end after fewer than two calls. */
export const listing = Effect.fnUntraced(function*(peer: RawPeer, facts: NodeFacts, args: ListingArgs) {
  const pages: Array<ListedPage> = []
  const seen = new Set<string>()
  let token = args.token
  do {
    const next: ListedPage = yield* page(peer, facts, { ...args, token })
    pages.push(next)
    token = next.token
    if (token === undefined) break
    const key = Buffer.from(token).toString("hex")
    yield* must(token.length > 0, () => "a page token is empty")
    yield* must(!seen.has(key), () => `page token ${key} came twice`)
    seen.add(key)
  } while (pages.length < maxPages)
  yield* must(pages.length < maxPages, () => `a listing without end: ${maxPages} pages`)
  yield* must(pages.length >= 2, () => "a listing ended after one call")
  return pages
})

export interface AnsweredSegment {
  readonly bytes: Uint8Array
  readonly startTime: bigint | undefined
  readonly blockSize: bigint | undefined
  readonly checksum: bigint | undefined
}

export interface AnsweredBlock {
  readonly start: bigint
  readonly merged: boolean
  readonly segments: ReadonlyArray<AnsweredSegment>
  readonly checksum: bigint | undefined
}

export interface AnsweredElement {
  readonly id: Uint8Array
  readonly blocks: ReadonlyArray<AnsweredBlock>
}

const segment = (tree: ThriftTree): Effect.Effect<AnsweredSegment, Breach> => {
  const head = bytesAt(tree, 1)
  const tail = bytesAt(tree, 2)
  if (head === undefined || tail === undefined) return Effect.fail(breach("a segment lacks its head or tail"))
  return Effect.succeed({
    bytes: Uint8Array.from([...head, ...tail]),
    startTime: int64At(tree, 3),
    blockSize: int64At(tree, 4),
    checksum: int64At(tree, 5)
  })
}

const block = Effect.fnUntraced(function*(tree: ThriftTree) {
  const start = int64At(tree, 1)
  if (start === undefined) return yield* breach("a block lacks its start")
  if (fieldOf(tree, 3) !== undefined) return yield* breach(`the block at ${start} carries an error`)
  const merged = fieldOf(fieldOf(tree, 2), 1)
  const unmerged = listAt(fieldOf(tree, 2), 2) ?? []
  yield* must(
    (merged === undefined) !== (unmerged.length === 0),
    () => `the block at ${start} is not either merged or unmerged`
  )
  const segments = yield* Effect.forEach(merged === undefined ? unmerged : [merged], segment)
  return { start, merged: merged !== undefined, segments, checksum: int64At(tree, 4) } satisfies AnsweredBlock
})

export const blocks = Effect.fnUntraced(function*(peer: RawPeer, facts: NodeFacts, args: BlocksArgs) {
  const result = yield* value(peer, blocksMethod, blocksArg3(facts, args))
  const trees = listAt(result, 1)
  if (trees === undefined) return yield* breach("a block answer has no list of elements")
  const elements: Array<AnsweredElement> = []
  for (const tree of trees) {
    const id = bytesAt(tree, 1)
    const list = listAt(tree, 2)
    if (id === undefined || list === undefined) {
      return yield* breach("an element of a block answer lacks its id or blocks")
    }
    elements.push({ id, blocks: yield* Effect.forEach(list, block) })
  }
  yield* must(
    elements.length === args.elements.length,
    () => `${args.elements.length} elements asked, ${elements.length} answered`
  )
  for (const [index, { id }] of elements.entries()) {
    yield* must(Buffer.compare(id, args.elements[index]!.id) === 0, () => `element ${index} has another id than asked`)
  }
  return elements
})
