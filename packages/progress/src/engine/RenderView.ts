/** A snapshot as lines of text: the block of the live view, and the one line of a log. */
import { progressLimits } from "../contract/Limits.ts"
import type { Amount, Eta, LaneSnapshot, PeerSnapshot, ProgressSnapshot } from "../contract/Snapshot.ts"
import { formatBytes, formatCount, formatDuration, formatPercent, formatRate } from "./Format.ts"
import { formatWait, mergeWaits } from "./Why.ts"

/** The room that there is, and whether colours are understood. */
export interface RenderOptions {
  readonly columns: number
  /** Lines at most; the least important are left out. */
  readonly rows: number
  readonly color: boolean
}

const escape = "\u001b["
const paint = (code: number, text: string, color: boolean): string =>
  color ? `${escape}${code}m${text}${escape}0m` : text

/** Control characters of names and messages from outside would move the cursor. */
const plain = (text: string): string => text.replace(/\p{Cc}+/gu, " ")

/** Cuts to a number of code points, with `…` where something is missing. */
export const fit = (text: string, columns: number): string => {
  const safe = plain(text)
  if (safe.length <= columns) return safe
  const points = Array.from(safe)
  return points.length <= columns ? safe : columns < 1 ? "" : `${points.slice(0, columns - 1).join("")}…`
}

const ofTotal = (done: string, total: string, isGrowing: boolean): string =>
  `${done} of ${total}${isGrowing ? "+" : ""}`

const amountText = (amount: Amount, format: (value: number) => string): string =>
  amount.total > 0 ? ofTotal(format(amount.done), format(amount.total), amount.totalIsGrowing) : format(amount.done)

/** Empty when there is nothing to wait for. */
const etaText = (eta: Eta): string =>
  eta.confidence === "over"
    ? ""
    : eta.millis === null
    ? `ETA unknown (${eta.reason})`
    : `ETA ${formatDuration(eta.millis)} (${eta.confidence}: ${eta.reason})`

const byBytes = (snapshot: ProgressSnapshot): boolean => snapshot.bytes.total > 0

/** While totals grow, amounts say of what is known only: then jobs count, or nothing where all that is known is done. */
const shareOf = (snapshot: ProgressSnapshot): { readonly done: number; readonly total: number } => {
  const amount = byBytes(snapshot) ? snapshot.bytes : snapshot.items
  if (!amount.totalIsGrowing) return amount
  if (snapshot.jobs.done < snapshot.jobs.total) return snapshot.jobs
  return amount.done < amount.total ? amount : { done: 0, total: 0 }
}

const percentOf = (snapshot: ProgressSnapshot): string => {
  const { done, total } = shareOf(snapshot)
  return formatPercent(done, total)
}

const bar = (snapshot: ProgressSnapshot, width: number): string => {
  const { done, total } = shareOf(snapshot)
  const filled = total > 0 ? Math.min(width, Math.floor((done / total) * width)) : 0
  return `[${"#".repeat(filled)}${"-".repeat(width - filled)}]`
}

const laneLine = (lane: LaneSnapshot): string =>
  `  ${lane.id}  ${lane.state}  ${formatCount(lane.done)} of ${formatCount(lane.total)}  ${formatBytes(lane.bytes)}` +
  (lane.waitingFor === undefined ? "" : `  waits for ${lane.waitingFor}`)

const peerLine = (peer: PeerSnapshot): string =>
  `  ${peer.id}  ${peer.state}  answers at ${formatRate(peer.bytesPerSecond)}  ${peer.inFlight} in flight` +
  (peer.failures === 0 ? "" : `  ${formatCount(peer.failures)} failures`) +
  (peer.lastError === undefined ? "" : `  (${peer.lastError})`)

/** Those that wait come first, then those at work, then the idle; each group in its order. */
const laneUrgency = (lane: LaneSnapshot): number => lane.waitingFor !== undefined ? 0 : lane.done < lane.total ? 1 : 2

const listed = <A>(items: ReadonlyArray<A>, most: number, line: (item: A) => string, name: string): Array<string> => {
  const lines = items.slice(0, most).map(line)
  if (items.length > most) lines.push(`  and ${formatCount(items.length - most)} more ${name}`)
  return lines
}

/** The live block: summary first, then what it waits for, then peers and lanes. */
export const renderView = (snapshot: ProgressSnapshot, options: RenderOptions): Array<string> => {
  const { color, columns } = options
  const elapsed = formatDuration(snapshot.nowMillis - snapshot.startedMillis)
  const jobs = `${formatCount(snapshot.jobs.done)} of ${formatCount(snapshot.jobs.total)} jobs`
  const waits = mergeWaits(snapshot.waits)
  const lanes = snapshot.lanes.toSorted((a, b) => laneUrgency(a) - laneUrgency(b))
  const width = Math.max(0, Math.min(30, columns - 40))
  const summary = [
    `${snapshot.phase}  ${bar(snapshot, width)} ${percentOf(snapshot)}  ${elapsed}  ${etaText(snapshot.eta)}`.trimEnd(),
    `${jobs}  ${amountText(snapshot.items, formatCount)} items  ${amountText(snapshot.bytes, formatBytes)}  ${
      formatRate(snapshot.rates.bytesPerSecond)
    }`
  ]
  const lines = [
    ...summary.map((line, at) => paint(at === 0 ? 1 : 0, fit(line, columns), color && at === 0)),
    ...snapshot.warnings.map((warning) => paint(33, fit(`warning: ${warning}`, columns), color)),
    ...listed(waits, progressLimits.shownWaits, formatWait, "waits").map((line) =>
      paint(33, fit(line.trimStart(), columns), color)
    ),
    ...listed(snapshot.peers, progressLimits.shownPeers, peerLine, "peers").map((line) => fit(line, columns)),
    ...listed(lanes, progressLimits.shownLanes, laneLine, "lanes").map((line) => fit(line, columns))
  ]
  return lines.slice(0, Math.max(1, options.rows))
}

/** One line for a log. */
export const renderLine = (snapshot: ProgressSnapshot): string => {
  const parts = [
    `${snapshot.phase} ${percentOf(snapshot)}`,
    `${formatCount(snapshot.jobs.done)} of ${formatCount(snapshot.jobs.total)} jobs`,
    `${amountText(snapshot.items, formatCount)} items`,
    amountText(snapshot.bytes, formatBytes),
    formatRate(snapshot.rates.bytesPerSecond),
    ...(etaText(snapshot.eta) === "" ? [] : [etaText(snapshot.eta)])
  ]
  const first = mergeWaits(snapshot.waits)[0]
  if (first !== undefined) parts.push(formatWait(first))
  return plain(parts.join(" · "))
}

/** Equal while the run waits for the same things; counts and seconds in the causes do not matter. */
export const waitsKey = (snapshot: ProgressSnapshot): string =>
  JSON.stringify([
    snapshot.phase,
    mergeWaits(snapshot.waits).map((wait) => [wait.waitingFor, wait.peers, wait.level ?? null]).map((key) =>
      JSON.stringify(key)
    ).toSorted(),
    snapshot.warnings.length
  ])
