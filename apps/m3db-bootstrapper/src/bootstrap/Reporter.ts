/** What a bootstrap tells of itself while it runs, and to whom. */
import { logsTo, type Reporter, type ReportingOptions } from "@peerstrap/command-line"
import { isLogged, type LogThresholdLevel } from "@peerstrap/plugin-host"
import { whyText } from "./WhyText.ts"

/** Events that a person wants to read. The others are in the JSON lines. */
const spoken: ReportingOptions["spoken"] = {
  "level-changed": ({ from, origin, to }) => `consistency level ${from} → ${to}, set by ${origin}`,
  "peer-out-of-reach": ({ cause, peer }) => `peer ${peer} is out of reach: ${cause}`,
  "peer-back": ({ peer }) => `peer ${peer} is back`,
  "job-sent-back": ({ shard }) => `shard ${shard} starts over later: memory is short (--memory)`
}

export const reporting = (run: Pick<ReportingOptions, "terminal" | "json" | "state">): ReportingOptions => ({
  ...run,
  whyText,
  spoken
})

/** What libraries log from a level on goes where progress goes. */
export const logsOf = (reporter: Reporter, threshold: () => LogThresholdLevel) =>
  logsTo(({ level, spoken, text }) => {
    reporter.event("log", { level, text })
    if (spoken !== undefined) reporter.say(spoken)
  }, (level) => isLogged(level, threshold()))
