// Sessions over the in-process network and over sockets: frames, back-pressure, pauses, memory, and every way in which they end.
import { assert, describe, it } from "@effect/vitest"
import {
  handshake,
  HandshakeError,
  type HandshakeOptions,
  NackMotive,
  type Session,
  SessionClosed,
  SessionLimits
} from "@peerstrap/tezos-wire"
import { ByteLedger, type Connection, Memory, Tcp, Transport } from "@peerstrap/transport"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import { chainName, crypto, identityOf, pattern } from "./wire.ts"

const optionsOf = (seed: number, changes: Partial<HandshakeOptions> = {}): HandshakeOptions => ({
  crypto,
  identity: identityOf(seed),
  chainName,
  side: seed === 1 ? "initiator" : "responder",
  powDifficulty: 0,
  ...changes
})

const anyPort = { host: "127.0.0.1", port: 0 }

/** Both ends of one raw connection. */
const connectionPair = Effect.gen(function*() {
  const transport = yield* Transport
  const accepted = yield* Deferred.make<Connection>()
  const { address } = yield* transport.listen(
    anyPort,
    (connection) => Effect.andThen(Deferred.succeed(accepted, connection), Effect.asVoid(connection.closed))
  )
  const near = yield* transport.dial(address)
  return { near, far: yield* Deferred.await(accepted) }
})

const shake = (
  { far, near }: { readonly near: Connection; readonly far: Connection },
  one: Partial<HandshakeOptions> = {},
  two: Partial<HandshakeOptions> = {}
) =>
  Effect.all([
    Effect.result(handshake(near, optionsOf(1, one))),
    Effect.result(handshake(far, optionsOf(2, two)))
  ], { concurrency: 2 })

const sessions = Effect.fnUntraced(function*(one: Partial<HandshakeOptions> = {}, two: Partial<HandshakeOptions> = {}) {
  const pair = yield* connectionPair
  const [near, far] = yield* shake(pair, one, two)
  if (near._tag === "Failure" || far._tag === "Failure") throw new Error(`no session: ${String(near)} ${String(far)}`)
  return { near: near.success, far: far.success, pair }
})

/** Collects frames; `until` completes when so many have come. */
const collector = (session: Session) => {
  const frames: Array<Uint8Array> = []
  let waiting: { readonly count: number; readonly done: Deferred.Deferred<void> } | undefined
  session.receive((body) => {
    frames.push(body)
    if (waiting !== undefined && frames.length >= waiting.count) Deferred.doneUnsafe(waiting.done, Effect.void)
    return true
  })
  const until = (count: number) =>
    Effect.suspend(() => {
      if (frames.length >= count) return Effect.void
      waiting = { count, done: Deferred.makeUnsafe<void>() }
      return Deferred.await(waiting.done)
    })
  return { frames, until }
}

const turns = (count: number) => Effect.repeat(Effect.yieldNow, { times: count })

const reasons = (results: ReadonlyArray<{ readonly _tag: string; readonly failure?: HandshakeError }>) =>
  results.map((result) => result._tag === "Failure" ? result.failure?.reason : "session")

const bothTransports = [["memory", Memory.layer], ["sockets", Tcp.layer]] as const

