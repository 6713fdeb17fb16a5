// The client against a scripted peer: timers under a test clock, the pool, abandoned calls, classification.
import { assert, describe, it } from "@effect/vitest"
import {
  CallError,
  type CallErrorReason,
  type CountingNodeClient,
  encodeBlocksAnswer,
  encodeCallResponse,
  encodeErrorAnswer,
  encodeErrorFrame,
  encodeFrame,
  encodeHealthAnswer,
  encodeInit,
  encodeMetadataAnswer,
  ErrorCode,
  FrameType,
  Limits,
  makeNodeClient,
  type NodeClientLimits,
  RemoteError
} from "@peerstrap/m3db-wire"
import { DialError } from "@peerstrap/transport"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import { ascii } from "./bytes.ts"
import { answer, initAnswer, makeScriptedPeer, type ScriptedPeer, type SeenRequest } from "./scripted.ts"

const open = (peer: ScriptedPeer, limits: NodeClientLimits = {}) =>
  makeNodeClient({ peer: "B", address: { host: "peer", port: 9000 }, ...limits }).pipe(Effect.provide(peer.layer))

const healthy = encodeHealthAnswer({ ok: true, status: "up", bootstrapped: true })
const listing = { namespace: ascii("ns"), shard: 3, rangeStart: 0n, rangeEnd: 1n, limit: 10 }
const page = encodeMetadataAnswer([{ id: ascii("a"), start: 0n }])
const batch = (ids: number) => ({
  namespace: ascii("ns"),
  shard: 3,
  ids: Array.from({ length: ids }, (_, i) => ascii(`series-${i}`)),
  startHi: new Int32Array(ids),
  startLo: new Int32Array(ids)
})

const reply = (request: SeenRequest, arg3: Uint8Array, maxFrameBytes?: number) => {
  for (const frame of answer(request, arg3, maxFrameBytes)) request.connection.deliver(frame)
}

const expectError = (error: unknown, reason: CallErrorReason): CallError => {
  assert.instanceOf(error, CallError)
  assert.strictEqual((error as CallError).reason, reason, (error as CallError).message)
  assert.deepInclude(error, { peer: "B", address: "peer:9000" })
  return error as CallError
}

/** Starts a listing and waits until the peer has its request. */
const startListing = Effect.fnUntraced(function*(client: CountingNodeClient, peer: ScriptedPeer, options?: object) {
  const fiber = yield* Effect.forkChild(Effect.exit(client.fetchBlocksMetadata(listing, options)))
  const request = yield* peer.next
  return { fiber, request }
})

const failure = (exit: Exit.Exit<unknown, CallError>): unknown => {
  if (Exit.isSuccess(exit)) assert.fail("the call succeeded")
  return exit.cause.reasons[0]?._tag === "Fail" ? exit.cause.reasons[0].error : exit.cause
}

