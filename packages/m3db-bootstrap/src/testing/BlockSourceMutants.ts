/** Sources that are wrong in one way each; the kit rejects every one, for the reason that stands with it. */
import type { Mutant } from "@peerstrap/conformance"
import {
  type BlocksAnswer,
  type BlocksRequest,
  CallError,
  type CallErrorReason,
  type MetadataPage,
  type NodeClient
} from "@peerstrap/m3db-wire"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Semaphore from "effect/Semaphore"
import { PeerBlocks } from "../contract/PeerBlocks.ts"
import { SourceWorld } from "./BlockSourceChecks.ts"
import { type CallsUnderWay, directClient } from "./DirectSource.ts"
import { sourceReplica } from "./SourceTruth.ts"

export type BlockSourceMutant = Mutant<PeerBlocks | SourceWorld>

type Change = (client: NodeClient, underWay: CallsUnderWay) => Partial<NodeClient>

/** A source in this process with the kit's data; `change` spoils it. */
export const directSourceLayer = (change: Change = () => ({}), peers = 1): Layer.Layer<PeerBlocks | SourceWorld> =>
  Layer.effectContext(Effect.sync(() => {
    const underWay: CallsUnderWay = { calls: 0 }
    const plain = directClient("A", sourceReplica().source(), underWay)
    const client = { ...plain, ...change(plain, underWay) }
    return Context.make(PeerBlocks, { peers: Array.from({ length: peers }, () => client) }).pipe(
      Context.add(SourceWorld, { underWay: Effect.sync(() => underWay.calls) })
    )
  }))

const mutant = (
  name: string,
  rejectedBy: string,
  because: BlockSourceMutant["because"],
  change: Change,
  peers?: number
): BlockSourceMutant => ({ name, rejectedBy, because, layer: directSourceLayer(change, peers) })

/** The same columns, some of them other ones. */
const withColumns = <A extends object>(columns: A, other: Partial<A>): A =>
  Object.create(columns, Object.getOwnPropertyDescriptors(other)) as A

const pages = (change: (page: MetadataPage) => Partial<MetadataPage>): Change => ({ fetchBlocksMetadata }) => ({
  fetchBlocksMetadata: (request, options) =>
    Effect.map(fetchBlocksMetadata(request, options), (page) => withColumns(page, change(page)))
})

const answers =
  (change: (answer: BlocksAnswer, request: BlocksRequest) => Partial<BlocksAnswer>): Change => ({ fetchBlocks }) => ({
    fetchBlocks: (request, options) =>
      Effect.map(fetchBlocks(request, options), (answer) => withColumns(answer, change(answer, request)))
  })

const everyBlock = "lists every block of a shard once, with tags, size and checksum"
const byId = "answers every block by id, in the order asked, byte by byte"
const alone = "leaves an answer alone until it is released"
const sameToken = "gives the same page for the same token"

const listings: ReadonlyArray<BlockSourceMutant> = [
  mutant(
    "loses the last row of each page",
    everyBlock,
    /rows of shard 0: how many: saw/,
    pages(({ count }) => ({
      count: Math.max(0, count - 1)
    }))
  ),
  mutant("lists the first page for ever", everyBlock, /goes on after 100 pages/, ({ fetchBlocksMetadata }) => ({
    fetchBlocksMetadata: ({ pageToken, ...request }, options) =>
      Effect.map(
        fetchBlocksMetadata(request, options),
        (page) => withColumns(page, { nextPageToken: pageToken ?? page.nextPageToken })
      )
  })),
  mutant(
    "forgets tags",
    everyBlock,
    /tags {2}start .* expected .* tags [0-9a-f]+ start/,
    pages(({ tagsLength }) => ({
      tagsLength: tagsLength.map(() => 0)
    }))
  ),
  mutant(
    "has signed checksums",
    everyBlock,
    /checksum -\d+", expected/,
    pages(({ checksum }) => ({
      checksum: checksum.map((one) => one | 0)
    }))
  ),
  mutant(
    "rounds sizes",
    everyBlock,
    /size \d+ checksum .* expected .* size \d+ checksum/,
    pages(({ size }) => ({
      size: size.map((one) => one & ~15)
    }))
  ),
  mutant(
    "calls healthy rows failed",
    everyBlock,
    /failed", expected/,
    pages(({ failed }) => ({
      failed: failed.map(() => 1)
    }))
  ),
  mutant(
    "ignores the limit",
    "gives pages no larger than asked",
    /a page has \d+ series, 7 were asked for/,
    (plain) => ({
      fetchBlocksMetadata: (request, options) => plain.fetchBlocksMetadata({ ...request, limit: 4_096 }, options)
    })
  ),
  mutant("has tokens that work once", sameToken, /asked again: how many: saw 0/, ({ fetchBlocksMetadata }) => {
    const used = new Set<string>()
    return {
      fetchBlocksMetadata: (request, options) =>
        Effect.map(fetchBlocksMetadata(request, options), (page) => {
          const token = String(request.pageToken)
          const isUsed = request.pageToken !== undefined && used.has(token)
          used.add(token)
          return isUsed ? withColumns(page, { count: 0 }) : page
        })
    }
  }),
  mutant("ignores the range", "lists blocks of the range only", /rows of one block: how many: saw/, (plain) => ({
    fetchBlocksMetadata: (request, options) =>
      plain.fetchBlocksMetadata({ ...request, rangeStart: 0n, rangeEnd: 1n << 62n }, options)
  }))
]

