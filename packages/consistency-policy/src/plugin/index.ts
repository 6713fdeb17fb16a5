/** Sources of the consistency level as plugins of kind `consistency`. Those that can change declare the live setting `level`. */
import { configDefault, configValue, definePlugin, one, PluginRuntime, Type } from "@peerstrap/plugin-host"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as FixedLevel from "../adapter/FixedLevel.ts"
import * as SettableLevel from "../adapter/SettableLevel.ts"
import * as WatchedFileLevel from "../adapter/WatchedFileLevel.ts"
import { type Level, levels } from "../contract/Level.ts"
import { LevelControl } from "../contract/LevelControl.ts"
import { LevelSource } from "../contract/LevelSource.ts"

/** Kind `consistency`: the level that must be reached. */
export const consistencyKind = one("consistency", LevelSource, {
  summary: "The level that must be reached; it may change while a run goes on."
})

/** What set the level at first: flags, a file of settings, code. */
const origin = "settings"

const levelType = Type.oneOf(levels, "majority")
const facts = { version: "0.1.0", stability: "stable", provides: [consistencyKind], requires: [] } as const

/** Asked of the source, for a file may have changed it. */
const levelOf = ({ current }: LevelSource["Service"]): Level => Effect.runSync(current).level

/** The level of a layer with a control, also to be changed through the host. */
const live = (layer: Layer.Layer<LevelSource | LevelControl>): Layer.Layer<LevelSource, never, PluginRuntime> =>
  Layer.effect(
    LevelSource,
    Effect.gen(function*() {
      const context = yield* Layer.build(layer)
      const source = Context.get(context, LevelSource)
      const control = Context.get(context, LevelControl)
      const runtime = yield* PluginRuntime
      runtime.live("level", {
        summary: "the consistency level",
        schema: configValue(levelType, "The level."),
        current: () => levelOf(source),
        apply: (level: Level, origin) => control.set(level, origin)
      })
      return source
    })
  )

/** Plugin `consistency.fixed`: a level that stays what it is. */
export const fixedLevel = definePlugin({
  ...facts,
  id: "consistency.fixed",
  summary: "A level that stays what it is.",
  config: Schema.Struct({ level: configValue(levelType, "The level.") }),
  layer: ({ level }) => FixedLevel.layer(level, origin)
})

/** Plugin `consistency.settable`: a level that can be set while a run goes on. */
export const settableLevel = definePlugin({
  ...facts,
  id: "consistency.settable",
  summary: "A level that can be set while a run goes on.",
  config: Schema.Struct({ level: configDefault(levelType, "majority", "The level at first.") }),
  layer: ({ level }) => live(SettableLevel.layer(level, origin))
})

/** Plugin `consistency.watched-file`: a level that is a word in a file. */
export const watchedLevel = definePlugin({
  ...facts,
  id: "consistency.watched-file",
  summary: "A level that is a word in a file, watched; it can be set as well.",
  config: Schema.Struct({
    path: configValue(Type.path("FILE", "level.txt"), "The file."),
    otherwise: configDefault(levelType, "majority", "The level while there is no file.")
  }),
  layer: ({ otherwise, path }) => live(WatchedFileLevel.layer({ path, otherwise, otherwiseOrigin: origin }))
})

/** All plugins of this package. */
export const consistencyPlugins = [fixedLevel, settableLevel, watchedLevel]
