// Each fault over `Memory`, in virtual time.
import { assert, describe, it } from "@effect/vitest"
import { isDone, turns } from "@peerstrap/conformance"
import {
  type Connection,
  type ConnectionFaults,
  FaultLine,
  type FaultRule,
  Faulty,
  Memory,
  Transport
} from "@peerstrap/transport"
import { collect, connectedPair, pattern } from "@peerstrap/transport/testing"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import * as fc from "fast-check"

/** Faults on the dialling side only, so that a test sees each of them once. */
const dialled = (faults: ConnectionFaults): FaultRule => (facts) => facts.side === "dialled" ? faults : {}

const withFaults = (rule: ConnectionFaults | FaultRule, seed = 7) =>
  Effect.provide(Layer.provide(Faulty.layer({ seed, rule }), Memory.layer))

/** Installs a consumer that notes when each chunk came. */
const arrivals = (connection: Connection, clock: Clock.Clock) => {
  const seen: Array<readonly [atMillis: number, bytes: number]> = []
  connection.receive((chunk) => {
    seen.push([clock.currentTimeMillisUnsafe(), chunk.length])
    return true
  })
  return seen
}

/** What comes out of a line for these chunks. */
const play = (seed: number, chunks: ReadonlyArray<{ bytes: Uint8Array; waitMillis: number }>, f: object) => {
  const line = new FaultLine(seed)
  let now = 0
  for (const { bytes, waitMillis } of chunks) line.push(bytes, now += waitMillis, f)
  const out: Array<{ bytes: Array<number>; dueMillis: number }> = []
  for (let piece = line.take(); piece !== undefined; piece = line.take()) {
    if (piece.kind === "bytes") out.push({ bytes: [...piece.bytes], dueMillis: piece.dueMillis })
  }
  assert.strictEqual(line.queuedBytes, 0)
  return out
}