const failing = (client: NodeClient, reason: CallErrorReason, message: string): Effect.Effect<never, CallError> =>
  Effect.fail(
    new CallError({ peer: client.peer, address: client.address, method: "test", reason, message, receivedBytes: 0 })
  )

const picked = ({ ids, startHi, startLo, ...request }: BlocksRequest, rows: ReadonlyArray<number>): BlocksRequest => ({
  ...request,
  ids: rows.map((row) => ids[row]!),
  startHi: Int32Array.from(rows, (row) => startHi[row]!),
  startLo: Int32Array.from(rows, (row) => startLo[row]!)
})

const asking = (choose: (request: BlocksRequest) => ReadonlyArray<number>): Change => ({ fetchBlocks }) => ({
  fetchBlocks: (request, options) => fetchBlocks(picked(request, choose(request)), options)
})

const all = ({ ids }: BlocksRequest): ReadonlyArray<number> => ids.map((_, row) => row)

/** One buffer for all answers, as if each were the only one. */
const oneBuffer: Change = ({ fetchBlocks }) => {
  const own = new Uint8Array(1 << 20)
  return {
    fetchBlocks: (request, options) =>
      Effect.map(fetchBlocks(request, options), (answer) => {
        own.set(answer.buffer)
        return withColumns(answer, { buffer: own })
      })
  }
}

const fetching: ReadonlyArray<BlockSourceMutant> = [
  mutant(
    "answers in order of ids",
    byId,
    /elements of a batch of 16, no\. \d+: saw/,
    asking((request) => {
      const hex = (row: number): string => String(request.ids[row])
      return all(request).toSorted((a, b) => hex(a) < hex(b) ? -1 : 1)
    })
  ),
  mutant(
    "drops the last byte of a stream",
    byId,
    /no\. \d+: saw "([0-9a-f]+ \d+: [0-9a-f]+)", expected "\1[0-9a-f]{2}"/,
    answers((answer) => ({
      tailLength: answer.tailLength.map((length) => Math.max(0, length - 1))
    }))
  ),
  mutant(
    "drops the last element",
    byId,
    /a batch of 16: how many: saw 15, expected 16/,
    asking((request) => request.ids.length > 4 ? all(request).slice(0, -1) : all(request))
  ),
  mutant(
    "gives one of several unmerged streams",
    byId,
    /no\. \d+: saw "[0-9a-f]+ \d+: ([0-9a-f]+)", expected ".*\1 /,
    answers((answer) => ({
      firstSegment: answer.firstSegment.map((row, block) =>
        block > 0 && row - answer.firstSegment[block - 1]! > 1 ? row - 1 : row
      )
    }))
  ),
  mutant(
    "answers once what is asked twice",
    "answers what is asked twice twice",
    /how many: saw 2, expected 3/,
    asking((request) =>
      all(request).filter((row) => request.ids.findIndex((id) => String(id) === String(request.ids[row])) === row)
    )
  ),
  mutant(
    "leaves out what it does not hold",
    "has an element without a block for what it does not hold",
    /elements: how many: saw 2, expected 3/,
    asking((request) => all(request).filter((row) => !new TextDecoder().decode(request.ids[row]).startsWith("nobody")))
  ),
  mutant("cannot ask for nothing", "answers a request for nothing with nothing", /nothing to ask/, (plain) => ({
    fetchBlocks: (request, options) =>
      request.ids.length === 0 ? Effect.die(new Error("nothing to ask")) : plain.fetchBlocks(request, options)
  })),
  mutant(
    "mixes up calls at once",
    "gives each of many calls at once its own answer",
    /elements of a batch of 1, no\. 0: saw/,
    ({ fetchBlocks }) => {
      let latest: BlocksRequest
      return {
        fetchBlocks: (request, options) => {
          latest = request
          return Effect.andThen(Effect.yieldNow, Effect.suspend(() => fetchBlocks(latest, options)))
        }
      }
    }
  ),
  mutant("has one buffer for all answers", alone, /elements of an earlier answer, no\. 0: saw/, oneBuffer)
]

