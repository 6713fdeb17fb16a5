/**
 * The engine of the chain bootstrap: phases P0–P5, PR and PX of the specification over one shared state. Pure: events in, actions out; what
 * belongs to one phase stands in a file of its own beside this one (mission 003; specs: chain bootstrap 5.3, 5.4).
 */
import { makeHeaderDag } from "@peerstrap/header-dag-quorum"
import { makeEvidenceBook } from "@peerstrap/peer-selection"
import type { Wait } from "@peerstrap/progress"
import type { BlockId, HeaderFacts } from "../contract/Block.ts"
import { ChainLimits } from "../contract/ChainLimits.ts"
import type { Side } from "../contract/ChainProtocol.ts"
import type { ChainRules } from "../contract/ChainRules.ts"
import type {
  ChainSyncEngine,
  SyncAction,
  SyncEvent,
  SyncOptions,
  SyncSnapshot,
  SyncStart,
  SyncStatus
} from "../contract/ChainSync.ts"
import type { Ending } from "../contract/Connections.ts"
import type { Answer } from "../contract/PeerMessage.ts"
import type { Reorganisation, ReorganisationStrategyService } from "../contract/Reorganisation.ts"
import type { ScoreTable } from "../contract/Standing.ts"
import { makeConnections } from "./connections/Connections.ts"
import { cachedTail, reorganisationStrategies } from "./reorganisation/Strategies.ts"
import { defaultScoreTable } from "./standing/ScoreTables.ts"
import { makeStanding } from "./standing/Standing.ts"
import { AncestorRequests } from "./sync/AncestorRequests.ts"
import { ApplyOrder } from "./sync/ApplyOrder.ts"
import { Asking } from "./sync/Asking.ts"
import { BodyRequests } from "./sync/BodyRequests.ts"
import { Branches } from "./sync/Branches.ts"
import { Deviations } from "./sync/Deviations.ts"
import { Electors } from "./sync/Electors.ts"
import { EnoughPeers } from "./sync/EnoughPeers.ts"
import { Gate } from "./sync/Gate.ts"
import { HeaderIntake } from "./sync/HeaderIntake.ts"
import { HeaderRequests } from "./sync/HeaderRequests.ts"
import { heartbeat } from "./sync/Heartbeat.ts"
import { PeerLifecycle } from "./sync/PeerLifecycle.ts"
import type { PeerState } from "./sync/PeerState.ts"
import { Retention } from "./sync/Retention.ts"
import { Stall } from "./sync/Stall.ts"
import { SyncCore } from "./sync/SyncCore.ts"
import { SyncState } from "./sync/SyncState.ts"
import { syncView } from "./sync/SyncView.ts"
import { syncWaits } from "./sync/SyncWaits.ts"
import { Targets } from "./sync/Targets.ts"

/** What an engine is made of, beside its options. */
export interface ChainSyncParts {
  readonly rules: ChainRules
  readonly ownId: string
  /** Points that the operator named. */
  readonly named: ReadonlyArray<string>
  readonly ownPoints?: ReadonlyArray<string>
  readonly scores?: ScoreTable
  /** Default: the one that `options.strategy` names. */
  readonly strategy?: ReorganisationStrategyService
  /** Numbers in [0, 1), seeded. */
  readonly random: () => number
}

class ChainSync implements ChainSyncEngine {
  private readonly core: SyncCore
  private readonly targets: Targets
  private readonly requests: HeaderRequests
  private readonly retention: Retention
  private readonly deviations: Deviations
  private readonly intake: HeaderIntake
  private readonly branches: Branches
  private readonly ancestors: AncestorRequests
  private readonly gate: Gate
  private readonly bodies: BodyRequests
  private readonly apply: ApplyOrder
  private readonly electors: Electors
  private readonly state: SyncState
  private readonly stall: Stall
  private readonly reorganisation: Reorganisation
  private readonly lifecycle: PeerLifecycle
  /** Blocks from the base of pending headers up to our last chosen one: read from the store at the start. */
  private readonly restoring = new Set<BlockId>()
  private readonly enough: EnoughPeers
  private readonly asking: Asking
  private started = false
  /** Something happened that has not been followed up. */
  private unsettled = false
  private timersDue = false
  /** How far the timers' time is ahead of the clock. */
  private aheadMillis = 0
  private savedPeersMillis = 0

