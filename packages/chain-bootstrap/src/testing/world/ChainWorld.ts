/**
 * The sync engine in virtual time: a network of peers, a store and an applier around it, as a seed draws them. Every event and every action
 * passes the watch, which knows what must never happen.
 */
import type { BlockId, HeaderFacts } from "../../contract/Block.ts"
import type { ChainRules } from "../../contract/ChainRules.ts"
import type { ChainSyncEngine, SyncAction, SyncEvent } from "../../contract/ChainSync.ts"
import type { Request } from "../../contract/PeerMessage.ts"
import { makeChainSync } from "../../engine/ChainSync.ts"
import { makeSyntheticChain, makeSyntheticRules, type SyntheticBlock, type SyntheticChain } from "../SyntheticChain.ts"
import { ChainView } from "./ChainView.ts"
import { EventQueue } from "./EventQueue.ts"
import { LiarChains } from "./LiarChains.ts"
import { viewOf } from "./PeerViews.ts"
import { WorldApplier } from "./WorldApplier.ts"
import { WorldPeer } from "./WorldPeer.ts"
import type { WorldRandom } from "./WorldRandom.ts"
import type { WorldSpec } from "./WorldSpec.ts"
import { WorldStore } from "./WorldStore.ts"
import { WorldWatch } from "./WorldWatch.ts"

/** One connection. */
export interface Link {
  readonly number: number
  readonly peer: WorldPeer
  readonly sinceMillis: number
  /** The peer's side is gone, or ours. */
  open: boolean
  lastArrivalMillis: number
}

export class ChainWorld {
  readonly spec: WorldSpec
  readonly rules: ChainRules
  readonly chain: SyntheticChain
  readonly liars: LiarChains
  readonly peers: ReadonlyArray<WorldPeer>
  readonly store: WorldStore
  readonly applier: WorldApplier
  readonly watch: WorldWatch
  readonly startMillis: number
  /** Every block that was ever on the honest chain. */
  readonly honestIds = new Set<BlockId>()
  /** The honest chain of now. */
  canonical: ChainView
  engine: ChainSyncEngine
  now: number
  finished: Extract<SyncAction, { kind: "finish" }> | undefined
  readonly links = new Map<number, Link>()
  steps = 0
  private readonly side = new Set<BlockId>()
  private readonly queue: EventQueue
  private readonly random: WorldRandom
  private nextNumber = 1
  /** Reorganisations of the honest chain so far: each is heavier than all before. */
  private moves = 0
  private epoch = 0
  private storeFreeMillis = 0
  private readonly out: Array<SyncAction> = []
  private readonly turns: WorldRandom
  /** How long a busy process lets events wait at most, before it takes them all at once. */
  private readonly turnMillis: number
  private gathering = false
  private readonly gathered: Array<SyncEvent> = []

  constructor(spec: WorldSpec, random: WorldRandom) {
    this.spec = spec
    this.random = random.fork("events")
    this.turns = random.fork("turns")
    this.turnMillis = [0, 0, 5, 40][this.turns.int(0, 3)]!
    const lots = random.fork("lots")
    this.queue = new EventQueue(() => lots.float())
    this.chain = makeSyntheticChain({
      seed: spec.seed,
      levels: spec.levels,
      unitsPerBlock: spec.units,
      unitBytes: 16,
      spacingSeconds: spec.spacingSeconds
    })
    this.rules = makeSyntheticRules({
      spacingMillis: { branch: 4_000, head: 4_000, ancestor: 11_000, peers: 60_000, swap: 65_000 }
    })
    this.canonical = new ChainView(this.chain)
    for (const { header } of this.chain.main) this.honestIds.add(header.id)
    this.liars = new LiarChains(this.chain, spec, random.fork("liars"))
    this.side.add(this.liars.orphan.header.id)
    const views = random.fork("views")
    this.peers = spec.peers.map((peer, n) => {
      const { top, view } = viewOf(this, peer, this.side)
      return new WorldPeer(peer, view, top, {
        liars: this.liars,
        find: (id) => this.find(id),
        proof: (block) => this.chain.proof(block),
        side: this.side,
        points: spec.peers.filter(({ incoming }) => !incoming).map(({ point }) => point)
      }, views.fork(n))
    })
    this.startMillis = (this.chain.head.header.timeSeconds + spec.headAgeSeconds) * 1000
    this.now = this.startMillis
    this.store = new WorldStore({ id: this.chain.at(spec.baseLevel).header.id, level: spec.baseLevel })
    this.store.headers.set(this.store.base.id, this.chain.at(spec.baseLevel).header)
    this.applier = new WorldApplier(this, random.fork("applier"))
    this.watch = new WorldWatch(this)
    this.engine = this.makeEngine()
    this.scheduleWorld()
  }

