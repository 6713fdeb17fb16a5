/** Level sources that are wrong in one way each; the kit must reject every one. */
import type { Mutant } from "@peerstrap/conformance"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as References from "effect/References"
import * as Stream from "effect/Stream"
import { type LevelState, makeLevelState } from "../adapter/LevelState.ts"
import { LevelControl } from "../contract/LevelControl.ts"
import { type LevelChange, LevelSource } from "../contract/LevelSource.ts"
import { controlledLevel, type LevelPlace } from "./LevelPlace.ts"

interface Broken {
  readonly name: string
  readonly rejectedBy: string
  readonly because: RegExp | "hangs"
  readonly break: (state: LevelState) => LevelState
}

const initial = { level: "majority", origin: "flag" } as const

const sourceOf = (state: LevelState, parts: Partial<LevelState["source"]>): LevelState => ({
  ...state,
  source: LevelSource.of({ ...state.source, ...parts })
})

const controlOf = (state: LevelState, parts: Partial<LevelState["control"]>): LevelState => ({
  ...state,
  control: LevelControl.of({ ...state.control, ...parts })
})

const broken: ReadonlyArray<Broken> = [
  {
    name: "never says the current value first",
    rejectedBy: "current and the first element of changes are the initial level, with an origin",
    because: "hangs",
    break: (s) => sourceOf(s, { changes: Stream.drop(s.source.changes, 1) })
  },
  {
    name: "publishes nothing after the first value",
    rejectedBy: "each change arrives once, in order, and is current when it arrives",
    because: "hangs",
    break: (s) => sourceOf(s, { changes: Stream.concat(Stream.take(s.source.changes, 1), Stream.never) })
  },
  {
    name: "keeps `current` as it was at the start",
    rejectedBy: "the latest set wins at once, whoever makes it, and its origin is kept",
    because: /current: saw .*"majority"/,
    break: (s) => sourceOf(s, { current: Effect.succeed(initial) })
  },
  {
    name: "ends after one change",
    rejectedBy: "changes stays open",
    because: /the stream has ended: saw true/,
    break: (s) => sourceOf(s, { changes: Stream.take(s.source.changes, 2) })
  },
  {
    name: "begins with the initial value instead of the current one",
    rejectedBy: "who subscribes late gets the latest level first and nothing older",
    because: /first of a late subscriber: saw "majority"/,
    break: (s) => sourceOf(s, { changes: Stream.concat(Stream.succeed(initial), Stream.drop(s.source.changes, 1)) })
  },
  {
    name: "says each change twice",
    rejectedBy: "each change arrives once, in order, and is current when it arrives",
    because: /element of changes: saw "majority", expected "none"/,
    break: (s) => sourceOf(s, { changes: Stream.flatMap(s.source.changes, (change) => Stream.make(change, change)) })
  },
  {
    name: "loses where a change came from",
    rejectedBy: "current and the first element of changes are the initial level, with an origin",
    because: /origin is given: saw false/,
    break: (s) =>
      sourceOf(s, {
        current: Effect.map(s.source.current, (change) => ({ ...change, origin: "" })),
        changes: Stream.map(s.source.changes, (change) => ({ ...change, origin: "" }))
      })
  },
  {
    name: "lets the first set win",
    rejectedBy: "the latest set wins at once, whoever makes it, and its origin is kept",
    because: /current: saw {"level":"none","origin":"a"}/,
    break: (s) => {
      let done = false
      return controlOf(s, {
        set: (level, origin) =>
          Effect.suspend(() => {
            const go = !done
            done = true
            return go ? s.control.set(level, origin) : Effect.void
          })
      })
    }
  },
  {
    name: "withdraws everybody's change",
    rejectedBy: "withdraw does not undo what another origin set since",
    because: /current: saw {"level":"majority"/,
    break: (s) => controlOf(s, { withdraw: () => s.control.set(initial.level, initial.origin) })
  },
  {
    name: "withdraws nothing",
    rejectedBy: "withdraw brings the initial level back",
    because: /current: saw {"level":"none"/,
    break: (s) => controlOf(s, { withdraw: () => Effect.void })
  },
  {
    name: "refuses everything after the first hundred changes",
    rejectedBy: "a subscriber that lags behind a thousand changes ends at the latest",
    because: "hangs",
    break: (s) => {
      let left = 100
      return controlOf(s, {
        set: (level, origin) => Effect.suspend(() => (left-- > 0 ? s.control.set(level, origin) : Effect.void))
      })
    }
  },
  {
    name: "repeats a value that is set already",
    rejectedBy: "setting what is set already is no change",
    because: /second: saw "none", expected "one"/,
    break: (s) => {
      let count = 0
      return controlOf(s, { set: (level) => Effect.suspend(() => s.control.set(level, `kit ${count++}`)) })
    }
  },
  {
    name: "keeps who set a level when somebody else sets the same",
    rejectedBy: "any history of sets and withdrawals leaves the latest word, and says each change once",
    because: /^seed \d+, step \d+: current/,
    break: (s) =>
      controlOf(s, {
        set: (level, origin) =>
          Effect.flatMap(s.source.current, (now) => now.level === level ? Effect.void : s.control.set(level, origin))
      })
  },
  {
    name: "says a change before it is current",
    rejectedBy: "a set that is interrupted, at each step, is made whole or not at all",
    because: /last element of changes at step \d+: saw .*round 1/,
    break: (s) => {
      let now: LevelChange = initial
      const then = (change: Effect.Effect<void>) =>
        change.pipe(
          Effect.andThen(Effect.yieldNow),
          Effect.andThen(s.source.current),
          Effect.map((next) => void (now = next))
        )
      return controlOf(sourceOf(s, { current: Effect.sync(() => now) }), {
        set: (level, origin) => then(s.control.set(level, origin)),
        withdraw: (origin) => then(s.control.withdraw(origin))
      })
    }
  },
  {
    name: "keeps every change for a slow subscriber",
    rejectedBy: "a subscriber that does not read holds nobody up, and is told a bounded number of changes later",
    because: /a slow subscriber is told at most 128 of 1000 changes, saw 1001/,
    break: (s) =>
      sourceOf(s, {
        changes: Stream.unwrap(Effect.gen(function*() {
          const all = yield* Queue.unbounded<LevelChange>()
          yield* Effect.forkScoped(Stream.runForEach(s.source.changes, (change) => Queue.offer(all, change)))
          return Stream.fromQueue(all)
        }))
      })
  },
  {
    name: "changes nothing any more when a subscriber was interrupted",
    rejectedBy: "a subscriber that is interrupted, at each step, takes nothing from the others",
    because: "hangs",
    break: (s) => {
      let isOver = false
      return controlOf(
        sourceOf(s, { changes: Stream.ensuring(s.source.changes, Effect.sync(() => (isOver = true))) }),
        {
          set: (level, origin) => Effect.suspend(() => isOver ? Effect.void : s.control.set(level, origin))
        }
      )
    }
  }
]

/** Each begins with `majority`, and keeps its log lines to itself. */
export const levelSourceMutants: ReadonlyArray<Mutant<LevelSource | LevelPlace>> = broken.map(
  ({ break: breaking, ...rest }) => ({
    ...rest,
    layer: Layer.merge(
      Layer.succeed(References.MinimumLogLevel, "None"),
      controlledLevel(Layer.effectContext(Effect.map(makeLevelState(initial), (state) => {
        const { control, source } = breaking(state)
        return Context.make(LevelSource, source).pipe(Context.add(LevelControl, control))
      })))
    )
  })
)
