/** A level that a control socket, an API or a file sets while the run goes on: `LevelSource` with its `LevelControl`. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Level } from "../contract/Level.ts"
import { LevelControl } from "../contract/LevelControl.ts"
import { LevelSource } from "../contract/LevelSource.ts"
import { makeLevelState } from "./LevelState.ts"

/** Begins with `level` (from `origin`); the latest `set` wins. */
export const layer = (level: Level, origin = "flag"): Layer.Layer<LevelSource | LevelControl> =>
  Layer.effectContext(
    Effect.map(makeLevelState({ level, origin }), (state) =>
      Context.make(LevelSource, state.source).pipe(Context.add(LevelControl, state.control)))
  )
