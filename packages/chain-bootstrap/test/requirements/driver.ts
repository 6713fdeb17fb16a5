/**
 * Drives the engine by hand: scripted peers, a store and an applier that answer at once, and virtual time. After every event the world checks what
 * must always hold (specs: chain bootstrap 5.12), so that each test of a requirement is a test of the invariants, too.
 */
import type { BlockId, BlockRef } from "../../src/contract/Block.ts"
import type { ChainRules } from "../../src/contract/ChainRules.ts"
import type { ChainSyncEngine, SyncAction, SyncEvent, SyncNotice, SyncOptions } from "../../src/contract/ChainSync.ts"
import type { ConnectionOptions } from "../../src/contract/Connections.ts"
import type { Answer, Request } from "../../src/contract/PeerMessage.ts"
import type { ScoreTable } from "../../src/contract/Standing.ts"
import { makeChainSync } from "../../src/engine/ChainSync.ts"
import { connectionOptions } from "../../src/engine/connections/ConnectionDefaults.ts"
import { syncOptions } from "../../src/engine/SyncDefaults.ts"
import {
  makeSyntheticChain,
  makeSyntheticRules,
  type SyntheticBlock,
  type SyntheticChain
} from "../../src/testing/SyntheticChain.ts"
import { Invariants } from "./Invariants.ts"
import { type PeerScript, ScriptedPeer } from "./ScriptedPeer.ts"

export interface Asked {
  readonly atMillis: number
  readonly peer: ScriptedPeer
  readonly request: Request
}

export interface WorldOptions {
  readonly chain?: SyntheticChain
  /** Length of the chain that is made when none is given. Default 60. */
  readonly levels?: number
  /** A number: so many honest peers. Default 4. */
  readonly peers?: number | ReadonlyArray<PeerScript>
  readonly sync?: Partial<SyncOptions>
  readonly connections?: Partial<ConnectionOptions>
  readonly rules?: Partial<ChainRules>
  /** Levels of the main chain that are applied already. Default 0: the genesis alone. */
  readonly head?: number
  /** Our base; blocks below it are unknown. Default 0. */
  readonly base?: number
  readonly chosen?: ReadonlyArray<BlockId>
  /** Age of the chain's head at the start. Default 5. */
  readonly ageSeconds?: number
  readonly branches?: "one" | "many"
  readonly scores?: ScoreTable
}

type Kind<A extends { readonly kind: string }, K extends A["kind"]> = Extract<A, { readonly kind: K }>

export class World {
  readonly chain: SyntheticChain
  readonly rules: ChainRules
  readonly options: SyncOptions
  readonly engine: ChainSyncEngine
  readonly peers: Array<ScriptedPeer> = []
  /** Everything that was asked, in order. */
  readonly log: Array<Asked> = []
  readonly actions: Array<SyncAction> = []
  readonly notes: Array<SyncNotice> = []
  /** The applied chain by level; undefined below the base. */
  readonly applied: Array<BlockId | undefined> = []
  readonly held = new Map<BlockId, number>()
  readonly stored = new Set<BlockId>()
  readonly started: number
  now: number
  finish: Kind<SyncAction, "finish"> | undefined
  /** What the applier says; undefined: it says nothing yet. */
  applier: (
    blocks: ReadonlyArray<BlockId>
  ) => { applied: number; outcome: "ok" | "invalid" | "transient" } | undefined = (blocks) => ({
    applied: blocks.length,
    outcome: "ok"
  })
  readonly moves: Array<string> = []
  /** How long units take to be durable; Infinity: they never are. */
  storeMillis = 1
  /** Side branches that the applier was told to give up. */
  readonly forgotten: Array<BlockId> = []
  private readonly invariants: Invariants
  private readonly queue: Array<{ readonly at: number; readonly order: number; readonly event: () => SyncEvent }> = []
  private order = 0
  private nextNumber = 1

