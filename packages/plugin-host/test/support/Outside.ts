/** A plugin as somebody else would write it: a test names this file in a config. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { definePlugin } from "../../src/index.ts"
import { Gears, gearsKind } from "../shop.ts"

export const outsideGears = definePlugin({
  id: "gears.outside",
  version: "1.0.0",
  stability: "beta",
  summary: "gears from somewhere else",
  provides: [gearsKind],
  requires: [],
  config: Schema.Struct({}),
  layer: () => Layer.succeed(Gears, { teeth: 7, turn: Effect.succeed(7) })
})
