/** What a sync or a server tells of itself while it runs. */
import { logsTo, type Reporter, type ReportingOptions } from "@peerstrap/command-line"
import { isLogged } from "@peerstrap/plugin-host"
import type { RunState } from "./RunState.ts"
import { whyText } from "./WhyText.ts"

/** A chain that is synced moves once a block: nothing is wrong with that, and nothing waits then. */
export const reporting = (run: Pick<ReportingOptions, "terminal" | "json" | "state">): ReportingOptions => ({
  ...run,
  whyText,
  mayRest: true
})

/** What libraries log from the level of now on goes where progress goes; what is more than information to people as well. */
export const logsOf = (reporter: Reporter, state: Pick<RunState, "logLevel">) =>
  logsTo(
    ({ level, spoken, text }) => reporter.event("log", { level, text }, spoken),
    (level) => isLogged(level, state.logLevel())
  )
