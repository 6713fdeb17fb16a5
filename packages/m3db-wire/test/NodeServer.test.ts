// Bounds and deadlines of the node server. Virtual time, the memory transport, raw bytes.
import { assert, describe, it } from "@effect/vitest"
import { Memory, Transport } from "@peerstrap/transport"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { listen, makeService, type NodeServerOptions } from "../src/adapter/NodeServer.ts"
import type { ServerEvent } from "../src/adapter/ServerCall.ts"
import { ReplicaSource, type ReplicaSourceShape } from "../src/contract/ReplicaSource.ts"
import { blocksArg3, emptyArg3, listingArg3, type NodeFacts } from "../src/testing/KitCalls.ts"
import { callFrames, initRequest, rawFrame } from "../src/testing/RawFrames.ts"
import { connectRaw, connectReady, type RawPeer } from "../src/testing/RawPeer.ts"
import { bytesAt, fieldOf } from "../src/testing/RawThrift.ts"

const quiet: ReplicaSourceShape = {
  bootstrapped: Effect.succeed(true),
  listMetadata: () => Effect.never,
  fetchBlocks: () => Effect.succeed([])
}

const facts: NodeFacts = {
  address: { host: "node", port: 9_000 },
  namespace: "ns",
  numShards: 1,
  hashSeed: 0,
  shard: 0,
  otherShard: 0,
  unownedShard: 1,
  rangeStart: 0n,
  rangeEnd: 1n,
  blockSize: 1n
}

const health = "Node::health"
const listing = "Node::fetchBlocksMetadataRawV2"

const serve = Effect.fnUntraced(function*(source: ReplicaSourceShape, options: NodeServerOptions = {}) {
  const events: Array<ServerEvent> = []
  const server = yield* listen(facts.address, { ...options, observe: (event) => events.push(event) }).pipe(
    Effect.provideService(ReplicaSource, source)
  )
  return { events, server }
})

const healthy = Effect.fnUntraced(function*(peer: RawPeer) {
  const { result } = yield* peer.answered({ arg1: health, arg3: emptyArg3 })
  assert.strictEqual(new TextDecoder().decode(bytesAt(fieldOf(result, 0), 2)), "up")
})

/** The first frames of a call whose argument goes on: 2,000 bytes of it have come. */
const begun = (id: number) =>
  callFrames({ id, arg1: health, arg3: new Uint8Array(4_000), chunkBytes: 2_000 }).slice(0, 3)

