/** What is in force for a peer, and the list of known peers as an operator sees it. */
import type { KnownPoint } from "../../contract/Connections.ts"
import type { BanRecord, Bans } from "./Bans.ts"
import { idKey, peerKey, pointKey } from "./BoundedRecords.ts"
import type { Greylist } from "./Greylist.ts"
import type { KnownPeer, KnownPeers } from "./KnownPeers.ts"
import type { Reconnection } from "./Reconnection.ts"

export interface PeerParts {
  readonly table: KnownPeers
  readonly reconnection: Reconnection
  readonly greylist: Greylist
  readonly bans: Bans
}

/** The keys under which a peer may be refused. */
export const keysOf = (peer: KnownPeer): ReadonlyArray<string> =>
  peer.id === undefined ? [pointKey(peer.point.text)] : [pointKey(peer.point.text), idKey(peer.id)]

const later = (one: BanRecord | undefined, other: BanRecord | undefined): BanRecord | undefined =>
  one === undefined || (other !== undefined && other.untilMillis > one.untilMillis) ? other : one

/** The ban in force that ends last. */
export const banOf = (
  { bans }: Pick<PeerParts, "bans">,
  keys: ReadonlyArray<string>,
  nowMillis: number
): BanRecord | undefined => {
  let found: BanRecord | undefined
  for (const key of keys) found = later(found, bans.at(key, nowMillis))
  return found
}

/** The ban or greylisting in force that ends last. */
export const refusalOf = (
  parts: Pick<PeerParts, "bans" | "greylist">,
  keys: ReadonlyArray<string>,
  nowMillis: number
): BanRecord | undefined => {
  let found = banOf(parts, keys, nowMillis)
  for (const key of keys) {
    const grey = parts.greylist.get(key)
    if (grey !== undefined && grey.untilMillis > nowMillis) found = later(found, grey)
  }
  return found
}

type Status = "idle" | "dialling" | "active"
type Where = Pick<KnownPoint, "point" | "id" | "source" | "named" | "lastScore" | "lastSeenMillis">

const describe = (
  parts: PeerParts,
  where: Where,
  keys: ReadonlyArray<string>,
  counterKey: string,
  restUntilMillis: number,
  nowMillis: number,
  status: Status
): KnownPoint => {
  const ban = banOf(parts, keys, nowMillis)
  const refusal = refusalOf(parts, keys, nowMillis)
  const record = parts.reconnection.at(counterKey, nowMillis)
  return {
    ...where,
    status: ban !== undefined ? "banned" : refusal !== undefined ? "greylisted" : status,
    reconnects: record.count,
    windowStartMillis: record.count === 0 ? 0 : record.windowStartMillis,
    restUntilMillis: Math.max(restUntilMillis, refusal?.untilMillis ?? 0),
    greylistings: Math.max(0, ...keys.map((key) => parts.greylist.get(key)?.times ?? 0)),
    reason: (ban ?? refusal)?.reason
  }
}

/** Every point of the table, then whoever is refused without being in it. */
export const listKnownPeers = (
  parts: PeerParts,
  nowMillis: number,
  status: (peer: KnownPeer) => Status
): ReadonlyArray<KnownPoint> => {
  const told = new Set<string>()
  const out: Array<KnownPoint> = []
  for (const peer of parts.table.values()) {
    const { id, lastScore, lastSeenMillis, named, point, source } = peer
    const keys = keysOf(peer)
    for (const key of keys) told.add(key)
    const where = { point: point.text, id, source, named, lastScore, lastSeenMillis }
    const counterKey = peerKey(id, point.text)
    out.push(describe(parts, where, keys, counterKey, peer.restUntilMillis, nowMillis, status(peer)))
  }
  for (const [key, record] of [...parts.bans.entries(), ...parts.greylist.entries()]) {
    if (told.has(key) || record.untilMillis <= nowMillis) continue
    told.add(key)
    const where: Where = {
      point: key.startsWith("point ") ? key.slice(6) : undefined,
      id: key.startsWith("id ") ? key.slice(3) : undefined,
      source: "incoming",
      named: false,
      lastScore: undefined,
      lastSeenMillis: undefined
    }
    out.push(describe(parts, where, [key], key, 0, nowMillis, "idle"))
  }
  return out
}