describe("timers", () => {
  it.effect("the idle timer ends a silent call, its connection is closed, the next call dials", () =>
    Effect.gen(function*() {
      const peer = yield* makeScriptedPeer
      const client = yield* open(peer, { idleTimeoutMillis: 1000, totalTimeoutMillis: 60_000 })
      const { fiber, request } = yield* startListing(client, peer)
      assert.strictEqual(request.ttlMillis, 60_000)
      yield* TestClock.adjust(999)
      assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust(1)
      const error = expectError(failure(yield* Fiber.join(fiber)), "timeout")
      assert.match(error.message, /no byte of the answer for 1000 ms/)
      assert.isDefined(request.connection.ended)
      const again = yield* startListing(client, peer)
      assert.notStrictEqual(again.request.connection, request.connection)
      reply(again.request, page)
      assert.isTrue(Exit.isSuccess(yield* Fiber.join(again.fiber)))
      assert.strictEqual(client.counters.dials, 2)
      assert.strictEqual(client.counters.openConnections, 1)
    }))

  it.effect("each byte of an answer holds the idle timer off, in mid-frame, too; the total timer ends it whatever comes", () =>
    Effect.gen(function*() {
      const peer = yield* makeScriptedPeer
      const client = yield* open(peer, { idleTimeoutMillis: 1000, totalTimeoutMillis: 5000 })
      let seenBytes = 0
      const { fiber, request } = yield* startListing(client, peer, {
        onBytes: (bytes: number) => {
          seenBytes += bytes
        }
      })
      const bytes = answer(request, page)[0]!
      // The first eight bytes name the call; before them nobody can tell whose bytes these are.
      request.connection.deliver(bytes.subarray(0, 8))
      for (let i = 8; i < 13; i++) {
        yield* TestClock.adjust(900)
        assert.isUndefined(fiber.pollUnsafe(), `byte ${i}`)
        request.connection.deliver(bytes.subarray(i, i + 1))
      }
      yield* TestClock.adjust(499)
      assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust(1)
      const error = expectError(failure(yield* Fiber.join(fiber)), "timeout")
      assert.match(error.message, /no complete answer in 5000 ms/)
      assert.strictEqual(error.receivedBytes, 13)
      assert.strictEqual(seenBytes, 13)
    }))

  it.effect("bytes that belong to no call, such as pings, do not hold the idle timer off", () =>
    Effect.gen(function*() {
      const peer = yield* makeScriptedPeer
      const client = yield* open(peer, { idleTimeoutMillis: 1000 })
      const { fiber, request } = yield* startListing(client, peer)
      yield* TestClock.adjust(800)
      request.connection.deliver(encodeFrame(FrameType.pingRequest, 9))
      yield* TestClock.adjust(200)
      expectError(failure(yield* Fiber.join(fiber)), "timeout")
      assert.deepInclude(request.connection.frames, { type: FrameType.pingResponse, id: 9 })
    }))

  it.effect("a handshake without an answer ends after 5 s and leaves nothing open", () =>
    Effect.gen(function*() {
      const peer = yield* makeScriptedPeer
      peer.greeting = undefined
      const client = yield* open(peer)
      const fiber = yield* Effect.forkChild(Effect.exit(client.health()))
      yield* TestClock.adjust(4999)
      assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust(1)
      expectError(failure(yield* Fiber.join(fiber)), "timeout")
      assert.isDefined(peer.connections[0]!.ended)
      assert.strictEqual(client.counters.openConnections, 0)
    }))

  it.effect("waiting behind our own calls does not use up a call's time", () =>
    Effect.gen(function*() {
      const peer = yield* makeScriptedPeer
      const client = yield* open(peer, { connections: 2, idleTimeoutMillis: 1000, totalTimeoutMillis: 1500 })
      const first = yield* startListing(client, peer)
      const second = yield* Effect.forkChild(client.fetchBlocksMetadata(listing))
      yield* TestClock.adjust(900)
      reply(first.request, page)
      const request = yield* peer.next
      assert.strictEqual(request.ttlMillis, 1500)
      yield* TestClock.adjust(900)
      reply(request, page)
      assert.strictEqual((yield* Fiber.join(second)).count, 1)
    }))
})

