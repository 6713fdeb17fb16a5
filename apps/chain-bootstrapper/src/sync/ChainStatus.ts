/** Where the chain of a run is and who its peers are: plain JSON for the control socket, the report and programs, and text for people. */
import type { KnownPoint, PeerView, SyncSnapshot } from "@peerstrap/chain-bootstrap"
import { formatBytes, formatCount, formatMillis } from "@peerstrap/progress"
import { blockText, refJson } from "../BlockNames.ts"

/** Points and peers in an answer; far more than a run knows by default. */
const mostListed = 10_000

export interface ChainStatus {
  readonly phase: string
  readonly status: string
  readonly statusReason: string
  readonly mode: string | null
  readonly base: { readonly level: number; readonly hash: string }
  readonly head: { readonly level: number; readonly hash: string; readonly time: string | null }
  readonly chosen: { readonly level: number; readonly hash: string }
  readonly peersLevel: number | null
  readonly segments: number
  readonly targets: number
  readonly pendingHeaders: number
  readonly blocksInFlight: number
  readonly peers: { readonly connected: number; readonly counted: number; readonly known: number }
  readonly counters: SyncSnapshot["counters"]
}

export const chainStatus = (snapshot: SyncSnapshot): ChainStatus => ({
  phase: snapshot.phase,
  status: snapshot.status,
  statusReason: snapshot.statusReason,
  mode: snapshot.mode ?? null,
  base: refJson(snapshot.base),
  head: {
    ...refJson(snapshot.head),
    time: snapshot.headTimeSeconds === undefined ? null : formatMillis(snapshot.headTimeSeconds * 1000)
  },
  chosen: refJson(snapshot.chosen),
  peersLevel: snapshot.peersLevel ?? null,
  segments: snapshot.segments,
  targets: snapshot.targets,
  pendingHeaders: snapshot.pendingHeaders,
  blocksInFlight: snapshot.blocksInFlight,
  peers: {
    connected: snapshot.peers.length,
    counted: snapshot.peers.filter(({ counted }) => counted).length,
    known: snapshot.known.length
  },
  counters: snapshot.counters
})

export const chainStatusLines = (status: ChainStatus): ReadonlyArray<string> => {
  const { base, chosen, counters, head, peers, peersLevel } = status
  return [
    `${status.status}: ${status.statusReason}`,
    `head: level ${formatCount(head.level)} ${head.hash}${head.time === null ? "" : `, ${head.time}`}`,
    `chosen under quorum up to level ${formatCount(chosen.level)}; base level ${formatCount(base.level)} ${base.hash}`,
    `peers: ${peers.connected} connected, ${peers.counted} count, ${peers.known} known` +
    (peersLevel === null ? "" : `; more than two thirds of them reach level ${formatCount(peersLevel)}`),
    `${status.mode ?? "no"} mode, ${formatCount(status.segments)} segments, ${formatCount(status.targets)} targets, ` +
    `${formatCount(status.pendingHeaders)} headers pending, ${formatCount(status.blocksInFlight)} blocks in flight`,
    `received ${formatCount(counters.headersReceived)} headers and ${
      formatCount(counters.unitsReceived)
    } lists of operations ` +
    `(${formatBytes(counters.unitBytes)}), applied ${formatCount(counters.blocksApplied)} blocks`
  ]
}

/** A peer or point as a row of `peers list`: of a live process, or of what its store remembers. */
export interface PeerRow {
  readonly point: string | null
  readonly id: string | null
  readonly status: string
  readonly side: string | null
  readonly score: number | null
  readonly counted: boolean
  readonly level: number | null
  readonly named: boolean
  readonly source: string | null
  /** RFC 3339; null: not resting, or for good. */
  readonly restsUntil: string | null
  readonly reason: string | null
}

const finiteTime = (millis: number): string | null =>
  millis > 0 && Number.isFinite(millis) ? formatMillis(millis) : null

export const knownRow = (point: KnownPoint): PeerRow => ({
  point: point.point ?? null,
  id: point.id ?? null,
  status: point.status,
  side: null,
  score: point.lastScore ?? null,
  counted: false,
  level: null,
  named: point.named,
  source: point.source,
  restsUntil: finiteTime(point.restUntilMillis),
  reason: point.reason ?? null
})

const activeRow = (peer: PeerView, known: KnownPoint | undefined): PeerRow => ({
  point: peer.point ?? null,
  id: peer.id,
  status: "active",
  side: peer.side,
  score: peer.score,
  counted: peer.counted,
  level: peer.claimedLevel ?? null,
  named: known?.named ?? false,
  source: known?.source ?? null,
  restsUntil: null,
  reason: null
})

/** Those connected first, then the other known points. */
export const peerRows = ({ known, peers }: Pick<SyncSnapshot, "known" | "peers">): ReadonlyArray<PeerRow> => {
  const active = new Set(peers.flatMap(({ id, point }) => point === undefined ? [id] : [id, point]))
  const of = (peer: PeerView) =>
    known.find(({ id, point }) => id === peer.id || (point !== undefined && point === peer.point))
  return [
    ...peers.map((peer) => activeRow(peer, of(peer))),
    ...known.filter(({ id, point }) =>
      !(id !== undefined && active.has(id)) && !(point !== undefined && active.has(point))
    )
      .map(knownRow)
  ].slice(0, mostListed)
}

const peerLine = (row: PeerRow): string =>
  [
    (row.point ?? "-").padEnd(21),
    (row.id ?? "-").padEnd(30),
    row.status.padEnd(10),
    row.score === null ? "" : `score ${row.score}`,
    row.level === null ? "" : `level ${formatCount(row.level)}`,
    row.side ?? "",
    row.counted ? "counts" : "",
    row.named ? "named" : row.source ?? "",
    row.restsUntil === null ? "" : `rests until ${row.restsUntil}`,
    row.reason === null ? "" : `(${row.reason})`
  ].filter((part) => part !== "").join("  ").trimEnd()

export const peersText = (rows: ReadonlyArray<PeerRow>): string =>
  rows.length === 0 ? "no peers are known\n" : `${rows.map(peerLine).join("\n")}\n`

/** The block ids of `blame` and `evidence` as a list of peers with what was proved against them. */
export interface BlameRow {
  readonly peer: string
  readonly kinds: Readonly<Record<string, number>>
  /** The kept records, oldest first. */
  readonly evidence: ReadonlyArray<
    { readonly kind: string; readonly subject: string; readonly detail: string; readonly at: string }
  >
}

const hexIds = /\b[0-9a-f]{64}\b/g

/** Ids inside of a sentence as people write them. */
export const withBlockNames = (text: string): string => text.replaceAll(hexIds, blockText)

export const blameRows = ({ blame, evidence }: Pick<SyncSnapshot, "blame" | "evidence">): ReadonlyArray<BlameRow> =>
  Object.entries(blame).map(([peer, kinds]) => ({
    peer,
    kinds,
    evidence: evidence.filter((record) => record.peer === peer).map(({ atMillis, detail, kind, subject }) => ({
      kind,
      subject: withBlockNames(subject),
      detail: withBlockNames(detail),
      at: formatMillis(atMillis)
    }))
  }))
