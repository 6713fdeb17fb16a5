/** How a run ended: exit code, the JSON document (also stored as peerstrap-report.json), and text for a person. */
import type { RepairReport, SyncOutcome, SyncSnapshot } from "@peerstrap/chain-bootstrap"
import { type CommandResult, ExitCode, type StopSignal } from "@peerstrap/command-line"
import { formatBytes, formatCount, formatDuration, formatMillis, formatRate, type Wait } from "@peerstrap/progress"
import { refJson, refText } from "../BlockNames.ts"
import { counted } from "../Counted.ts"
import { reportFileName } from "../store/StoredReport.ts"
import type { Verification } from "../store/VerifyApplied.ts"
import { type BlameRow, blameRows, chainStatus, peerRows } from "./ChainStatus.ts"
import type { NoticeBook } from "./Notices.ts"
import { mendedText, repairJson } from "./Repair.ts"
import { whyText } from "./WhyText.ts"

/** Why the run is over. */
export type Ended =
  | SyncOutcome
  | { readonly outcome: "deadline"; readonly afterMillis: number }
  | { readonly outcome: "stopped"; readonly signal: StopSignal }
  /** A fault of this side: disk, applier, or a defect. */
  | {
    readonly outcome: "failed"
    readonly exitCode: ExitCode
    readonly message: string
    readonly remedy: string
  }

export interface Ending {
  readonly ended: Ended
  readonly network: string
  /** Where report and control socket lie. */
  readonly directory: string
  readonly store: string
  readonly applier: string
  readonly parts: ReadonlyArray<string>
  readonly startedMillis: number
  readonly endedMillis: number
  /** Where the chain stood when the run began; what is above was read again at the end. */
  readonly startLevel: number
  readonly snapshot: SyncSnapshot
  readonly notices: NoticeBook
  readonly verification: Verification | undefined
  /** Of a store that was damaged when the run began. */
  readonly repair: RepairReport | undefined
  readonly waits: ReadonlyArray<Wait>
  readonly warnings: ReadonlyArray<string>
  readonly peakMemoryBytes: number
}

const shownEntries = 5
/** Peers in the report, and in its text. */
const reportedPeers = 1000

/** Blocks below those of this run that are not whole. */
const blocksLeft = ({ repair }: Ending): number => repair?.blocksLeft ?? 0

const codeOf = (ending: Ending): ExitCode => {
  const { ended, verification } = ending
  switch (ended.outcome) {
    case "synced":
    case "level-reached":
      return verification?.problemCount === 0 && blocksLeft(ending) === 0 ? ExitCode.done : ExitCode.no
    case "halted":
      return ExitCode.no
    case "deadline":
      return ExitCode.peers
    case "stopped":
      return ended.signal === "SIGTERM" ? ExitCode.terminated : ExitCode.interrupted
    case "failed":
      return ended.exitCode
  }
}

const verdictOf = (ending: Ending): string => {
  const { ended, repair, snapshot, verification } = ending
  const at = refText(snapshot.head)
  switch (ended.outcome) {
    case "synced":
    case "level-reached": {
      if (verification === undefined) return `not verified: ${at}`
      return verification.problemCount > 0
        ? `NOT verified: ${formatCount(verification.problemCount)} problems in what was stored, at ${at}`
        : blocksLeft(ending) > 0
        ? `NOT whole: ${counted(blocksLeft(ending), "damaged block")} could not be fetched again; at ${at}`
        : verification.blocks === 0
        ? `done: was there already, ${at}; ${
          (repair?.blocks ?? 0) > 0 ? "damaged blocks were fetched again" : "nothing was fetched"
        }`
        : ended.outcome === "synced"
        ? `done: synced and verified, ${at}`
        : `done: reached and verified, ${at}`
    }
    case "halted":
      return `halted: ${ended.reason}; the chain stays at ${at}`
    case "deadline":
      return `deadline of ${formatDuration(ended.afterMillis)} reached at ${at}`
    case "stopped":
      return `stopped by ${ended.signal} at ${at}; the same command goes on from there`
    case "failed":
      return `failed at ${at}; what is stored stays valid`
  }
}

const list = (title: string, lines: ReadonlyArray<string>): ReadonlyArray<string> =>
  lines.length === 0 ? [] : [
    `  ${title}: ${formatCount(lines.length)}`,
    ...lines.slice(0, shownEntries).map((line) => `    ${line}`),
    ...(lines.length > shownEntries
      ? [`    and ${formatCount(lines.length - shownEntries)} more (all in the report)`]
      : [])
  ]

