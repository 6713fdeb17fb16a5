/** What every `Transport` does in any order of events, at its limits, and whenever it is interrupted. */
import { atEachStep, type Check, expectSame, expectTrue, SeededRandom, turns } from "@peerstrap/conformance"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { type Connection, Transport } from "../contract/Transport.ts"
import { anyPort, collect, connectedPair, pattern } from "./Probes.ts"

/** Index of the first byte that differs, or -1. */
const firstDifference = (a: Uint8Array, b: Uint8Array): number =>
  Buffer.compare(a, b) === 0 ? -1 : a.findIndex((byte, i) => byte !== b[i])

/** Bytes of one direction, cut into writes and chunks by the seed; the reader pauses and resumes by it. */
const oneWay = Effect.fnUntraced(function*(from: Connection, to: Connection, seed: number) {
  const below = new SeededRandom(seed).below
  const sent = pattern(20_000 + below(200_000), seed)
  const pauses = new SeededRandom(seed + 1).below
  let paused = yield* Deferred.make<void>()
  const received = collect(to, () => {
    if (pauses(3) > 0) return true
    Deferred.doneUnsafe(paused, Effect.void)
    return false
  })
  const resuming = yield* Effect.forkScoped(Effect.gen(function*() {
    for (;;) {
      yield* Deferred.await(paused)
      paused = Deferred.makeUnsafe()
      yield* turns(pauses(5))
      to.resume()
    }
  }))
  for (let at = 0; at < sent.length;) {
    const chunks: Array<Uint8Array> = []
    for (let count = below(5); count >= 0; count--) {
      const length = below(4) === 0 ? below(60_000) : below(600)
      chunks.push(sent.subarray(at, at + length))
      at += length
    }
    yield* from.write(chunks)
    yield* turns(below(4))
  }
  yield* received.until(sent.length)
  yield* Fiber.interrupt(resuming)
  const bytes = received.bytes()
  yield* expectSame(`seed ${seed}: bytes received`, bytes.length, sent.length)
  yield* expectSame(`seed ${seed}: first byte that differs`, firstDifference(bytes, sent), -1)
})

/** A batch whose bytes say how it must go on: its number, then 2,999 times the same in small chunks. */
const numbered = (value: number): ReadonlyArray<Uint8Array> =>
  Array.from({ length: 30 }, () => new Uint8Array(100).fill(value))

/** Counts what is open, and tells when nothing is any more. */
const countOpen = () => {
  let open = 0
  let seen = 0
  let waiting: Deferred.Deferred<void> | undefined
  return {
    seen: () => seen,
    begin: () => {
      open++
      seen++
    },
    end: () => {
      if (--open === 0 && waiting !== undefined) Deferred.doneUnsafe(waiting, Effect.void)
    },
    untilNone: Effect.suspend(() => {
      if (open === 0) return Effect.void
      waiting = Deferred.makeUnsafe<void>()
      return Deferred.await(waiting)
    })
  }
}

/** Schedules by seed, sizes, and interruption. */
export const transportLawChecks: ReadonlyArray<Check<Transport>> = [
  {
    name: "delivers what is sent in any order of writes, pauses and resumes, in both directions",
    run: Effect.gen(function*() {
      for (let seed = 1; seed <= 6; seed++) {
        const { far, near } = yield* connectedPair
        yield* Effect.all([oneWay(near, far, seed), oneWay(far, near, seed + 100)], { concurrency: 2 })
        near.close("done")
      }
    })
  },
  {
    name: "takes one chunk above any buffer, and many small ones in one write",
    run: Effect.gen(function*() {
      const { far, near } = yield* connectedPair
      const received = collect(far)
      const large = new Uint8Array(9_000_000)
      const piece = pattern(90_000, 1)
      for (let at = 0; at < large.length; at += piece.length) large.set(piece, at)
      yield* near.write([large])
      yield* near.write(Array.from({ length: 5000 }, (_, i) => Uint8Array.of(i & 255, i >> 8)))
      yield* received.until(large.length + 10_000)
      const bytes = received.bytes()
      yield* expectSame("bytes received", bytes.length, large.length + 10_000)
      const difference = firstDifference(bytes.subarray(0, large.length), large)
      yield* expectSame("first byte of the large chunk that differs", difference, -1)
      yield* expectSame("the last small chunk", [...bytes.subarray(-2)], [4999 & 255, 4999 >> 8])
    })
  },
  {
    name: "a write that is interrupted, at each step, is sent whole or not at all, and the next ones follow",
    run: Effect.gen(function*() {
      const { far, near } = yield* connectedPair
      const received = collect(far)
      let value = 0
      const write = Effect.suspend(() => near.write(numbered(value = value % 250 + 1)))
      yield* atEachStep(write, () => Effect.void)
      yield* near.write(numbered(251))
      const isWhole = () => received.bytes().at(-3000) === 251
      while (!isWhole()) yield* received.until(received.count() + 1)
      const bytes = received.bytes()
      for (let at = 0; at < bytes.length; at += 3000) {
        const batch = bytes.subarray(at, at + 3000)
        yield* expectSame(`values in the batch at byte ${at}`, new Set(batch).size, 1)
      }
    })
  },
  {
    name: "a dial that is interrupted, at each step, leaves no connection behind",
    run: Effect.gen(function*() {
      const transport = yield* Transport
      const accepted = countOpen()
      const listener = yield* transport.listen(anyPort, (connection) => {
        accepted.begin()
        connection.receive(() => true)
        return Effect.ensuring(Effect.asVoid(connection.closed), Effect.sync(accepted.end))
      })
      const dialled = Effect.scoped(Effect.andThen(transport.dial(listener.address), turns(3)))
      yield* atEachStep(dialled, () => Effect.void)
      // What was accepted before this one is known by the time that it is answered; whatever is left open keeps this waiting.
      yield* Effect.scoped(Effect.flatMap(transport.dial(listener.address), (last) => last.write([Uint8Array.of(1)])))
      yield* accepted.untilNone
      yield* expectTrue("a whole dial was seen by the listener", accepted.seen() > 0)
    })
  },
  {
    name: "a `listen` that is interrupted, at each step, leaves its port free",
    run: Effect.gen(function*() {
      const transport = yield* Transport
      const { address } = yield* Effect.scoped(transport.listen(anyPort, () => Effect.void))
      const listen = Effect.scoped(transport.listen(address, () => Effect.void))
      yield* atEachStep(listen, () => listen)
    })
  }
]
