/**
 * Which headers are wanted, of whom they are asked, and what becomes of a request without an answer (5.5.2, 5.7.3, 5.7.4; R34–R39, R74–R82, R95,
 * R96, R110–R116, A21, A31). Targets may be asked of everybody, because a reply is support; descents by predecessor of one peer at a time,
 * because the hash proves the header.
 */
import type { BlockId } from "../../contract/Block.ts"
import { ChainLimits } from "../../contract/ChainLimits.ts"
import { workerIntervalMillis } from "../standing/WorkerRhythm.ts"
import type { PeerState } from "./PeerState.ts"
import type { SyncCore } from "./SyncCore.ts"
import type { Targets } from "./Targets.ts"

/** A header on the way down from a target, or a starting point of a parallel descent. */
interface Descent {
  readonly id: BlockId
  /** The header whose predecessor this is; undefined for a starting point taken from a locator. */
  readonly child: BlockId | undefined
  /** Bytes of the child's id, of its own where it has none: whose support counts. */
  readonly supported: Uint8Array
  readonly level: number | undefined
  /** On the way down from a starting point beneath a chain with quorum: goes on whoever supports it, until it meets the next one. */
  readonly beneath: boolean
  /** The one peer that is asked now. */
  asked: PeerState | undefined
  askedAtMillis: number
  failures: number
}

export class HeaderRequests {
  private readonly core: SyncCore
  private readonly targets: Targets
  private readonly descents = new Map<BlockId, Descent>()
  /** Descents that nobody is asked for now, oldest first. */
  private readonly ready = new Set<BlockId>()
  /** Misses until the store is not asked any more for headers of an earlier run's descent. */
  private looseLeft: number
  private widenedMillis = 0
  private widened = 0

  constructor(core: SyncCore, targets: Targets) {
    this.core = core
    this.targets = targets
    this.looseLeft = core.start.looseHeaders ? ChainLimits.looseMisses : 0
  }

  /** The store had a header of an earlier descent: there may be more. */
  looseFound(): void {
    if (this.looseLeft > 0) this.looseLeft = ChainLimits.looseMisses
  }

  get descending(): number {
    return this.descents.size
  }

  /** Whether a header that is not known yet would be of use. */
  isWanted(id: BlockId): boolean {
    return this.descents.has(id) || this.targets.byId.has(id)
  }

  isBeneath(id: BlockId): boolean {
    return this.descents.get(id)?.beneath ?? false
  }

  childOf(id: BlockId): BlockId | undefined {
    return this.descents.get(id)?.child
  }

  wantDescent(id: BlockId, child: BlockId | undefined, level: number | undefined, beneath: boolean): void {
    if (this.descents.has(id) || this.core.invalid.has(id)) return
    if (child === undefined && this.descents.size >= ChainLimits.descents) return
    this.descents.set(id, {
      id,
      child,
      supported: this.core.idBytes(child ?? id),
      level,
      beneath,
      asked: undefined,
      askedAtMillis: 0,
      failures: 0
    })
    // An unfinished descent of an earlier run: what is in the store is not asked of anybody.
    if (this.looseLeft > 0) this.core.emit({ kind: "load-headers", ids: [id] })
    else this.ready.add(id)
  }

  /** The store does not have it: the peers are asked. */
  notLoaded(id: BlockId): void {
    this.looseLeft--
    const descent = this.descents.get(id)
    if (descent !== undefined && descent.asked === undefined) this.ready.add(id)
  }

  /** The header is there, or of no use any more. */
  forget(id: BlockId): void {
    const descent = this.descents.get(id)
    if (descent === undefined) return
    descent.asked?.headers.drop(id)
    this.descents.delete(id)
    this.ready.delete(id)
  }

  /** The header cannot be taken from this peer: others are asked. */
  elsewhere(id: BlockId, peer: PeerState): void {
    peer.headers.refuse(id, this.core.now)
    this.failed(id, peer)
  }

  /** Descents whose child is no pending header any more lead nowhere. */
  sweep(): void {
    for (const descent of this.descents.values()) {
      if (descent.child === undefined) {
        if (descent.level !== undefined && descent.level <= this.core.frontier.level) this.forget(descent.id)
        continue
      }
      const child = this.core.dag.find(this.core.idBytes(descent.child))
      if (child < 0 || !this.core.dag.hasHeader(child)) this.forget(descent.id)
    }
  }

