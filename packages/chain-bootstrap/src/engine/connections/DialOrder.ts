/**
 * Whom to dial first and, when there is nobody, whom to ask for points (R104, R105, A29): the operator's points; peers we were disconnected from;
 * points told by others; all peers asked for theirs; the top scorers asked to swap; at last the network's names again.
 */
import { ConnectionLimits } from "../../contract/ConnectionLimits.ts"
import type { ConnectionWish } from "../../contract/Connections.ts"
import type { KnownPeer } from "./KnownPeers.ts"
import type { Reach } from "./PeerGroup.ts"

const rank = (peer: KnownPeer): number =>
  peer.named ? 0 : peer.lastSeenMillis !== undefined ? 1 : peer.source === "network" ? 3 : 2

/** Negative: `one` is dialled before `other`. */
export const byDialOrder = (one: KnownPeer, other: KnownPeer): number =>
  rank(one) - rank(other) ||
  (other.lastScore ?? 0) - (one.lastScore ?? 0) ||
  one.failures - other.failures ||
  one.lot - other.lot

export interface DialRoom {
  /** Dials that may begin now. */
  readonly dials: number
  /** Places in all, which named points may take. */
  readonly places: number
  /** Places that we want to fill. */
  readonly wanted: number
  /** Places up to which points are taken that would not count (their group is full). */
  readonly uncounted: number
  readonly maxPerGroup: number
  /** Outgoing connections and dials by group. */
  readonly groups: ReadonlyMap<string, number>
}

/** The points to dial now, of those that may be dialled. `short`: there are fewer good ones than wanted. */
export const chooseDials = (
  candidates: ReadonlyArray<KnownPeer>,
  room: DialRoom
): { readonly chosen: ReadonlyArray<KnownPeer>; readonly short: boolean } => {
  const groups = new Map(room.groups)
  const ids = new Set<string>()
  const [good, full]: [Array<KnownPeer>, Array<KnownPeer>] = [[], []]
  for (const peer of candidates.toSorted(byDialOrder)) {
    // One identity at many points: one dial.
    if (peer.id !== undefined && ids.has(peer.id)) continue
    if (peer.id !== undefined) ids.add(peer.id)
    const before = peer.group === undefined || peer.named ? 0 : groups.get(peer.group) ?? 0
    if (before >= room.maxPerGroup) full.push(peer)
    else {
      good.push(peer)
      if (peer.group !== undefined && !peer.named) groups.set(peer.group, before + 1)
    }
  }
  const chosen = good.filter((peer, at) => at < (peer.named ? room.places : room.wanted)).slice(0, room.dials)
  const more = Math.min(room.dials, room.uncounted) - chosen.length
  return {
    chosen: good.length >= room.wanted || more <= 0 ? chosen : [...chosen, ...full.slice(0, more)],
    short: good.length < room.wanted
  }
}

/** A peer of ours, as far as asking it matters. */
export interface Askable {
  readonly peer: number
  readonly id: string
  readonly point: string | undefined
  /** Of the peer itself, as we see it. */
  readonly reach: Reach
  /** Of `point`. */
  readonly pointReach: Reach
  readonly side: "outgoing" | "incoming"
  score: number
  askedMillis: number
  swappedMillis: number
}

/** The peer that is offered for one of `to`'s: outgoing before incoming, then the best; never an inner address to an outer peer. */
const offerFor = (to: Askable, peers: ReadonlyArray<Askable>): Askable | undefined => {
  let best: Askable | undefined
  for (const peer of peers) {
    if (peer === to || peer.point === undefined || peer.point === to.point) continue
    if (!tellable(peer.pointReach, to.reach)) continue
    const better = best === undefined ||
      Number(peer.side === "outgoing") - Number(best.side === "outgoing") > 0 ||
      (peer.side === best.side && peer.score > best.score)
    if (better) best = peer
  }
  return best
}

/** Whether a point of this reach may be told to an audience of that one. */
export const tellable = (point: Reach, audience: Reach): boolean => point === "public" || audience !== "public"

/** What is asked of peers while points are short, and when there may be more to ask. */
export const chooseQuestions = (
  peers: ReadonlyArray<Askable>,
  shortSinceMillis: number,
  namesAskedMillis: number,
  nowMillis: number
): { readonly wishes: ReadonlyArray<ConnectionWish>; readonly wakeAt: number } => {
  const { askPeersMillis, namesMillis, peersAnswerMillis, swapMillis, swapPeers } = ConnectionLimits
  const wishes: Array<ConnectionWish> = []
  const times: Array<number> = []
  const due = (at: number): boolean => {
    if (at > nowMillis) times.push(at)
    return at <= nowMillis
  }
  for (const peer of peers) {
    if (due(peer.askedMillis + askPeersMillis)) wishes.push({ kind: "ask-peers", peer: peer.peer })
  }
  const underWay = peers.filter((peer) => !due(peer.swappedMillis + peersAnswerMillis)).length
  const swappable = peers
    // Asked for peers, and the answer had its time.
    .filter((peer) => peer.askedMillis > -Infinity && due(peer.askedMillis + peersAnswerMillis))
    .filter((peer) => due(peer.swappedMillis + swapMillis))
    .toSorted((one, other) =>
      other.score - one.score || one.swappedMillis - other.swappedMillis || one.peer - other.peer
    )
  let left = swapPeers - underWay
  for (const peer of swappable) {
    const offer = left > 0 ? offerFor(peer, peers) : undefined
    if (offer?.point === undefined) continue
    wishes.push({ kind: "swap", peer: peer.peer, point: offer.point, id: offer.id })
    left -= 1
  }
  const namesAt = peers.length === 0 ? shortSinceMillis : shortSinceMillis + 2 * peersAnswerMillis
  if (due(Math.max(namesAt, namesAskedMillis + namesMillis))) wishes.push({ kind: "resolve-names" })
  return { wishes, wakeAt: times.length === 0 ? Infinity : Math.min(...times) }
}
