/**
 * A run of the whole streaming engine whose block calls are held back until every peer is listed: the clock starts with the first of
 * them and stops when the run has ended, its blocks committed.
 */
import { FixedLevel } from "@peerstrap/consistency-policy"
import { type BlockSink, PeerBlocks, startPeerStreaming } from "@peerstrap/m3db-bootstrap"
import { makeNodeClient, type NodeClient } from "@peerstrap/m3db-wire"
import { Tcp } from "@peerstrap/transport"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import { type Measured, startTiming } from "../method/Side.ts"
import { blockSize, blockStart, namespace, shard } from "../replicas/AnswerSet.ts"

/** Memory of a listed series-block. All of them are listed before the first is asked for, which a listing does not wait for otherwise. */
const heldRowBytes = 256

export interface HeldStreamOptions {
  /** Series-blocks that the run must bring, and their bytes on the wire. */
  readonly count: number
  readonly bytes: number
  readonly maxBatchItems: number
}

export interface HeldRunOptions extends HeldStreamOptions {
  /** Of the peers, on loopback. */
  readonly ports: ReadonlyArray<number>
  readonly sink: Layer.Layer<BlockSink>
}

/** Block calls wait until `peers` listings are over. */
class Holding {
  private open = false
  private readonly gate = Deferred.makeUnsafe<void>()
  private listings: number

  constructor(peers: number) {
    this.listings = peers
  }

  readonly opened = Deferred.await(this.gate)

  hold(client: NodeClient): NodeClient {
    return {
      ...client,
      fetchBlocksMetadata: (request, options) =>
        Effect.tap(
          client.fetchBlocksMetadata(request, options),
          (page) => Effect.sync(() => page.nextPageToken === undefined ? this.listed() : undefined)
        ),
      fetchBlocks: (request, options) =>
        this.open
          ? client.fetchBlocks(request, options)
          : Effect.andThen(this.opened, client.fetchBlocks(request, options))
    }
  }

  private listed(): void {
    if (--this.listings > 0) return
    // The engine takes the last page in before the clock starts.
    setImmediate(() => {
      this.open = true
      globalThis.gc?.()
      Deferred.doneUnsafe(this.gate, Effect.void)
    })
  }
}

/** The measured run, on whatever peers, sink and level it is given. */
export const heldStream = Effect.fnUntraced(function*({ bytes, count, maxBatchItems }: HeldStreamOptions) {
  const clients = (yield* PeerBlocks).peers
  const holding = new Holding(clients.length)
  const peers = clients.map((client) => holding.hold(client))
  let end: ReturnType<typeof startTiming> | undefined
  yield* Effect.forkScoped(Effect.andThen(holding.opened, Effect.sync(() => void (end = startTiming()))))
  const handle = yield* startPeerStreaming({
    stream: {
      namespace,
      blockSizeNanos: blockSize,
      replicationFactor: peers.length,
      numShards: 1,
      hashSeed: 0,
      errorPolicy: "002",
      encoding: "m3tsz"
    },
    jobs: [{ shard, peers: peers.map((_, index) => index), blockStarts: [blockStart] }],
    memoryBytes: (512 << 20) + count * heldRowBytes,
    // One size of batches from the start; that the first ones wait for the end of the listing must not count as slowness.
    queueLimits: {
      maxBatchItems,
      initialBatchBytes: 64 << 20,
      maxBatchBytes: 64 << 20,
      targetBatchMillis: 600_000
    }
  }).pipe(Effect.provideService(PeerBlocks, { peers }))
  const { outcome, report } = yield* handle.result
  const measured = end?.({ bytes, items: report.seriesBlocks.stored })
  if (outcome._tag !== "complete" || measured?.items !== count) {
    return yield* Effect.die(
      new Error(`the run ended ${JSON.stringify(outcome)}, ${report.seriesBlocks.stored} of ${count} blocks written`)
    )
  }
  return measured
})

const program = Effect.fnUntraced(function*(options: HeldRunOptions) {
  const peers = yield* Effect.forEach(
    options.ports,
    (port, index) => makeNodeClient({ peer: `peer-${index}`, address: { host: "127.0.0.1", port } })
  )
  return yield* Effect.provideService(heldStream(options), PeerBlocks, { peers })
})

export const heldRun = (options: HeldRunOptions): Promise<Measured> =>
  Effect.runPromise(
    Effect.scoped(program(options)).pipe(Effect.provide([options.sink, Tcp.layer, FixedLevel.layer("all")]))
  )