describe("connections", () => {
  it.effect("one bulk call a connection, at most three; the fourth waits and callers are served in order", () =>
    Effect.gen(function*() {
      const peer = yield* makeScriptedPeer
      const client = yield* open(peer)
      const order: Array<number> = []
      const fibers = yield* Effect.forEach(
        [0, 1, 2, 3, 4, 5],
        (shard) =>
          Effect.forkChild(Effect.map(client.fetchBlocksMetadata({ ...listing, shard }), () => order.push(shard)))
      )
      const requests = [yield* peer.next, yield* peer.next, yield* peer.next]
      yield* Effect.yieldNow
      assert.strictEqual(peer.connections.length, 3)
      assert.strictEqual(new Set(requests.map(({ connection }) => connection)).size, 3)
      for (let i = 0; i < 6; i++) {
        reply(requests[i]!, page)
        if (i < 3) requests.push(yield* peer.next)
      }
      for (const fiber of fibers) yield* Fiber.join(fiber)
      assert.deepStrictEqual(order, [0, 1, 2, 3, 4, 5])
      assert.strictEqual(peer.connections.length, 3, "idle connections are used again")
      const health = yield* Effect.forkChild(client.health())
      const request = yield* peer.next
      assert.strictEqual(peer.connections.indexOf(request.connection), 3, "health has its own connection")
      reply(request, healthy)
      assert.isTrue((yield* Fiber.join(health)).bootstrapped)
    }))

  it.effect("more waiting calls than the limit are refused as local", () =>
    Effect.gen(function*() {
      const peer = yield* makeScriptedPeer
      const client = yield* open(peer, { connections: 2, maxWaitingCalls: 1 })
      yield* startListing(client, peer)
      const waiting = yield* Effect.forkChild(client.fetchBlocksMetadata(listing))
      yield* Effect.yieldNow
      expectError(yield* Effect.flip(client.fetchBlocksMetadata(listing)), "local")
      yield* Fiber.interrupt(waiting)
    }))

  it.effect("an interrupted bulk call closes its connection and the next caller gets a new one", () =>
    Effect.gen(function*() {
      const peer = yield* makeScriptedPeer
      const client = yield* open(peer, { connections: 2 })
      const { fiber, request } = yield* startListing(client, peer)
      const waiting = yield* Effect.forkChild(client.fetchBlocksMetadata(listing))
      yield* Fiber.interrupt(fiber)
      assert.isDefined(request.connection.ended)
      const next = yield* peer.next
      reply(next, page)
      assert.strictEqual((yield* Fiber.join(waiting)).count, 1)
    }))

  it.effect("an abandoned health call keeps its connection: late frames are discarded, its id is not used again", () =>
    Effect.gen(function*() {
      const peer = yield* makeScriptedPeer
      const client = yield* open(peer)
      const first = yield* Effect.forkChild(client.health())
      const abandoned = yield* peer.next
      abandoned.connection.deliver(answer(abandoned, healthy)[0]!.subarray(0, 20))
      yield* Fiber.interrupt(first)
      const second = yield* Effect.forkChild(client.health())
      const request = yield* peer.next
      assert.strictEqual(request.connection, abandoned.connection)
      assert.notStrictEqual(request.id, abandoned.id)
      abandoned.connection.deliver(answer(abandoned, healthy)[0]!.subarray(20))
      assert.strictEqual(client.counters.lateFrames, 1)
      reply(request, encodeHealthAnswer({ ok: true, status: "second", bootstrapped: false }))
      assert.strictEqual((yield* Fiber.join(second)).status, "second")
    }))

  it.effect("a connection that ends in mid-answer fails its call as closed with the bytes seen", () =>
    Effect.gen(function*() {
      const peer = yield* makeScriptedPeer
      const client = yield* open(peer)
      const { fiber, request } = yield* startListing(client, peer)
      request.connection.deliver(answer(request, page)[0]!.subarray(0, 40))
      request.connection.end("error", "connection reset")
      const error = expectError(failure(yield* Fiber.join(fiber)), "closed")
      assert.match(error.message, /connection reset/)
      assert.strictEqual(error.receivedBytes, 40)
    }))

  it.effect("everything ends with the scope, waiting calls included", () =>
    Effect.gen(function*() {
      const peer = yield* makeScriptedPeer
      const scope = yield* Scope.make()
      const client = yield* open(peer).pipe(Scope.provide(scope))
      const { fiber, request } = yield* startListing(client, peer)
      yield* Scope.close(scope, Exit.void)
      expectError(failure(yield* Fiber.join(fiber)), "closed")
      assert.isDefined(request.connection.ended)
      assert.strictEqual(client.counters.openConnections, 0)
    }))
})

