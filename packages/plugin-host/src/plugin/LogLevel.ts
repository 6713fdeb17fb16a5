/** The log level as the plugin `log.settable`, with the live setting `level`. */
import { Type } from "@peerstrap/command-line"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { configDefault, configValue } from "../contract/ConfigType.ts"
import { logKind, logLevels, LogThreshold, type LogThresholdLevel } from "../contract/LogThreshold.ts"
import { definePlugin } from "../contract/Plugin.ts"
import { PluginRuntime } from "../contract/PluginRuntime.ts"

const levelType = Type.oneOf(logLevels, "info")

/** Plugin `log.settable`: a log level that can be set while a run goes on. */
export const settableLog = definePlugin({
  id: "log.settable",
  version: "0.1.0",
  stability: "stable",
  summary: "A log level that can be set while a run goes on.",
  provides: [logKind],
  requires: [],
  config: Schema.Struct({ level: configDefault(levelType, "info", "From this level on what is logged is told.") }),
  layer: ({ level }) =>
    Layer.effect(
      LogThreshold,
      Effect.map(PluginRuntime, (runtime) => {
        let now: LogThresholdLevel = level
        runtime.live("level", {
          summary: "from which level on what is logged is told",
          schema: configValue(levelType, "The log level."),
          current: () => now,
          apply: (next: LogThresholdLevel) => Effect.sync(() => void (now = next))
        })
        return LogThreshold.of({ level: () => now })
      })
    )
})
