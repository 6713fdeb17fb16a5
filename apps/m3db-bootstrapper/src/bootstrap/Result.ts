/** How a bootstrap ended: exit code, the JSON document (also stored as peerstrap-report.json), and text for a person. */
import { type CommandResult, ExitCode, type StopSignal } from "@peerstrap/command-line"
import type { BlockKey, Outcome, RunReport } from "@peerstrap/m3db-bootstrap"
import type { FilesetVerification } from "@peerstrap/m3db-files"
import type { Graph } from "@peerstrap/plugin-host"
import { formatCount, formatDuration, type Wait } from "@peerstrap/progress"
import type { BootstrapSettings } from "./BootstrapFlags.ts"
import type { BootstrapPlan } from "./BootstrapPlan.ts"
import type { Existing } from "./Existing.ts"
import { filesetOutputOf, sinkName } from "./FilesetOutput.ts"
import { reportDocument } from "./ReportDocument.ts"
import { reportText } from "./ReportText.ts"

export interface Ending {
  readonly plan: BootstrapPlan
  readonly settings: BootstrapSettings
  /** The parts of the run. */
  readonly graph: Graph
  readonly existing: Existing
  readonly outcome: Outcome
  readonly report: RunReport
  readonly stoppedBy: StopSignal | undefined
  readonly written: ReadonlyArray<BlockKey>
  /** Undefined when nothing was read again: the sink's data are its own, the run did not come to its end, or a signal came. */
  readonly verified: ReadonlyArray<FilesetVerification> | undefined
  readonly waits: ReadonlyArray<Wait>
  readonly warnings: ReadonlyArray<string>
}

/** Of each list at the end of a run; `report` shows more. */
const shownEntries = 5

const codeOf = ({ graph, outcome, stoppedBy, verified }: Ending): ExitCode => {
  if (stoppedBy !== undefined) return stoppedBy === "SIGTERM" ? ExitCode.terminated : ExitCode.interrupted
  switch (outcome._tag) {
    case "complete":
      // What another sink committed is done: nobody else can read it.
      if (filesetOutputOf(graph) === undefined) return ExitCode.done
      return verified?.every(({ ok }) => ok) === true ? ExitCode.done : ExitCode.no
    case "incomplete":
      return ExitCode.no
    case "deadline":
      return ExitCode.peers
    case "stopped":
      return ExitCode.interrupted
    case "failed":
      return outcome.fault === "usage" ? ExitCode.usage : outcome.fault === "peers" ? ExitCode.peers : ExitCode.local
  }
}

const verdictOf = (ending: Ending): string => {
  const { graph, outcome, report, settings, stoppedBy, verified } = ending
  const foreign = filesetOutputOf(graph) === undefined ? sinkName(graph) : undefined
  const blocks = `${formatCount(report.blocks.committed)} of ${formatCount(report.blocks.total)} blocks ${
    foreign === undefined ? "written" : `committed to ${foreign}`
  }`
  if (stoppedBy !== undefined && outcome._tag !== "stopped") {
    return `stopped by ${stoppedBy} while verifying: ${blocks}, not all of them read again`
  }
  switch (outcome._tag) {
    case "complete": {
      if (report.blocks.total === 0) {
        return `done: all ${formatCount(ending.existing.kept.size)} blocks were there and whole, nothing was fetched`
      }
      if (foreign !== undefined) {
        return `done: ${blocks}, all that level ${report.level} asks for; nothing is read again`
      }
      const bad = verified?.filter(({ ok }) => !ok).length ?? 0
      return bad === 0
        ? `done: ${blocks} and verified, all that level ${report.level} asks for`
        : `not verified: ${bad} of ${verified?.length} filesets do not hold what was written`
    }
    case "incomplete":
      return `incomplete: ${blocks}, ${formatCount(report.missing.total)} parts are missing (level ${report.level})`
    case "deadline":
      return `deadline of ${formatDuration(settings.deadline ?? 0)} reached: ${blocks}`
    case "stopped":
      return `stopped by ${stoppedBy ?? "a signal"}: ${blocks}${foreign === undefined ? "; go on with --resume" : ""}`
    case "failed":
      return `failed: ${blocks}`
  }
}

export const bootstrapResult = (ending: Ending): CommandResult => {
  const { outcome } = ending
  const document = reportDocument(ending, verdictOf(ending))
  const error = outcome._tag === "failed" ? { error: { message: outcome.message, remedy: outcome.remedy } } : {}
  return {
    exitCode: codeOf(ending),
    text: reportText(document, shownEntries),
    ...error,
    json: { ...document, ...error }
  }
}