  find(id: BlockId): SyntheticBlock | undefined {
    return this.chain.find(id) ?? this.liars.forged.get(id)
  }

  /** Runs `run` after a while, unless the engine was restarted meanwhile. */
  after(millis: number, run: () => void): void {
    const { epoch } = this
    this.queue.push(this.now + Math.max(0, millis), () => {
      if (epoch === this.epoch) run()
    })
  }

  /** The same whatever happens to the engine. */
  private always(atMillis: number, run: () => void): void {
    this.queue.push(this.startMillis + atMillis, run)
  }

  private makeEngine(): ChainSyncEngine {
    const random = this.random.fork(`engine ${this.epoch}`)
    return makeChainSync(this.spec.options, this.store.start(this.spec.applier.branches), {
      rules: this.rules,
      ownId: "id-us",
      named: this.spec.peers.filter(({ incoming }) => !incoming).map(({ point }) => point),
      random: () => random.float()
    })
  }

  private scheduleWorld(): void {
    const { spec } = this
    for (const atMillis of spec.restarts) this.always(atMillis, () => this.crash())
    for (const { atMillis, forMillis } of spec.sleeps) {
      this.always(atMillis, () => {
        this.now += forMillis
        this.watch.slept()
      })
    }
    for (const { atMillis, depth } of spec.reorganisations) this.always(atMillis, () => this.reorganise(depth))
    if (spec.growsUntilMillis > 0) {
      this.always(1000 * (spec.spacingSeconds - (spec.headAgeSeconds % spec.spacingSeconds)), () => this.grow())
    }
    for (const peer of this.peers) {
      if (peer.spec.incoming) this.always(this.random.int(0, 3_000), () => this.comeIn(peer))
      if (peer.spec.behind > 0 && peer.spec.catchUp > 0) this.always(1_000, () => this.catchUp(peer))
    }
  }

  /** Plays until the run ends, the condition holds, or the deadline. */
  play(done: () => boolean = () => false): void {
    const asleep = this.spec.sleeps.reduce((sum, { forMillis }) => sum + forMillis, 0)
    const end = this.startMillis + this.spec.deadlineMillis + asleep
    this.step({ kind: "wake" })
    while (this.finished === undefined && this.now <= end && !done()) {
      const wakeAt = this.engine.wakeAt()
      const next = this.queue.nextMillis
      if (next === Infinity && wakeAt === Infinity) return
      if (Math.min(next, wakeAt) > end) return
      if (wakeAt < next) {
        this.now = Math.max(this.now, wakeAt)
        this.step({ kind: "wake" })
        continue
      }
      this.turn(next)
    }
  }

  /** What happens within a turn of the loop reaches the engine as one batch. */
  private turn(firstMillis: number): void {
    const endMillis = Math.max(this.now, firstMillis) + this.turns.int(0, this.turnMillis)
    this.gathering = true
    do {
      this.now = Math.max(this.now, this.queue.nextMillis)
      this.queue.pop()!()
    } while (this.queue.nextMillis <= endMillis && this.gathered.length < 64)
    this.gathering = false
    const batch = this.gathered.splice(0)
    if (batch.length > 0) this.decide(batch)
  }

  step(event: SyncEvent): void {
    if (this.gathering) this.gathered.push(event)
    else this.decide([event])
  }

  private decide(batch: ReadonlyArray<SyncEvent>): void {
    for (const event of batch) {
      this.steps++
      this.watch.before(event)
      this.engine.step(event, this.now)
    }
    this.engine.drain(this.out)
    const actions = this.out.splice(0)
    for (const action of actions) {
      this.watch.action(action)
      this.carryOut(action)
    }
    for (const event of batch) this.watch.after(event)
  }

