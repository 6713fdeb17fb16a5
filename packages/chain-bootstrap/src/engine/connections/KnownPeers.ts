/**
 * The table of points: what was learnt of each, and which identity was met there. Bounded (A34): a new point takes the place of the least
 * useful one, never of one that is named, in use or banned. Points we were connected with stay before any that were only told, so that a flood
 * of made-up points displaces made-up points alone.
 */
import { ConnectionLimits } from "../../contract/ConnectionLimits.ts"
import type { PointSource } from "../../contract/Connections.ts"
import { groupOf, type Reach, reachOf } from "./PeerGroup.ts"
import type { Point } from "./PointText.ts"

export interface KnownPeer {
  readonly point: Point
  readonly reach: Reach
  /** Undefined: exempt from the limit by group. */
  readonly group: string | undefined
  /** Chooses between equals: drawn once. */
  readonly lot: number
  source: PointSource
  named: boolean
  id: string | undefined
  /** We dialled the point and met `id` there; otherwise the peer only said so. */
  proved: boolean
  lastScore: number | undefined
  /** Failed attempts in a row. */
  failures: number
  restUntilMillis: number
  lastSeenMillis: number | undefined
}

export interface KnownPeersOptions {
  readonly capacity: number
  readonly random: () => number
  /** In use: connected or being dialled. */
  readonly inUse: (peer: KnownPeer) => boolean
  readonly banned: (peer: KnownPeer, nowMillis: number) => "no" | "for-a-time" | "for-good"
}

const sourceRank: Readonly<Record<PointSource, number>> = {
  named: 3,
  network: 2,
  stored: 2,
  nack: 1,
  advertised: 1,
  swap: 1,
  incoming: 1
}

/** Negative: `one` is less useful than `other`. */
const byUse = (one: KnownPeer, other: KnownPeer): number =>
  Number(one.lastSeenMillis !== undefined) - Number(other.lastSeenMillis !== undefined) ||
  other.failures - one.failures ||
  sourceRank[one.source] - sourceRank[other.source] ||
  (one.lastScore ?? 0) - (other.lastScore ?? 0) ||
  one.lot - other.lot

export class KnownPeers {
  private readonly options: KnownPeersOptions
  private readonly byPoint = new Map<string, KnownPeer>()
  private readonly byId = new Map<string, Set<KnownPeer>>()

  constructor(options: KnownPeersOptions) {
    this.options = options
  }

  get size(): number {
    return this.byPoint.size
  }

  get(point: string): KnownPeer | undefined {
    return this.byPoint.get(point)
  }

  /** The points at which this identity was met. */
  pointsOf(id: string): ReadonlyArray<KnownPeer> {
    return [...this.byId.get(id) ?? []]
  }

  values(): IterableIterator<KnownPeer> {
    return this.byPoint.values()
  }

  /** The new entry, or undefined when the point is known or there is no room for it. */
  add(point: Point, source: PointSource, nowMillis: number, told: Partial<KnownPeer> = {}): KnownPeer | undefined {
    if (this.byPoint.has(point.text)) return undefined
    const peer: KnownPeer = {
      point,
      reach: reachOf(point),
      group: groupOf(point.host),
      lot: this.options.random(),
      source,
      named: source === "named",
      id: undefined,
      proved: false,
      lastScore: undefined,
      failures: 0,
      restUntilMillis: 0,
      lastSeenMillis: undefined,
      ...told
    }
    if (this.byPoint.size >= this.options.capacity && !this.makeRoom(peer, nowMillis)) return undefined
    this.byPoint.set(point.text, peer)
    if (peer.id !== undefined) this.index(peer.id, peer)
    return peer
  }

  remove(peer: KnownPeer): void {
    this.byPoint.delete(peer.point.text)
    this.forgetId(peer)
  }

  /** The identity met at a point. What a peer said of itself never replaces what we found. */
  identify(peer: KnownPeer, id: string, proved: boolean): void {
    if (!proved && peer.proved) return
    peer.proved = proved
    if (peer.id === id) return
    this.forgetId(peer)
    peer.id = id
    this.index(id, peer)
  }

  failed(peer: KnownPeer): void {
    peer.failures = Math.min(ConnectionLimits.failures, peer.failures + 1)
  }

  private index(id: string, peer: KnownPeer): void {
    const points = this.byId.get(id)
    if (points === undefined) this.byId.set(id, new Set([peer]))
    else points.add(peer)
  }

  private forgetId(peer: KnownPeer): void {
    if (peer.id === undefined) return
    const points = this.byId.get(peer.id)
    points?.delete(peer)
    if (points?.size === 0) this.byId.delete(peer.id)
    peer.id = undefined
  }

  /** A ban for a time outlives its entry (it stands in the list of bans), so such a point goes when nothing else can. */
  private makeRoom(newcomer: KnownPeer, nowMillis: number): boolean {
    let least: KnownPeer | undefined
    let resting: KnownPeer | undefined
    for (const peer of this.byPoint.values()) {
      if (peer.named || this.options.inUse(peer)) continue
      const banned = this.options.banned(peer, nowMillis)
      if (banned === "for-good") continue
      if (banned === "for-a-time") resting = resting !== undefined && byUse(resting, peer) < 0 ? resting : peer
      else if (least === undefined || byUse(peer, least) < 0) least = peer
    }
    const victim = least ?? resting
    if (victim === undefined) return false
    if (victim === least && !newcomer.named && byUse(newcomer, victim) < 0) return false
    this.remove(victim)
    return true
  }
}