  constructor(given: WorldOptions = {}) {
    this.chain = given.chain ?? makeSyntheticChain({ seed: 7, levels: given.levels ?? 60 })
    this.rules = makeSyntheticRules(given.rules)
    const scripts = given.peers ?? 4
    const list = typeof scripts === "number" ? Array.from({ length: scripts }, () => ({})) : scripts
    for (const script of list) this.peers.push(new ScriptedPeer(this.chain, this.peers.length, script))
    const maxPeers = Math.max(8, 2 * list.length)
    const connections = connectionOptions({ minPeers: list.length, maxPeers, ...given.connections })
    const pace = { finality: this.rules.finality, blocksPerCycle: 100, blockTimeSeconds: 6 }
    this.options = syncOptions(pace, { until: "synced", connections, ...given.sync })
    const base = given.base ?? 0
    const head = Math.max(base, given.head ?? 0)
    for (let level = base; level <= head; level++) this.applied[level] = this.chain.at(level).header.id
    this.started = (this.chain.head.header.timeSeconds + (given.ageSeconds ?? 5)) * 1000
    this.now = this.started
    this.engine = makeChainSync(this.options, {
      base: this.ref(base),
      head: this.ref(head),
      headFacts: this.chain.at(head).header,
      pending: { firstLevel: head + 1, ids: given.chosen ?? [] },
      appliedAt: (level) => this.applied[level],
      appliedLevel: (id) => {
        const level = this.applied.indexOf(id)
        return level < 0 ? undefined : level
      },
      unitsHeld: (id) => this.held.get(id) ?? 0,
      looseHeaders: false,
      knownPeers: undefined,
      branches: given.branches ?? "one"
    }, {
      rules: this.rules,
      ownId: "me",
      named: this.peers.map(({ point }) => point),
      random: () => 0.5,
      ...(given.scores === undefined ? {} : { scores: given.scores })
    })
    this.invariants = new Invariants(this, given.chosen ?? [])
    for (const id of [...this.chain.ids(0, head), ...(given.chosen ?? [])]) this.stored.add(id)
    this.step({ kind: "wake" })
  }

  ref(level: number): BlockRef {
    return { id: this.chain.at(level).header.id, level }
  }

  find(id: BlockId): SyntheticBlock {
    const block = this.chain.find(id) ?? this.peers.map((peer) => peer.find(id)).find((one) => one !== undefined)
    if (block === undefined) throw new Error(`nobody has block ${id}`)
    return block
  }

  get head(): BlockRef {
    return this.snapshot.head
  }

  get snapshot(): ReturnType<ChainSyncEngine["snapshot"]> {
    return this.engine.snapshot(this.now)
  }

  /** Virtual milliseconds since the start. */
  get elapsed(): number {
    return this.now - this.started
  }

  /** One event, now. */
  step(event: SyncEvent): void {
    if (event.kind === "answer" && event.answer.kind === "branch") this.invariants.heard(event.peer)
    this.engine.step(event, this.now)
    const actions: Array<SyncAction> = []
    this.engine.drain(actions)
    for (const action of actions) this.execute(action)
    this.invariants.check()
  }

  /** Goes on until nothing is left to happen, the run is over, or the condition holds; never for more than an hour of virtual time. */
  run(until: () => boolean = () => false, forMillis = 3_600_000): this {
    const end = this.now + forMillis
    while (this.finish === undefined && !until()) {
      this.queue.sort((a, b) => a.at - b.at || a.order - b.order)
      const next = this.queue[0]
      const at = Math.max(this.now, Math.min(next?.at ?? Infinity, this.engine.wakeAt()))
      if (at > end) break
      this.now = at
      if (next !== undefined && next.at <= at) {
        this.queue.shift()
        this.step(next.event())
      } else this.step({ kind: "wake" })
    }
    if (this.finish === undefined && forMillis < 3_600_000) this.now = Math.max(this.now, Math.min(end, this.now))
    return this
  }

  runFor(millis: number): this {
    const end = this.now + millis
    this.run(() => false, millis)
    this.now = Math.max(this.now, end)
    if (this.finish === undefined) this.step({ kind: "wake" })
    return this
  }

  /** A peer says something now, asked or not. */
  say(peer: ScriptedPeer, answer: Answer): void {
    if (peer.number !== undefined) this.step({ kind: "answer", peer: peer.number, answer })
  }

  /** A further peer that nobody named; it is not connected. */
  meet(script: PeerScript = {}): ScriptedPeer {
    const peer = new ScriptedPeer(this.chain, this.peers.length, script)
    this.peers.push(peer)
    return peer
  }

  connect(peer: ScriptedPeer, side: "outgoing" | "incoming" = "outgoing"): void {
    peer.number = this.nextNumber++
    const point = side === "outgoing" ? peer.point : undefined
    this.step({ kind: "connected", peer: peer.number, id: peer.id, point, side, ancestors: true })
  }

  /** The connection breaks. */
  lose(peer: ScriptedPeer, malformed = false): void {
    const number = peer.number ?? -1
    peer.number = undefined
    this.step({ kind: "closed", peer: number, malformed, message: "connection reset" })
  }

  /** Requests of a kind, of one peer or of all. */
  asked<K extends Request["kind"]>(kind: K, peer?: ScriptedPeer): ReadonlyArray<Asked & { request: Kind<Request, K> }> {
    const is = (one: Asked): one is Asked & { request: Kind<Request, K> } => one.request.kind === kind
    return this.log.filter(is).filter((one) => peer === undefined || one.peer === peer)
  }