  /** Sends what this peer should be asked now. Returns whether anything was sent. */
  fill(peer: PeerState, messagesOut: number): boolean {
    let sent = false
    while (peer.headers.messages < messagesOut) {
      const ids: Array<BlockId> = []
      if (peer.nextTickMillis <= this.core.now) this.pickTargets(peer, ids)
      if (peer.headers.restUntilMillis <= this.core.now) this.pickDescents(peer, ids)
      if (ids.length === 0) return sent
      peer.headers.ask(ids, this.core.now)
      this.core.wakeBy(peer.headers.deadlineMillis)
      this.core.ask(peer, { kind: "get-headers", ids })
      sent = true
    }
    return sent
  }

  /** A descent that takes long is asked of a second peer as well, without waiting for the timer. */
  remind(): void {
    const { core } = this
    const patienceMillis = core.options.timers.header / ChainLimits.patienceShare
    let next = Infinity
    for (const descent of this.descents.values()) {
      if (descent.asked === undefined || this.ready.has(descent.id)) continue
      const due = descent.askedAtMillis + patienceMillis
      if (due <= core.now) {
        descent.failures++
        this.ready.add(descent.id)
      } else next = Math.min(next, due)
    }
    core.wakeBy(next)
  }

  /** The worker of a peer has looked for targets; the next look comes after an interval that grows as the score falls (R78, R79, A25). */
  ticked(peer: PeerState): void {
    const { timers } = this.core.options
    const score = this.core.standing.score(peer.id)
    const interval = workerIntervalMillis(score, this.core.maxScore, timers.workerBase, timers.workerLongest)
    peer.nextTickMillis = this.core.now + interval
    this.core.wakeBy(peer.nextTickMillis)
  }

  private pickTargets(peer: PeerState, ids: Array<BlockId>): void {
    for (const own of [true, false]) {
      for (const target of this.targets.byId.values()) {
        if (ids.length >= this.core.rules.itemsPerRequest) return
        if (target.sources.has(peer) === own && this.targetAskable(target.id, target.level, peer, own)) {
          ids.push(target.id)
        }
      }
    }
  }

  private targetAskable(id: BlockId, level: number | undefined, peer: PeerState, own: boolean): boolean {
    const { core } = this
    if (core.invalid.has(id) || (peer.headers.wasAsked(id) && !this.mayRepeat(id, peer))) return false
    if (!peer.headers.mayAsk(id, core.now)) return false
    const node = core.dag.find(core.idBytes(id))
    const known = node >= 0 && core.dag.hasHeader(node)
    // An answer that came when nobody wanted it would be the same again.
    if (known && (core.dag.hasSupport(node, peer.slot) || peer.headers.hasAnswered(id))) return false
    if (known && core.dag.quorum(node).rule !== undefined) return false
    if (own) return true
    if (level !== undefined && !peer.mayHold(level, core.lowestNamed)) return false
    return core.options.headerPolicy === "all" || (core.options.headerPolicy === "adaptive" && this.reached(peer))
  }

  /** An unanswered request may be repeated until the limit; an answered one never has to be. */
  private mayRepeat(id: BlockId, peer: PeerState): boolean {
    const node = this.core.dag.find(this.core.idBytes(id))
    return node < 0 || !this.core.dag.hasHeader(node) || !this.core.dag.hasSupport(node, peer.slot)
  }

  /**
   * Adaptive policy: without a quorum the next best peers are asked, too, until all are: every second, or as soon as everything that was asked has
   * been answered (5.7.3).
   */
  private reached(peer: PeerState): boolean {
    if (this.widened === 0) return false
    const better = [...this.core.peers.values()].filter((other) => this.ranksAbove(other, peer)).length
    return better < this.widened
  }

  private ranksAbove(a: PeerState, b: PeerState): boolean {
    const difference = this.core.standing.score(a.id) - this.core.standing.score(b.id)
    return difference > 0 || (difference === 0 && a.peer < b.peer)
  }

  /** Called now and then while targets wait for support. */
  widen(): void {
    if (this.targets.size === 0 || this.core.options.headerPolicy !== "adaptive") {
      this.widened = 0
      this.widenedMillis = this.core.now
      return
    }
    const due = this.widenedMillis + this.core.options.timers.widenHeaders
    if (this.core.now >= due || this.idle()) {
      this.widenedMillis = this.core.now
      this.widened = Math.min(this.core.active, Math.max(2, this.widened * 2))
    }
    this.core.wakeBy(this.widenedMillis + this.core.options.timers.widenHeaders)
  }