  constructor(options: SyncOptions, start: SyncStart, parts: ChainSyncParts) {
    const book = makeEvidenceBook()
    const table = parts.scores ?? defaultScoreTable
    const slots = options.connections.maxPeers
    const dag = makeHeaderDag({
      idBytes: parts.rules.idBytes,
      maxPeers: slots,
      maxNodes: options.maxPendingHeaders,
      maxUnprovenPerPeer: options.maxUnprovenPerPeer,
      minSupporters: options.minQuorumPeers,
      hashSeed: options.seed
    })
    const core = new SyncCore({
      options,
      start,
      rules: parts.rules,
      dag,
      book,
      maxScore: table.maximum,
      standing: makeStanding(table, book),
      connections: makeConnections(options.connections, {
        random: parts.random,
        ownId: parts.ownId,
        named: parts.named,
        ...(parts.ownPoints === undefined ? {} : { ownPoints: parts.ownPoints })
      })
    })
    this.core = core
    this.targets = new Targets(core)
    this.requests = new HeaderRequests(core, this.targets)
    this.retention = new Retention(core)
    this.deviations = new Deviations(core, this.retention)
    this.intake = new HeaderIntake(core, this.targets, this.requests, this.deviations, this.retention)
    this.branches = new Branches(core, this.targets, this.intake, this.deviations)
    this.ancestors = new AncestorRequests(core, this.targets, this.intake)
    this.gate = new Gate(core, this.targets, this.requests, this.deviations)
    this.bodies = new BodyRequests(core)
    core.chosen.append(start.pending.ids)
    this.apply = new ApplyOrder(core, this.bodies, this.deviations)
    this.electors = new Electors(core)
    const { bodies, branches, electors, requests, targets } = this
    this.lifecycle = new PeerLifecycle({ core, bodies, branches, electors, requests, targets })
    this.enough = new EnoughPeers(core, this.lifecycle)
    this.asking = new Asking({ ancestors: this.ancestors, bodies, branches, core, requests, targets })
    this.state = new SyncState(core)
    this.stall = new Stall(core, this.targets)
    const reorganisation = {
      core,
      gate: this.gate,
      apply: this.apply,
      bodies: this.bodies,
      deviations: this.deviations
    }
    const strategy = parts.strategy ?? reorganisationStrategies[options.strategy]
    const isFit = start.branches === "many" || !strategy.needsBranches
    this.reorganisation = (isFit ? strategy : cachedTail).make(reorganisation)
    this.restoreLinks()
  }

  /** The links just below our last chosen block come back, so that a reorganisation right after a restart is seen. */
  private restoreLinks(): void {
    const { core } = this
    const top = core.frontier.level
    let level = top
    const lowest = Math.max(core.start.base.level, top - core.options.maxReorgDepth)
    while (level > lowest && core.chainAt(level - 1) !== undefined) level--
    const baseId = core.chainAt(level) ?? core.frontier.id
    core.dag.reset(core.idBytes(baseId), level)
    const ids: Array<BlockId> = []
    for (let above = level + 1; above <= top; above++) {
      const id = core.chainAt(above)
      if (id !== undefined) ids.push(id)
    }
    for (const id of ids) this.restoring.add(id)
    if (ids.length > 0) core.emit({ kind: "load-headers", ids })
  }

  step(event: SyncEvent, nowMillis: number): void {
    const { core } = this
    this.tellTime(nowMillis)
    core.wake = Infinity
    if (!this.started) this.begin()
    if (core.finished) return
    this.receive(event)
    this.timersDue ||= event.kind === "wake"
    this.unsettled = true
  }

  /**
   * A clock that was set back does not stop the timers. When we were not woken in time (a machine that slept, a process without its share), answers
   * wait to be read, so every deadline moves by as much: our slowness is nobody's fault.
   */
  private tellTime(nowMillis: number): void {
    const { core } = this
    core.wallMillis = nowMillis
    if (!this.started) {
      core.now = nowMillis
      return
    }
    this.aheadMillis = Math.max(this.aheadMillis, core.now - nowMillis)
    const due = Math.max(core.wake, core.now)
    core.now = nowMillis + this.aheadMillis
    const lateMillis = core.now - due
    if (lateMillis < ChainLimits.lateMillis) return
    for (const peer of core.peers.values()) peer.postpone(lateMillis)
    core.lastProgressMillis += lateMillis
    this.enough.postpone(lateMillis)
  }

  private begin(): void {
    const { core } = this
    this.started = true
    core.lastProgressMillis = core.now
    this.enough.begin()
    if (core.start.knownPeers !== undefined) core.connections.restore(core.start.knownPeers, core.now)
  }

