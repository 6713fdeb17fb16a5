/**
 * Which points to dial, whom to keep, whom to leave alone. One owner of all state about connections: places (`maxPeers`, dials and handshakes
 * included), known points, counters, greylist and bans. Time and randomness come in as arguments.
 */
import type { Side } from "../../contract/ChainProtocol.ts"
import { ConnectionLimits } from "../../contract/ConnectionLimits.ts"
import type {
  ActivePeer,
  ConnectionOptions,
  Connections,
  ConnectionSeeds,
  ConnectionWish,
  Ending,
  KnownPoint,
  PointSource
} from "../../contract/Connections.ts"
import { idKey, pointKey } from "./BoundedRecords.ts"
import { aimOf, checkConnectionOptions } from "./ConnectionDefaults.ts"
import { countedPeers } from "./CountedPeers.ts"
import { type Askable, chooseDials, chooseQuestions, tellable } from "./DialOrder.ts"
import type { KnownPeer } from "./KnownPeers.ts"
import { groupOf, type Reach, reachOf } from "./PeerGroup.ts"
import { PeerRecords } from "./PeerRecords.ts"
import { parseHost, parsePoint } from "./PointText.ts"

interface ActiveConnection extends Askable {
  readonly group: string | undefined
}

interface Dial {
  readonly peer: KnownPeer
  /** Under which the attempt was counted, if it was. */
  readonly countedKey: string | undefined
  readonly untilMillis: number
}

interface Handshake {
  readonly side: Side
  readonly host: string
  readonly untilMillis: number
}

interface Plan {
  readonly dials: ReadonlyArray<KnownPeer>
  readonly questions: ReadonlyArray<ConnectionWish>
  readonly short: boolean
  readonly wakeAt: number
}

/** The connections of a node that knows nobody but the `named` points. Throws a RangeError when an option is out of range or a named point malformed. */
export const makeConnections = (options: ConnectionOptions, seeds: ConnectionSeeds): Connections =>
  new ConnectionEngine(checkConnectionOptions(options), seeds)

class ConnectionEngine implements Connections {
  private readonly options: ConnectionOptions
  private readonly ownId: string
  private readonly defaultPort: number | undefined
  private readonly aim: number
  private readonly records: PeerRecords
  /** In the order of connecting. */
  private readonly peers = new Map<number, ActiveConnection>()
  private readonly byId = new Map<string, ActiveConnection>()
  private readonly dials = new Map<string, Dial>()
  private readonly handshakes = new Map<string, Handshake>()
  private shortSinceMillis: number | undefined
  private namesAskedMillis = -Infinity
  /** No wishes before this time unless something happens. */
  private quietUntilMillis = -Infinity
  private countedNow: ReadonlyArray<number> | undefined
  private activePointsNow: ReadonlySet<string | undefined> | undefined

  constructor(options: ConnectionOptions, seeds: ConnectionSeeds) {
    this.options = options
    this.ownId = seeds.ownId
    this.defaultPort = seeds.defaultPort
    this.aim = aimOf(options)
    this.records = new PeerRecords(options, seeds, (peer) => this.inUse(peer))
  }

  get active(): number {
    return this.peers.size
  }

  get level(): "normal" | "hungry" | "critical" {
    if (this.peers.size < this.options.minPeers) return "critical"
    return this.peers.size < this.options.maxPeers - this.options.hungryMargin ? "hungry" : "normal"
  }

  addPoints(points: ReadonlyArray<string>, source: PointSource, nowMillis: number): number {
    this.changed()
    return this.records.addPoints(points, source, nowMillis)
  }

  admits(
    id: string,
    remoteHost: string,
    side: Side,
    nowMillis: number
  ): undefined | "too-many" | "already-connected" | "banned" {
    this.changed()
    this.expire(nowMillis)
    if (id === this.ownId || this.byId.has(id)) return "already-connected"
    if (this.records.refusal([idKey(id)], nowMillis) !== undefined) return "banned"
    const other = this.handshakes.get(id)
    if (other !== undefined && (other.side === side || !this.wins(id, side))) return "already-connected"
    if (side === "incoming") {
      if (this.taken() >= this.options.maxPeers) return "too-many"
      if (this.taken("incoming") >= this.options.maxIncoming && !this.records.isNamed(id)) return "too-many"
    }
    const untilMillis = nowMillis + ConnectionLimits.handshakeMillis
    this.handshakes.set(id, { side, host: remoteHost, untilMillis })
    return undefined
  }