  headersAsked(peer?: ScriptedPeer): ReadonlyArray<BlockId> {
    return this.asked("get-headers", peer).flatMap(({ request }) => request.ids)
  }

  unitsAsked(peer?: ScriptedPeer): ReadonlyArray<string> {
    return this.asked("get-units", peer).flatMap(({ request }) =>
      request.items.map(({ block, unit }) => `${block}/${unit}`)
    )
  }

  noticed<K extends SyncNotice["kind"]>(kind: K): ReadonlyArray<Kind<SyncNotice, K>> {
    return this.notes.filter((note): note is Kind<SyncNotice, K> => note.kind === kind)
  }

  /** Chosen segments as `from-to`. */
  get segments(): ReadonlyArray<string> {
    return this.noticed("segment").map(({ fromLevel, toLevel }) => `${fromLevel}-${toLevel}`)
  }

  /** Offences in order, as `peer offence`. */
  get blamed(): ReadonlyArray<string> {
    return this.noticed("blamed").map(({ record }) => `${record.peer} ${record.kind}`)
  }

  score(peer: ScriptedPeer): number | undefined {
    return this.snapshot.peers.find(({ id }) => id === peer.id)?.score
  }

  private later(delayMillis: number, event: () => SyncEvent): void {
    this.queue.push({ at: this.now + delayMillis, order: this.order++, event })
  }

  private execute(action: SyncAction): void {
    this.actions.push(action)
    this.invariants.before(action)
    switch (action.kind) {
      case "dial":
        return this.dial(action.point)
      case "send":
        for (const request of action.requests) this.ask(action.peer, request)
        return
      case "disconnect": {
        const peer = this.peers.find(({ number }) => number === action.peer)
        if (peer !== undefined) peer.number = undefined
        return
      }
      case "store-headers":
        for (const { id } of action.headers) this.stored.add(id)
        return
      case "load-headers": {
        const headers = action.ids.filter((id) => this.stored.has(id)).map((id) => this.find(id).header)
        const missing = action.ids.filter((id) => !this.stored.has(id))
        return this.later(1, () => ({ kind: "headers-loaded", headers, missing }))
      }
      case "store-units":
        return this.later(this.storeMillis, () => {
          for (const { block, unit } of action.units) this.held.set(block, (this.held.get(block) ?? 0) | (1 << unit))
          return { kind: "units-stored", units: action.units }
        })
      case "store-segment":
        return this.later(1, () => ({ kind: "segment-stored", topLevel: action.firstLevel + action.ids.length - 1 }))
      case "apply":
        return this.apply(action)
      case "rollback":
        this.moves.push(`rollback ${action.to.level}`)
        return this.move(action.to, action.to, [])
      case "switch":
        this.moves.push(`switch ${action.fork.level} ${action.to.level}`)
        return this.move(action.to, action.fork, action.ids)
      case "notice":
        this.notes.push(action.notice)
        return
      case "finish":
        this.finish = action
        return
      case "forget-branch":
        this.forgotten.push(action.id)
        return
      case "resolve-names":
      case "save-peers":
        return
    }
  }

  private dial(point: string): void {
    const peer = this.peers.find((one) => one.point === point)
    if (peer === undefined || peer.unreachable) {
      const id = undefined
      this.later(
        10,
        () => ({ kind: "attempt-failed", point, id, cause: "dial-failed", points: [], message: "refused" })
      )
      return
    }
    this.later(10, () => {
      peer.number = this.nextNumber++
      return { kind: "connected", peer: peer.number, id: peer.id, point, side: "outgoing", ancestors: true }
    })
  }

  private ask(number: number, request: Request): void {
    const peer = this.peers.find((one) => one.number === number)
    if (peer === undefined) return
    this.log.push({ atMillis: this.now, peer, request })
    for (const answer of peer.answers(request)) {
      const event: SyncEvent = { kind: "answer", peer: number, answer }
      this.later(peer.latencyMillis, () => peer.number === number ? event : { kind: "wake" })
    }
  }

  private apply(action: Kind<SyncAction, "apply">): void {
    const blocks = action.blocks.map(({ id }) => id)
    const result = this.applier(blocks)
    if (result === undefined) return
    this.later(1, () => {
      if (action.branch === "head") {
        for (const { id, level } of action.blocks.slice(0, result.applied)) this.applied[level] = id
      }
      return { kind: "applied", branch: action.branch, blocks, ...result, reason: "says the applier" }
    })
  }

  private move(to: BlockRef, fork: BlockRef, ids: ReadonlyArray<BlockId>): void {
    this.applied.length = fork.level + 1
    this.applied.push(...ids)
    this.later(1, () => ({ kind: "moved", to }))
  }
}
