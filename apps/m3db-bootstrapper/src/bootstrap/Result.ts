/** How a bootstrap ended: exit code, the JSON document (also stored as peerstrap-report.json), and text for a person. */
import { type CommandResult, ExitCode, type StopSignal } from "@peerstrap/command-line"
import type { BlockKey, Divergence, MissingBlock, Outcome, RunReport } from "@peerstrap/m3db-bootstrap"
import type { FilesetVerification } from "@peerstrap/m3db-files"
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatMillis,
  formatNanos,
  formatRate,
  type Wait
} from "@peerstrap/progress"
import type { BootstrapSettings } from "./BootstrapFlags.ts"
import type { BootstrapPlan } from "./BootstrapPlan.ts"
import type { Existing } from "./Existing.ts"
import { whyText } from "./WhyText.ts"

export const reportFileName = "peerstrap-report.json"

export interface Ending {
  readonly plan: BootstrapPlan
  readonly settings: BootstrapSettings
  readonly existing: Existing
  readonly outcome: Outcome
  readonly report: RunReport
  readonly stoppedBy: StopSignal | undefined
  readonly written: ReadonlyArray<BlockKey>
  /** Undefined when nothing was read again: the run did not come to its end, or a signal came. */
  readonly verified: ReadonlyArray<FilesetVerification> | undefined
  readonly waits: ReadonlyArray<Wait>
  readonly warnings: ReadonlyArray<string>
}

const shownEntries = 5

