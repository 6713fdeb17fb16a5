/**
 * The contracts of `LevelSource` and `LevelControl` as checks that know no test runner: each is a name and an effect that
 * fails with what differed. They wait for events, never for time.
 */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Level } from "../contract/Level.ts"
import { LevelControl } from "../contract/LevelControl.ts"
import { type LevelChange, LevelSource } from "../contract/LevelSource.ts"

/** A check that did not hold: what was expected and what was seen. */
export class LevelKitFailure extends Schema.TaggedError<LevelKitFailure>()("LevelKitFailure", {
  message: Schema.String
}) {}

/** How the checks change the level of the source at hand: write the file, put the key, call `LevelControl`. */
export interface LevelSubject<R> {
  /** The level before any change; must be `majority`. */
  readonly initial: "majority"
  readonly change: (level: Level) => Effect.Effect<void, unknown, R>
}

/** One check of a source. */
export interface LevelSourceCheck {
  readonly name: string
  readonly run: <R>(subject: LevelSubject<R>) => Effect.Effect<void, unknown, LevelSource | R | Scope.Scope>
}

/** One check of a source that can be set. */
export interface LevelControlCheck {
  readonly name: string
  readonly run: Effect.Effect<void, unknown, LevelSource | LevelControl | Scope.Scope>
}

const same = (what: string, seen: unknown, expected: unknown): Effect.Effect<void, LevelKitFailure> =>
  JSON.stringify(seen) === JSON.stringify(expected)
    ? Effect.void
    : Effect.fail(
      new LevelKitFailure({ message: `${what}: expected ${JSON.stringify(expected)}, saw ${JSON.stringify(seen)}` })
    )

/** Subscribes to `changes`; returns once the first element is there. */
const subscribe = Effect.gen(function*() {
  const source = yield* LevelSource
  const seen = yield* Queue.unbounded<LevelChange>()
  const fiber = yield* Effect.forkScoped(Stream.runForEach(source.changes, (change) => Queue.offer(seen, change)))
  const first = yield* Queue.take(seen)
  return { first, fiber, next: Queue.take(seen), waiting: Queue.size(seen) }
})

/** Lets everything else run, so that what is about to be published is. */
const settle = Effect.fnUntraced(function*() {
  for (let turn = 0; turn < 50; turn++) yield* Effect.yieldNow
})

/** What every source must keep. */
export const levelSourceSuite: ReadonlyArray<LevelSourceCheck> = [
  {
    name: "current and the first element of changes are the initial level, with an origin",
    run: Effect.fnUntraced(function*(subject) {
      const source = yield* LevelSource
      const current = yield* source.current
      const { first } = yield* subscribe
      yield* same("current", current.level, subject.initial)
      yield* same("first of changes", first, current)
      yield* same("origin is given", current.origin.length > 0, true)
    })
  },
  {
    name: "each change arrives once, in order, and is current when it arrives",
    run: Effect.fnUntraced(function*(subject) {
      const source = yield* LevelSource
      const { next, waiting } = yield* subscribe
      for (const level of ["none", "all", "unstrict_majority", "majority"] as const) {
        yield* subject.change(level)
        const change = yield* next
        yield* same("element of changes", change.level, level)
        yield* same("current", yield* source.current, change)
        yield* same("origin is given", change.origin.length > 0, true)
      }
      yield* settle()
      yield* same("elements left over", yield* waiting, 0)
    })
  },
  {
    name: "who subscribes late gets the latest level first and nothing older",
    run: Effect.fnUntraced(function*(subject) {
      const early = yield* subscribe
      for (const level of ["none", "one"] as const) {
        yield* subject.change(level)
        yield* early.next
      }
      const late = yield* subscribe
      yield* same("first of a late subscriber", late.first.level, "one")
      yield* subject.change("all")
      yield* same("its second", (yield* late.next).level, "all")
    })
  },
  {
    name: "every subscriber gets every change, and one that leaves takes nothing from the others",
    run: Effect.fnUntraced(function*(subject) {
      const [one, other] = [yield* subscribe, yield* subscribe]
      yield* subject.change("none")
      yield* same("one", (yield* one.next).level, "none")
      yield* same("other", (yield* other.next).level, "none")
      yield* Fiber.interrupt(one.fiber)
      yield* subject.change("all")
      yield* same("other after one left", (yield* other.next).level, "all")
    })
  },
  {
    name: "changes stays open",
    run: Effect.fnUntraced(function*(subject) {
      const { fiber, next } = yield* subscribe
      yield* subject.change("one")
      yield* next
      yield* settle()
      yield* same("the stream has ended", fiber.pollUnsafe() !== undefined, false)
    })
  }
]

/** What every source that can be set must keep. */
export const levelControlSuite: ReadonlyArray<LevelControlCheck> = [
  {
    name: "the latest set wins at once, whoever makes it, and its origin is kept",
    run: Effect.gen(function*() {
      const [source, control] = [yield* LevelSource, yield* LevelControl]
      yield* control.set("none", "a")
      yield* control.set("all", "b")
      yield* same("current", yield* source.current, { level: "all", origin: "b" })
      yield* control.set("one", "a")
      yield* same("current", yield* source.current, { level: "one", origin: "a" })
    })
  },
  {
    name: "withdraw brings the initial level back",
    run: Effect.gen(function*() {
      const [source, control] = [yield* LevelSource, yield* LevelControl]
      const initial = yield* source.current
      const { next } = yield* subscribe
      yield* control.set("none", "a")
      yield* next
      yield* control.withdraw("a")
      yield* same("current", yield* source.current, initial)
      yield* same("element of changes", yield* next, initial)
    })
  },
  {
    name: "withdraw does not undo what another origin set since",
    run: Effect.gen(function*() {
      const [source, control] = [yield* LevelSource, yield* LevelControl]
      yield* control.set("none", "a")
      yield* control.set("all", "b")
      yield* control.withdraw("a")
      yield* same("current", yield* source.current, { level: "all", origin: "b" })
    })
  },
  {
    name: "setting what is set already is no change",
    run: Effect.gen(function*() {
      const control = yield* LevelControl
      const { next, waiting } = yield* subscribe
      yield* control.set("none", "a")
      yield* control.set("none", "a")
      yield* control.set("one", "a")
      yield* same("first", (yield* next).level, "none")
      yield* same("second", (yield* next).level, "one")
      yield* same("left over", yield* waiting, 0)
    })
  },
  {
    name: "a subscriber that lags behind a thousand changes ends at the latest",
    run: Effect.gen(function*() {
      const [source, control] = [yield* LevelSource, yield* LevelControl]
      const { next } = yield* subscribe
      for (let n = 0; n < 1000; n++) yield* control.set(n % 2 === 0 ? "none" : "all", `origin ${n}`)
      yield* control.set("one", "last")
      let change = yield* next
      while (change.origin !== "last") change = yield* next
      yield* same("current", yield* source.current, change)
    })
  }
]

/** One check with the layer it is about; the layer is built anew for it. */
export const runLevelCheck = <R, E>(
  check: Effect.Effect<void, unknown, LevelSource | R | Scope.Scope>,
  layer: Layer.Layer<LevelSource | R, E>
): Effect.Effect<void, unknown> => Effect.scoped(Effect.provide(check, layer)) as Effect.Effect<void, unknown>

/** The subject of a layer that has a `LevelControl`. */
export const controlSubject: LevelSubject<LevelControl> = {
  initial: "majority",
  change: (level) => Effect.flatMap(LevelControl, (control) => control.set(level, "kit"))
}
