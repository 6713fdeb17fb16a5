/** The kit's checks of listings: two phases, tokens, page limits, element fields, declared errors. */
import * as Effect from "effect/Effect"
import { shardOf } from "../codec/ShardHash.ts"
import { decodeTags } from "../codec/Tags.ts"
import { WireFault } from "../codec/WireFault.ts"
import {
  declared,
  keyOf,
  type Listed,
  type ListedPage,
  listing,
  listingArg3,
  listingMethod,
  type NodeFacts,
  page
} from "./KitCalls.ts"
import type { NodeCheck } from "./NodeServerKit.ts"
import { connectReady, must } from "./RawPeer.ts"
import { fieldOf } from "./RawThrift.ts"

const check = (name: string, run: NodeCheck["run"]): NodeCheck => ({ name, hostile: false, run })

const keysOf = (pages: ReadonlyArray<ListedPage>): string =>
  [...new Set(pages.flatMap(({ elements }) => elements.map(({ id, start }) => keyOf(id, start))))].toSorted().join(" ")

const wellFormed = (facts: NodeFacts, element: Listed): string | undefined => {
  const { checksum, encodedTags, id, lastRead, lastReadType, size, start } = element
  if (shardOf(id, facts.hashSeed, facts.numShards) !== facts.shard) return "hashes into another shard"
  if (start % facts.blockSize !== 0n) return `start ${start} is not a multiple of the block size`
  if (start >= facts.rangeEnd || start + facts.blockSize <= facts.rangeStart) return `start ${start} is out of range`
  if (size === undefined || size <= 0n) return `size ${size}`
  if (checksum !== undefined && (checksum < 0n || checksum > 0xffffffffn)) return `checksum ${checksum}`
  if (lastRead === undefined || lastReadType !== 3) return "no last read in ns, although asked"
  if (encodedTags !== undefined && decodeTags(encodedTags) instanceof WireFault) return "tags that do not decode"
  return undefined
}

const fields = check(
  "listing: every element is well formed, and the shard has data",
  (facts) =>
    Effect.gen(function*() {
      const peer = yield* connectReady(facts.address)
      const pages = yield* listing(peer, facts, {})
      const elements = pages.flatMap((one) => one.elements)
      yield* must(elements.length > 0, () => `shard ${facts.shard} lists nothing`)
      for (const element of elements) {
        const problem = wellFormed(facts, element)
        yield* must(problem === undefined, () => `element ${keyOf(element.id, element.start)}: ${problem}`)
      }
      for (const { elements, inMemory } of pages) {
        yield* must(
          inMemory || elements.every(({ checksum }) => checksum !== undefined),
          () => "a disk entry lacks its checksum"
        )
      }
    })
)

const paging = check(
  "listing: any page limit gives the same set, tokens never repeat, two calls at least",
  (facts) =>
    Effect.gen(function*() {
      const peer = yield* connectReady(facts.address)
      const whole = keysOf(yield* listing(peer, facts, {}))
      for (const limit of [1n, 2n, 3n, 7n]) {
        const pages = yield* listing(peer, facts, { limit })
        yield* must(keysOf(pages) === whole, () => `limit ${limit} lists another set than limit 4096`)
        for (const { elements, inMemory } of pages) {
          yield* must(
            inMemory || elements.length <= Number(limit),
            () => `${elements.length} elements at limit ${limit}`
          )
          const series = new Set(elements.map(({ id }) => keyOf(id, 0n))).size
          yield* must(series <= Number(limit), () => `${series} series at limit ${limit}`)
        }
      }
    })
)

const order = check(
  "listing: memory before disk, disk newest block first, no element twice in a phase",
  (facts) =>
    Effect.gen(function*() {
      const peer = yield* connectReady(facts.address)
      for (const limit of [5n, 4_096n]) {
        const pages = yield* listing(peer, facts, { limit })
        const firstDisk = pages.findIndex(({ inMemory }) => !inMemory)
        yield* must(firstDisk > 0, () => "the listing has no disk phase")
        yield* must(pages.slice(firstDisk).every(({ inMemory }) => !inMemory), () => "memory pages after disk pages")
        for (const memory of [true, false]) {
          const elements = pages.filter(({ inMemory }) => inMemory === memory).flatMap((one) => one.elements)
          const keys = elements.map(({ id, start }) => keyOf(id, start))
          yield* must(new Set(keys).size === keys.length, () => "an element came twice in a phase")
          const descending = elements.every(({ start }, index) => index === 0 || start <= elements[index - 1]!.start)
          yield* must(memory || descending, () => "disk blocks are not listed newest first")
        }
      }
    })
)

