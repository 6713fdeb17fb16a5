/** What a run did, for the end of it: plain JSON that a program keeps and text that a person reads. */
import type { Wait } from "../contract/Wait.ts"
import { formatBytes, formatCount, formatDuration, formatMillis, formatRate } from "./Format.ts"
import { formatWhy } from "./Why.ts"

/** What a run did. */
export interface RunReport {
  /** e.g. `done`, `done, with divergences`, `stopped: level majority not reached`. */
  readonly outcome: string
  /** Unix time. */
  readonly startedMillis: number
  readonly endedMillis: number
  /** Named counts of work, e.g. `series`, `blocks`, `retries`. */
  readonly counts: Readonly<Record<string, number>>
  readonly bytes: number
  /** Evidence by peer, then kind. */
  readonly evidence: Readonly<Record<string, Readonly<Record<string, number>>>>
  /** Each one line, e.g. `id "a" block 2026-11-21T10:00:00Z: A 0x1 (12 B), B 0x2 (12 B)`. */
  readonly divergences: ReadonlyArray<string>
  /** Divergences that are not listed. */
  readonly divergencesOmitted: number
  /** What was still waiting at the end; empty after success. */
  readonly waits: ReadonlyArray<Wait>
  readonly warnings: ReadonlyArray<string>
}

const section = (title: string, lines: ReadonlyArray<string>): ReadonlyArray<string> =>
  lines.length === 0 ? [] : [title, ...lines.map((line) => `  ${line}`)]

/** The report as text that ends with a newline. */
export const formatReport = (report: RunReport): string => {
  const tookMillis = report.endedMillis - report.startedMillis
  const rate = tookMillis > 0 ? formatRate((report.bytes * 1000) / tookMillis) : "unknown"
  const evidence = Object.entries(report.evidence).map(([peer, kinds]) =>
    `${peer}: ${Object.entries(kinds).map(([kind, times]) => `${kind} ${formatCount(times)}`).join(", ")}`
  )
  const omitted = report.divergencesOmitted > 0 ? [`and ${formatCount(report.divergencesOmitted)} more`] : []
  const waits = report.waits.length === 0 ? [] : formatWhy(report.waits, report.endedMillis).trimEnd().split("\n")
  return `${
    [
      `${report.outcome} after ${formatDuration(tookMillis)} (started ${formatMillis(report.startedMillis)})`,
      ...section("work", [
        ...Object.entries(report.counts).map(([name, count]) => `${name}: ${formatCount(count)}`),
        `bytes: ${formatBytes(report.bytes)} (${rate})`
      ]),
      ...section("evidence against peers", evidence),
      ...section("divergences", [...report.divergences, ...omitted]),
      ...section("still waiting", waits),
      ...section("warnings", report.warnings)
    ].join("\n")
  }\n`
}