  private receive(event: SyncEvent): void {
    const { core } = this
    switch (event.kind) {
      case "connected":
        return this.lifecycle.connected(event)
      case "attempt-failed": {
        core.connections.addPoints(event.points, "nack", core.now)
        const message = event.message
        const ending: Ending = event.cause === "malformed"
          ? { kind: "greylisted", message, longest: true }
          : { kind: event.cause, message }
        return core.connections.attemptEnded(event.point, event.id, ending, core.now)
      }
      case "closed":
        return this.lifecycle.closed(event)
      case "answer": {
        const peer = core.peers.get(event.peer)
        if (peer === undefined) return
        peer.lastHeardMillis = core.now
        return this.answer(peer, event.answer)
      }
      case "names-resolved":
        core.connections.addPoints(event.points, "network", core.now)
        return
      case "headers-loaded":
        return this.loaded(event.headers, event.missing)
      case "units-stored":
        for (const { block, unit } of event.units) this.bodies.stored(block, unit)
        return
      case "segment-stored":
        return this.apply.segmentStored(event.topLevel)
      case "applied":
        if (event.branch === "side") {
          this.reorganisation.applied(event.blocks, event.applied, event.outcome, event.reason)
        } else this.apply.applied(event.blocks, event.applied, event.outcome, event.reason)
        this.trimFacts()
        return
      case "moved":
        return this.reorganisation.moved(event.to)
      case "ban":
        return this.lifecycle.ban(event.peer, event.reason)
      case "unban":
        core.connections.unban(event.peer, core.now)
        return
      case "wake":
        return
    }
  }

  private answer(peer: PeerState, answer: Answer): void {
    const { core } = this
    switch (answer.kind) {
      case "branch":
        this.branches.received(peer, answer.head, answer.entries)
        this.electors.dirty = true
        return
      case "head":
        this.branches.head(peer, answer.header)
        this.electors.dirty = true
        return
      case "header":
        return this.intake.answered(peer, answer.header)
      case "ancestor":
        return this.ancestors.answered(peer, answer.of, answer.offset, answer.header)
      case "unit":
        return this.bodies.answered(peer, answer.block, answer.unit, answer.body, answer.proof)
      case "peers":
        core.connections.addPoints(answer.points, "advertised", core.now)
        return
      case "swap-ack":
        core.connections.addPoints([answer.point], "swap", core.now)
        return
      case "bogus":
        core.blame(peer, "bogus-branch", answer.what, answer.detail)
        return
      case "other-chain":
      case "ignored":
        return
    }
  }

  private loaded(headers: ReadonlyArray<HeaderFacts>, missing: ReadonlyArray<BlockId>): void {
    const { core } = this
    for (const header of headers) {
      if (this.restoring.delete(header.id)) this.intake.own(header)
      else if (this.requests.isWanted(header.id)) {
        this.requests.looseFound()
        this.intake.own(header)
      }
      if (header.id === core.head.id) core.headFacts = header
      this.bodies.loaded(header)
    }
    for (const id of missing) {
      const lost = this.bodies.notLoaded(id) || this.restoring.delete(id)
      this.requests.notLoaded(id)
      const level = core.chosen.levelOf(id)
      if (lost && level !== undefined && level > this.apply.committedLevel) this.chooseAgain(level - 1)
    }
  }

  /** The store lost the header of a chosen block: what stands above is chosen again, from what the peers say. */
  private chooseAgain(aboveLevel: number): void {
    const { core } = this
    for (const id of core.chosen.cutAbove(aboveLevel)) this.bodies.forget(id)
    this.apply.cutAbove(aboveLevel)
    this.restoring.clear()
    core.dag.reset(core.idBytes(core.frontier.id), core.frontier.level)
    for (const peer of core.peers.values()) {
      peer.branch = undefined
      peer.branchWanted = true
    }
    this.gate.restart()
  }

  /** Facts of blocks that are neither pending, chosen nor near the tip. */
  private trimFacts(): void {
    const { core } = this
    if (core.facts.size <= 2 * (core.chosen.length + core.dag.headers) + 1024) return
    for (const [id, facts] of core.facts) {
      const needed = core.chosen.levelOf(id) !== undefined || core.dag.find(core.idBytes(id)) >= 0
      if (!needed && facts.level <= core.tipFromLevel) core.facts.delete(id)
    }
  }

  /** Everything that may go on, does. */
  private settle(): void {
    const { core } = this
    const timers = this.timersDue
    this.unsettled = false
    this.timersDue = false
    if (core.finished) return
    if (core.halted !== undefined) {
      core.finished = true
      return
    }
    this.expire()
    this.wishes()
    this.electors.refresh()
    if (this.electors.decideMode()) {
      this.electors.refresh()
      this.gate.restart()
    }
    this.choose()
    this.apply.advance()
    this.reorganisation.advance()
    this.state.update(this.enough.required)
    this.finish()
    if (core.finished) return
    this.stall.look(timers)
    this.asking.round(core.active >= this.enough.required)
    this.savePeersNow()
  }

