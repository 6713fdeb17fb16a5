// Our node client calls the Go library: answers as the test sets them, errors, silence.
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import {
  type BlocksAnswer,
  encodeBlocksAnswer,
  encodeErrorAnswer,
  encodeHealthAnswer,
  encodeMetadataAnswer,
  makeNodeClient,
  Method,
  type NodeClientLimits,
  RemoteError
} from "../../src/index.ts"
import { ascii } from "../bytes.ts"
import { allChecksums, first, sameBytes } from "./Bytes.ts"
import { type GoPeer, startGoPeer } from "./GoPeer.ts"
import { describeGo, goTest } from "./GoTest.ts"
import { oneBlock } from "./SizedServer.ts"

const listing = { namespace: ascii("ns"), shard: 0, rangeStart: 0n, rangeEnd: 1_000n, limit: 10 }

const block = (head: Uint8Array, start = 1n) => ({ start, merged: { head, tail: new Uint8Array(0) } })

const segmentOf = (answer: BlocksAnswer, segment: number): Uint8Array =>
  answer.buffer.subarray(answer.headOffset[segment]!, answer.headOffset[segment]! + answer.headLength[segment]!)

const clientOf = (go: GoPeer, limits: NodeClientLimits = {}) =>
  makeNodeClient({ peer: "go", address: go.address, ...limits })

describeGo("ours calls the Go library: the node client", () => {
  goTest(
    "health, a listing and 5 MB of blocks arrive with every checksum type, however they are cut",
    () =>
      Effect.gen(function*() {
        const go = yield* startGoPeer
        const health = { ok: true, status: "up", bootstrapped: false }
        const stream = first(5_000_000)
        yield* go.answer(Method.health, { arg3: encodeHealthAnswer(health), cuts: { arg2: [0, 2], arg3: [0, 1, 9] } })
        yield* go.answer(Method.fetchBlocksMetadata, {
          arg3: encodeMetadataAnswer([{ id: ascii("a"), start: 1n, size: 5n, checksum: 0xffff_ffff }], ascii("next")),
          cuts: { arg2: [1], arg3: [7, 8, 9, 10] }
        })
        yield* go.answer(Method.fetchBlocks, {
          arg3: encodeBlocksAnswer([{ id: ascii("a"), blocks: [block(stream)] }]),
          cuts: { arg2: [], arg3: [3, 100_000, 100_001, 5_000_000] }
        })
        for (const checksumType of allChecksums) {
          const client = yield* clientOf(go, { checksumType })
          assert.deepStrictEqual(yield* client.health(), health)
          const page = yield* client.fetchBlocksMetadata(listing)
          assert.strictEqual(page.checksum[0], 0xffff_ffff)
          sameBytes(page.nextPageToken!, ascii("next"), "token")
          sameBytes(segmentOf(yield* client.fetchBlocks(oneBlock), 0), stream, "stream")
        }
        assert.deepStrictEqual(go.complaints(), [])
      })
  )

  goTest("every error of the library has its reason, and the connection goes on", () =>
    Effect.gen(function*() {
      const go = yield* startGoPeer
      const client = yield* clientOf(go)
      const reasons = { busy: "overloaded", unexpected: "internal", "bad-request": "bad-request", timeout: "internal" }
      for (const [error, reason] of Object.entries(reasons)) {
        yield* go.answer(Method.fetchBlocks, { error, message: `it is ${error}` })
        const failure = yield* Effect.flip(client.fetchBlocks(oneBlock))
        assert.strictEqual(failure.reason, reason)
        assert.include(failure.message, `it is ${error}`)
      }
      const declared = encodeErrorAnswer(new RemoteError(1, "unknown namespace: ns", 0))
      yield* go.answer(Method.fetchBlocks, { arg3: declared, declared: true })
      assert.strictEqual((yield* Effect.flip(client.fetchBlocks(oneBlock))).reason, "unknown-namespace")
      assert.strictEqual(client.counters.dials, 1)
      yield* go.answer(Method.fetchBlocks, { error: "declined", message: "closed channel" })
      assert.strictEqual((yield* Effect.flip(client.fetchBlocks(oneBlock))).reason, "overloaded")
      yield* go.answer(Method.fetchBlocks, { arg3: encodeBlocksAnswer([]) })
      assert.strictEqual((yield* client.fetchBlocks(oneBlock)).elementCount, 0)
      assert.strictEqual(client.counters.dials, 2, "a peer that declines is asked over another connection")
    }))

  goTest(
    "a silent call times out, and the next one is answered; the library's pings are answered meanwhile",
    () =>
      Effect.gen(function*() {
        const go = yield* startGoPeer
        const client = yield* clientOf(go)
        const calls = [
          Effect.asVoid(client.health({ totalTimeoutMillis: 300 })),
          Effect.asVoid(client.fetchBlocks(oneBlock, { idleTimeoutMillis: 300 }))
        ]
        for (const call of calls) {
          yield* go.answer(Method.health, { silent: true })
          yield* go.answer(Method.fetchBlocks, { silent: true })
          assert.strictEqual((yield* Effect.flip(call)).reason, "timeout")
          yield* go.answer(Method.health, { arg3: encodeHealthAnswer({ ok: true, status: "up", bootstrapped: true }) })
          yield* go.answer(Method.fetchBlocks, { arg3: encodeBlocksAnswer([]) })
          assert.isTrue((yield* client.health()).ok)
          assert.strictEqual((yield* client.fetchBlocks(oneBlock)).elementCount, 0)
        }
        assert.isAbove(client.counters.framesOut, client.counters.calls + client.counters.dials, "no ping was answered")
      })
  )
})
