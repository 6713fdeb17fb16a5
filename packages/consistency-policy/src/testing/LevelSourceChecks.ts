/** What every `LevelSource` does. Its level at first is `majority`. The checks wait for events, never for time. */
import { atEachStep, expectSame, isDone, turns } from "@peerstrap/conformance"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import { LevelSource } from "../contract/LevelSource.ts"
import { type LevelCheck, LevelPlace } from "./LevelPlace.ts"
import { subscribe } from "./LevelProbes.ts"

/** Those that need nothing, or a way to change the level. */
export const levelSourceChecks: ReadonlyArray<LevelCheck> = [
  {
    name: "current and the first element of changes are the initial level, with an origin",
    run: Effect.gen(function*() {
      const source = yield* LevelSource
      const current = yield* source.current
      const { first } = yield* subscribe
      yield* expectSame("current", current.level, "majority")
      yield* expectSame("first of changes", first, current)
      yield* expectSame("origin is given", current.origin.length > 0, true)
    })
  },
  {
    name: "each change arrives once, in order, and is current when it arrives",
    needs: ["changes"],
    run: Effect.gen(function*() {
      const place = yield* LevelPlace
      const source = yield* LevelSource
      const { next, waiting } = yield* subscribe
      for (const level of ["none", "all", "unstrict_majority", "majority"] as const) {
        yield* place.change(level)
        const change = yield* next
        yield* expectSame("element of changes", change.level, level)
        yield* expectSame("current", yield* source.current, change)
        yield* expectSame("origin is given", change.origin.length > 0, true)
      }
      yield* turns(50)
      yield* expectSame("elements left over", yield* waiting, 0)
    })
  },
  {
    name: "who subscribes late gets the latest level first and nothing older",
    needs: ["changes"],
    run: Effect.gen(function*() {
      const place = yield* LevelPlace
      const early = yield* subscribe
      for (const level of ["none", "one"] as const) {
        yield* place.change(level)
        yield* early.next
      }
      const late = yield* subscribe
      yield* expectSame("first of a late subscriber", late.first.level, "one")
      yield* place.change("all")
      yield* expectSame("its second", (yield* late.next).level, "all")
    })
  },
  {
    name: "every subscriber gets every change, and one that leaves takes nothing from the others",
    needs: ["changes"],
    run: Effect.gen(function*() {
      const place = yield* LevelPlace
      const [one, other] = [yield* subscribe, yield* subscribe]
      yield* place.change("none")
      yield* expectSame("one", (yield* one.next).level, "none")
      yield* expectSame("other", (yield* other.next).level, "none")
      yield* Fiber.interrupt(one.fiber)
      yield* place.change("all")
      yield* expectSame("other after one left", (yield* other.next).level, "all")
    })
  },
  {
    name: "changes stays open",
    needs: ["changes"],
    run: Effect.gen(function*() {
      const place = yield* LevelPlace
      const { fiber, next } = yield* subscribe
      yield* place.change("one")
      yield* next
      yield* turns(50)
      yield* expectSame("the stream has ended", isDone(fiber), false)
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
    name: "a subscriber that is interrupted, at each step, takes nothing from the others",
    needs: ["changes"],
    run: Effect.gen(function*() {
      const place = yield* LevelPlace
      const source = yield* LevelSource
      const other = yield* subscribe
      const first = Stream.runHead(source.changes)
      yield* atEachStep(first, () => Effect.void)
      yield* place.change("none")
      yield* expectSame("of the other", (yield* other.next).level, "none")
      yield* expectSame("of a new one", (yield* subscribe).first.level, "none")
    })
  }
]