  private choose(): void {
    const { core } = this
    if (!this.mayChoose()) return
    if (this.targets.changed) {
      this.targets.changed = false
      this.intake.resume()
    }
    for (let round = 0; core.dagDirty && round < 8; round++) {
      core.dagDirty = false
      this.electors.anchorLinked()
      this.reorganisation.consider(this.gate.look())
      if (core.halted !== undefined) return
    }
  }

  private mayChoose(): boolean {
    return this.core.mode !== undefined && this.restoring.size === 0 && this.core.active >= this.enough.required
  }

  private expire(): void {
    for (const peer of this.core.peers.values()) {
      this.branches.expire(peer)
      if (this.core.peers.get(peer.peer) !== peer) continue
      this.requests.expire(peer)
      this.bodies.expire(peer)
      this.ancestors.expire(peer)
      heartbeat(this.core, peer)
    }
    this.targets.sweep()
    this.requests.widen()
    this.requests.remind()
  }

  private wishes(): void {
    const { core } = this
    for (const wish of core.connections.wishes(core.now)) {
      if (wish.kind === "dial" || wish.kind === "resolve-names") core.emit(wish)
      else {
        const peer = core.peers.get(wish.peer)
        if (peer === undefined) continue
        core.ask(
          peer,
          wish.kind === "ask-peers" ? { kind: "get-peers" } : { kind: "swap-request", point: wish.point, id: wish.id }
        )
      }
    }
    core.wakeBy(core.connections.wakeAt(core.now))
  }

  private finish(): void {
    const { core } = this
    const { until } = core.options
    if (core.halted !== undefined) {
      core.finished = true
    } else if (typeof until === "object" && core.head.level >= until.level) {
      core.finished = true
      core.emit({ kind: "finish", outcome: "level-reached", reason: `level ${core.head.level} is applied` })
    } else if (until === "synced" && core.status !== "unsynced" && this.nothingLeft()) {
      core.finished = true
      const outcome = core.status === "synced" ? "synced" : "halted"
      core.emit({ kind: "finish", outcome, reason: core.statusReason })
    }
    if (core.finished) core.emit({ kind: "save-peers", text: core.connections.save() })
  }

  /** What a quorum of the peers has, we have, too. */
  private nothingLeft(): boolean {
    const { core } = this
    return !this.reorganisation.busy && core.head.level >= (core.peersLevel ?? Infinity)
  }

  private savePeersNow(): void {
    const { core } = this
    if (core.now - this.savedPeersMillis < ChainLimits.savePeersMillis) return
    this.savedPeersMillis = core.now
    core.emit({ kind: "save-peers", text: core.connections.save() })
  }

  /** What follows from a batch of events is decided once, when it is asked for. */
  drain(out: Array<SyncAction>): void {
    if (this.unsettled) this.settle()
    out.push(...this.core.actions)
    this.core.actions.length = 0
  }

  wakeAt(): number {
    return this.core.finished ? Infinity : this.core.wake - this.aheadMillis
  }

  admits(
    id: string,
    remoteHost: string,
    side: Side,
    nowMillis: number
  ): undefined | "too-many" | "already-connected" | "banned" {
    return this.core.connections.admits(id, remoteHost, side, nowMillis)
  }

  pointsToTell(limit: number, audience?: string): ReadonlyArray<string> {
    return this.core.connections.pointsToTell(limit, this.core.now, audience)
  }

  get headHeader(): HeaderFacts | undefined {
    return this.core.headFacts
  }

  get status(): SyncStatus {
    return this.core.status
  }

  savePeers(): string {
    return this.core.connections.save()
  }

  waits(nowMillis: number): ReadonlyArray<Wait> {
    this.core.now = Math.max(this.core.now, nowMillis + this.aheadMillis)
    const { apply, bodies, branches, core, reorganisation, targets } = this
    return syncWaits({ apply, bodies, branches, core, reorganisation, targets, required: this.enough.required })
  }

  snapshot(nowMillis: number): SyncSnapshot {
    const { bodies, core, reorganisation, targets } = this
    return syncView({ bodies, core, reorganisation, targets, required: this.enough.required, nowMillis })
  }
}

/** One engine for one run. Throws a RangeError for options that cannot work, and nothing else ever. */
export const makeChainSync = (options: SyncOptions, start: SyncStart, parts: ChainSyncParts): ChainSyncEngine =>
  new ChainSync(options, start, parts)
