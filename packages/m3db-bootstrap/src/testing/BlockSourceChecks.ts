/** What every source of blocks does, as streaming asks it: listings page by page, blocks by id, errors with a reason, and calls that end. */
import { atEachStep, type Check, expectFailure, expectSame, expectTrue, fail } from "@peerstrap/conformance"
import { type CallError, type CallErrorReason, type MetadataPage, type NodeClient, toHex } from "@peerstrap/m3db-wire"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { PeerBlocks } from "../contract/PeerBlocks.ts"
import {
  answerLines,
  blocksRequest,
  foreignShard,
  namespace,
  pageLines,
  shards,
  sourceSpec,
  type TrueBlock,
  trueBlocks,
  trueLine
} from "./SourceTruth.ts"

/** What of the source's inside can be seen. Members go with a capability of the kit. */
export class SourceWorld extends Context.Service<SourceWorld, {
  /** Calls that are under way, or connections that are in use by one. Capability `counts-calls`. */
  readonly underWay?: Effect.Effect<number>
}>()("@peerstrap/m3db-bootstrap/testing/SourceWorld") {}

/** What a source may be unable to do. */
export const blockSourceCapabilities = {
  "declares-errors":
    "it tells a namespace and a shard that it does not have, and a token that is none of its own, by their reason",
  "bounds-answers": "it drops an answer above the size that the caller allows",
  "counts-bytes": "it tells bytes as they arrive",
  "counts-calls": "what is under way can be counted"
} as const

export type BlockSourceCapability = keyof typeof blockSourceCapabilities

export type BlockSourceCheck = Check<PeerBlocks | SourceWorld, BlockSourceCapability>

type Body = (client: NodeClient) => Effect.Effect<unknown, unknown, PeerBlocks | SourceWorld | Scope.Scope>

const check = (name: string, needs: ReadonlyArray<BlockSourceCapability>, body: Body): BlockSourceCheck => ({
  name,
  needs,
  run: Effect.asVoid(
    PeerBlocks.use(({ peers: [client] }) => client === undefined ? fail("there is no peer") : body(client))
  )
})

const start = sourceSpec.start
const end = start + BigInt(sourceSpec.blocks) * sourceSpec.blockSize
const pageLimit = 7
/** Far above the pages of a shard. */
const maxPages = 100

interface Listing {
  readonly shard: number
  readonly limit?: number
  readonly range?: readonly [from: bigint, to: bigint]
}

const pageOf = (
  client: NodeClient,
  { limit = pageLimit, range: [rangeStart, rangeEnd] = [start, end], shard }: Listing,
  pageToken?: Uint8Array
) => client.fetchBlocksMetadata({ namespace, shard, rangeStart, rangeEnd, limit, pageToken })

const pagesOf = Effect.fnUntraced(function*(client: NodeClient, listing: Listing) {
  const pages: Array<MetadataPage> = []
  let token: Uint8Array | undefined
  do {
    const page: MetadataPage = yield* pageOf(client, listing, token)
    pages.push(page)
    token = page.nextPageToken
    if (pages.length > maxPages) return yield* fail(`the listing goes on after ${maxPages} pages`)
  } while (token !== undefined)
  return pages
})

const expectLines = (what: string, seen: ReadonlyArray<string>, expected: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    yield* expectSame(`${what}: how many`, seen.length, expected.length)
    for (const [i, line] of seen.entries()) yield* expectSame(`${what}, no. ${i}`, line, expected[i])
  })

const listedOf = (blocks: ReadonlyArray<TrueBlock>) => blocks.map(({ listed }) => listed).toSorted()

const listing: ReadonlyArray<BlockSourceCheck> = [
  check(
    "lists every block of a shard once, with tags, size and checksum",
    [],
    (client) =>
      Effect.forEach(
        shards,
        (shard) =>
          Effect.flatMap(pagesOf(client, { shard }), (pages) =>
            expectLines(`rows of shard ${shard}`, pages.flatMap(pageLines).toSorted(), listedOf(trueBlocks(shard))))
      )
  ),
  check(
    "gives pages no larger than asked",
    [],
    (client) =>
      Effect.flatMap(pagesOf(client, { shard: 0 }), (pages) =>
        Effect.forEach(pages, (page) => {
          const ids = new Set(pageLines(page).map((line) => line.split(" ")[0]))
          return expectTrue(`a page has ${ids.size} series, ${pageLimit} were asked for`, ids.size <= pageLimit)
        }))
  ),
  check(
    "gives the same page for the same token",
    [],
    Effect.fnUntraced(function*(client) {
      const { nextPageToken } = yield* pageOf(client, { shard: 0 })
      if (nextPageToken === undefined) return yield* fail("the first page has no token, and there is more")
      const first = yield* pageOf(client, { shard: 0 }, nextPageToken)
      const again = yield* pageOf(client, { shard: 0 }, nextPageToken)
      yield* expectLines("rows of the second page, asked again", pageLines(again), pageLines(first))
    })
  ),
  check(
    "lists blocks of the range only",
    [],
    Effect.fnUntraced(function*(client) {
      const middle = start + sourceSpec.blockSize
      const pages = yield* pagesOf(client, { shard: 1, range: [middle, middle + sourceSpec.blockSize] })
      const expected = listedOf(trueBlocks(1).filter((block) => block.start === middle))
      yield* expectLines("rows of one block", pages.flatMap(pageLines).toSorted(), expected)
    })
  )
]