const includes = check(
  "listing: without include flags no size, checksum or last read",
  (facts) =>
    Effect.gen(function*() {
      const peer = yield* connectReady(facts.address)
      for (const { elements } of yield* listing(peer, facts, { includes: false })) {
        const bare = elements.every(({ checksum, lastRead, size }) =>
          checksum === undefined && lastRead === undefined && size === undefined
        )
        yield* must(bare, () => "fields that were not asked for")
      }
    })
)

const diskStarts = (pages: ReadonlyArray<ListedPage>): ReadonlyArray<bigint> =>
  pages.filter(({ inMemory }) => !inMemory).flatMap(({ elements }) => elements.map(({ start }) => start))

const range = check(
  "listing: only blocks in range; a disk block that the end cuts is not listed",
  (facts) =>
    Effect.gen(function*() {
      const peer = yield* connectReady(facts.address)
      const { blockSize, rangeEnd, rangeStart } = facts
      const one = yield* listing(peer, facts, { rangeEnd: rangeStart + blockSize })
      const starts = new Set(one.flatMap(({ elements }) => elements.map(({ start }) => start)))
      yield* must(
        [...starts].every((start) => start === rangeStart),
        () => `one block asked, listed ${[...starts].join()}`
      )
      const newest = diskStarts(yield* listing(peer, facts, {}))[0]
      if (newest !== undefined) {
        const whole = diskStarts(yield* listing(peer, facts, { rangeEnd: newest + blockSize }))
        yield* must(whole[0] === newest, () => "a disk block that ends with the range is not listed")
        const cut = diskStarts(yield* listing(peer, facts, { rangeEnd: newest + blockSize - 1n }))
        yield* must(!cut.includes(newest), () => "a disk block that the range's end cuts is listed")
      }
      const backwards = yield* listing(peer, facts, { rangeStart: rangeEnd, rangeEnd: rangeStart })
      yield* must(keysOf(backwards) === "", () => "an end before the start lists something")
    })
)

const tokens = check(
  "listing: an empty token counts as absent, a broken one is a bad request",
  (facts) =>
    Effect.gen(function*() {
      const peer = yield* connectReady(facts.address)
      const first = yield* page(peer, facts, { limit: 3n })
      const empty = yield* page(peer, facts, { limit: 3n, token: new Uint8Array(0) })
      yield* must(keysOf([first]) === keysOf([empty]), () => "an empty token is not the first page")
      const broken = listingArg3(facts, { token: Uint8Array.of(0xff, 0xf0, 0x01) })
      yield* declared(peer, listingMethod, broken, 1, "shard could not unmarshal page token")
      // Tokens may be used on another connection.
      if (first.token !== undefined) {
        const other = yield* connectReady(facts.address)
        const here = yield* page(peer, facts, { limit: 3n, token: first.token })
        const there = yield* page(other, facts, { limit: 3n, token: first.token })
        yield* must(keysOf([here]) === keysOf([there]), () => "a token means something else on another connection")
      }
    })
)

const errors = check("listing: declared errors, their order and texts", (facts) =>
  Effect.gen(function*() {
    const peer = yield* connectReady(facts.address)
    const token = Uint8Array.of(0xff, 0xf0, 0x01)
    const fails = (args: Parameters<typeof listingArg3>[1], type: 0 | 1, text: string) =>
      declared(peer, listingMethod, listingArg3(facts, args), type, text)
    yield* fails({ namespace: "no-such", shard: facts.unownedShard, token }, 1, "unknown namespace: no-such")
    yield* fails({ shard: facts.unownedShard, token }, 0, `not responsible for shard ${facts.unownedShard}`)
    yield* fails({ shard: -1 }, 0, "not responsible for shard 4294967295")
    for (const limit of [0n, -1n]) {
      const { answer, result } = yield* peer.answered({ arg1: listingMethod, arg3: listingArg3(facts, { limit }) })
      const empty = answer.code === 0 && answer.args[2].join() === "0" && fieldOf(result, 0) === undefined
      yield* must(empty, () => `limit ${limit} is not answered by a result struct without fields`)
    }
  }))

export const listingChecks: ReadonlyArray<NodeCheck> = [fields, paging, order, includes, range, tokens, errors]
