// Block answers gathered in buffers of the caller's, over a scripted peer: what comes with them, and that they come back.
import { assert, describe, it } from "@effect/vitest"
import {
  CallError,
  type CallErrorReason,
  decodeBlocksAnswer,
  encodeBlocksAnswer,
  encodeErrorAnswer,
  Limits,
  makeAnswerBuffers,
  makeNodeClient,
  RemoteError
} from "@peerstrap/m3db-wire"
import { adler32OfPieces } from "@peerstrap/m3tsz"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import { ascii, pattern } from "./bytes.ts"
import { answer, makeScriptedPeer, type SeenRequest } from "./scripted.ts"

const batch = (ids: number) => ({
  namespace: ascii("ns"),
  shard: 3,
  ids: Array.from({ length: ids }, (_, i) => ascii(`series-${i}`)),
  startHi: new Int32Array(ids),
  startLo: new Int32Array(ids)
})

const reply = (request: SeenRequest, arg3: Uint8Array) => {
  for (const frame of answer(request, arg3)) request.connection.deliver(frame)
}

const expectReason = (exit: Exit.Exit<unknown, CallError>, reason: CallErrorReason) => {
  if (Exit.isSuccess(exit)) assert.fail("the call succeeded")
  const [first] = exit.cause.reasons
  if (first?._tag !== "Fail") assert.fail(`no failure but ${first?._tag}`)
  assert.instanceOf(first.error, CallError)
  assert.strictEqual(first.error.reason, reason, first.error.message)
}

describe("buffers of the caller's", () => {
  it.effect("an answer gathered in a buffer of the caller's is the same, and the buffer comes back with it", () =>
    Effect.gen(function*() {
      const peer = yield* makeScriptedPeer
      const client = yield* makeNodeClient({ peer: "B", address: { host: "peer", port: 9000 } }).pipe(
        Effect.provide(peer.layer)
      )
      const buffers = makeAnswerBuffers(1 << 20)
      const head = pattern(90_000)
      const tail = ascii("x")
      const checksum = adler32OfPieces([head, tail])
      const asked = batch(2)
      const element = (id: number, sum: number) => ({
        id: asked.ids[id]!,
        blocks: [{ start: 0n, merged: { head, tail }, checksum: sum }]
      })
      const answers = [
        encodeBlocksAnswer([element(0, checksum), element(1, checksum)]),
        encodeBlocksAnswer([element(0, checksum), element(1, checksum ^ 1)]),
        encodeBlocksAnswer([element(1, checksum)])
      ]
      for (const [nth, arg3] of answers.entries()) {
        const fiber = yield* Effect.forkChild(client.fetchBlocks(asked, { buffers, maxAnswerBytes: 200_000 }))
        reply(yield* peer.next, arg3)
        const got = yield* Fiber.join(fiber)
        const plain = decodeBlocksAnswer(arg3)
        if (!("idOffset" in plain)) assert.fail(plain.message)
        assert.strictEqual(got.usual?.count, nth === 0 ? 2 : undefined)
        assert.deepStrictEqual(got.buffer.slice(), arg3)
        assert.deepStrictEqual(got.checksum, plain.checksum)
        assert.deepStrictEqual(got.headOffset, plain.headOffset)
        assert.strictEqual(buffers.idleBytes, 0)
        got.release!()
        assert.strictEqual(got.buffer.length, 0)
        assert.isAbove(buffers.idleBytes, 200_000)
      }
    }).pipe(Effect.scoped))

  it.effect("a buffer comes back from a call that fails, whatever the reason", () =>
    Effect.gen(function*() {
      const peer = yield* makeScriptedPeer
      const client = yield* makeNodeClient({ peer: "B", address: { host: "peer", port: 9000 } }).pipe(
        Effect.provide(peer.layer)
      )
      const buffers = makeAnswerBuffers(1 << 20)
      const fetch = () =>
        Effect.forkChild(Effect.exit(client.fetchBlocks(batch(1), { buffers, maxAnswerBytes: 1_000 })))
      const comesBack = (what: string) => {
        assert.isAbove(buffers.idleBytes, 0, what)
        // Out of the way of the next call.
        buffers.take({ elements: new Uint8Array(0), items: 0, maxAnswerBytes: 1_000 })
        assert.strictEqual(buffers.idleBytes, 0)
      }
      const failing: ReadonlyArray<readonly [what: string, reason: CallErrorReason, arg3: Uint8Array]> = [
        ["not an answer", "bad-answer", ascii("rubbish")],
        ["an error where a value was promised", "bad-answer", encodeErrorAnswer(new RemoteError(0, "no", 0))],
        ["too large", "too-large", new Uint8Array(1_001)]
      ]
      for (const [what, reason, arg3] of failing) {
        const fiber = yield* fetch()
        reply(yield* peer.next, arg3)
        expectReason(yield* Fiber.join(fiber), reason)
        comesBack(what)
      }
      const interrupted = yield* fetch()
      yield* peer.next
      yield* Fiber.interrupt(interrupted)
      comesBack("interrupted")
      const silent = yield* fetch()
      yield* peer.next
      yield* TestClock.adjust(Limits.callTimeoutMillis)
      expectReason(yield* Fiber.join(silent), "timeout")
      comesBack("timed out")
    }).pipe(Effect.scoped))
})
