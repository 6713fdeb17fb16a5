/** What every `LevelControl` does to its `LevelSource`. */
import { atEachStep, expectSame, expectTrue, SeededRandom, turns } from "@peerstrap/conformance"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { levels } from "../contract/Level.ts"
import { type LevelChange, LevelSource } from "../contract/LevelSource.ts"
import { Limits } from "../contract/Limits.ts"
import { type LevelCheck, LevelPlace } from "./LevelPlace.ts"
import { subscribe } from "./LevelProbes.ts"

const theControl = LevelPlace.use(({ control }) => control)

/** Those that need a control. */
export const levelControlChecks: ReadonlyArray<LevelCheck> = [
  {
    name: "the latest set wins at once, whoever makes it, and its origin is kept",
    needs: ["control"],
    run: Effect.gen(function*() {
      const source = yield* LevelSource
      const control = yield* theControl
      yield* control.set("none", "a")
      yield* control.set("all", "b")
      yield* expectSame("current", yield* source.current, { level: "all", origin: "b" })
      yield* control.set("one", "a")
      yield* expectSame("current", yield* source.current, { level: "one", origin: "a" })
    })
  },
  {
    name: "withdraw brings the initial level back",
    needs: ["control"],
    run: Effect.gen(function*() {
      const source = yield* LevelSource
      const control = yield* theControl
      const initial = yield* source.current
      const { next } = yield* subscribe
      yield* control.set("none", "a")
      yield* next
      yield* control.withdraw("a")
      yield* expectSame("current", yield* source.current, initial)
      yield* expectSame("element of changes", yield* next, initial)
    })
  },
  {
    name: "withdraw does not undo what another origin set since",
    needs: ["control"],
    run: Effect.gen(function*() {
      const source = yield* LevelSource
      const control = yield* theControl
      yield* control.set("none", "a")
      yield* control.set("all", "b")
      yield* control.withdraw("a")
      yield* expectSame("current", yield* source.current, { level: "all", origin: "b" })
    })
  },
  {
    name: "setting what is set already is no change",
    needs: ["control"],
    run: Effect.gen(function*() {
      const control = yield* theControl
      const { next, waiting } = yield* subscribe
      yield* control.set("none", "a")
      yield* control.set("none", "a")
      yield* control.set("one", "a")
      yield* expectSame("first", (yield* next).level, "none")
      yield* expectSame("second", (yield* next).level, "one")
      yield* expectSame("left over", yield* waiting, 0)
    })
  },
  {
    name: "a subscriber that lags behind a thousand changes ends at the latest",
    needs: ["control"],
    run: Effect.gen(function*() {
      const source = yield* LevelSource
      const control = yield* theControl
      const { next } = yield* subscribe
      for (let n = 0; n < 1000; n++) yield* control.set(n % 2 === 0 ? "none" : "all", `origin ${n}`)
      yield* control.set("one", "last")
      let change = yield* next
      while (change.origin !== "last") change = yield* next
      yield* expectSame("current", yield* source.current, change)
    })
  },
  {
    name: "any history of sets and withdrawals leaves the latest word, and says each change once",
    needs: ["control"],
    run: Effect.gen(function*() {
      const source = yield* LevelSource
      const control = yield* theControl
      const initial = yield* source.current
      const { next, waiting } = yield* subscribe
      let now: LevelChange = initial
      for (let seed = 1; seed <= 40; seed++) {
        const below = new SeededRandom(seed).below
        for (let step = 0; step < 8; step++) {
          const where = `seed ${seed}, step ${step}`
          const origin = ["a", "b", "c"][below(3)]!
          const before = now
          if (below(3) === 0) {
            yield* control.withdraw(origin)
            if (now.origin === origin) now = initial
          } else {
            now = { level: levels[below(levels.length)]!, origin }
            yield* control.set(now.level, origin)
          }
          yield* expectSame(`${where}: current`, yield* source.current, now)
          if (now.level !== before.level || now.origin !== before.origin) {
            yield* expectSame(`${where}: element of changes`, yield* next, now)
          }
        }
        yield* turns(20)
        yield* expectSame(`seed ${seed}: elements left over`, yield* waiting, 0)
      }
    })
  },
  {
    name: "a set that is interrupted, at each step, is made whole or not at all",
    needs: ["control"],
    run: Effect.gen(function*() {
      const source = yield* LevelSource
      const control = yield* theControl
      const { next, waiting } = yield* subscribe
      let last = yield* source.current
      let round = 0
      const set = Effect.suspend(() => control.set("none", `round ${++round}`))
      yield* atEachStep(set, (step) =>
        Effect.gen(function*() {
          yield* turns(20)
          while ((yield* waiting) > 0) last = yield* next
          yield* expectSame(`last element of changes at step ${step}`, last, yield* source.current)
        }))
      yield* expectSame("current in the end", (yield* source.current).origin, `round ${round}`)
    })
  },
  {
    name: "a subscriber that does not read holds nobody up, and is told a bounded number of changes later",
    needs: ["control"],
    run: Effect.gen(function*() {
      const source = yield* LevelSource
      const control = yield* theControl
      const [first, open, last] = [
        yield* Deferred.make<void>(),
        yield* Deferred.make<void>(),
        yield* Deferred.make<void>()
      ]
      let told = 0
      yield* Effect.forkScoped(Stream.runForEach(source.changes, ({ origin }) => {
        told++
        Deferred.doneUnsafe(first, Effect.void)
        if (origin === "origin 999") Deferred.doneUnsafe(last, Effect.void)
        return Deferred.await(open)
      }))
      yield* Deferred.await(first)
      for (let n = 0; n < 1000; n++) yield* control.set(n % 2 === 0 ? "none" : "all", `origin ${n}`)
      yield* expectSame("current", (yield* source.current).origin, "origin 999")
      yield* Deferred.succeed(open, undefined)
      yield* Deferred.await(last)
      yield* expectTrue(
        `a slow subscriber is told at most ${2 * Limits.bufferedChanges} of 1000 changes, saw ${told}`,
        told <= 2 * Limits.bufferedChanges
      )
    })
  }
]
