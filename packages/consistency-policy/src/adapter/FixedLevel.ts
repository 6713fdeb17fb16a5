/** A level that stays what it is: a flag without any means to change it. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import type { Level } from "../contract/Level.ts"
import { LevelSource } from "../contract/LevelSource.ts"

/** `changes` gives the level once and stays open. */
export const layer = (level: Level, origin = "flag"): Layer.Layer<LevelSource> =>
  Layer.succeed(
    LevelSource,
    LevelSource.of({
      current: Effect.succeed({ level, origin }),
      changes: Stream.concat(Stream.succeed({ level, origin }), Stream.never)
    })
  )
