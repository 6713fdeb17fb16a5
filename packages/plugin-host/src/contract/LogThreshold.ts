/** From which level on what is logged is told. A policy of a plain function; the program's logger asks it at each entry. */
import * as Context from "effect/Context"
import { one } from "./Kind.ts"

/** Levels of Effect's logger, the most talkative first. */
export const logLevels = ["trace", "debug", "info", "warn", "error", "none"] as const
/** A log level, by its name. */
export type LogThresholdLevel = (typeof logLevels)[number]

/** Service: the level below which nothing is logged, read at each entry. */
export class LogThreshold extends Context.Service<LogThreshold, {
  readonly level: () => LogThresholdLevel
}>()("@peerstrap/plugin-host/LogThreshold") {}

/** Kind `log`: the level below which nothing is logged. */
export const logKind = one("log", LogThreshold, {
  summary: "From which level on what is logged is told; it may change while a run goes on.",
  metered: false
})

/** Whether an entry of Effect's logger (`Info`, `Warn`, `Fatal`, …) is told at a threshold. */
export const isLogged = (entry: string, threshold: LogThresholdLevel): boolean => {
  const named = entry.toLowerCase()
  const rank = logLevels.findIndex((level) => level === (named === "fatal" ? "error" : named))
  return threshold !== "none" && rank >= logLevels.indexOf(threshold)
}
