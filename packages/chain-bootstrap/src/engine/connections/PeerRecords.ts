/**
 * What is known of peers that are not connected now, in one place: the table of points, the reconnection counters, the greylist and the bans, and
 * what each kind of end does to them (R98–R102, A27, A37).
 */
import { ConnectionLimits } from "../../contract/ConnectionLimits.ts"
import type {
  ActivePeer,
  ConnectionOptions,
  ConnectionSeeds,
  Ending,
  KnownPoint,
  PointSource
} from "../../contract/Connections.ts"
import { type BanRecord, Bans } from "./Bans.ts"
import { idKey, peerKey, pointKey } from "./BoundedRecords.ts"
import { Greylist } from "./Greylist.ts"
import { type KnownPeer, KnownPeers } from "./KnownPeers.ts"
import { restorePeerParts, savePeerParts } from "./PeerDocument.ts"
import { type Reach, reachOf } from "./PeerGroup.ts"
import { banOf, keysOf, listKnownPeers, type PeerParts, refusalOf } from "./PeerListing.ts"
import { parseHost, parsePoint, type Point } from "./PointText.ts"
import { reconnectDelay, Reconnection } from "./Reconnection.ts"

const gossip: ReadonlySet<PointSource> = new Set(["nack", "advertised", "swap"])

const shorten = (reason: string): string => reason.slice(0, ConnectionLimits.reasonCharacters)

export class PeerRecords {
  private readonly options: ConnectionOptions
  private readonly ownId: string
  private readonly defaultPort: number | undefined
  private readonly parts: PeerParts
  private readonly table: KnownPeers
  private readonly reconnection: Reconnection
  private readonly greylist: Greylist
  private readonly bans = new Bans()
  private readonly ownPoints = new Set<string>()
  /** How far the points reach that we were given or met ourselves; gossip about others is not followed into inner networks. */
  private readonly reaches = new Set<Reach>(["public"])

  constructor(options: ConnectionOptions, seeds: ConnectionSeeds, inUse: (peer: KnownPeer) => boolean) {
    this.options = options
    this.ownId = seeds.ownId
    this.defaultPort = seeds.defaultPort
    this.reconnection = new Reconnection(options)
    this.greylist = new Greylist(options)
    this.table = new KnownPeers({
      capacity: Math.max(options.maxKnownPoints, seeds.named.length),
      random: seeds.random,
      inUse,
      banned: (peer, now) => {
        const until = banOf(this.parts, keysOf(peer), now)?.untilMillis
        return until === undefined ? "no" : until === Infinity ? "for-good" : "for-a-time"
      }
    })
    const { bans, greylist, reconnection, table } = this
    this.parts = { bans, greylist, reconnection, table }
    for (const own of seeds.ownPoints ?? []) this.addOwn(own)
    for (const named of seeds.named) {
      if (parsePoint(named, this.defaultPort) === undefined) {
        throw new RangeError(`connections: "${named}" is no point; write host:port, or [address]:port for IPv6`)
      }
    }
    this.addPoints(seeds.named, "named", -Infinity)
  }

  points(): IterableIterator<KnownPeer> {
    return this.table.values()
  }

  isNamed(pointOrId: string): boolean {
    const point = parsePoint(pointOrId, this.defaultPort)
    if (point !== undefined && this.table.get(point.text)?.named === true) return true
    return this.table.pointsOf(pointOrId).some((peer) => peer.named && peer.proved)
  }

  addPoints(points: ReadonlyArray<string>, source: PointSource, nowMillis: number): number {
    let added = 0
    for (const text of gossip.has(source) ? points.slice(0, ConnectionLimits.pointsPerMessage) : points) {
      const point = parsePoint(text, this.defaultPort)
      if (point === undefined || this.ownPoints.has(point.text) || !this.welcome(point, source)) continue
      const known = this.table.get(point.text)
      if (known === undefined) added += this.table.add(point, source, nowMillis) === undefined ? 0 : 1
      else if (source === "named") {
        known.named = true
        known.source = "named"
      }
    }
    return added
  }

  /** A ban or greylisting in force under one of these keys. */
  refusal(keys: ReadonlyArray<string>, nowMillis: number): BanRecord | undefined {
    return refusalOf(this.parts, keys, nowMillis)
  }

