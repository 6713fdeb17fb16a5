// Our client against the independent replica over real sockets: the healthy way, legal oddities, and misbehaviour.
import { assert, describe, it } from "@effect/vitest"
import {
  absentChecksum,
  type BlocksAnswer,
  CallError,
  ChecksumType,
  type CountingNodeClient,
  makeNodeClient,
  type MetadataPage,
  type NodeClientLimits
} from "@peerstrap/m3db-wire"
import { adler32 } from "@peerstrap/m3tsz"
import { Tcp } from "@peerstrap/transport"
import * as Effect from "effect/Effect"
import * as Net from "node:net"
import { type Replica, replicaMissing, startReplica } from "./replica.ts"

if (replicaMissing !== undefined) console.warn(`NodeClient.integration.test.ts: ${replicaMissing}`)

const replicaIt = replicaMissing === undefined ? it.live : it.live.skip
const generate = "series=60,points=20,blocks=2,start=1795226400000000000,seed=7,active=1"

const open = (replica: Replica, limits: NodeClientLimits = {}) =>
  makeNodeClient({ peer: "B", address: { host: replica.host, port: replica.port }, ...limits }).pipe(
    Effect.provide(Tcp.layer)
  )

const serve = startReplica(["--generate", generate, "--shards", "4"])

/** Every page of one shard, in order. */
const listShard = Effect.fnUntraced(
  function*(client: CountingNodeClient, replica: Replica, shard: number, limit: number) {
    const pages: Array<MetadataPage> = []
    let pageToken: Uint8Array | undefined
    do {
      const page = yield* client.fetchBlocksMetadata({
        namespace: replica.namespace,
        shard,
        rangeStart: replica.start,
        rangeEnd: replica.end,
        limit,
        pageToken
      })
      pages.push(page)
      pageToken = page.nextPageToken
    } while (pageToken !== undefined)
    return pages
  }
)

const fetchPage = (client: CountingNodeClient, replica: Replica, shard: number, page: MetadataPage) =>
  client.fetchBlocks({
    namespace: replica.namespace,
    shard,
    ids: Array.from(
      { length: page.count },
      (_, i) => page.buffer.subarray(page.idOffset[i]!, page.idOffset[i]! + page.idLength[i]!)
    ),
    startHi: page.startHi,
    startLo: page.startLo
  })

/** The stream of a segment: head and tail together. */
const stream = (answer: BlocksAnswer, segment: number): Uint8Array => {
  const head = answer.headOffset[segment]!
  const tail = answer.tailOffset[segment]!
  return Buffer.concat([
    answer.buffer.subarray(head, head + answer.headLength[segment]!),
    answer.buffer.subarray(tail, tail + answer.tailLength[segment]!)
  ])
}

/** Lists and fetches everything; returns the number of blocks, every one of which was checked. */
const streamEverything = Effect.fnUntraced(function*(client: CountingNodeClient, replica: Replica, limit = 7) {
  let blocks = 0
  for (let shard = 0; shard < replica.shards; shard++) {
    const pages = yield* listShard(client, replica, shard, limit)
    assert.isAtLeast(pages.length, 2)
    for (const page of pages.filter((page) => page.count > 0)) {
      const answer = yield* fetchPage(client, replica, shard, page)
      assert.strictEqual(answer.elementCount, page.count)
      for (let i = 0; i < page.count; i++) {
        assert.strictEqual(answer.firstBlock[i + 1]! - answer.firstBlock[i]!, 1)
        const block = answer.firstBlock[i]!
        const bytes = stream(answer, answer.firstSegment[block]!)
        assert.strictEqual(answer.form[block], 1)
        assert.strictEqual(answer.startLo[block], page.startLo[i])
        assert.notStrictEqual(page.checksum[i], absentChecksum)
        assert.strictEqual(adler32(bytes), page.checksum[i])
        assert.strictEqual(bytes.length, page.size[i])
        blocks++
      }
    }
  }
  return blocks
})

const failsWith = (reason: CallError["reason"], outcome: unknown): CallError => {
  assert.instanceOf(outcome, CallError)
  assert.strictEqual((outcome as CallError).reason, reason)
  assert.isAbove((outcome as CallError).message.length, 0)
  return outcome as CallError
}

/** One blocks call for the first page that has elements, its failure as the value. */
const firstFetch = Effect.fnUntraced(function*(client: CountingNodeClient, replica: Replica) {
  const pages = yield* listShard(client, replica, 0, 100)
  return yield* Effect.flip(fetchPage(client, replica, 0, pages.find((page) => page.count > 0)!))
})

