/** What a sync or a server tells of itself while it runs. */
import { logsTo, type Reporter, type ReportingOptions } from "@peerstrap/command-line"
import { whyText } from "./WhyText.ts"

/** A chain that is synced moves once a block: nothing is wrong with that, and nothing waits then. */
export const reporting = (run: Pick<ReportingOptions, "terminal" | "json" | "state">): ReportingOptions => ({
  ...run,
  whyText,
  mayRest: true
})

/** What libraries log goes where progress goes. */
export const logsOf = (reporter: Reporter) =>
  logsTo(({ level, spoken, text }) => reporter.event("log", { level, text }, spoken))