const batch = 16

const expectBlocks = Effect.fnUntraced(
  function*(client: NodeClient, shard: number, blocks: ReadonlyArray<TrueBlock>) {
    const answer = yield* client.fetchBlocks(blocksRequest(shard, blocks))
    yield* expectLines(`elements of a batch of ${blocks.length}`, answerLines(answer), blocks.map(trueLine))
  }
)

const encoder = new TextEncoder()

const fetching: ReadonlyArray<BlockSourceCheck> = [
  check(
    "answers every block by id, in the order asked, byte by byte",
    [],
    Effect.fnUntraced(function*(client) {
      for (const shard of shards) {
        const all = trueBlocks(shard)
        for (let from = 0; from < all.length; from += batch) {
          yield* expectBlocks(client, shard, all.slice(from, from + batch).toReversed())
        }
      }
    })
  ),
  check("answers what is asked twice twice", [], (client) => {
    const all = trueBlocks(0)
    const [one, two] = [all[0]!, all.at(-1)!]
    return expectBlocks(client, 0, [one, two, one])
  }),
  check(
    "has an element without a block for what it does not hold",
    [],
    Effect.fnUntraced(function*(client) {
      const [known] = trueBlocks(0)
      const unknown = { id: encoder.encode("nobody has this"), start }
      const tooLate = { id: known!.id, start: end + sourceSpec.blockSize }
      const answer = yield* client.fetchBlocks(blocksRequest(0, [unknown, known!, tooLate]))
      yield* expectLines("elements", answerLines(answer), [toHex(unknown.id), trueLine(known!), toHex(known!.id)])
    })
  ),
  check(
    "answers a request for nothing with nothing",
    [],
    Effect.fnUntraced(function*(client) {
      const answer = yield* client.fetchBlocks(blocksRequest(0, []))
      yield* expectSame("elements", answer.elementCount, 0)
    })
  ),
  check("gives each of many calls at once its own answer", [], (client) => {
    const all = shards.flatMap((shard) => trueBlocks(shard).slice(0, 24).map((block) => ({ shard, block })))
    return Effect.forEach(all, ({ block, shard }) => expectBlocks(client, shard, [block]), { concurrency: 12 })
  }),
  check(
    "leaves an answer alone until it is released",
    [],
    Effect.fnUntraced(function*(client) {
      const [one, two, three] = trueBlocks(0)
      const kept = yield* client.fetchBlocks(blocksRequest(0, [one!]))
      const page = yield* pageOf(client, { shard: 0 })
      const rows = pageLines(page)
      const other = yield* client.fetchBlocks(blocksRequest(0, [two!]))
      other.release?.()
      other.release?.()
      yield* expectBlocks(client, 0, [three!])
      yield* pageOf(client, { shard: 1 })
      yield* expectLines("elements of an earlier answer", answerLines(kept), [trueLine(one!)])
      yield* expectLines("rows of an earlier page", pageLines(page), rows)
    })
  )
]

const refused = Effect.fnUntraced(function*(
  what: string,
  client: NodeClient,
  call: Effect.Effect<unknown, CallError>,
  reason: CallErrorReason
) {
  const error = yield* expectFailure(what, call, (failure) => failure.reason === reason)
  yield* expectSame(`peer in the error of ${what}`, error.peer, client.peer)
  const { message } = error
  yield* expectTrue(`the error of ${what} has words, 1 KiB at most`, message !== "" && message.length <= 1_024)
})

const elsewhere = encoder.encode("no such namespace")