describe("what a peer may say instead of an answer", () => {
  const frames: ReadonlyArray<readonly [string, (request: SeenRequest) => Uint8Array, CallErrorReason, boolean]> = [
    ["busy", ({ id }) => encodeErrorFrame(id, ErrorCode.busy, "busy"), "overloaded", true],
    ["declined", ({ id }) => encodeErrorFrame(id, ErrorCode.declined, "closed channel"), "overloaded", false],
    ["a timeout of the peer", ({ id }) => encodeErrorFrame(id, ErrorCode.timeout, "timeout"), "internal", true],
    ["cancelled", ({ id }) => encodeErrorFrame(id, ErrorCode.cancelled, "x"), "internal", true],
    ["network", ({ id }) => encodeErrorFrame(id, ErrorCode.network, "x"), "internal", true],
    ["unexpected", ({ id }) => encodeErrorFrame(id, ErrorCode.unexpected, "boom"), "internal", true],
    [
      "unexpected, a rendered bad request",
      ({ id }) =>
        encodeErrorFrame(id, ErrorCode.unexpected, "Error({Type:BAD_REQUEST Message:unknown namespace: nope Flags:0})"),
      "unknown-namespace",
      true
    ],
    [
      "unexpected, a rendered overload",
      ({ id }) =>
        encodeErrorFrame(id, ErrorCode.unexpected, "Error({Type:INTERNAL_ERROR Message:server is overloaded Flags:0})"),
      "overloaded",
      true
    ],
    [
      "an unknown method",
      ({ id }) => encodeErrorFrame(id, ErrorCode.badRequest, "no handler for service \"Node\""),
      "bad-request",
      true
    ],
    [
      "an unknown namespace in an error frame",
      ({ id }) => encodeErrorFrame(id, ErrorCode.badRequest, "unknown namespace: nope"),
      "unknown-namespace",
      true
    ],
    ["a fatal error", ({ id }) => encodeErrorFrame(id, ErrorCode.fatal, "protocol error"), "protocol", false],
    ["an error of the connection", () => encodeErrorFrame(0xffff_ffff, ErrorCode.fatal, "x"), "protocol", false],
    ["a frame of an unknown type", ({ id }) => encodeFrame(0x55, id), "protocol", false],
    ["a size below 16", () => Uint8Array.of(0, 15, 4, 0), "protocol", false],
    ["an answer to a call never made", ({ id }) => encodeFrame(FrameType.callResponse, id + 1), "protocol", false],
    ["an init response in mid-stream", () => initAnswer, "protocol", false],
    [
      "a fragment without a chunk",
      (request) => answer(request, page)[0]!.with(1, 59).subarray(0, 59),
      "protocol",
      false
    ],
    [
      "a checksum that does not match",
      (request) => answer(request, page)[0]!.map((byte, i, frame) => i === frame.length - 10 ? byte ^ 1 : byte),
      "protocol",
      false
    ],
    ["a result without any field", (request) => answer(request, new Uint8Array(1))[0]!, "bad-answer", true],
    ["bytes after the result", (request) => answer(request, Uint8Array.of(...page, 0))[0]!, "bad-answer", true],
    [
      "an error under code 0",
      (request) => answer(request, encodeErrorAnswer(new RemoteError(0, "x")))[0]!,
      "bad-answer",
      true
    ]
  ]
  for (const [name, bytes, reason, usable] of frames) {
    it.effect(`${name} → ${reason}${usable ? ", the connection stays" : ", the connection ends"}`, () =>
      Effect.gen(function*() {
        const peer = yield* makeScriptedPeer
        const client = yield* open(peer)
        const { fiber, request } = yield* startListing(client, peer)
        request.connection.deliver(bytes(request))
        expectError(failure(yield* Fiber.join(fiber)), reason)
        const again = yield* startListing(client, peer)
        assert.strictEqual(again.request.connection === request.connection, usable)
        assert.strictEqual(request.connection.ended === undefined, usable)
        if (usable) assert.isAbove(again.request.id, request.id)
        reply(again.request, page)
        assert.isTrue(Exit.isSuccess(yield* Fiber.join(again.fiber)))
      }))
  }

  const declared: ReadonlyArray<readonly [RemoteError, CallErrorReason]> = [
    [new RemoteError(1, "unknown namespace: nope"), "unknown-namespace"],
    [new RemoteError(1, "unable to find specified namespace: nope"), "unknown-namespace"],
    [new RemoteError(1, "shard could not unmarshal page token"), "bad-request"],
    [new RemoteError(1, "shard is not yet bootstrapped to read"), "bad-request"],
    [new RemoteError(1, "query limit exceeded", 1), "overloaded"],
    [new RemoteError(0, "server is overloaded"), "overloaded"],
    [new RemoteError(0, "not responsible for shard 4294967295"), "not-owned"],
    [new RemoteError(0, "shard is not yet bootstrapped to read"), "not-bootstrapped"],
    [new RemoteError(0, "node is not bootstrapped"), "not-bootstrapped"],
    [new RemoteError(0, "database is not yet initialized"), "not-bootstrapped"],
    [new RemoteError(0, "context deadline exceeded", 2), "internal"],
    [new RemoteError(0, "unknown namespace: by text, not by type"), "internal"]
  ]
  it.effect("declared errors are told apart by flags and type, then by text", () =>
    Effect.gen(function*() {
      const peer = yield* makeScriptedPeer
      const client = yield* open(peer)
      for (const [error, reason] of declared) {
        const { fiber, request } = yield* startListing(client, peer)
        const arg3 = encodeErrorAnswer(error)
        for (const frame of encodeCallResponse({ id: request.id, code: 1, arg3, checksumType: 1 })) {
          request.connection.deliver(frame)
        }
        assert.strictEqual(expectError(failure(yield* Fiber.join(fiber)), reason).message, error.message)
      }
      assert.strictEqual(client.counters.failedCalls, declared.length)
      assert.strictEqual(client.counters.dials, 1)
    }))

  const greetings: ReadonlyArray<readonly [string, ReadonlyArray<Uint8Array>, CallErrorReason]> = [
    ["an HTTP server", [ascii("HTTP/1.1 400 Bad Request\r\n\r\n")], "other-protocol"],
    ["a TLS alert", [Uint8Array.of(0x15, 3, 1, 0, 2, 2, 70)], "other-protocol"],
    ["a size below 16", [Uint8Array.of(0, 8, 2)], "other-protocol"],
    ["another version", [encodeInit(FrameType.initResponse, 1, { version: 3, pairs: [] })], "other-protocol"],
    ["another id", [encodeInit(FrameType.initResponse, 2, {
      version: 2,
      pairs: [["host_port", ""], ["process_name", ""]]
    })], "protocol"],
    ["required keys missing", [encodeInit(FrameType.initResponse, 1, { version: 2, pairs: [] })], "protocol"],
    ["a fatal error", [encodeErrorFrame(1, ErrorCode.fatal, "no process_name")], "protocol"],
    ["a closing channel", [encodeErrorFrame(1, ErrorCode.declined, "closing")], "overloaded"]
  ]
  for (const [name, greeting, reason] of greetings) {
    it.effect(`in the handshake: ${name} → ${reason}`, () =>
      Effect.gen(function*() {
        const peer = yield* makeScriptedPeer
        peer.greeting = greeting
        const client = yield* open(peer)
        expectError(yield* Effect.flip(client.health()), reason)
        assert.isDefined(peer.connections[0]!.ended)
        peer.greeting = [initAnswer]
        const fiber = yield* Effect.forkChild(client.health())
        reply(yield* peer.next, healthy)
        assert.isTrue((yield* Fiber.join(fiber)).ok)
      }))
  }

  it.effect("a refused dial is unreachable, one without descriptors is local", () =>
    Effect.gen(function*() {
      const peer = yield* makeScriptedPeer
      const client = yield* open(peer)
      for (const [fault, reason] of [["unknown", "unreachable"], ["self", "local"]] as const) {
        peer.dialError = new DialError({ address: "peer:9000", reason: "refused", fault, message: "refused" })
        expectError(yield* Effect.flip(client.health()), reason)
      }
    }))

  it.effect("short and long answers are handed on as columns: matching them is not the client's business", () =>
    Effect.gen(function*() {
      const peer = yield* makeScriptedPeer
      const client = yield* open(peer)
      for (const given of [0, 1, 3]) {
        const fiber = yield* Effect.forkChild(client.fetchBlocks(batch(2)))
        const request = yield* peer.next
        const element = { id: ascii("other"), blocks: [] }
        reply(request, encodeBlocksAnswer(Array.from({ length: given }, () => element)), 80)
        assert.strictEqual((yield* Fiber.join(fiber)).elementCount, given)
      }
    }))

  it.effect("an answer above the maximum is too large, and the connection that carries its rest is closed", () =>
    Effect.gen(function*() {
      const peer = yield* makeScriptedPeer
      const client = yield* open(peer)
      const { fiber, request } = yield* startListing(client, peer, { maxAnswerBytes: 20 })
      reply(request, page)
      expectError(failure(yield* Fiber.join(fiber)), "too-large")
      assert.isDefined(request.connection.ended)
    }))

  it.effect("a peer that pings without reading is cut off, one that calls us is told that nobody serves here", () =>
    Effect.gen(function*() {
      const peer = yield* makeScriptedPeer
      const client = yield* open(peer)
      const { fiber, request } = yield* startListing(client, peer)
      request.connection.deliver(encodeFrame(FrameType.callRequest, 77, new Uint8Array(40)))
      yield* Effect.yieldNow
      assert.deepInclude(request.connection.frames, { type: FrameType.error, id: 77 })
      request.connection.stalled = true
      const flood = Array.from({ length: Limits.maxPendingPongs + 2 }, (_, i) => encodeFrame(FrameType.pingRequest, i))
      request.connection.deliver(Buffer.concat(flood))
      expectError(failure(yield* Fiber.join(fiber)), "protocol")
    }))

  it.effect("a request that would harm the peer is a defect of the caller, not a failed call", () =>
    Effect.gen(function*() {
      const peer = yield* makeScriptedPeer
      const client = yield* open(peer)
      const exit = yield* Effect.exit(client.fetchBlocksMetadata({ ...listing, limit: 5000 }))
      assert.isTrue(Exit.isFailure(exit) && exit.cause.reasons[0]?._tag === "Die")
      assert.strictEqual(client.counters.dials, 0)
    }))
})