for (const [name, layer] of bothTransports) {
  describe(`Session over ${name}`, () => {
    it.live("carries frames of all sizes in both directions at once", () =>
      Effect.gen(function*() {
        const { far, near } = yield* sessions()
        const bodies = Array.from({ length: 60 }, (_, i) => pattern(1 + (i * i * 37) % 180_000, i))
        const [atFar, atNear] = [collector(far), collector(near)]
        yield* Effect.all([
          Effect.forEach(bodies, (body) => near.send([body]), { discard: true }),
          far.send(bodies),
          atFar.until(60),
          atNear.until(60)
        ], { concurrency: "unbounded" })
        for (const { frames } of [atFar, atNear]) {
          for (const [i, body] of bodies.entries()) assert.isTrue(Buffer.from(frames[i]!).equals(body), `frame ${i}`)
        }
        assert.strictEqual(near.counters.framesIn, 60)
        assert.strictEqual(near.counters.framesOut, 60)
        assert.strictEqual(far.remote.chainName, chainName)
        assert.deepStrictEqual(far.remote.peerId, identityOf(1).peerId)
        assert.deepStrictEqual(near.connectionMessages.sent, far.connectionMessages.received)
        assert.isAtLeast(near.counters.bytesIn, 2_000_000)
      }).pipe(Effect.scoped, Effect.provide(layer)))

    it.live("senders in several fibers never mix nonces", () =>
      Effect.gen(function*() {
        const { far, near } = yield* sessions()
        const atFar = collector(far)
        yield* Effect.forEach(
          Array.from({ length: 300 }, (_, i) => i),
          (i) => Effect.andThen(Effect.yieldNow, near.send([pattern(10 + i, i), pattern(20, i)])),
          { concurrency: "unbounded", discard: true }
        )
        yield* atFar.until(600)
        assert.strictEqual(new Set(atFar.frames.map((body) => body.length)).size, 300)
      }).pipe(Effect.scoped, Effect.provide(layer)))

    it.live("an orderly end, and a local one with its reason", () =>
      Effect.gen(function*() {
        const { far, near } = yield* sessions()
        const atFar = collector(far)
        yield* near.send([pattern(9, 1)])
        yield* atFar.until(1)
        near.close("enough")
        near.close("again")
        assert.deepStrictEqual(yield* near.closed, { kind: "local", message: "enough" })
        assert.strictEqual((yield* far.closed).kind, "end")
        const error = yield* Effect.flip(near.send([pattern(9, 2)]))
        assert.instanceOf(error, SessionClosed)
        assert.include(error.reason, "enough")
        assert.isFalse(near.offer([pattern(9, 2)]))
        assert.instanceOf(yield* Effect.flip(far.send([pattern(9, 2)])), SessionClosed)
      }).pipe(Effect.scoped, Effect.provide(layer)))

    it.live("a refusal is read by the other side before the end", () =>
      Effect.gen(function*() {
        const pair = yield* connectionPair
        const [near, far] = yield* shake(pair, {}, {
          accept: () => ({ motive: NackMotive.tooManyConnections, points: ["10.0.0.1:9732"] })
        })
        assert.deepStrictEqual(reasons([near, far] as never), ["nacked", "refused"])
        if (near._tag !== "Failure") throw new Error("a session")
        assert.deepInclude(near.failure, { motive: 1, fault: "unknown" })
        assert.deepStrictEqual(near.failure.points, ["10.0.0.1:9732"])
      }).pipe(Effect.scoped, Effect.provide(layer)))

    it.live("one flipped bit in a stream of frames ends it as malformed, with the place", () =>
      Effect.gen(function*() {
        const { far, near, pair } = yield* sessions()
        const atFar = collector(far)
        yield* near.send([pattern(9, 1)])
        yield* atFar.until(1)
        yield* pair.near.write([Uint8Array.of(0, 20, ...pattern(20, 3))])
        const end = yield* far.closed
        assert.strictEqual(end.kind, "malformed")
        assert.deepInclude(end.proof, { what: "authentication", chunk: 3 })
        assert.strictEqual(atFar.frames.length, 1)
      }).pipe(Effect.scoped, Effect.provide(layer)))
  })
}

