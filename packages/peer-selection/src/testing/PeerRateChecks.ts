/** What every `PeerRateSource` does, whatever its rate at first. The checks wait for events, never for time. */
import { atEachStep, type Check, expectSame, expectTrue, isDone, turns } from "@peerstrap/conformance"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import { type PeerRate, PeerRateSource } from "../contract/PeerRateSource.ts"
import { type PeerRateCapability, PeerRatePlace } from "./PeerRatePlace.ts"

/** Subscribes to `changes`; returns once the first element is there. */
const subscribe = Effect.gen(function*() {
  const source = yield* PeerRateSource
  const seen = yield* Queue.unbounded<PeerRate>()
  const fiber = yield* Effect.forkScoped(Stream.runForEach(source.changes, (rate) => Queue.offer(seen, rate)))
  const first = yield* Queue.take(seen)
  return { first, fiber, next: Queue.take(seen), waiting: Queue.size(seen) }
})

const change = (bytesPerSecond: number) => PeerRatePlace.use((place) => place.change(bytesPerSecond))

/** Of the rate at first, and of changes. */
export const peerRateChecks: ReadonlyArray<Check<PeerRateSource | PeerRatePlace, PeerRateCapability>> = [
  {
    name: "current is a rate: whole bytes, none or more, with an origin",
    run: Effect.gen(function*() {
      const { bytesPerSecond, origin } = yield* (yield* PeerRateSource).current
      yield* expectTrue(`${bytesPerSecond} is a whole number`, Number.isSafeInteger(bytesPerSecond))
      yield* expectTrue(`${bytesPerSecond} is at least 0`, bytesPerSecond >= 0)
      yield* expectSame("origin is given", origin.length > 0, true)
    })
  },
  {
    name: "the first element of changes is the current rate",
    run: Effect.gen(function*() {
      const { first } = yield* subscribe
      yield* expectSame("first of changes", first, yield* (yield* PeerRateSource).current)
    })
  },
  {
    name: "changes stays open, though nothing changes",
    run: Effect.gen(function*() {
      const { fiber, waiting } = yield* subscribe
      yield* turns(50)
      yield* expectSame("the stream has ended", isDone(fiber), false)
      yield* expectSame("elements without a change", yield* waiting, 0)
    })
  },
  {
    name: "each change arrives once, in order, and is current when it arrives",
    needs: ["changes"],
    run: Effect.gen(function*() {
      const source = yield* PeerRateSource
      const { next, waiting } = yield* subscribe
      for (const bytesPerSecond of [1, 50_000_000, 0, Number.MAX_SAFE_INTEGER]) {
        yield* change(bytesPerSecond)
        const rate = yield* next
        yield* expectSame("element of changes", rate.bytesPerSecond, bytesPerSecond)
        yield* expectSame("current", yield* source.current, rate)
        yield* expectSame("origin is given", rate.origin.length > 0, true)
      }
      yield* turns(50)
      yield* expectSame("elements left over", yield* waiting, 0)
    })
  },
  {
    name: "who subscribes late gets the latest rate first and nothing older",
    needs: ["changes"],
    run: Effect.gen(function*() {
      const early = yield* subscribe
      for (const bytesPerSecond of [1001, 1002]) {
        yield* change(bytesPerSecond)
        yield* early.next
      }
      const late = yield* subscribe
      yield* expectSame("first of a late subscriber", late.first.bytesPerSecond, 1002)
      yield* change(1003)
      yield* expectSame("its second", (yield* late.next).bytesPerSecond, 1003)
    })
  },
  {
    name: "every subscriber gets every change, and one that leaves takes nothing from the others",
    needs: ["changes"],
    run: Effect.gen(function*() {
      const [one, other] = [yield* subscribe, yield* subscribe]
      yield* change(1001)
      yield* expectSame("one", (yield* one.next).bytesPerSecond, 1001)
      yield* expectSame("other", (yield* other.next).bytesPerSecond, 1001)
      yield* Fiber.interrupt(one.fiber)
      yield* change(1002)
      yield* expectSame("other after one left", (yield* other.next).bytesPerSecond, 1002)
    })
  },
  {
    name: "a subscriber that is interrupted, at each step, takes nothing from the others",
    needs: ["changes"],
    run: Effect.gen(function*() {
      const source = yield* PeerRateSource
      const other = yield* subscribe
      yield* atEachStep(Stream.runHead(source.changes), () => Effect.void)
      yield* change(1001)
      yield* expectSame("of the other", (yield* other.next).bytesPerSecond, 1001)
      yield* expectSame("of a new one", (yield* subscribe).first.bytesPerSecond, 1001)
    })
  }
]
