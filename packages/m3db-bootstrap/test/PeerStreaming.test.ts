/** The adapter around the engine: a part that breaks its contract ends the run, it does not leave it hanging. */
import { assert, describe, it } from "@effect/vitest"
import { FixedLevel } from "@peerstrap/consistency-policy"
import {
  type BlocksAnswer,
  decodeBlocksAnswer,
  decodeMetadataAnswer,
  encodeBlocksAnswer,
  encodeMetadataAnswer,
  type MetadataPage,
  type NodeClient
} from "@peerstrap/m3db-wire"
import { adler32 } from "@peerstrap/m3tsz"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import { startPeerStreaming } from "../src/adapter/PeerStreaming.ts"
import { BlockSink } from "../src/contract/BlockSink.ts"
import { PeerBlocks } from "../src/contract/PeerBlocks.ts"
import { blockSize, firstBlock } from "./support/SimulatedCluster.ts"

const id = new TextEncoder().encode("foo")
const stream = Uint8Array.of(1, 2, 3)
const checksum = adler32(stream)
const page = decodeMetadataAnswer(encodeMetadataAnswer([{ id, start: firstBlock, size: 3n, checksum }])) as MetadataPage
const answer = decodeBlocksAnswer(
  encodeBlocksAnswer([{
    id,
    blocks: [{ start: firstBlock, merged: { head: stream, tail: new Uint8Array(0) }, checksum }]
  }])
) as BlocksAnswer

const peer = (changed: Partial<NodeClient> = {}): NodeClient => ({
  peer: "A",
  address: "nowhere:1",
  health: () => Effect.succeed({ ok: true, status: "up", bootstrapped: true }),
  fetchBlocksMetadata: () => Effect.succeed(page),
  fetchBlocks: () => Effect.succeed(answer),
  ...changed
})

const sink = (changed: Partial<BlockSink["Service"]> = {}) =>
  BlockSink.of({ write: () => Effect.void, commit: () => Effect.void, abort: () => Effect.void, ...changed })

const run = (client: NodeClient, to: BlockSink["Service"], deadlineMillis?: number) =>
  Effect.gen(function*() {
    const handle = yield* startPeerStreaming({
      stream: {
        namespace: "ns",
        blockSizeNanos: blockSize,
        replicationFactor: 1,
        numShards: 1,
        hashSeed: 0,
        errorPolicy: "002",
        encoding: "m3tsz"
      },
      jobs: [{ shard: 0, peers: [0], blockStarts: [firstBlock] }],
      memoryBytes: 32 << 20,
      deadlineMillis
    })
    return yield* handle.result
  }).pipe(
    Effect.scoped,
    Effect.provide(
      Layer.mergeAll(
        Layer.succeed(PeerBlocks, { peers: [client] }),
        Layer.succeed(BlockSink, to),
        FixedLevel.layer("majority")
      )
    )
  )

describe("a part that throws", () => {
  it.effect("nothing thrown: complete", () =>
    Effect.gen(function*() {
      assert.strictEqual((yield* run(peer(), sink())).outcome._tag, "complete")
    }))

  for (
    const [name, broken] of [
      ["a write that dies", sink({ write: () => Effect.die(new Error("boom")) })],
      ["a commit that dies", sink({ commit: () => Effect.die(new Error("boom")) })],
      [
        "a write that throws before it is an effect",
        sink({
          write: () => {
            throw new Error("boom")
          }
        })
      ]
    ] as const
  ) {
    it.effect(`${name} ends the run as a failure of the sink, and blames no peer`, () =>
      Effect.gen(function*() {
        const { outcome, report } = yield* run(peer(), broken)
        assert.strictEqual(outcome._tag, "failed")
        assert.include(JSON.stringify(outcome), "boom")
        assert.deepStrictEqual(report.evidenceCounts, {})
      }))
  }

  it.effect("a client that dies counts as a local fault: the run waits, says so, and ends at its deadline", () =>
    Effect.gen(function*() {
      const died = yield* Deferred.make<void>()
      const client = peer({
        fetchBlocks: () => Effect.andThen(Deferred.succeed(died, undefined), Effect.die(new Error("boom")))
      })
      const running = yield* Effect.forkChild(run(client, sink(), 60_000))
      yield* Deferred.await(died)
      yield* TestClock.adjust("2 minutes")
      const { outcome, report } = yield* Fiber.join(running)
      assert.strictEqual(outcome._tag, "deadline")
      assert.deepStrictEqual(report.evidenceCounts, {})
      assert.include(report.peers[0]!.lastError ?? "", "boom")
    }))
})