describe("Session", () => {
  it.effect("handshake failures are typed: another kind of node, our own self, an end, another chain", () =>
    Effect.gen(function*() {
      const http = yield* connectionPair
      yield* http.far.write([new TextEncoder().encode("HTTP/1.1 400 Bad Request\r\n\r\n")])
      const error = yield* Effect.flip(handshake(http.near, optionsOf(1)))
      assert.deepInclude(error, { reason: "malformed", fault: "peer" })
      assert.include(error.message, "another kind")
      assert.strictEqual(error.proof, "4854")
      const self = yield* shake(yield* connectionPair, {}, { identity: identityOf(1) })
      assert.deepStrictEqual(reasons(self as never), ["self", "self"])
      const gone = yield* connectionPair
      gone.far.close("not now")
      assert.strictEqual((yield* Effect.flip(handshake(gone.near, optionsOf(1)))).reason, "closed")
    }).pipe(Effect.scoped, Effect.provide(Memory.layer)))

  it.effect("a peer that says nothing is given its time, and the connection is closed", () =>
    Effect.gen(function*() {
      const { far, near } = yield* connectionPair
      const fiber = yield* Effect.forkChild(Effect.flip(handshake(near, optionsOf(1))))
      yield* TestClock.adjust(SessionLimits.handshakeTimeoutMillis - 1)
      yield* turns(20)
      assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust(1)
      const error = yield* Fiber.join(fiber)
      assert.instanceOf(error, HandshakeError)
      assert.strictEqual(error.reason, "timeout")
      far.receive(() => true)
      assert.strictEqual((yield* far.closed).kind, "end")
    }).pipe(Effect.scoped, Effect.provide(Memory.layer)))

  it.effect("another chain: both refuse, and neither waits longer than the Nack needs", () =>
    Effect.gen(function*() {
      const pair = yield* connectionPair
      const fiber = yield* Effect.forkChild(shake(pair, {}, { chainName: "TEZOS_OTHER" }))
      yield* turns(200)
      yield* TestClock.adjust(SessionLimits.nackLingerMillis)
      assert.deepStrictEqual(reasons((yield* Fiber.join(fiber)) as never), ["refused", "refused"])
    }).pipe(Effect.scoped, Effect.provide(Memory.layer)))

  it.effect("a paused consumer pauses the sender, whose queue stays within its bound; nothing is lost", () =>
    Effect.gen(function*() {
      const { far, near } = yield* sessions({ maxQueuedBytes: 100_000 })
      const seen: Array<number> = []
      let open = false
      far.receive((body) => {
        seen.push(body[0]!)
        return open
      })
      const bodies = Array.from({ length: 100 }, (_, i) => new Uint8Array(20_000).fill(i))
      const sending = yield* Effect.forkChild(Effect.forEach(bodies, (body) => near.send([body]), { discard: true }))
      yield* turns(2_000)
      assert.isUndefined(sending.pollUnsafe())
      assert.isAtMost(near.queuedBytes, 100_000 + 20_100)
      assert.isFalse(near.offer([pattern(1, 1)]))
      assert.strictEqual(seen.length, 1)
      open = true
      far.resume()
      yield* Fiber.join(sending)
      yield* turns(2_000)
      assert.deepStrictEqual(seen, Array.from({ length: 100 }, (_, i) => i))
      assert.strictEqual(near.queuedBytes, 0)
    }).pipe(Effect.scoped, Effect.provide(Memory.layer)))

  it.effect("senders that wait fail when it ends, and an interrupted one sends nothing", () =>
    Effect.gen(function*() {
      const { far, near } = yield* sessions({ maxQueuedBytes: 1_000 })
      const seen: Array<number> = []
      const consume = (body: Uint8Array) => seen.push(body[0]!) > 0
      yield* Effect.forEach(Array.from({ length: 40 }, (_, i) => i), (i) =>
        Effect.forkChild(near.send([new Uint8Array(60_000).fill(i)])))
      yield* turns(500)
      const interrupted = yield* Effect.forkChild(near.send([new Uint8Array(10).fill(99)]))
      yield* turns(20)
      yield* Fiber.interrupt(interrupted)
      far.receive(consume)
      yield* turns(5_000)
      assert.deepStrictEqual(
        seen,
        Array.from({ length: 40 }, (_, i) =>
          i)
      )
      const another = yield* sessions({ maxQueuedBytes: 1_000 })
      const fibers = yield* Effect.forEach(
        Array.from({ length: 40 }),
        () => Effect.forkChild(another.near.send([new Uint8Array(60_000)]))
      )
      yield* turns(500)
      another.near.close("enough")
      const exits = yield* Effect.forEach(fibers, Fiber.await)
      assert.isTrue(exits.some(Exit.isFailure))
    }).pipe(Effect.scoped, Effect.provide(Memory.layer)))

  it.effect("memory that the ledger refuses pauses reading until it is free", () =>
    Effect.gen(function*() {
      const ledger = new ByteLedger(400_000)
      const { far, near } = yield* sessions({}, { ledger })
      const atFar = collector(far)
      ledger.tryReserve("others", 350_000)
      yield* Effect.forkChild(near.send([pattern(10, 1), pattern(200_000, 2), pattern(10, 3)]))
      yield* turns(500)
      assert.strictEqual(atFar.frames.length, 1)
      yield* TestClock.adjust(SessionLimits.memoryRetryMillis * 3)
      yield* turns(200)
      assert.strictEqual(atFar.frames.length, 1)
      ledger.release("others", 350_000)
      yield* TestClock.adjust(SessionLimits.memoryRetryMillis)
      yield* atFar.until(3)
      assert.strictEqual(atFar.frames[1]!.length, 200_000)
      assert.strictEqual(ledger.used, 0)
    }).pipe(Effect.scoped, Effect.provide(Memory.layer)))

  it.effect("ends with its scope, giving back memory of an unfinished frame", () =>
    Effect.gen(function*() {
      const ledger = new ByteLedger(1_000_000)
      const pair = yield* connectionPair
      const scope = yield* Scope.make()
      const cutting: Connection = {
        remote: pair.near.remote,
        closed: pair.near.closed,
        receive: (consumer) => pair.near.receive(consumer),
        resume: () => pair.near.resume(),
        close: (reason) => pair.near.close(reason),
        write: (chunks) => pair.near.write(chunks.map((chunk) => chunk.subarray(0, 100_000)))
      }
      const [near, far] = yield* Effect.all([
        Scope.provide(handshake(cutting, optionsOf(1)), yield* Scope.Scope),
        Scope.provide(handshake(pair.far, optionsOf(2, { ledger })), scope)
      ], { concurrency: 2 })
      far.receive(() => true)
      yield* near.send([pattern(700_000, 1)])
      yield* turns(200)
      assert.strictEqual(ledger.used, 700_000)
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual((yield* far.closed).kind, "local")
      assert.strictEqual((yield* near.closed).kind, "end")
      assert.strictEqual(ledger.used, 0)
    }).pipe(Effect.scoped, Effect.provide(Memory.layer)))

  it.effect("a stream that ends in the middle of a frame says so", () =>
    Effect.gen(function*() {
      const { far, near, pair } = yield* sessions()
      far.receive(() => true)
      yield* pair.near.write([Uint8Array.of(0, 99, 1, 2, 3)])
      yield* turns(20)
      near.close("done")
      const end = yield* far.closed
      assert.strictEqual(end.kind, "end")
      assert.include(end.message, "in the middle")
    }).pipe(Effect.scoped, Effect.provide(Memory.layer)))
})
