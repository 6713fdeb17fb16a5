/** A run's report as text for a person. Pure. */
import type { DamagedBlock, Divergence, MissingBlock, PeerReport, RunReport } from "@peerstrap/m3db-bootstrap"
import { formatBytes, formatCount, formatDuration, formatMillis, formatNanos, formatRate } from "@peerstrap/progress"
import type { PeerVerdict, ReportDocument } from "./ReportDocument.ts"
import { whyText } from "./WhyText.ts"

export const reportFileName = "peerstrap-report.json"

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

const times = (count: number): string => count === 1 ? "once" : `${formatCount(count)} times`

const damageLine = ({ advertised, blockStart, delivered, id, kind, shard, times: asked }: DamagedBlock): string =>
  `${place(shard, blockStart)} id ${shownId(id)}: ${kind.replaceAll("-", " ")}: ${delivered}` +
  (advertised === null || delivered.includes(advertised) ? "" : ` (advertised ${advertised})`) +
  // A report of an earlier version does not count.
  ((asked ?? 1) === 1 ? "" : `, asked for ${times(asked)}`)

/** Why calls to a peer failed, each reason with what is known about whose fault it was. */
const failedCallLines = ({ failedCalls, id }: PeerReport): Array<string> =>
  failedCalls.map((calls) =>
    `${id}: ${calls.reason} ${times(calls.times)}, verdict ${calls.verdict}` +
    ` (${calls.because}), first: ${calls.first}`
  )

type Place = Pick<MissingBlock, "shard" | "blockStart">

const byPlace = (a: Place, b: Place): number =>
  a.shard - b.shard || (BigInt(a.blockStart) < BigInt(b.blockStart) ? -1 : a.blockStart === b.blockStart ? 0 : 1)

type List = (title: string, total: number, lines: ReadonlyArray<string>) => Array<string>

/** Lists of at most `most` lines; counts are complete. */
const listsOf = (most: number): List => (title, total, lines) =>
  total === 0 ? [] : [
    `  ${title}: ${formatCount(total)}`,
    ...lines.slice(0, most).map((line) => `    ${line}`),
    ...(total > most ? [`    and ${formatCount(total - Math.min(most, lines.length))} more`] : [])
  ]

/** `shard 3 block <ns> id <hex>` as the other lists have it. */
const shownSubject = (subject: string): string =>
  subject.replace(/\bblock (\d+)\b/g, (_, nanos: string) => `block ${formatNanos(BigInt(nanos))}`)
    .replace(/\bid ((?:[0-9a-f]{2})+)\b/g, (_, hex: string) => `id ${shownId(hex)}`)

const evidenceLines = (report: RunReport): Array<string> =>
  Object.entries(report.evidenceCounts).flatMap(([peer, kinds]) =>
    Object.entries(kinds).map(([kind, count]) => {
      const first = report.evidence.find((record) => record.peer === peer && record.kind === kind)
      const detail = first === undefined ? "" : `: ${shownSubject(first.subject)}: ${first.detail}`
      return `${peer}: ${kind.replaceAll("-", " ")}, ${times(count)}${count === 1 ? "" : ", first"}${detail}`
    })
  )

const verdictText = ({ verdict }: PeerVerdict): string =>
  verdict === "clear" ? "" : verdict === "at-fault" ? ", AT FAULT" : ", something was wrong, maybe not its fault"

const peerLines = ({ peerVerdicts, report }: ReportDocument): Array<string> =>
  report.peers.map(({ bytes, failures, id, lastError, seriesBlocks }, at) =>
    `  peer ${id}: ${formatCount(seriesBlocks)} series-blocks, ${formatBytes(bytes)}` +
    (failures === 0
      ? ""
      : `, ${formatCount(failures)} failed calls${lastError === undefined ? "" : ` (last: ${lastError})`}`) +
    verdictText(peerVerdicts[at]!)
  )

const workLines = ({ kept, report }: ReportDocument): Array<string> => {
  const { blocks, seriesBlocks } = report
  if (blocks.total === 0) return []
  const seconds = Math.max(1, report.endedMillis - report.startedMillis) / 1000
  const took = formatDuration(report.endedMillis - report.startedMillis)
  const before = kept === 0 ? "" : `, ${formatCount(kept)} kept from before`
  const dropped = seriesBlocks.dropped === 0 ? "" : `, ${formatCount(seriesBlocks.dropped)} out of retention`
  return [
    `  blocks: ${formatCount(blocks.committed)} written, ${formatCount(blocks.empty)} of them empty${before}`,
    `  series-blocks: ${formatCount(seriesBlocks.stored)} stored, ${formatCount(seriesBlocks.merged)} merged${dropped}`,
    `  ${formatBytes(report.bytes)} in ${took}: ${formatRate(report.bytes / seconds)}, ` +
    `${formatCount(seriesBlocks.stored / seconds)} series-blocks/s; memory at most ${formatBytes(report.memory.peak)}`,
    ...(report.retries === 0 ? [] : [`  asked again: ${times(report.retries)}`]),
    ...(report.hedged.items === 0
      ? []
      : [
        `  asked of a second peer as well: ${formatCount(report.hedged.items)} series-blocks, ${
          formatBytes(report.hedged.bytes)
        }`
      ]),
    ...report.levelChanges.map(({ atMillis, level, origin }) =>
      `  level ${level} since ${formatMillis(atMillis)}, set by ${origin}`
    )
  ]
}

/** Ends with a newline; each list has at most `mostEntries`. */
export const reportText = (document: ReportDocument, mostEntries: number): string => {
  const { files, out, report, verdict, verification, waits, warnings } = document
  const { divergences, missing, unlisted } = report
  const counts = Object.entries(divergences.counts).filter(([, count]) => count > 0)
  const bad = verification?.problems ?? []
  const failedCalls = report.peers.flatMap(failedCallLines)
  const list = listsOf(mostEntries)
  const lines = [
    verdict,
    ...workLines(document),
    ...(report.blocks.total === 0 ? [] : peerLines(document)),
    ...list("missing", missing.total, missing.entries.toSorted(byPlace).map(missingLine)),
    ...list(
      "not listed by",
      unlisted.total,
      unlisted.entries.map(({ peer, reason, shard }) => `${peer}: shard ${shard}: ${reason}`)
    ),
    ...list(
      `replicas differ (${counts.map(([kind, count]) => `${kind} ${formatCount(count)}`).join(", ")})`,
      divergences.total,
      divergences.entries.toSorted(byPlace).map(divergenceLine)
    ),
    ...report.peers.flatMap(({ damaged, id }) =>
      list(`damaged or changed on ${id}`, damaged.total, damaged.entries.toSorted(byPlace).map(damageLine))
    ),
    ...list("failed calls, by reason", failedCalls.length, failedCalls),
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
    ...(files === null ? [] : [`  files: ${files}`]),
    `  report: ${out}/${reportFileName}`
  ]
  return `${lines.join("\n")}\n`
}