  connected(peer: ActivePeer, nowMillis: number): boolean {
    this.changed()
    this.expire(nowMillis)
    const point = peer.point === undefined ? undefined : parsePoint(peer.point, this.defaultPort)
    const dial = peer.side === "outgoing" && point !== undefined ? this.dials.get(point.text) : undefined
    const handshake = this.handshakes.get(peer.id)
    if (point !== undefined && dial !== undefined) this.dials.delete(point.text)
    if (handshake?.side === peer.side) this.handshakes.delete(peer.id)
    const keys = [idKey(peer.id), ...(point === undefined ? [] : [pointKey(point.text)])]
    const refused = peer.id === this.ownId || this.byId.has(peer.id) || this.peers.has(peer.peer) ||
      this.records.refusal(keys, nowMillis) !== undefined || this.taken() >= this.options.maxPeers
    if (refused) {
      if (dial !== undefined) this.records.attemptExpected(dial.peer, dial.countedKey, nowMillis)
      return false
    }
    const host = handshake?.host ?? point?.host
    const known = this.records.met(peer, point, dial !== undefined || peer.side === "outgoing", nowMillis)
    const parsed = host === undefined ? undefined : parseHost(host)
    const named = peer.named || (known?.named === true && known.id === peer.id) || this.records.isNamed(peer.id)
    const connection: ActiveConnection = {
      peer: peer.peer,
      id: peer.id,
      point: point?.text,
      reach: parsed === undefined ? "public" : reachOf(parsed),
      pointReach: point === undefined ? "none" : reachOf(point),
      side: peer.side,
      group: named ? undefined : groupOf(host),
      score: peer.score,
      askedMillis: -Infinity,
      swappedMillis: -Infinity
    }
    this.peers.set(peer.peer, connection)
    this.byId.set(peer.id, connection)
    return true
  }

  ended(peer: number, ending: Ending, nowMillis: number): void {
    const connection = this.peers.get(peer)
    if (connection === undefined) return
    this.changed()
    this.peers.delete(peer)
    this.byId.delete(connection.id)
    this.records.connectionEnded(connection.id, connection.point, connection.score, ending, nowMillis)
  }

  attemptEnded(point: string | undefined, id: string | undefined, ending: Ending, nowMillis: number): void {
    this.changed()
    const text = point === undefined ? undefined : parsePoint(point, this.defaultPort)?.text
    const dial = text === undefined ? undefined : this.dials.get(text)
    if (text !== undefined) this.dials.delete(text)
    const side: Side = point === undefined ? "incoming" : "outgoing"
    if (id !== undefined && this.handshakes.get(id)?.side === side) this.handshakes.delete(id)
    if (dial === undefined) return
    if (id === this.ownId) this.records.own(dial.peer)
    else this.records.attemptEnded(dial.peer, dial.countedKey, ending, this.peers.size > 0, nowMillis)
  }

  setScore(peer: number, score: number): void {
    const connection = this.peers.get(peer)
    if (connection !== undefined) connection.score = score
  }

  wishes(nowMillis: number): ReadonlyArray<ConnectionWish> {
    if (nowMillis < this.quietUntilMillis) return []
    const plan = this.look(nowMillis)
    const wishes: Array<ConnectionWish> = []
    for (const peer of plan.dials) {
      const countedKey = this.records.beginAttempt(peer, nowMillis)
      const untilMillis = nowMillis + ConnectionLimits.dialMillis
      this.dials.set(peer.point.text, { peer, countedKey, untilMillis })
      wishes.push({ kind: "dial", point: peer.point.text })
    }
    for (const wish of plan.questions) {
      if (wish.kind === "resolve-names") this.namesAskedMillis = nowMillis
      else if (wish.kind === "ask-peers") this.peers.get(wish.peer)!.askedMillis = nowMillis
      else if (wish.kind === "swap") this.peers.get(wish.peer)!.swappedMillis = nowMillis
      wishes.push(wish)
    }
    if (wishes.length > 0) this.changed()
    return wishes
  }

  wakeAt(nowMillis: number): number {
    if (nowMillis < this.quietUntilMillis) return this.quietUntilMillis
    const plan = this.look(nowMillis)
    return plan.dials.length > 0 || plan.questions.length > 0 ? nowMillis : plan.wakeAt
  }

  counted(): ReadonlyArray<number> {
    this.countedNow ??= countedPeers([...this.peers.values()], this.options.maxPerGroup)
    return this.countedNow
  }

  isNamed(pointOrId: string): boolean {
    return this.records.isNamed(pointOrId)
  }

  pointsToTell(limit: number, nowMillis: number, audience?: string): ReadonlyArray<string> {
    const asker = audience === undefined ? undefined : parsePoint(audience, 1) ?? parseHost(audience)
    const reach: Reach = asker !== undefined
      ? reachOf(asker)
      : [...this.peers.values()].some((peer) => peer.reach === "public")
      ? "public"
      : "private"
    const active = [...this.peers.values()]
      .filter((peer) => peer.point !== undefined && tellable(peer.pointReach, reach))
      .toSorted((one, other) =>
        Number(one.side === "incoming") - Number(other.side === "incoming") || other.score - one.score
      )
    const told = new Set([
      ...active.map((peer) => peer.point!),
      ...this.records.seenPoints(nowMillis).filter((peer) => tellable(peer.reach, reach)).map((peer) => peer.point.text)
    ])
    if (asker !== undefined) told.delete(asker.text)
    return [...told].slice(0, Math.max(0, limit))
  }

  ban(pointOrId: string, reason: string, nowMillis: number): boolean {
    this.changed()
    return this.records.ban(pointOrId, reason, nowMillis)
  }

