/** What must never happen in a world, checked at every event and every action (specs: chain bootstrap 5.12). */
import type { SyncAction, SyncCounters, SyncEvent } from "../../contract/ChainSync.ts"
import type { ChainWorld, Link } from "./ChainWorld.ts"
import { ChoiceWatch } from "./ChoiceWatch.ts"
import { RequestWatch } from "./RequestWatch.ts"

/** A promise of the engine that did not hold. */
export class Violation extends Error {
  override readonly name = "Violation"
}

/** Steps between two looks at the whole snapshot, which costs more than an event. */
const snapshotEvery = 16

export class WorldWatch {
  readonly seen = new Map<string, number>()
  readonly requests: RequestWatch
  readonly choices: ChoiceWatch
  /** Connections as the engine knows them. */
  readonly known = new Map<number, Link>()
  private readonly world: ChainWorld
  private readonly dials = new Set<string>()
  private hashed = 0x811c9dc5
  private counters: SyncCounters | undefined
  private wakes = 0
  private wakesSinceMillis = 0
  private wakesNow = 0
  private lastWakeMillis = -1
  private headWeight: Uint8Array | undefined
  private mayFall = false

  constructor(world: ChainWorld) {
    this.world = world
    this.requests = new RequestWatch(world, (message) => this.fail(message))
    this.choices = new ChoiceWatch(world, this.known, (message) => this.fail(message))
  }

  get hash(): string {
    return (this.hashed >>> 0).toString(16).padStart(8, "0")
  }

  fail(message: string): never {
    throw new Violation(`${((this.world.now - this.world.startMillis) / 1000).toFixed(3)} s: ${message}`)
  }

  private fold(text: string): void {
    let hash = this.hashed
    for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
    this.hashed = hash
  }

  private count(name: string): void {
    this.seen.set(name, (this.seen.get(name) ?? 0) + 1)
  }

  crashed(): void {
    this.known.clear()
    this.dials.clear()
    this.counters = undefined
    this.requests.crashed()
    this.choices.crashed()
    this.count("restart")
  }

  slept(): void {
    this.count("sleep")
  }

  reorganised(): void {
    this.count("honest reorganisation")
  }

  /** The applier's head was moved on the engine's word. */
  moved(): void {
    this.mayFall = true
    this.choices.moved()
  }

  /** A connection broke: the engine is being told. */
  lost(number: number): void {
    this.known.delete(number)
  }

  before(event: SyncEvent): void {
    if (event.kind === "connected") {
      this.known.set(event.peer, this.world.links.get(event.peer)!)
      if (event.point !== undefined) this.dials.delete(event.point)
      this.requests.connected(event.peer)
    } else if (event.kind === "attempt-failed" && event.point !== undefined) this.dials.delete(event.point)
    else if (event.kind === "answer") {
      this.requests.answered(event.peer, event.answer)
      this.choices.answered(event.peer, event.answer)
    } else if (event.kind === "applied") {
      if (event.branch === "head") this.choices.applied(event.outcome)
      else this.choices.sideApplied(event)
    }
    if (event.kind === "wake") this.countWake()
  }

  /** Nothing may spin: few wakes at one moment, and few in a second. */
  private countWake(): void {
    const { now } = this.world
    this.wakesNow = now === this.lastWakeMillis ? this.wakesNow + 1 : 0
    this.lastWakeMillis = now
    if (this.wakesNow > 10) this.fail("woken again and again without time passing")
    if (now - this.wakesSinceMillis > 1_000) {
      this.wakesSinceMillis = now
      this.wakes = 0
    }
    if (++this.wakes > 400) this.fail("more than 400 wakes within a second")
  }