describe("Faulty", () => {
  it.effect("delays by the latency, with pieces overlapping in flight", () =>
    Effect.gen(function*() {
      const { far, near } = yield* connectedPair
      const seen = arrivals(far, yield* Clock.Clock)
      yield* near.write([new Uint8Array(10)])
      yield* TestClock.adjust(30)
      yield* near.write([new Uint8Array(20)])
      yield* TestClock.adjust(69)
      assert.deepStrictEqual(seen, [])
      yield* TestClock.adjust(200)
      assert.deepStrictEqual(seen, [[100, 10], [130, 20]])
    }).pipe(withFaults(dialled({ outbound: { latencyMillis: 100 } }))))

  it.effect("delays inbound bytes and the end behind them", () =>
    Effect.gen(function*() {
      const { far, near } = yield* connectedPair
      const seen = arrivals(near, yield* Clock.Clock)
      const closed = yield* Effect.forkScoped(near.closed)
      yield* far.write([new Uint8Array(5)])
      far.close("done")
      yield* TestClock.adjust(99)
      assert.isFalse(isDone(closed))
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(seen, [[100, 5]])
      assert.strictEqual((yield* near.closed).kind, "end")
    }).pipe(withFaults(dialled({ inbound: { latencyMillis: 100 } }))))

  it.effect("limits the rate and makes the writer wait", () =>
    Effect.gen(function*() {
      const { far, near } = yield* connectedPair
      const received = collect(far)
      const writing = yield* Effect.forkScoped(near.write([new Uint8Array(1_000_000)]))
      yield* TestClock.adjust(1_000)
      assert.strictEqual(received.count(), 100_000)
      assert.isFalse(isDone(writing))
      yield* TestClock.adjust(9_000)
      assert.strictEqual(received.count(), 1_000_000)
      assert.isTrue(isDone(writing))
    }).pipe(withFaults(dialled({ outbound: { bytesPerSecond: 100_000 } }))))

  it.effect("what was written before a close still arrives, late", () =>
    Effect.gen(function*() {
      const { far, near } = yield* connectedPair
      const received = collect(far)
      yield* near.write([pattern(1_000, 1)])
      near.close("said everything")
      assert.strictEqual((yield* near.closed).kind, "local")
      yield* TestClock.adjust(50)
      assert.strictEqual((yield* far.closed).kind, "end")
      assert.deepStrictEqual(received.bytes(), pattern(1_000, 1))
    }).pipe(withFaults(dialled({ outbound: { latencyMillis: 50 } }))))

  it.effect("chops into pieces of at most k bytes", () =>
    Effect.gen(function*() {
      const { far, near } = yield* connectedPair
      const received = collect(near)
      yield* far.write([pattern(10, 2)])
      yield* received.until(10)
      assert.deepStrictEqual(received.sizes(), [3, 3, 3, 1])
      assert.deepStrictEqual(received.bytes(), pattern(10, 2))
    }).pipe(withFaults(dialled({ inbound: { chopBytes: 3 } }))))

  for (const direction of ["inbound", "outbound"] as const) {
    it.effect(`cuts ${direction} after n bytes`, () =>
      Effect.gen(function*() {
        const { far, near } = yield* connectedPair
        const [from, to] = direction === "inbound" ? [far, near] : [near, far]
        const atNear = collect(near)
        const atFar = collect(far)
        const received = to === near ? atNear : atFar
        yield* Effect.ignore(from.write([pattern(100, 3)]))
        assert.strictEqual((yield* near.closed).kind, "error")
        yield* far.closed
        assert.deepStrictEqual(received.bytes(), pattern(100, 3).slice(0, 64))
        assert.strictEqual((yield* Effect.flip(near.write([new Uint8Array(1)])))._tag, "ConnectionClosed")
      }).pipe(withFaults(dialled({ [direction]: { cutAfterBytes: 64 } }))))

    it.effect(`goes silent ${direction} after n bytes and stays up`, () =>
      Effect.gen(function*() {
        const { far, near } = yield* connectedPair
        const [from, to] = direction === "inbound" ? [far, near] : [near, far]
        const received = collect(to)
        yield* from.write([pattern(100, 4)])
        yield* from.write([pattern(100, 5)])
        yield* TestClock.adjust(3_600_000)
        assert.strictEqual(received.count(), 64)
        const closed = yield* Effect.forkScoped(near.closed)
        if (direction === "inbound") far.close("unheard")
        yield* turns(200)
        assert.isFalse(isDone(closed))
      }).pipe(withFaults(dialled({ [direction]: { silenceAfterBytes: 64 } }))))

    it.effect(`flips one bit ${direction}, the same one for the same seed`, () =>
      Effect.gen(function*() {
        const { far, near } = yield* connectedPair
        const [from, to] = direction === "inbound" ? [far, near] : [near, far]
        const received = collect(to)
        for (let i = 0; i < 10; i++) yield* from.write([new Uint8Array(10)])
        yield* received.until(100)
        const bytes = received.bytes()
        const changed = bytes.findIndex((byte) => byte !== 0)
        assert.strictEqual(changed, 42)
        assert.strictEqual(bytes.filter((byte) => byte !== 0).length, 1)
        assert.strictEqual(bytes[42]! & (bytes[42]! - 1), 0)
      }).pipe(withFaults(dialled({ [direction]: { flipBitAtByte: 42 } }))))
  }

  it.effect("refuses dials, with the reason asked for", () =>
    Effect.gen(function*() {
      const transport = yield* Transport
      const error = yield* Effect.flip(transport.dial({ host: "a", port: 1 }))
      assert.strictEqual(error.reason, "unreachable")
    }).pipe(withFaults({ refuseDial: "unreachable" })))

  it.effect("takes new rules while running, and cuts what is alive", () =>
    Effect.gen(function*() {
      const control = yield* Faulty.FaultControl
      const { far, near } = yield* connectedPair
      const received = collect(far)
      yield* near.write([new Uint8Array(10)])
      yield* received.until(10)
      control.set(dialled({ outbound: { latencyMillis: 1_000 } }))
      yield* near.write([new Uint8Array(10)])
      yield* TestClock.adjust(999)
      assert.strictEqual(received.count(), 10)
      yield* TestClock.adjust(1)
      assert.strictEqual(received.count(), 20)
      assert.strictEqual(control.connections().length, 2)
      assert.strictEqual(control.cut((facts) => facts.side === "dialled"), 1)
      assert.strictEqual((yield* near.closed).kind, "error")
      assert.strictEqual((yield* far.closed).kind, "end")
      assert.deepStrictEqual(control.connections(), [])
    }).pipe(withFaults({})))

  it("keeps order and loses nothing, whatever the timing, and repeats itself by seed", () => {
    const chunk = fc.record({ bytes: fc.uint8Array({ maxLength: 40 }), waitMillis: fc.nat(50) })
    const faults = fc.record({
      latencyMillis: fc.nat(100),
      jitterMillis: fc.nat(100),
      bytesPerSecond: fc.integer({ min: 100, max: 100_000 }),
      chopBytes: fc.integer({ min: 1, max: 20 })
    }, { requiredKeys: [] })
    fc.assert(
      fc.property(fc.nat(), fc.array(chunk, { maxLength: 20 }), faults, (seed, chunks, f) => {
        const out = play(seed, chunks, f)
        assert.deepStrictEqual(out.flatMap((piece) => piece.bytes), chunks.flatMap((c) => [...c.bytes]))
        for (let i = 1; i < out.length; i++) assert.isAtLeast(out[i]!.dueMillis, out[i - 1]!.dueMillis)
        assert.deepStrictEqual(play(seed, chunks, f), out)
      }),
      { seed: 4_711, numRuns: 200 }
    )
  })
})
