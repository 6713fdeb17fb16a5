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
import { type Reach, reachOf } from "./PeerGroup.ts"
import { parsePoint, type Point } from "./PointText.ts"
import { reconnectDelay, Reconnection } from "./Reconnection.ts"
import { readSavedPeers, type SavedPoint, writeSavedPeers } from "./SavedPeers.ts"

const gossip: ReadonlySet<PointSource> = new Set(["nack", "advertised", "swap"])

const shorten = (reason: string): string => reason.slice(0, ConnectionLimits.reasonCharacters)

export class PeerRecords {
  private readonly options: ConnectionOptions
  private readonly ownId: string
  private readonly defaultPort: number | undefined
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
        const until = this.banOf(peer, now)?.untilMillis
        return until === undefined ? "no" : until === Infinity ? "for-good" : "for-a-time"
      }
    })
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
  refusal(keys: ReadonlyArray<string>, nowMillis: number): { untilMillis: number; reason: string } | undefined {
    let found: { untilMillis: number; reason: string } | undefined
    for (const key of keys) {
      const grey = this.greylist.get(key)
      for (const one of [this.bans.at(key, nowMillis), grey]) {
        if (one !== undefined && one.untilMillis > nowMillis && one.untilMillis > (found?.untilMillis ?? -Infinity)) {
          found = one
        }
      }
    }
    return found
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
    const told = new Set<string>()
    const out: Array<KnownPoint> = []
    for (const peer of this.table.values()) {
      for (const key of keysOf(peer)) told.add(key)
      out.push(this.describe(peer, nowMillis, status(peer)))
    }
    for (const [key, record] of [...this.bans.entries(), ...this.greylist.entries()]) {
      if (told.has(key) || record.untilMillis <= nowMillis) continue
      told.add(key)
      out.push(this.describeRefused(key, nowMillis))
    }
    return out
  }

  save(): string {
    return writeSavedPeers({
      points: [...this.table.values()].map((peer) => savedPoint(peer)),
      bans: this.bans.entries().map(([key, ban]) => ({ key, until: untilOf(ban), reason: ban.reason })),
      greylist: this.greylist.entries().map(([key, grey]) => ({
        key,
        until: grey.untilMillis,
        times: grey.times,
        reason: grey.reason
      })),
      counters: this.reconnection.entries().map(([key, record]) => ({
        key,
        count: record.count,
        windowStart: record.windowStartMillis,
        lost: record.lost
      }))
    })
  }

  restore(text: string, nowMillis: number): { readonly restored: number; readonly problem: string | undefined } {
    const { problem, saved } = readSavedPeers(text)
    const { greylistLongestMillis, reconnectWindowMillis } = this.options
    for (const { key, reason, until } of saved.bans) {
      const untilMillis = until === null ? Infinity : Math.min(until, nowMillis + reconnectWindowMillis)
      this.bans.add(key, { untilMillis, reason }, nowMillis)
    }
    for (const { key, reason, times, until } of saved.greylist) {
      const untilMillis = Math.min(until, nowMillis + greylistLongestMillis)
      this.greylist.restore(key, { untilMillis, times, reason }, nowMillis)
    }
    for (const { count, key, lost, windowStart } of saved.counters) {
      this.reconnection.restore(key, { count, windowStartMillis: windowStart, lost }, nowMillis)
    }
    const restored = saved.points.filter((point) => this.restorePoint(point, nowMillis)).length
    const left = saved.points.length - restored
    const told = left === 0 ? [] : [`known peers: ${left} of ${saved.points.length} points are malformed or too many`]
    const problems = [...(problem === undefined ? [] : [problem]), ...told]
    return { restored, problem: problems.length === 0 ? undefined : problems.join("; ") }
  }

  private restorePoint(saved: SavedPoint, nowMillis: number): boolean {
    const point = parsePoint(saved.point, this.defaultPort)
    if (point === undefined || this.ownPoints.has(point.text)) return false
    const known = this.table.get(point.text) ?? this.table.add(point, "stored", nowMillis, {
      ...(saved.seen !== undefined && { lastSeenMillis: Math.min(saved.seen, nowMillis) }),
      failures: saved.failures ?? 0
    })
    if (known === undefined) return false
    if (saved.seen !== undefined) known.lastSeenMillis ??= Math.min(saved.seen, nowMillis)
    known.lastScore ??= saved.score
    const longestRest = Math.max(this.options.reconnectCapMillis, this.options.cooldownMillis)
    known.restUntilMillis = Math.max(
      known.restUntilMillis,
      Math.min(saved.restUntil ?? -Infinity, nowMillis + longestRest)
    )
    if (saved.id !== undefined && known.id === undefined && saved.id !== this.ownId) {
      this.table.identify(known, saved.id, true)
    }
    return true
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

  private banOf(peer: KnownPeer, nowMillis: number): { untilMillis: number; reason: string } | undefined {
    const bans = keysOf(peer).flatMap((key) => this.bans.at(key, nowMillis) ?? [])
    return bans.toSorted((one, other) => other.untilMillis - one.untilMillis)[0]
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
    const isId = /^[^\s:]+$/.test(pointOrId) && pointOrId.length <= ConnectionLimits.idCharacters
    return isId ? [idKey(pointOrId)] : []
  }

  private describe(peer: KnownPeer, nowMillis: number, status: "idle" | "dialling" | "active"): KnownPoint {
    const keys = keysOf(peer)
    const ban = this.banOf(peer, nowMillis)
    const refusal = this.refusal(keys, nowMillis)
    const record = this.reconnection.at(peerKey(peer.id, peer.point.text), nowMillis)
    return {
      point: peer.point.text,
      id: peer.id,
      source: peer.source,
      named: peer.named,
      status: ban !== undefined ? "banned" : refusal !== undefined ? "greylisted" : status,
      lastScore: peer.lastScore,
      reconnects: record.count,
      windowStartMillis: record.count === 0 ? 0 : record.windowStartMillis,
      restUntilMillis: Math.max(peer.restUntilMillis, refusal?.untilMillis ?? -Infinity),
      greylistings: Math.max(0, ...keys.map((key) => this.greylist.get(key)?.times ?? 0)),
      reason: (ban ?? refusal)?.reason,
      lastSeenMillis: peer.lastSeenMillis
    }
  }

  private describeRefused(key: string, nowMillis: number): KnownPoint {
    const ban = this.bans.at(key, nowMillis)
    const refusal = this.refusal([key], nowMillis)
    const record = this.reconnection.at(key, nowMillis)
    return {
      point: key.startsWith("point ") ? key.slice(6) : undefined,
      id: key.startsWith("id ") ? key.slice(3) : undefined,
      source: "incoming",
      named: false,
      status: ban === undefined ? "greylisted" : "banned",
      lastScore: undefined,
      reconnects: record.count,
      windowStartMillis: record.count === 0 ? 0 : record.windowStartMillis,
      restUntilMillis: refusal?.untilMillis ?? nowMillis,
      greylistings: this.greylist.get(key)?.times ?? 0,
      reason: (ban ?? refusal)?.reason,
      lastSeenMillis: undefined
    }
  }
}

const keysOf = (peer: KnownPeer): ReadonlyArray<string> =>
  peer.id === undefined ? [pointKey(peer.point.text)] : [pointKey(peer.point.text), idKey(peer.id)]

/** JSON has no Infinity. */
const untilOf = (ban: BanRecord): number | null => ban.untilMillis === Infinity ? null : ban.untilMillis

const savedPoint = (peer: KnownPeer): SavedPoint => ({
  point: peer.point.text,
  // An id that a peer only claimed for the point is not worth keeping.
  ...(peer.id !== undefined && peer.proved && { id: peer.id }),
  ...(peer.lastScore !== undefined && { score: peer.lastScore }),
  ...(peer.failures > 0 && { failures: peer.failures }),
  ...(Number.isFinite(peer.restUntilMillis) && { restUntil: peer.restUntilMillis }),
  ...(peer.lastSeenMillis !== undefined && { seen: peer.lastSeenMillis })
})
