/**
 * A bootstrapper of one's own: peer streaming from three embedded replicas into a sink that keeps nothing but counts. Put another `BlockSink`
 * in its place to feed a database, an object store, a message queue.
 */
import { SettableLevel } from "@peerstrap/consistency-policy"
import { BlockSink, PeerBlocks, startPeerStreaming } from "@peerstrap/m3db-bootstrap"
import { makeNodeClient } from "@peerstrap/m3db-wire"
import { SeededReplica, seededSpec, startReplica } from "@peerstrap/m3db-wire/testing"
import { Memory } from "@peerstrap/transport"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import assert from "node:assert/strict"

const spec = seededSpec({ series: 500, numShards: 4, blocks: 2 })

/** Three replicas in this process; B has other values in every tenth series. With `Tcp.layer` the addresses would be real ones. */
const openPeers = Effect.forEach(["A", "B", "C"], (peer) =>
  Effect.gen(function*() {
    const variation = peer === "B" ? { otherValues: { every: 10, remainder: 0 } } : {}
    const { address } = yield* startReplica({ data: new SeededReplica(spec, variation) })
    return yield* makeNodeClient({ peer, address })
  }))

const counts = { series: 0, bytes: 0, blocks: 0 }

/** Takes batches as they come verified. Nothing may count as published before `commit`. */
const countingSink = BlockSink.of({
  write: ({ bytes, count }) =>
    Effect.sync(() => Object.assign(counts, { series: counts.series + count, bytes: counts.bytes + bytes })),
  commit: () => Effect.sync(() => void counts.blocks++),
  abort: () => Effect.void
})

const run = Effect.scoped(Effect.gen(function*() {
  const shards = Array.from({ length: spec.numShards }, (_, shard) => shard)
  const blockStarts = [spec.start, spec.start + spec.blockSize]
  const { result } = yield* startPeerStreaming({
    stream: {
      namespace: spec.namespace,
      blockSizeNanos: spec.blockSize,
      replicationFactor: 3,
      numShards: spec.numShards,
      hashSeed: spec.hashSeed,
      errorPolicy: "002",
      encoding: "m3tsz"
    },
    jobs: shards.map((shard) => ({ shard, peers: [0, 1, 2], blockStarts })),
    memoryBytes: 64 * 2 ** 20
  }).pipe(Effect.provideServiceEffect(PeerBlocks, Effect.map(openPeers, (peers) => ({ peers }))))
  return yield* result
}))

const layers = Layer.mergeAll(Memory.layer, SettableLevel.layer("majority"), Layer.succeed(BlockSink, countingSink))
const { outcome, report } = await Effect.runPromise(Effect.provide(run, layers))
assert.equal(outcome._tag, "complete")
assert.deepEqual([counts.series, counts.blocks], [1000, 8])
assert.ok(report.divergences.counts.different > 0 && report.seriesBlocks.merged === report.divergences.counts.different)
console.log(`${counts.series} series-blocks, ${counts.bytes} bytes, ${report.seriesBlocks.merged} merged`)