  action(action: SyncAction): void {
    const { now, startMillis, spec } = this.world
    this.fold(`${now - startMillis} ${summary(action)}`)
    switch (action.kind) {
      case "dial":
        this.dials.add(action.point)
        if (this.dials.size + this.known.size > spec.options.connections.maxPeers) this.fail("more than maxPeers")
        return
      case "send": {
        const link = this.known.get(action.peer)
        if (link === undefined) {
          this.fail(`${action.requests[0]?.kind} sent to connection ${action.peer}, which is gone`)
        }
        for (const request of action.requests) this.requests.asked(action.peer, request)
        return
      }
      case "disconnect":
        this.known.delete(action.peer)
        return
      case "store-units":
        for (const { block, body, unit } of action.units) {
          const known = this.world.find(block)?.units[unit]
          if (known === undefined || Buffer.compare(known, body) !== 0) this.fail(`a false body of ${block} is stored`)
          this.requests.stores(block, unit)
        }
        return
      case "store-segment":
        return this.choices.chosen(action)
      case "apply":
        return this.choices.apply(action)
      case "rollback":
        return this.choices.leave(action.to)
      case "switch":
        return this.choices.leave(action.fork)
      case "notice":
        return this.notice(action.notice)
      case "finish":
        this.count(`finish ${action.outcome}`)
        return
      default:
        return
    }
  }

  private notice(notice: Extract<SyncAction, { kind: "notice" }>["notice"]): void {
    this.count(notice.kind === "stuck" ? `stuck ${notice.escalation}` : notice.kind)
    if (notice.kind === "blamed") {
      const { detail, kind, peer, subject } = notice.record
      this.count(`blamed ${kind}`)
      const guilty = this.world.peers.find(({ spec }) => `id-${spec.name}` === peer)
      if (guilty === undefined || guilty.honest) {
        this.fail(`honest ${peer} is blamed for ${kind}: ${subject}: ${detail}`)
      }
    } else if (notice.kind === "status") this.count(`status ${notice.status}`)
    else if (notice.kind === "pruned") this.choices.rearranged = true
    else if (notice.kind === "mode") {
      this.count(`mode ${notice.mode}`)
      // Other goals than before.
      if ((this.seen.get("mode") ?? 0) > 1) this.choices.rearranged = true
    }
  }

  after(event: SyncEvent): void {
    const { engine, now, steps, store } = this.world
    if (this.known.size > this.world.spec.options.connections.maxPeers) this.fail("more connections than maxPeers")
    if (event.kind === "wake" && engine.wakeAt() <= now && this.wakesNow > 5) {
      this.fail(`wakeAt stays at ${engine.wakeAt()}`)
    }
    const weight = store.headers.get(store.head.id)?.weight
    if (weight !== undefined && this.headWeight !== undefined && !this.mayFall) {
      if (this.world.rules.compareWeight(weight, this.headWeight) < 0) this.fail("the head became lighter")
    }
    this.mayFall = false
    this.headWeight = weight ?? this.headWeight
    if (steps % snapshotEvery === 0 || event.kind === "connected") this.look()
  }

  private look(): void {
    const { engine, now, spec, store } = this.world
    const snapshot = engine.snapshot(now)
    for (const { id, score } of snapshot.peers) {
      if (!(score > 0 && score <= 100)) this.fail(`the score of active ${id} is ${score}`)
    }
    if (snapshot.peers.length !== this.known.size) {
      this.fail(`${snapshot.peers.length} peers in the snapshot, ${this.known.size} connections`)
    }
    if (snapshot.chosen.level < snapshot.head.level) this.fail("the head is above what is chosen")
    if (snapshot.head.level > store.head.level + spec.options.applyBatch * 2) {
      this.fail("the head runs ahead of the store")
    }
    if (snapshot.pendingHeaders > spec.options.maxPendingHeaders) this.fail("too many pending headers")
    if (snapshot.blocksInFlight > spec.options.applyWindow + 64) this.fail("too many bodies on their way")
    const { counters } = snapshot
    for (const name of Object.keys(counters) as Array<keyof SyncCounters>) {
      if (this.counters !== undefined && counters[name] < this.counters[name]) this.fail(`counter ${name} fell`)
    }
    this.counters = counters
  }
}

const summary = (action: SyncAction): string => {
  switch (action.kind) {
    case "send":
      return action.requests.map((request) =>
        request.kind === "get-headers"
          ? `headers ${action.peer} ${request.ids.join()}`
          : request.kind === "get-units"
          ? `units ${action.peer} ${request.items.map(({ block, unit }) => block + unit).join()}`
          : `${request.kind} ${action.peer}`
      ).join(";")
    case "apply":
      return `apply ${action.blocks.map(({ id }) => id).join()}`
    case "store-segment":
      return `segment ${action.ids.join()}`
    case "dial":
      return `dial ${action.point}`
    default:
      return action.kind
  }
}