  private carryOut(action: SyncAction): void {
    switch (action.kind) {
      case "dial":
        return this.dial(action.point)
      case "resolve-names":
        return this.after(50, () => this.step({ kind: "names-resolved", points: [] }))
      case "send":
        for (const request of action.requests) this.send(action.peer, request)
        return
      case "disconnect":
        return this.close(action.peer)
      case "store-headers":
        return this.stored(() => {
          for (const header of action.headers) this.store.headers.set(header.id, header)
        })
      case "store-units":
        return this.stored(() => {
          for (const { block, unit } of action.units) {
            this.store.units.set(block, (this.store.units.get(block) ?? 0) | (1 << unit))
          }
          this.step({ kind: "units-stored", units: action.units.map(({ block, unit }) => ({ block, unit })) })
        })
      case "store-segment":
        return this.stored(() => {
          this.store.addSegment(action)
          this.step({ kind: "segment-stored", topLevel: action.firstLevel + action.ids.length - 1 })
        })
      case "load-headers":
        return this.stored(() => this.load(action.ids))
      case "apply":
      case "rollback":
      case "switch":
      case "forget-branch":
        return this.applier.take(action)
      case "save-peers":
        this.store.knownPeers = action.text
        return
      case "notice":
        return
      case "finish":
        this.finished = action
    }
  }

  /** Store actions take effect one after the other. */
  private stored(effect: () => void): void {
    const millis = this.spec.storeMillis * (0.5 + this.random.float())
    this.storeFreeMillis = Math.max(this.storeFreeMillis, this.now) + millis
    this.after(this.storeFreeMillis - this.now, effect)
  }

  private load(ids: ReadonlyArray<BlockId>): void {
    const headers: Array<HeaderFacts> = []
    const missing: Array<BlockId> = []
    for (const id of ids) {
      const header = this.store.headers.get(id)
      if (header === undefined) missing.push(id)
      else headers.push(header)
    }
    this.step({ kind: "headers-loaded", headers, missing })
  }

  private travel(peer: WorldPeer): number {
    return peer.spec.latencyMillis + this.random.float() * peer.spec.jitterMillis
  }

  private dial(point: string): void {
    const peer = this.peers.find(({ spec }) => spec.point === point)
    if (peer === undefined || this.random.chance(peer.spec.dialFailure)) {
      const failed = { kind: "attempt-failed", point, id: undefined, cause: "dial-failed", points: [] } as const
      return this.after(200, () => this.step({ ...failed, message: "nobody answers" }))
    }
    this.after(2 * this.travel(peer), () => {
      const id = `id-${peer.spec.name}`
      const refused = this.engine.admits(id, hostOf(point), "outgoing", this.now)
      if (refused === undefined) return this.connect(peer, "outgoing")
      this.step({ kind: "attempt-failed", point, id, cause: "expected", points: [], message: refused })
    })
  }

  private comeIn(peer: WorldPeer): void {
    const { point } = peer.spec
    const open = [...this.links.values()].some((link) => link.open && link.peer === peer)
    if (!open && this.engine.admits(`id-${peer.spec.name}`, hostOf(point), "incoming", this.now) === undefined) {
      this.connect(peer, "incoming")
    }
    this.always(this.now - this.startMillis + 30_000, () => this.comeIn(peer))
  }

  private connect(peer: WorldPeer, side: "outgoing" | "incoming"): void {
    const number = this.nextNumber++
    const link: Link = { number, peer, sinceMillis: this.now, open: true, lastArrivalMillis: this.now }
    this.links.set(number, link)
    const { ancestors, breaksMillis, fault, name, point } = peer.spec
    if (breaksMillis !== Infinity) {
      // Often lost, a peer is banned for a day, as it should be: only the first connections break early.
      const before = [...this.links.values()].filter((other) => other.peer === peer).length
      this.after(breaksMillis * 10 ** before * (0.5 + this.random.float()), () => {
        if (!link.open) return
        this.close(number)
        this.watch.lost(number)
        this.step({ kind: "closed", peer: number, malformed: false, message: "connection lost" })
      })
    }
    this.step({ kind: "connected", peer: number, id: `id-${name}`, point, side, ancestors })
    if (fault === "unsolicited") this.pester(link)
  }