const codeOf = ({ outcome, stoppedBy, verified }: Ending): ExitCode => {
  if (stoppedBy !== undefined) return stoppedBy === "SIGTERM" ? ExitCode.terminated : ExitCode.interrupted
  switch (outcome._tag) {
    case "complete":
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
  const { outcome, report, settings, stoppedBy, verified } = ending
  const blocks = `${formatCount(report.blocks.committed)} of ${formatCount(report.blocks.total)} blocks written`
  if (stoppedBy !== undefined && outcome._tag !== "stopped") {
    return `stopped by ${stoppedBy} while verifying: ${blocks}, not all of them read again`
  }
  switch (outcome._tag) {
    case "complete": {
      if (report.blocks.total === 0) {
        return `done: all ${formatCount(ending.existing.kept.size)} blocks were there and whole, nothing was fetched`
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
      return `stopped by ${stoppedBy ?? "a signal"}: ${blocks}; go on with --resume`
    case "failed":
      return `failed: ${blocks}`
  }
}

/** Series ids come as hex; what is printable is shown as text. */
const shownId = (hex: string): string => {
  const bytes = Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
  const printable = bytes.length > 0 && bytes.every((byte) => byte >= 0x20 && byte < 0x7f)
  return printable ? JSON.stringify(new TextDecoder().decode(bytes)) : `0x${hex}`
}

const place = (shard: number, blockStart: string): string => `shard ${shard} block ${formatNanos(BigInt(blockStart))}`

const missingLine = ({ blockStart, id, peers, reason, shard }: MissingBlock): string =>
  `${place(shard, blockStart)}${id === undefined ? "" : ` id ${shownId(id)}`}: ${reason}` +
  (peers.length === 0 ? "" : ` (${peers.join(", ")})`)

const divergenceLine = ({ blockStart, checksums, id, kind, shard, sizes }: Divergence): string => {
  const copies = Object.entries(checksums).map(([peer, checksum]) =>
    `${peer} ${checksum === "-" ? "absent" : `${checksum} (${sizes[peer] ?? 0} B)`}`
  )
  return `${place(shard, blockStart)} id ${shownId(id)}: ${kind}: ${copies.join(", ")}`
}

const byPlace = (a: MissingBlock, b: MissingBlock): number =>
  a.shard - b.shard || (BigInt(a.blockStart) < BigInt(b.blockStart) ? -1 : a.blockStart === b.blockStart ? 0 : 1)

const list = (title: string, total: number, lines: ReadonlyArray<string>): Array<string> =>
  total === 0 ? [] : [
    `  ${title}: ${formatCount(total)}`,
    ...lines.slice(0, shownEntries).map((line) => `    ${line}`),
    ...(total > shownEntries ? [`    and ${formatCount(total - Math.min(shownEntries, lines.length))} more`] : [])
  ]

const evidenceLines = (report: RunReport): Array<string> =>
  Object.entries(report.evidenceCounts).flatMap(([peer, kinds]) =>
    Object.entries(kinds).map(([kind, count]) => {
      const first = report.evidence.find((record) => record.peer === peer && record.kind === kind)
      const detail = first === undefined ? "" : `: ${first.subject}: ${first.detail}`
      return `${peer}: ${kind.replaceAll("-", " ")}, ${
        count === 1 ? "once" : `${formatCount(count)} times, first`
      }${detail}`
    })
  )

const peerLines = (report: RunReport): Array<string> =>
  report.peers.map(({ bytes, failures, id, lastError, seriesBlocks }) =>
    `  peer ${id}: ${formatCount(seriesBlocks)} series-blocks, ${formatBytes(bytes)}` +
    (failures === 0
      ? ""
      : `, ${formatCount(failures)} failed calls${lastError === undefined ? "" : ` (last: ${lastError})`}`)
  )

const workLines = ({ existing, report }: Ending): Array<string> => {
  const { blocks, seriesBlocks } = report
  if (blocks.total === 0) return []
  const seconds = Math.max(1, report.endedMillis - report.startedMillis) / 1000
  const took = formatDuration(report.endedMillis - report.startedMillis)
  const kept = existing.kept.size === 0 ? "" : `, ${formatCount(existing.kept.size)} kept from before`
  const dropped = seriesBlocks.dropped === 0 ? "" : `, ${formatCount(seriesBlocks.dropped)} out of retention`
  return [
    `  blocks: ${formatCount(blocks.committed)} written, ${formatCount(blocks.empty)} of them empty${kept}`,
    `  series-blocks: ${formatCount(seriesBlocks.stored)} stored, ${formatCount(seriesBlocks.merged)} merged${dropped}`,
    `  ${formatBytes(report.bytes)} in ${took}: ${formatRate(report.bytes / seconds)}, ` +
    `${formatCount(seriesBlocks.stored / seconds)} series-blocks/s; memory at most ${formatBytes(report.memory.peak)}`,
    ...report.levelChanges.map(({ atMillis, level, origin }) =>
      `  level ${level} since ${formatMillis(atMillis)}, set by ${origin}`
    )
  ]
}

const textOf = (ending: Ending): string => {
  const { plan, report, settings, verified, waits, warnings } = ending
  const { divergences, missing, unlisted } = report
  const counts = Object.entries(divergences.counts).filter(([, count]) => count > 0)
  const bad = verified?.flatMap(({ problems }) => problems) ?? []
  const lines = [
    verdictOf(ending),
    ...workLines(ending),
    ...(report.blocks.total === 0 ? [] : peerLines(report)),
    ...list("missing", missing.total, missing.entries.toSorted(byPlace).map(missingLine)),
    ...list(
      "not listed by",
      unlisted.total,
      unlisted.entries.map(({ peer, reason, shard }) => `${peer}: shard ${shard}: ${reason}`)
    ),
    ...list(
      `replicas differ (${counts.map(([kind, count]) => `${kind} ${formatCount(count)}`).join(", ")})`,
      divergences.total,
      divergences.entries.map(divergenceLine)
    ),
    ...list("evidence against peers", evidenceLines(report).length, evidenceLines(report)),
    ...list(
      "damaged after writing",
      bad.length,
      bad.map(({ message, path, remedy }) => `${path}: ${message}; ${remedy}`)
    ),
    ...(waits.length === 0
      ? []
      : [
        "  waited for at the end:",
        ...whyText(waits, report.endedMillis).trimEnd().split("\n").map((line) => `    ${line}`)
      ]),
    ...warnings.map((warning) => `  warning: ${warning}`),
    `  files: ${plan.outPath}/data/${settings.namespace}`,
    `  report: ${plan.outPath}/${reportFileName}`
  ]
  return `${lines.join("\n")}\n`
}

export const bootstrapResult = (ending: Ending): CommandResult => {
  const { existing, outcome, plan, report, settings, verified, waits, warnings, written } = ending
  const verification = verified === undefined ? undefined : {
    filesets: verified.length,
    damaged: verified.filter(({ ok }) => !ok).length,
    problems: verified.flatMap(({ problems }) => problems)
  }
  return {
    exitCode: codeOf(ending),
    text: textOf(ending),
    ...(outcome._tag === "failed" ? { error: { message: outcome.message, remedy: outcome.remedy } } : {}),
    json: {
      verdict: verdictOf(ending),
      namespace: settings.namespace,
      out: plan.outPath,
      from: String(plan.from),
      to: String(plan.to),
      notes: plan.notes,
      report,
      written: written.length,
      kept: existing.kept.size,
      refetched: existing.damaged.length,
      verification: verification ?? null,
      waits,
      warnings
    }
  }
}