const blameLine = ({ evidence, kinds, peer }: BlameRow, greylisted: boolean): string => {
  const first = evidence[0]
  const counts = Object.entries(kinds).map(([kind, count]) =>
    count === 1 ? kind.replaceAll("-", " ") : `${kind.replaceAll("-", " ")} ${formatCount(count)} times`
  )
  return `${peer}: ${counts.join(", ")}${greylisted ? " (disconnected)" : ""}` +
    (first === undefined ? "" : `, first: ${first.subject}: ${first.detail}`)
}

const reorganisationLine = (one: Readonly<Record<string, unknown>>): string => {
  const ref = (key: string): string => {
    const { hash, level } = one[key] as { readonly level: number; readonly hash: string }
    return `level ${formatCount(level)} ${hash}`
  }
  return `after ${ref("fork")}: from ${ref("from")} to ${ref("to")}`
}

const workLines = (
  { endedMillis, peakMemoryBytes, snapshot, startLevel, startedMillis }: Ending
): ReadonlyArray<string> => {
  const { counters, head } = snapshot
  const seconds = Math.max(1, endedMillis - startedMillis) / 1000
  return [
    `  levels: ${formatCount(startLevel)} to ${formatCount(head.level)}, ${
      formatCount(counters.blocksApplied)
    } blocks applied in ` +
    `${formatCount(snapshot.segments)} segments`,
    `  received: ${formatCount(counters.headersReceived)} headers (${formatCount(counters.headersDuplicate)} twice), ` +
    `${formatCount(counters.unitsReceived)} lists of operations, ${formatBytes(counters.unitBytes)}`,
    `  took ${formatDuration(endedMillis - startedMillis)}: ${
      formatCount(counters.blocksApplied / seconds)
    } blocks/s, ` +
    `${formatRate(counters.unitBytes / seconds)}; ${formatCount(counters.requestsTimedOut)} of ` +
    `${formatCount(counters.requestsSent)} requests timed out; memory at most ${formatBytes(peakMemoryBytes)}`
  ]
}

const textOf = (ending: Ending): string => {
  const { directory, notices, repair, snapshot, store, verification, waits, warnings } = ending
  const mended = repair === undefined ? undefined : mendedText(repair)
  const counted = snapshot.peers.filter(({ counted }) => counted).length
  return `${
    [
      verdictOf(ending),
      ...workLines(ending),
      `  peers: ${snapshot.peers.length} connected at the end, ${counted} counted, ${snapshot.known.length} known`,
      ...list("blamed", blameRows(snapshot).map((row) => blameLine(row, notices.greylisted.has(row.peer)))),
      ...list("reorganisations", notices.reorganisations.map(reorganisationLine)),
      ...list("invalid blocks", notices.invalid.map((one) => `level ${one["level"]} ${one["hash"]}: ${one["reason"]}`)),
      ...(mended === undefined ? [] : [`  mended: ${mended}`]),
      ...list("damaged in the store", verification?.problems ?? []),
      ...(waits.length === 0
        ? []
        : [
          "  waited for at the end:",
          ...whyText(waits, ending.endedMillis).trimEnd().split("\n").map((line) => `    ${line}`)
        ]),
      ...warnings.map((warning) => `  warning: ${warning}`),
      `  store: ${store}`,
      `  report: ${directory}/${reportFileName}`
    ].join("\n")
  }\n`
}

export const syncResult = (ending: Ending): CommandResult => {
  const { ended, notices, repair, snapshot, verification } = ending
  return {
    exitCode: codeOf(ending),
    text: textOf(ending),
    ...(ended.outcome === "failed" ? { error: { message: ended.message, remedy: ended.remedy } } : {}),
    json: {
      verdict: verdictOf(ending),
      outcome: ended.outcome,
      reason: "reason" in ended ? ended.reason : null,
      network: ending.network,
      store: ending.store,
      applier: ending.applier,
      parts: ending.parts,
      started: formatMillis(ending.startedMillis),
      ended: formatMillis(ending.endedMillis),
      tookMillis: ending.endedMillis - ending.startedMillis,
      startLevel: ending.startLevel,
      base: refJson(snapshot.base),
      head: refJson(snapshot.head),
      chain: chainStatus(snapshot),
      blocks: snapshot.counters.blocksApplied,
      bytes: snapshot.counters.unitBytes,
      peers: peerRows(snapshot).slice(0, reportedPeers),
      blamed: blameRows(snapshot).map((row) => ({ ...row, disconnected: notices.greylisted.has(row.peer) })),
      reorganisations: notices.reorganisations,
      invalid: notices.invalid,
      verification: verification ?? null,
      repair: repair === undefined ? null : repairJson(repair),
      waits: ending.waits,
      warnings: ending.warnings,
      peakMemoryBytes: ending.peakMemoryBytes
    }
  }
}