describe(`client against the independent replica${replicaMissing === undefined ? "" : ` (SKIPPED: ${replicaMissing})`}`, () => {
  replicaIt("answers health, lists every page and fetches every block", () =>
    Effect.gen(function*() {
      const replica = yield* serve
      const client = yield* open(replica)
      assert.deepStrictEqual(yield* client.health(), { ok: true, status: "up", bootstrapped: true })
      assert.strictEqual(yield* streamEverything(client, replica), replica.blocks)
      assert.strictEqual(client.counters.failedCalls, 0)
      assert.strictEqual(client.counters.dials, 2)
      assert.isAbove(client.counters.bytesIn, replica.bytes)
    }))

  replicaIt(
    "gets everything in spite of drip and small frames, with every checksum type",
    () =>
      Effect.gen(function*() {
        const spec = "series=12,points=4,blocks=1,start=1795226400000000000,seed=7"
        const replica = yield* startReplica(["--generate", spec, "--shards", "2"])
        for (
          const [behaviour, checksumType] of [
            ["drip", ChecksumType.crc32],
            ["frame-size:90", ChecksumType.crc32],
            ["frame-size:61", ChecksumType.none],
            ["frame-size:200", ChecksumType.crc32c]
          ] as const
        ) {
          yield* replica.behave(behaviour)
          const client = yield* open(replica, { checksumType })
          assert.strictEqual(yield* streamEverything(client, replica, 5), replica.blocks, behaviour)
        }
      })
  )

  replicaIt("tells hostile answers and every kind of error apart, while health goes on", () =>
    Effect.gen(function*() {
      const replica = yield* serve
      for (
        const [behaviour, reason] of [
          ["huge-length:binary", "bad-answer"],
          ["huge-length:list", "bad-answer"],
          ["huge-length:negative", "bad-answer"],
          ["deep-thrift", "bad-answer"],
          ["error:overloaded", "overloaded"],
          ["error:busy", "overloaded"],
          ["error:declined", "overloaded"],
          ["error:unknown-namespace", "unknown-namespace"],
          ["error:bad-request", "bad-request"],
          ["error:bad-token", "bad-request"],
          ["error:limit", "overloaded"],
          ["error:not-responsible", "not-owned"],
          ["error:not-initialized", "not-bootstrapped"],
          ["error:deadline", "internal"],
          ["error:unexpected", "internal"],
          ["error:fatal", "protocol"],
          ["not-bootstrapped", "not-bootstrapped"]
        ] as const
      ) {
        yield* replica.behave(behaviour)
        const client = yield* open(replica)
        const outcome = behaviour.startsWith("error") || behaviour.startsWith("not")
          ? yield* Effect.flip(listShard(client, replica, 0, 100))
          : yield* firstFetch(client, replica)
        failsWith(reason, outcome)
        assert.isTrue((yield* client.health()).ok, behaviour)
      }
    }))

  replicaIt(
    "bad-crc and chunkless-fragment are protocol errors of that call; the next one dials anew",
    () =>
      Effect.gen(function*() {
        const replica = yield* serve
        for (const behaviour of ["bad-crc", "chunkless-fragment"]) {
          yield* replica.behave(`${behaviour}:2`)
          const client = yield* open(replica)
          const { end: rangeEnd, namespace, start: rangeStart } = replica
          const page = (shard: number) =>
            client.fetchBlocksMetadata({ namespace, shard, rangeStart, rangeEnd, limit: 100 })
          yield* page(0)
          failsWith("protocol", yield* Effect.flip(page(1)))
          assert.isAbove((yield* page(2)).buffer.length, 0)
          assert.strictEqual(client.counters.dials, 2)
        }
      })
  )

  replicaIt(
    "a cut in mid-answer is closed with the bytes seen; silence ends after the idle time",
    () =>
      Effect.gen(function*() {
        const replica = yield* serve
        yield* replica.behave("cut:600")
        const cut = failsWith("closed", yield* Effect.flip(streamEverything(yield* open(replica), replica, 100)))
        assert.isAbove(cut.receivedBytes, 0)
        yield* replica.behave("half-open:600")
        const client = yield* open(replica, { idleTimeoutMillis: 200 })
        const silent = failsWith("timeout", yield* Effect.flip(streamEverything(client, replica, 100)))
        assert.match(silent.message, /no byte of the answer for 200 ms/)
      })
  )

  replicaIt(
    "an answer above the caller's maximum is too large, and asking for less works",
    () =>
      Effect.gen(function*() {
        const replica = yield* serve
        const client = yield* open(replica)
        const { end: rangeEnd, namespace, start: rangeStart } = replica
        const request = { namespace, shard: 0, rangeStart, rangeEnd }
        const tooMuch = client.fetchBlocksMetadata({ ...request, limit: 100 }, { maxAnswerBytes: 300 })
        failsWith("too-large", yield* Effect.flip(tooMuch))
        const page = yield* client.fetchBlocksMetadata({ ...request, limit: 1 }, { maxAnswerBytes: 300 })
        assert.strictEqual(page.count, 1)
      })
  )
})

/** A plain server that says something of its own. */
const plain = (greet: (socket: Net.Socket) => void) =>
  Effect.acquireRelease(
    Effect.callback<{ readonly server: Net.Server; readonly port: number }>((resume) => {
      const server = Net.createServer((socket) => {
        socket.on("error", () => undefined)
        greet(socket)
      })
      server.listen(0, "127.0.0.1", () => {
        resume(Effect.succeed({ server, port: (server.address() as Net.AddressInfo).port }))
      })
    }),
    ({ server }) => Effect.sync(() => server.close())
  )

describe("client against servers that are something else", () => {
  it.live("a refused dial is unreachable", () =>
    Effect.gen(function*() {
      const { port, server } = yield* plain(() => undefined)
      yield* Effect.callback<void>((resume) => {
        server.close(() => resume(Effect.void))
      })
      const client = yield* makeNodeClient({ peer: "B", address: { host: "127.0.0.1", port } }).pipe(
        Effect.provide(Tcp.layer)
      )
      failsWith("unreachable", yield* Effect.flip(client.health()))
    }))

  it.live("an HTTP server is named as another protocol at its first bytes", () =>
    Effect.gen(function*() {
      const { port } = yield* plain((socket) => {
        socket.once("data", () => socket.write("HTTP/1.1 400 Bad Request\r\n"))
      })
      const client = yield* makeNodeClient({ peer: "B", address: { host: "127.0.0.1", port } }).pipe(
        Effect.provide(Tcp.layer)
      )
      failsWith("other-protocol", yield* Effect.flip(client.health()))
    }))
})