describe("NodeServer", () => {
  it.effect("refuses a request above its limit with error 06 and goes on", () =>
    Effect.gen(function*() {
      yield* serve(quiet, { maxRequestBytes: 1_000 })
      const peer = yield* connectReady(facts.address)
      const reply = yield* peer.call({ arg1: listing, arg3: new Uint8Array(1_500), chunkBytes: 100 })
      assert.deepStrictEqual(reply, {
        kind: "error",
        error: { code: 6, message: "request above 1000 bytes: ask for fewer blocks" }
      })
      yield* healthy(peer)
    }).pipe(Effect.scoped, Effect.provide(Memory.layer)))

  it.effect("refuses calls above its limit with a busy frame, and takes them again later", () =>
    Effect.gen(function*() {
      const { events } = yield* serve(quiet, { maxCallsPerConnection: 2 })
      const peer = yield* connectReady(facts.address)
      const slow = (id: number) => callFrames({ id, arg1: listing, arg3: listingArg3(facts, {}), ttlMillis: 1_000 })
      yield* peer.send(...slow(10), ...slow(11), ...slow(12))
      const reply = yield* peer.reply(12)
      assert.strictEqual(reply.kind === "error" ? reply.error.code : 0, 3)
      yield* TestClock.adjust(1_000)
      assert.strictEqual(events.filter(({ kind }) => kind === "answered").length, 2)
      yield* healthy(peer)
    }).pipe(Effect.scoped, Effect.provide(Memory.layer)))

  it.effect("bounds the bytes of requests that are never finished", () =>
    Effect.gen(function*() {
      yield* serve(quiet, { maxOpenRequestBytes: 5_000 })
      const peer = yield* connectReady(facts.address)
      yield* peer.send(...[20, 21, 22].flatMap(begun))
      const reply = yield* peer.reply(22)
      assert.strictEqual(reply.kind === "error" ? reply.error.code : 0, 3)
      // What was let go is free again.
      yield* healthy(peer)
    }).pipe(Effect.scoped, Effect.provide(Memory.layer)))

  it.effect("refuses calls with a busy frame while answers wait for a reader that does not read", () =>
    Effect.gen(function*() {
      const large = new Uint8Array(2_000_000)
      const source: ReplicaSourceShape = {
        ...quiet,
        fetchBlocks: () => Effect.succeed([{ id: large, blocks: [] }])
      }
      const { server } = yield* serve(source, { maxHeldAnswerBytes: 1_000_000 })
      const request = { arg1: "Node::fetchBlocksRaw", arg3: blocksArg3(facts, { elements: [] }), ttlMillis: 5_000 }
      const transport = yield* Transport
      const deaf = yield* transport.dial(facts.address)
      const init = initRequest(1, 2, { host_port: "x", process_name: "y" })
      yield* deaf.write([init, ...callFrames({ ...request, id: 2 })])
      const peer = yield* connectReady(facts.address)
      const reply = yield* peer.call(request)
      assert.strictEqual(reply.kind === "error" ? reply.error.code : 0, 3)
      yield* healthy(peer)
      assert.strictEqual(server.connections(), 2)
      // At the TTL of the answer that nobody reads its bytes are free again.
      yield* TestClock.adjust(5_000)
      assert.strictEqual((yield* peer.call(request)).kind, "answer")
    }).pipe(Effect.scoped, Effect.provide(Memory.layer)))

  it.effect("closes connections above its limit at once, others live on", () =>
    Effect.gen(function*() {
      const { events, server } = yield* serve(quiet, { maxConnections: 1 })
      const first = yield* connectReady(facts.address)
      const second = yield* connectRaw(facts.address)
      yield* second.ended
      yield* healthy(first)
      assert.strictEqual(server.connections(), 1)
      assert.isTrue(events.some((event) => event.kind === "refused" && event.message.includes("maxConnections")))
    }).pipe(Effect.scoped, Effect.provide(Memory.layer)))

  it.effect("closes a connection without a handshake in time", () =>
    Effect.gen(function*() {
      yield* serve(quiet, { handshakeTimeoutMillis: 2_000 })
      const silent = yield* connectRaw(facts.address)
      const ready = yield* connectReady(facts.address)
      yield* TestClock.adjust(2_000)
      yield* silent.ended
      yield* healthy(ready)
    }).pipe(Effect.scoped, Effect.provide(Memory.layer)))

  it.effect("closes a connection whose peer never reads", () =>
    Effect.gen(function*() {
      const ended = yield* Deferred.make<string>()
      const observe = (event: ServerEvent) =>
        event.kind === "closed" && Deferred.doneUnsafe(ended, Effect.succeed(event.message))
      yield* listen(facts.address, { maxPendingReplies: 8, observe }).pipe(Effect.provideService(ReplicaSource, quiet))
      const transport = yield* Transport
      const connection = yield* transport.dial(facts.address)
      // Nothing is ever received here: the window fills, then the replies pile up.
      const pings = Buffer.concat(Array.from({ length: 1_000 }, (_, id) => rawFrame(0xd0, id, [])))
      const init = initRequest(1, 2, { host_port: "x", process_name: "y" })
      const flood = Effect.forever(connection.write([pings]))
      yield* Effect.forkChild(Effect.ignore(Effect.andThen(connection.write([init]), flood)))
      assert.include(yield* Deferred.await(ended), "does not read")
    }).pipe(Effect.scoped, Effect.provide(Memory.layer)))

  it.effect("stops the work of a call at its TTL and answers nothing", () =>
    Effect.gen(function*() {
      let interrupted = 0
      const source: ReplicaSourceShape = {
        ...quiet,
        listMetadata: () => Effect.onInterrupt(Effect.never, () => Effect.sync(() => void interrupted++))
      }
      const { events } = yield* serve(source)
      const peer = yield* connectReady(facts.address)
      yield* peer.send(...callFrames({ id: 30, arg1: listing, arg3: listingArg3(facts, {}), ttlMillis: 700 }))
      yield* healthy(peer)
      yield* TestClock.adjust(699)
      assert.strictEqual(interrupted, 0)
      yield* TestClock.adjust(1)
      assert.strictEqual(interrupted, 1)
      assert.isFalse(events.some((event) => event.kind === "outcome" && event.call.id === 30))
      // The id is free again, and the next frame is its answer.
      yield* peer.send(...callFrames({ id: 30, arg1: health, arg3: emptyArg3 }))
      assert.strictEqual((yield* peer.reply(30)).kind, "answer")
    }).pipe(Effect.scoped, Effect.provide(Memory.layer)))

  it.effect("turns a defect of the source into error 05 and lives on", () =>
    Effect.gen(function*() {
      yield* serve({ ...quiet, fetchBlocks: () => Effect.die(new Error("broken source")) })
      const peer = yield* connectReady(facts.address)
      const reply = yield* peer.call({ arg1: "Node::fetchBlocksRaw", arg3: blocksArg3(facts, { elements: [] }) })
      assert.strictEqual(reply.kind === "error" ? reply.error.code : 0, 5)
      assert.include(reply.kind === "error" ? reply.error.message : "", "broken source")
      yield* healthy(peer)
    }).pipe(Effect.scoped, Effect.provide(Memory.layer)))

  it.effect("says in health and bootstrapped what the source says", () =>
    Effect.gen(function*() {
      yield* serve({ ...quiet, bootstrapped: Effect.succeed(false) })
      const peer = yield* connectReady(facts.address)
      const { result } = yield* peer.answered({ arg1: health, arg3: emptyArg3 })
      assert.deepStrictEqual(fieldOf(fieldOf(result, 0), 3), { type: "bool", value: false })
      for (const arg1 of ["Node::bootstrapped", "Node::bootstrappedInPlacementOrNoPlacement"]) {
        const { answer, result } = yield* peer.answered({ arg1, arg3: emptyArg3 })
        assert.strictEqual(answer.code, 1)
        assert.strictEqual(new TextDecoder().decode(bytesAt(fieldOf(result, 1), 2)), "node is not bootstrapped")
      }
    }).pipe(Effect.scoped, Effect.provide(Memory.layer)))

  it.effect("ends the calls of a connection with it", () =>
    Effect.gen(function*() {
      let interrupted = 0
      const source: ReplicaSourceShape = {
        ...quiet,
        listMetadata: () => Effect.onInterrupt(Effect.never, () => Effect.sync(() => void interrupted++))
      }
      const transport = yield* Transport
      const service = makeService(source, () => "node:1")
      yield* transport.listen(facts.address, service.serve)
      yield* Effect.scoped(Effect.gen(function*() {
        const peer = yield* connectReady(facts.address)
        yield* peer.send(...callFrames({ id: 30, arg1: listing, arg3: listingArg3(facts, {}) }))
        yield* healthy(peer)
        assert.strictEqual(service.connections(), 1)
      }))
      yield* Effect.yieldNow
      yield* TestClock.adjust(1)
      assert.strictEqual(interrupted, 1)
      assert.strictEqual(service.connections(), 0)
    }).pipe(Effect.scoped, Effect.provide(Memory.layer)))
})