  /** When this point may be dialled as far as its records go: not above `nowMillis` if at once; Infinity if not by waiting. */
  mayDialAt(peer: KnownPeer, nowMillis: number): number {
    if (peer.id === this.ownId) return Infinity
    return Math.max(peer.restUntilMillis, this.refusal(keysOf(peer), nowMillis)?.untilMillis ?? -Infinity)
  }

  /** A dial begins. Returns the key under which it was counted. */
  beginAttempt(peer: KnownPeer, nowMillis: number): string | undefined {
    const key = peerKey(peer.id, peer.point.text)
    return this.reconnection.attempt(key, nowMillis) ? key : undefined
  }

  /** A connection exists. `dialled`: so the point is proved. */
  met(peer: ActivePeer, point: Point | undefined, dialled: boolean, nowMillis: number): KnownPeer | undefined {
    const key = idKey(peer.id)
    if (point !== undefined && !this.ownPoints.has(point.text)) {
      const told = peer.named ? "named" : "incoming"
      const known = this.table.get(point.text) ?? this.table.add(point, told, nowMillis)
      if (known !== undefined) {
        if (known.id === undefined && dialled) this.reconnection.join(pointKey(point.text), key, nowMillis)
        this.table.identify(known, peer.id, dialled)
        if (known.id === peer.id) known.lastSeenMillis = nowMillis
        if (dialled) {
          known.failures = 0
          this.reaches.add(known.reach)
        }
      }
    }
    this.reconnection.settled(key)
    return point === undefined ? undefined : this.table.get(point.text)
  }

  connectionEnded(id: string, point: string | undefined, score: number, ending: Ending, nowMillis: number): void {
    const key = idKey(id)
    this.setScore(id, score)
    const points = this.table.pointsOf(id)
    for (const known of points) known.lastSeenMillis = nowMillis
    switch (ending.kind) {
      case "expected":
        return this.rest(points, nowMillis + this.options.cooldownMillis)
      case "greylisted": {
        const here = point === undefined ? undefined : this.table.get(point)
        // A point that only claims to be this peer's is not blamed for it when somebody else was met there.
        const ours = point !== undefined && (here === undefined || here.id === undefined || here.id === id)
        const keys = [key, ...points.map((known) => pointKey(known.point.text)), ...(ours ? [pointKey(point)] : [])]
        return this.greylist.add([...new Set(keys)], shorten(ending.message), ending.longest, nowMillis)
      }
      case "local-fault":
        return this.rest(points, nowMillis + this.options.reconnectBaseMillis)
      case "lost":
      case "dial-failed":
        // Nothing to dial: whether it comes back is up to the peer.
        if (points.length > 0) this.lost(key, points, ending.message, nowMillis)
    }
  }

  attemptEnded(
    peer: KnownPeer,
    countedKey: string | undefined,
    ending: Ending,
    othersAnswer: boolean,
    nowMillis: number
  ): void {
    switch (ending.kind) {
      case "expected":
        return this.attemptExpected(peer, countedKey, nowMillis)
      case "local-fault":
        if (countedKey !== undefined) this.reconnection.refund(countedKey)
        return this.rest([peer], nowMillis + this.options.reconnectBaseMillis)
      case "greylisted":
        // The identity is not proved before the handshake is over: only the point is known to be at fault.
        return this.greylist.add([pointKey(peer.point.text)], shorten(ending.message), ending.longest, nowMillis)
      case "lost":
      case "dial-failed":
        this.table.failed(peer)
        if (countedKey === undefined) return this.rest([peer], nowMillis + this.delay(peer, 0))
        // While nobody at all answers, the fault may be our own.
        if (!othersAnswer) this.reconnection.refund(countedKey)
        this.lost(countedKey, [peer], ending.message, nowMillis)
    }
  }

  /** An attempt that ended as it may: refused by them, or not needed any more. */
  attemptExpected(peer: KnownPeer, countedKey: string | undefined, nowMillis: number): void {
    if (countedKey !== undefined) {
      this.reconnection.refund(countedKey)
      this.reconnection.settled(countedKey)
    }
    this.rest([peer], nowMillis + this.options.cooldownMillis)
  }

  /** We met ourselves there. */
  own(peer: KnownPeer): void {
    this.addOwn(peer.point.text)
    this.table.remove(peer)
  }

  setScore(id: string, score: number): void {
    for (const known of this.table.pointsOf(id)) known.lastScore = score
  }

