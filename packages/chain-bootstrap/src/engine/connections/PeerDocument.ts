/** Known peers to their document and back: what outlives a run, and how much of an old document is believed. */
import type { ConnectionOptions } from "../../contract/Connections.ts"
import type { BanRecord } from "./Bans.ts"
import type { KnownPeer } from "./KnownPeers.ts"
import type { PeerParts } from "./PeerListing.ts"
import type { Point } from "./PointText.ts"
import { readSavedPeers, type SavedPoint, writeSavedPeers } from "./SavedPeers.ts"

/** JSON has no Infinity. */
const untilOf = (ban: BanRecord): number | null => ban.untilMillis === Infinity ? null : ban.untilMillis

const savedPoint = (peer: KnownPeer): SavedPoint => ({
  point: peer.point.text,
  // An id that a peer only claimed for the point is not worth keeping.
  ...(peer.id !== undefined && peer.proved && { id: peer.id }),
  ...(peer.lastScore !== undefined && { score: peer.lastScore }),
  ...(peer.failures > 0 && { failures: peer.failures }),
  ...(peer.restUntilMillis > 0 && { restUntil: peer.restUntilMillis }),
  ...(peer.lastSeenMillis !== undefined && { seen: peer.lastSeenMillis })
})

export const savePeerParts = ({ bans, greylist, reconnection, table }: PeerParts): string =>
  writeSavedPeers({
    points: [...table.values()].map(savedPoint),
    bans: bans.entries().map(([key, ban]) => ({ key, until: untilOf(ban), reason: ban.reason })),
    greylist: greylist.entries().map(([key, grey]) => ({
      key,
      until: grey.untilMillis,
      times: grey.times,
      reason: grey.reason
    })),
    counters: reconnection.entries().map(([key, record]) => ({
      key,
      count: record.count,
      windowStart: record.windowStartMillis,
      lost: record.lost
    }))
  })

export interface RestoreSettings {
  readonly nowMillis: number
  readonly options: ConnectionOptions
  readonly ownId: string
  readonly pointOf: (text: string) => Point | undefined
  readonly welcome: (point: Point) => boolean
}

/** Times are cut to what could have been given now, so that a clock that ran ahead once does not keep peers away for years. */
export const restorePeerParts = (
  parts: PeerParts,
  text: string,
  settings: RestoreSettings
): { readonly restored: number; readonly problem: string | undefined } => {
  const { nowMillis, options } = settings
  const { problem, saved } = readSavedPeers(text)
  for (const { key, reason, until } of saved.bans) {
    const untilMillis = until === null ? Infinity : Math.min(until, nowMillis + options.reconnectWindowMillis)
    parts.bans.add(key, { untilMillis, reason }, nowMillis)
  }
  for (const { key, reason, times, until } of saved.greylist) {
    parts.greylist.restore(key, { untilMillis: until, times, reason }, nowMillis)
  }
  for (const { count, key, lost, windowStart } of saved.counters) {
    parts.reconnection.restore(key, { count, windowStartMillis: windowStart, lost }, nowMillis)
  }
  let [restored, malformed] = [0, 0]
  for (const one of saved.points) {
    const point = settings.pointOf(one.point)
    if (point === undefined) malformed += 1
    else if (settings.welcome(point) && restorePoint(parts, one, point, settings)) restored += 1
  }
  const problems = [
    ...(problem === undefined ? [] : [problem]),
    ...(malformed === 0 ? [] : [`known peers: ${malformed} of ${saved.points.length} points are malformed`])
  ]
  return { restored, problem: problems.length === 0 ? undefined : problems.join("; ") }
}

/** False when there is no room for it. */
const restorePoint = (parts: PeerParts, saved: SavedPoint, point: Point, settings: RestoreSettings): boolean => {
  const { nowMillis, options } = settings
  const seen = saved.seen === undefined ? undefined : Math.min(saved.seen, nowMillis)
  const told = { lastSeenMillis: seen, failures: saved.failures ?? 0 }
  const known = parts.table.get(point.text) ?? parts.table.add(point, "stored", nowMillis, told)
  if (known === undefined) return false
  known.lastSeenMillis ??= seen
  known.lastScore ??= saved.score
  const latest = nowMillis + Math.max(options.reconnectCapMillis, options.cooldownMillis)
  known.restUntilMillis = Math.max(known.restUntilMillis, Math.min(saved.restUntil ?? 0, latest))
  if (saved.id !== undefined && known.id === undefined && saved.id !== settings.ownId) {
    parts.table.identify(known, saved.id, true)
  }
  return true
}