const unknownNamespace = "refuses a namespace that it does not have"
const foreign = "refuses a shard that it does not own"
const tooLarge = "drops an answer that is larger than allowed, and works on"

/** Makes another error of each, or nothing of it. */
const errors =
  (change: (error: CallError, client: NodeClient) => Effect.Effect<never, CallError>): Change => (client) => ({
    fetchBlocks: (request, options) =>
      Effect.catch(client.fetchBlocks(request, options), (error) => change(error, client)),
    fetchBlocksMetadata: (request, options) =>
      Effect.catch(client.fetchBlocksMetadata(request, options), (error) => change(error, client))
  })

const refusing: ReadonlyArray<BlockSourceMutant> = [
  mutant("is not ready", "says that it is ready, and each peer is named once", /"bootstrapped":false/, () => ({
    health: () => Effect.succeed({ ok: true, status: "up", bootstrapped: false })
  })),
  mutant(
    "names a peer twice",
    "says that it is ready, and each peer is named once",
    /peers by name: saw 2, expected 1/,
    () => ({}),
    2
  ),
  mutant(
    "calls every error internal",
    unknownNamespace,
    /blocks of another namespace: failed with .*internal/,
    errors((error, client) => failing(client, "internal", error.message))
  ),
  mutant(
    "fails without a word",
    unknownNamespace,
    /has words, 1 KiB at most/,
    errors((error, client) => failing(client, error.reason, ""))
  ),
  mutant(
    "blames another peer",
    foreign,
    /peer in the error of blocks of a foreign shard: saw "B", expected "A"/,
    errors((error, client) => failing({ ...client, peer: "B" }, error.reason, error.message))
  ),
  mutant(
    "has nothing of a foreign shard",
    foreign,
    /blocks of a foreign shard: succeeded, expected it to fail/,
    (plain) => ({
      fetchBlocks: (request, options) =>
        plain.fetchBlocks(request.shard === 2 ? picked({ ...request, shard: 0 }, []) : request, options)
    })
  ),
  mutant("begins anew at a wrong token", "refuses a token that is none", /a wrong token: succeeded/, (plain) => ({
    fetchBlocksMetadata: (request, options) =>
      Effect.catchIf(
        plain.fetchBlocksMetadata(request, options),
        ({ reason }) => reason === "bad-request",
        () => plain.fetchBlocksMetadata({ ...request, pageToken: undefined }, options)
      )
  })),
  mutant("gives up after five refusals", "works after it has refused", /gave up/, (client) => {
    let left = 5
    const gaveUp = <A>(call: Effect.Effect<A, CallError>) =>
      Effect.suspend(() =>
        left <= 0
          ? failing(client, "closed", "gave up")
          : Effect.tapError(call, () => Effect.sync(() => void left--))
      )
    return {
      fetchBlocks: (request, options) => gaveUp(client.fetchBlocks(request, options)),
      fetchBlocksMetadata: (request, options) => gaveUp(client.fetchBlocksMetadata(request, options))
    }
  }),
  mutant("holds an answer however large it is", tooLarge, /blocks above the bound: succeeded/, ({ fetchBlocks }) => ({
    fetchBlocks: (request, { onBytes } = {}) => fetchBlocks(request, onBytes === undefined ? {} : { onBytes })
  })),
  mutant(
    "tells no bytes",
    "tells the bytes of an answer as they arrive",
    /at least the \d+ bytes of the streams are told; told were 0/,
    ({ fetchBlocks }) => ({
      fetchBlocks: (request, { maxAnswerBytes } = {}) =>
        fetchBlocks(request, maxAnswerBytes === undefined ? {} : { maxAnswerBytes })
    })
  )
]

const interruption: ReadonlyArray<BlockSourceMutant> = [
  mutant(
    "keeps its one connection when a call is interrupted",
    "works after calls that were interrupted at each step",
    "hangs",
    ({ fetchBlocks }) => {
      const connection = Semaphore.makeUnsafe(1)
      return {
        fetchBlocks: (request, options) =>
          Effect.andThen(
            Semaphore.take(connection, 1),
            Effect.onExit(fetchBlocks(request, options), ({ _tag }) =>
              _tag === "Success" ? Semaphore.release(connection, 1) : Effect.void)
          )
      }
    }
  ),
  mutant(
    "leaves a call under way when it is interrupted",
    "has nothing under way after calls that were interrupted at each step",
    /calls under way: saw 1, expected 0/,
    ({ fetchBlocks }, underWay) => ({
      fetchBlocks: (request, options) =>
        Effect.onInterrupt(fetchBlocks(request, options), () => Effect.sync(() => void underWay.calls++))
    })
  )
]

export const blockSourceMutants: ReadonlyArray<BlockSourceMutant> = [
  ...listings,
  ...fetching,
  ...refusing,
  ...interruption
]