  private idle(): boolean {
    if (this.descents.size > 0 || this.widened >= this.core.active) return false
    for (const peer of this.core.peers.values()) if (peer.headers.pending > 0) return false
    return true
  }

  /** A segment was chosen: the next one starts with the peers that named it. */
  narrow(): void {
    this.widened = 0
    this.widenedMillis = this.core.now
  }

  private pickDescents(peer: PeerState, ids: Array<BlockId>): void {
    let looked = 0
    for (const id of this.ready) {
      if (ids.length >= this.core.rules.itemsPerRequest || ++looked > 256) return
      const descent = this.descents.get(id)
      if (descent === undefined || ids.includes(id) || !this.descentAskable(descent, peer)) continue
      descent.asked = peer
      descent.askedAtMillis = this.core.now
      this.ready.delete(id)
      ids.push(id)
    }
  }

  private descentAskable(descent: Descent, peer: PeerState): boolean {
    const { core } = this
    if (!this.mayHave(descent, peer) || !peer.headers.mayAsk(descent.id, core.now)) return false
    const node = core.dag.find(descent.supported)
    if (node >= 0 && core.dag.hasSupport(node, peer.slot)) return true
    return descent.failures > 0 || node < 0 || !this.hasLiveSupporter(node, descent)
  }

  private mayHave(descent: Descent, peer: PeerState): boolean {
    return descent.level === undefined || peer.mayHold(descent.level, this.core.lowestNamed)
  }

  private hasLiveSupporter(node: number, descent: Descent): boolean {
    for (const peer of this.core.peers.values()) {
      const askable = this.core.dag.hasSupport(node, peer.slot) && peer.headers.mayAsk(descent.id, this.core.now)
      if (askable && this.mayHave(descent, peer)) return true
    }
    return false
  }

  /** Handles requests without an answer: asks others, and gives a hash up when too few are left who could have it. */
  expire(peer: PeerState): void {
    const expired: Array<string> = []
    peer.headers.expire(this.core.now, expired)
    this.core.counters.requestsTimedOut += expired.length
    for (const id of expired) this.failed(id, peer)
    this.core.wakeBy(peer.headers.deadlineMillis)
  }

  /** What a peer that left was asked goes to others. */
  released(peer: PeerState): void {
    for (const id of peer.headers.pendingKeys()) this.failed(id, peer)
  }

  private failed(id: BlockId, peer: PeerState): void {
    const descent = this.descents.get(id)
    if (descent?.asked === peer) {
      peer.headers.rest(this.core.now)
      descent.asked = undefined
      descent.failures++
      this.ready.add(id)
    }
    if (peer.headers.isRefused(id, this.core.now)) this.checkUnavailable(id)
  }

  /** The peers that still may be asked cannot form a quorum, and nobody who named the hash is among them (5.7.4). */
  private checkUnavailable(id: BlockId): void {
    const target = this.targets.byId.get(id)
    const peers = [...this.core.peers.values()]
    const left = peers.filter((peer) => !peer.headers.isRefused(id, this.core.now))
    const sourceLeft = [...(target?.sources ?? [])].some((peer) => left.includes(peer))
    if (sourceLeft || 3 * left.length > 2 * peers.length) return
    this.core.notice({ kind: "unavailable", id, peers: peers.length - left.length })
    if (target !== undefined) this.targets.markUnavailable(id)
    const descent = this.descents.get(id)
    if (descent === undefined) return
    this.forget(id)
    this.abandon(descent)
  }

  /** A chain whose lower part nobody serves cannot become ours: its headers go, and what they were for is left alone for a while. */
  private abandon(descent: Descent): void {
    const { core } = this
    const node = descent.child === undefined ? -1 : core.dag.find(core.idBytes(descent.child))
    if (node < 0 || !core.dag.hasHeader(node)) return
    for (const removed of core.dag.removeSubtree(node)) {
      const removedId = core.idText(removed.id)
      core.facts.delete(removedId)
      if (this.targets.byId.has(removedId)) this.targets.markUnavailable(removedId)
    }
    core.dagDirty = true
  }
}