const errors: ReadonlyArray<BlockSourceCheck> = [
  check(
    "says that it is ready, and each peer is named once",
    [],
    Effect.fnUntraced(function*(client) {
      const { bootstrapped, ok } = yield* client.health()
      yield* expectSame("health", { bootstrapped, ok }, { bootstrapped: true, ok: true })
      const names = yield* PeerBlocks.use(({ peers }) => Effect.succeed(peers.map(({ peer }) => peer)))
      yield* expectSame("peers by name", names.length, new Set(names).size)
    })
  ),
  check(
    "refuses a namespace that it does not have",
    ["declares-errors"],
    Effect.fnUntraced(function*(client) {
      const blocks = client.fetchBlocks(blocksRequest(0, trueBlocks(0).slice(0, 1), elsewhere))
      yield* refused("blocks of another namespace", client, blocks, "unknown-namespace")
      const pages = client.fetchBlocksMetadata({
        namespace: elsewhere,
        shard: 0,
        rangeStart: start,
        rangeEnd: end,
        limit: 1
      })
      yield* refused("a listing of another namespace", client, pages, "unknown-namespace")
    })
  ),
  check(
    "refuses a shard that it does not own",
    ["declares-errors"],
    Effect.fnUntraced(function*(client) {
      const blocks = client.fetchBlocks(blocksRequest(foreignShard, trueBlocks(0).slice(0, 1)))
      yield* refused("blocks of a foreign shard", client, blocks, "not-owned")
      yield* refused("a listing of a foreign shard", client, pageOf(client, { shard: foreignShard }), "not-owned")
    })
  ),
  check(
    "refuses a token that is none",
    ["declares-errors"],
    (client) =>
      refused("a wrong token", client, pageOf(client, { shard: 0 }, Uint8Array.of(255, 255, 255)), "bad-request")
  ),
  check(
    "works after it has refused",
    ["declares-errors"],
    Effect.fnUntraced(function*(client) {
      for (let i = 0; i < 5; i++) yield* Effect.ignore(pageOf(client, { shard: foreignShard }))
      yield* expectBlocks(client, 0, trueBlocks(0).slice(0, 3))
    })
  )
]

const smallAnswer = 64

const bounds: ReadonlyArray<BlockSourceCheck> = [
  check(
    "drops an answer that is larger than allowed, and works on",
    ["bounds-answers"],
    Effect.fnUntraced(function*(client) {
      const some = trueBlocks(0).slice(0, batch)
      const options = { maxAnswerBytes: smallAnswer }
      yield* refused("blocks above the bound", client, client.fetchBlocks(blocksRequest(0, some), options), "too-large")
      const page = client.fetchBlocksMetadata(
        { namespace, shard: 0, rangeStart: start, rangeEnd: end, limit: 7 },
        options
      )
      yield* refused("a page above the bound", client, page, "too-large")
      yield* expectBlocks(client, 0, some)
    })
  ),
  check(
    "tells the bytes of an answer as they arrive",
    ["counts-bytes"],
    Effect.fnUntraced(function*(client) {
      let told = 0
      const some = trueBlocks(0).slice(0, batch)
      const answer = yield* client.fetchBlocks(blocksRequest(0, some), { onBytes: (bytes) => void (told += bytes) })
      const streams = [...answer.headLength, ...answer.tailLength].reduce((sum, length) => sum + length, 0)
      yield* expectTrue(`at least the ${streams} bytes of the streams are told; told were ${told}`, told >= streams)
    })
  )
]

const underWay = Effect.flatMap(
  SourceWorld,
  ({ underWay: count }) =>
    count ?? fail("there is no SourceWorld.underWay, though the capability counts-calls is declared true")
)

const interrupted = (client: NodeClient, after: Effect.Effect<void, unknown, SourceWorld>) =>
  Effect.gen(function*() {
    const request = blocksRequest(0, trueBlocks(0).slice(0, 4))
    yield* atEachStep(client.fetchBlocks(request), () => after)
    yield* atEachStep(pageOf(client, { shard: 0 }), () => after)
  })

const interruption: ReadonlyArray<BlockSourceCheck> = [
  check(
    "works after calls that were interrupted at each step",
    [],
    (client) => interrupted(client, Effect.asVoid(expectBlocks(client, 0, trueBlocks(0).slice(0, 2))))
  ),
  check(
    "has nothing under way after calls that were interrupted at each step",
    ["counts-calls"],
    (client) =>
      Effect.flatMap(underWay, (before) =>
        interrupted(
          client,
          Effect.flatMap(underWay, (now) => expectSame("calls under way", now, before))
        ))
  )
]

export const blockSourceChecks: ReadonlyArray<BlockSourceCheck> = [
  ...listing,
  ...fetching,
  ...errors,
  ...bounds,
  ...interruption
]