  unban(pointOrId: string, nowMillis: number): boolean {
    this.changed()
    return this.records.unban(pointOrId, nowMillis)
  }

  known(nowMillis: number): ReadonlyArray<KnownPoint> {
    return this.records.known(
      nowMillis,
      (peer) => this.isActive(peer) ? "active" : this.dials.has(peer.point.text) ? "dialling" : "idle"
    )
  }

  save(): string {
    for (const peer of this.peers.values()) this.records.setScore(peer.id, peer.score)
    return this.records.save()
  }

  restore(text: string, nowMillis: number): { readonly restored: number; readonly problem: string | undefined } {
    this.changed()
    return this.records.restore(text, nowMillis)
  }

  private changed(): void {
    this.quietUntilMillis = -Infinity
    this.countedNow = undefined
    this.activePointsNow = undefined
  }

  /** Both sides come to the same answer: what the smaller id dialled stays. */
  private wins(id: string, side: Side): boolean {
    return side === "outgoing" ? this.ownId < id : id < this.ownId
  }

  private isActive(peer: KnownPeer): boolean {
    if (peer.id !== undefined && this.byId.has(peer.id)) return true
    this.activePointsNow ??= new Set([...this.peers.values()].map((active) => active.point))
    return this.activePointsNow.has(peer.point.text)
  }

  private inUse(peer: KnownPeer): boolean {
    return this.dials.has(peer.point.text) || this.isActive(peer)
  }

  /** Places taken, those promised included. */
  private taken(side?: Side): number {
    let incoming = 0
    let outgoing = this.dials.size
    for (const peer of this.peers.values()) {
      if (peer.side === "incoming") incoming += 1
      else outgoing += 1
    }
    for (const handshake of this.handshakes.values()) if (handshake.side === "incoming") incoming += 1
    return side === "incoming" ? incoming : side === "outgoing" ? outgoing : incoming + outgoing
  }

  private expire(nowMillis: number): void {
    for (const [id, handshake] of this.handshakes) if (handshake.untilMillis <= nowMillis) this.handshakes.delete(id)
    for (const [point, dial] of this.dials) {
      if (dial.untilMillis > nowMillis) continue
      this.dials.delete(point)
      const ending: Ending = { kind: "local-fault", message: "the dial was never reported again" }
      this.records.attemptEnded(dial.peer, dial.countedKey, ending, false, nowMillis)
    }
  }

  private outgoingGroups(): Map<string, number> {
    const groups = new Map<string, number>()
    const add = (group: string | undefined): void => {
      if (group !== undefined) groups.set(group, (groups.get(group) ?? 0) + 1)
    }
    for (const peer of this.peers.values()) if (peer.side === "outgoing") add(peer.group)
    for (const dial of this.dials.values()) if (!dial.peer.named) add(dial.peer.group)
    return groups
  }

  private look(nowMillis: number): Plan {
    this.expire(nowMillis)
    const plan = this.plan(nowMillis)
    this.shortSinceMillis = plan.short ? this.shortSinceMillis ?? nowMillis : undefined
    if (plan.dials.length === 0 && plan.questions.length === 0) this.quietUntilMillis = plan.wakeAt
    return plan
  }

  /** What there is to do now, without doing it. */
  private plan(nowMillis: number): Plan {
    const { maxDials, maxPeers, maxPerGroup, minPeers } = this.options
    const [incoming, outgoing] = [this.taken("incoming"), this.taken("outgoing")]
    const places = Math.max(0, maxPeers - incoming - outgoing)
    const wanted = Math.min(places, Math.max(0, this.aim - incoming - outgoing, incoming - outgoing))
    const times = [...this.dials.values(), ...this.handshakes.values()].map((one) => one.untilMillis)
    const candidates: Array<KnownPeer> = []
    const dialledIds = new Set([...this.dials.values()].map((dial) => dial.peer.id))
    for (const peer of this.records.points()) {
      if (wanted === 0 && !(peer.named && places > 0)) continue
      if (this.inUse(peer)) continue
      if (peer.id !== undefined && (dialledIds.has(peer.id) || this.handshakes.has(peer.id))) continue
      const at = this.records.mayDialAt(peer, nowMillis)
      if (at <= nowMillis) candidates.push(peer)
      else times.push(at)
    }
    const { chosen, short } = chooseDials(candidates, {
      dials: Math.max(0, maxDials - this.dials.size),
      places,
      wanted,
      uncounted: Math.max(0, minPeers - incoming - outgoing),
      maxPerGroup,
      groups: this.outgoingGroups()
    })
    const questions = short
      ? chooseQuestions(
        [...this.peers.values()],
        this.shortSinceMillis ?? nowMillis,
        this.namesAskedMillis,
        nowMillis
      )
      : { wishes: [], wakeAt: Infinity }
    return {
      dials: chosen,
      questions: questions.wishes,
      short,
      wakeAt: Math.min(Infinity, questions.wakeAt, ...times)
    }
  }
}
