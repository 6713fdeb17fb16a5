/**
 * Our side of S1 and S1b: the client over TCP and the whole streaming engine with one peer and a sink that drops what it gets.
 * The listing is done before: answers are asked for only when the last page has come, and the clock starts with the first request.
 * Usage: DataPath.ts PORT BYTES COUNT BATCH_ITEMS
 */
import { FixedLevel } from "@peerstrap/consistency-policy"
import { BlockSink, PeerBlocks, startPeerStreaming } from "@peerstrap/m3db-bootstrap"
import { makeNodeClient, type NodeClient } from "@peerstrap/m3db-wire"
import { Tcp } from "@peerstrap/transport"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { type Measured, startTiming, tell } from "../method/Side.ts"
import { blockSize, blockStart, namespace, shard } from "./AnswerSet.ts"

const [port, bytes, count, batchItems] = process.argv.slice(2).map(Number) as [number, number, number, number]

/** Holds block calls back until the listing is over. */
const listingFirst = (client: NodeClient, open: Deferred.Deferred<void>): NodeClient => {
  let listed = false
  return {
    ...client,
    fetchBlocksMetadata: (request, options) =>
      Effect.tap(client.fetchBlocksMetadata(request, options), (page) =>
        Effect.sync(() => {
          if (page.nextPageToken !== undefined) return
          // The engine takes the last page in before the clock starts.
          setImmediate(() => {
            listed = true
            globalThis.gc?.()
            Deferred.doneUnsafe(open, Effect.void)
          })
        })),
    fetchBlocks: (request, options) =>
      listed
        ? client.fetchBlocks(request, options)
        : Effect.andThen(Deferred.await(open), client.fetchBlocks(request, options))
  }
}

const program = Effect.gen(function*() {
  const client = yield* makeNodeClient({ peer: "a", address: { host: "127.0.0.1", port } })
  const open = yield* Deferred.make<void>()
  let end: ReturnType<typeof startTiming> | undefined
  let written = 0
  let measured: Measured | undefined
  const sink = BlockSink.of({
    write: (batch) =>
      Effect.sync(() => {
        written += batch.count
        if (written === count) measured = end!({ bytes, items: written })
      }),
    commit: () => Effect.void,
    abort: () => Effect.void
  })
  yield* Effect.forkScoped(Effect.andThen(
    Deferred.await(open),
    Effect.sync(() => {
      end = startTiming()
    })
  ))
  const handle = yield* startPeerStreaming({
    stream: {
      namespace,
      blockSizeNanos: blockSize,
      replicationFactor: 1,
      numShards: 1,
      hashSeed: 0,
      errorPolicy: "002",
      encoding: "m3tsz"
    },
    jobs: [{ shard, peers: [0], blockStarts: [blockStart] }],
    // Room for the whole listing, which is over before the first block comes: a large set would wait for itself.
    memoryBytes: 2 ** 31,
    // Batches of the prepared size from the start, and the first one's wait for the end of the listing must not count as slowness.
    queueLimits: {
      maxBatchItems: batchItems,
      initialBatchBytes: 64 << 20,
      maxBatchBytes: 64 << 20,
      targetBatchMillis: 600_000
    }
  }).pipe(
    Effect.provideService(PeerBlocks, { peers: [listingFirst(client, open)] }),
    Effect.provideService(BlockSink, sink)
  )
  const { outcome } = yield* handle.result
  if (outcome._tag !== "complete" || measured === undefined) {
    return yield* Effect.die(
      new Error(`the run ended ${JSON.stringify(outcome)}, ${written} of ${count} blocks written`)
    )
  }
  tell(measured)
})

await Effect.runPromise(Effect.scoped(program).pipe(Effect.provide([Tcp.layer, FixedLevel.layer("all")])))