  private pester(link: Link): void {
    this.after(this.random.int(500, 6_000), () => {
      if (!link.open) return
      this.arrive(link, () => link.peer.unasked())
      this.pester(link)
    })
  }

  private send(number: number, request: Request): void {
    const link = this.links.get(number)
    if (link === undefined) return
    const { peer } = link
    const slow = peer.spec.fault === "slow" ? this.random.int(3_000, 25_000) : 0
    this.after(this.travel(peer) + slow, () => {
      if (!link.open) return
      for (const answer of peer.answers(request)) this.arrive(link, () => answer)
    })
  }

  private arrive(link: Link, answer: () => Extract<SyncEvent, { kind: "answer" }>["answer"]): void {
    const at = this.now + this.travel(link.peer)
    const arrival = link.peer.spec.reorders ? at : Math.max(at, link.lastArrivalMillis + 0.001)
    link.lastArrivalMillis = Math.max(arrival, link.lastArrivalMillis)
    this.after(arrival - this.now, () => {
      if (link.open) this.step({ kind: "answer", peer: link.number, answer: answer() })
    })
  }

  private close(number: number): void {
    const link = this.links.get(number)
    if (link !== undefined) link.open = false
  }

  /** The process dies and starts again: connections and everything that was not durable are gone. */
  private crash(): void {
    this.epoch++
    for (const link of this.links.values()) link.open = false
    this.storeFreeMillis = this.now
    this.applier.crash()
    this.watch.crashed()
    this.gathered.length = 0
    this.engine = this.makeEngine()
    this.after(500, () => this.step({ kind: "wake" }))
  }

  /** A new honest block; every honest peer hears of it a little later and tells us. */
  private grow(): void {
    const { canonical } = this
    const top = canonical.at(canonical.topLevel).header.id
    const block = canonical.forkLevel === Infinity
      ? this.chain.growMain(1)[0]!
      : this.chain.grow(top, 1, `grown ${canonical.forkLevel}`, 0)[0]!
    if (canonical.forkLevel !== Infinity) canonical.side.push(block)
    this.honestIds.add(block.header.id)
    this.tellPeers()
    const next = this.now - this.startMillis + 1000 * this.spec.spacingSeconds
    if (next < this.spec.growsUntilMillis) this.always(next, () => this.grow())
  }

  private reorganise(depth: number): void {
    const { canonical } = this
    const top = canonical.topLevel
    const from = Math.max(this.spec.baseLevel, top - depth)
    for (let level = from + 1; level <= top; level++) this.side.add(canonical.at(level).header.id)
    // No longer than what it replaces, or its times would run ahead of the clock.
    const grown = this.chain.grow(
      canonical.at(from).header.id,
      Math.max(1, top - from),
      `move ${this.now}`,
      10 ** ++this.moves
    )
    for (const { header } of grown) this.honestIds.add(header.id)
    this.canonical = canonical.forkLevel <= from
      ? new ChainView(this.chain, canonical.forkLevel, [
        ...canonical.side.slice(0, from - canonical.forkLevel),
        ...grown
      ])
      : new ChainView(this.chain, from, grown)
    this.watch.reorganised()
    this.tellPeers()
  }

  private tellPeers(): void {
    const view = this.canonical
    const top = view.topLevel
    for (const peer of this.peers) {
      const { behind, fault, stale } = peer.spec
      if (stale > 0 || behind > 0 || (fault !== undefined && peer.view.forkLevel !== Infinity)) continue
      this.always(this.now - this.startMillis + this.random.int(0, 1500), () => {
        if (view !== this.canonical || peer.top > top) return
        peer.view = view
        peer.top = top
        this.tellHead(peer)
      })
    }
  }

  private catchUp(peer: WorldPeer): void {
    const target = this.canonical.topLevel
    peer.view = this.canonical
    peer.top = Math.min(target, peer.top + peer.spec.catchUp)
    this.tellHead(peer)
    this.always(this.now - this.startMillis + 1_000, () => this.catchUp(peer))
  }

  private tellHead(peer: WorldPeer): void {
    if (peer.spec.fault === "silent") return
    for (const link of this.links.values()) {
      if (link.open && link.peer === peer) this.arrive(link, () => ({ kind: "head", header: peer.branch().head }))
    }
  }
}

export const hostOf = (point: string): string => point.slice(0, point.lastIndexOf(":"))
