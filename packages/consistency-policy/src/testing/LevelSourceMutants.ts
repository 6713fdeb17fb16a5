/** Level sources that are wrong in one way each. The kit must reject every one. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { type LevelState, makeLevelState } from "../adapter/LevelState.ts"
import { LevelControl } from "../contract/LevelControl.ts"
import { LevelSource } from "../contract/LevelSource.ts"

interface Mutant {
  readonly name: string
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

const mutants: ReadonlyArray<Mutant> = [
  {
    name: "never says the current value first",
    break: (s) => sourceOf(s, { changes: Stream.drop(s.source.changes, 1) })
  },
  {
    name: "publishes nothing after the first value",
    break: (s) => sourceOf(s, { changes: Stream.concat(Stream.take(s.source.changes, 1), Stream.never) })
  },
  { name: "current stays what it was at the start", break: (s) => sourceOf(s, { current: Effect.succeed(initial) }) },
  { name: "ends after one change", break: (s) => sourceOf(s, { changes: Stream.take(s.source.changes, 2) }) },
  {
    name: "begins with the initial value instead of the current one",
    break: (s) => sourceOf(s, { changes: Stream.concat(Stream.succeed(initial), Stream.drop(s.source.changes, 1)) })
  },
  {
    name: "says each change twice",
    break: (s) => sourceOf(s, { changes: Stream.flatMap(s.source.changes, (change) => Stream.make(change, change)) })
  },
  {
    name: "loses where a change came from",
    break: (s) =>
      sourceOf(s, {
        current: Effect.map(s.source.current, (change) => ({ ...change, origin: "" })),
        changes: Stream.map(s.source.changes, (change) => ({ ...change, origin: "" }))
      })
  },
  {
    name: "the first set wins",
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
    name: "withdraw undoes everybody's change",
    break: (s) => controlOf(s, { withdraw: () => s.control.set(initial.level, initial.origin) })
  },
  { name: "withdraw does nothing", break: (s) => controlOf(s, { withdraw: () => Effect.void }) },
  {
    name: "refuses everything after the first hundred changes",
    break: (s) => {
      let left = 100
      return controlOf(s, {
        set: (level, origin) => Effect.suspend(() => (left-- > 0 ? s.control.set(level, origin) : Effect.void))
      })
    }
  },
  {
    name: "repeats a value that is set already",
    break: (s) => {
      let count = 0
      return controlOf(s, { set: (level) => Effect.suspend(() => s.control.set(level, `kit ${count++}`)) })
    }
  }
]

/** Each mutant as a layer that begins with `majority`. */
export const levelSourceMutants: ReadonlyArray<
  { readonly name: string; readonly layer: Layer.Layer<LevelSource | LevelControl> }
> = mutants.map((mutant) => ({
  name: mutant.name,
  layer: Layer.effectContext(
    Effect.map(makeLevelState(initial), (state) => {
      const broken = mutant.break(state)
      return Context.make(LevelSource, broken.source).pipe(Context.add(LevelControl, broken.control))
    })
  )
}))