  /** Points that were connected with and did not fail since, last seen first. */
  seenPoints(nowMillis: number): ReadonlyArray<KnownPeer> {
    return [...this.table.values()]
      .filter((peer) => peer.proved && peer.lastSeenMillis !== undefined && peer.failures === 0)
      .filter((peer) => this.refusal(keysOf(peer), nowMillis) === undefined)
      .toSorted((one, other) => other.lastSeenMillis! - one.lastSeenMillis! || one.lot - other.lot)
  }

  ban(pointOrId: string, reason: string, nowMillis: number): boolean {
    const keys = this.keysFor(pointOrId)
    if (keys.every((key) => this.bans.at(key, nowMillis)?.untilMillis === Infinity)) return false
    const record = { untilMillis: Infinity, reason: shorten(reason) }
    return keys.map((key) => this.bans.add(key, record, nowMillis)).every((done) => done)
  }

  unban(pointOrId: string, nowMillis: number): boolean {
    let lifted = false
    const keys = this.keysFor(pointOrId)
    const points = keys.flatMap((key) => key.startsWith("id ") ? this.table.pointsOf(key.slice(3)) : [])
    for (const key of new Set([...keys, ...points.map((peer) => pointKey(peer.point.text))])) {
      lifted = this.bans.clear(key, nowMillis) || lifted
      lifted = this.greylist.clear(key, nowMillis) || lifted
      this.reconnection.clear(key)
    }
    return lifted
  }

  known(nowMillis: number, status: (peer: KnownPeer) => "idle" | "dialling" | "active"): ReadonlyArray<KnownPoint> {
    return listKnownPeers(this.parts, nowMillis, status)
  }

  save(): string {
    return savePeerParts(this.parts)
  }

  restore(text: string, nowMillis: number): { readonly restored: number; readonly problem: string | undefined } {
    return restorePeerParts(this.parts, text, {
      nowMillis,
      options: this.options,
      ownId: this.ownId,
      pointOf: (saved) => parsePoint(saved, this.defaultPort),
      welcome: (point) => !this.ownPoints.has(point.text)
    })
  }

  /** Rests until the next attempt, or is banned for the rest of the window when there is none left (R101). */
  private lost(key: string, points: ReadonlyArray<KnownPeer>, message: string, nowMillis: number): void {
    this.reconnection.lost(key, nowMillis)
    const { count } = this.reconnection.at(key, nowMillis)
    for (const peer of points) this.rest([peer], nowMillis + this.delay(peer, count))
    if (this.reconnection.allowed(key, nowMillis)) return
    const untilMillis = this.reconnection.windowEnd(key, nowMillis)
    const reason = shorten(
      `lost after ${count} attempts to reconnect (limit ${this.options.reconnectLimit}), banned until the window ends: ${message}`
    )
    this.bans.add(key, { untilMillis, reason }, nowMillis)
  }

  private delay(peer: KnownPeer, count: number): number {
    return reconnectDelay(this.options, Math.max(count, peer.failures - 1))
  }

  private rest(points: ReadonlyArray<KnownPeer>, untilMillis: number): void {
    for (const peer of points) peer.restUntilMillis = Math.max(peer.restUntilMillis, untilMillis)
  }

  /** Names are looked up for the operator alone, and inner networks entered only where we are at home. */
  private welcome(point: Point, source: PointSource): boolean {
    const reach = reachOf(point)
    if (reach === "none") return false
    if (source === "named" || source === "network") this.reaches.add(reach)
    if (gossip.has(source)) return point.words !== undefined && this.reaches.has(reach)
    return source !== "incoming" || point.words !== undefined
  }

  private addOwn(text: string): void {
    const point = parsePoint(text, this.defaultPort)
    if (point !== undefined && this.ownPoints.size < ConnectionLimits.ownPoints) this.ownPoints.add(point.text)
  }

  /** The keys that a point or an id stands for; none if it is neither. */
  private keysFor(pointOrId: string): ReadonlyArray<string> {
    const point = pointOrId.includes(":") || pointOrId.includes(".")
      ? parsePoint(pointOrId, this.defaultPort)
      : undefined
    if (point !== undefined) {
      const known = this.table.get(point.text)
      return known?.proved === true && known.id !== undefined
        ? [pointKey(point.text), idKey(known.id)]
        : [pointKey(point.text)]
    }
    const isId = /^[^\s:]+$/.test(pointOrId) && parseHost(pointOrId)?.words === undefined &&
      pointOrId.length <= ConnectionLimits.idCharacters
    return isId ? [idKey(pointOrId)] : []
  }
}
