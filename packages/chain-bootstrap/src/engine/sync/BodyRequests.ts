/**
 * Bodies of chosen blocks: a window ahead of the applier, each unit asked of one peer, spread over all that can have it, verified by the header,
 * stored on arrival (mission 003 step 5; 5.5.6; R51, R52, R93, R94, R110–R116, A22).
 */
import type { BlockId, HeaderFacts } from "../../contract/Block.ts"
import { ChainLimits } from "../../contract/ChainLimits.ts"
import type { PeerState } from "./PeerState.ts"
import type { SyncCore } from "./SyncCore.ts"

interface Body {
  readonly id: BlockId
  readonly level: number
  readonly facts: HeaderFacts
  /** Bit masks over units. */
  readonly all: number
  received: number
  durable: number
  readonly askedOf: Array<PeerState | undefined>
  /** When each unit was last asked for. */
  readonly askedAtMillis: Array<number>
}

const keyOf = (block: BlockId, unit: number): string => `${block}/${unit}`

export class BodyRequests {
  private readonly core: SyncCore
  private readonly bodies = new Map<BlockId, Body>()
  /** Not wanted any more, with units that are on their way from a peer or to the store: should they be wanted again, that work counts. Oldest first. */
  private readonly left = new Map<BlockId, Body>()
  /** Blocks whose facts are being read from the store. */
  private readonly loading = new Set<BlockId>()
  /** Those with a unit that somebody should be asked for, as of the present round. */
  private open: Array<Body> = []

  constructor(core: SyncCore) {
    this.core = core
  }

  get incomplete(): number {
    let count = 0
    for (const body of this.bodies.values()) if (body.durable !== body.all) count++
    return count
  }

  has(id: BlockId): boolean {
    return this.bodies.has(id)
  }

  factsOf(id: BlockId): HeaderFacts | undefined {
    return this.bodies.get(id)?.facts ?? this.core.facts.get(id)
  }

  complete(id: BlockId): boolean {
    const body = this.bodies.get(id)
    return body !== undefined && body.durable === body.all
  }

  forget(id: BlockId): void {
    this.loading.delete(id)
    const body = this.bodies.get(id)
    if (body === undefined) return
    for (let unit = 0; unit < body.facts.units; unit++) body.askedOf[unit]?.units.drop(keyOf(id, unit))
    this.bodies.delete(id)
    const isUnderWay = body.received !== body.durable || body.askedOf.some((peer) => peer !== undefined)
    if (isUnderWay) this.remember(body)
  }

  private remember(body: Body): void {
    this.left.set(body.id, body)
    if (this.left.size <= ChainLimits.leftBodies) return
    for (const oldest of this.left.keys()) {
      this.left.delete(oldest)
      return
    }
  }

  /** Wants the bodies of these blocks, lowest first; facts that are not at hand are read from the store. */
  want(ids: Iterable<BlockId>): void {
    const missing: Array<BlockId> = []
    for (const id of ids) {
      if (this.bodies.has(id) || this.loading.has(id)) continue
      const facts = this.core.facts.get(id)
      if (facts === undefined) {
        missing.push(id)
        this.loading.add(id)
      } else this.begin(facts)
    }
    if (missing.length > 0) this.core.emit({ kind: "load-headers", ids: missing })
  }

  loaded(header: HeaderFacts): void {
    if (this.loading.delete(header.id)) this.begin(header)
  }

  /** Whether the block was waiting for its header: then the store has lost it. */
  notLoaded(id: BlockId): boolean {
    return this.loading.delete(id)
  }

  private begin(facts: HeaderFacts): void {
    const all = 2 ** facts.units - 1
    const held = this.core.start.unitsHeld(facts.id) & all
    const left = this.left.get(facts.id)
    if (left !== undefined) return this.goOn(left, held)
    const askedOf = Array.from({ length: facts.units }, (): PeerState | undefined => undefined)
    this.bodies.set(facts.id, {
      id: facts.id,
      level: facts.level,
      facts,
      all,
      received: held,
      durable: held,
      askedOf,
      askedAtMillis: askedOf.map(() => 0)
    })
  }

  /** A body that is wanted again: what has arrived is there, and what was asked for is still waited for. */
  private goOn(body: Body, held: number): void {
    this.left.delete(body.id)
    body.received |= held
    body.durable |= held
    for (let unit = 0; unit < body.facts.units; unit++) {
      const peer = this.core.present(body.askedOf[unit])
      body.askedOf[unit] = peer?.units.retake(keyOf(body.id, unit)) === true ? peer : undefined
    }
    this.bodies.set(body.id, body)
  }

  /** Units that each peer may be given in the present round, so that all that can help do (R93); whole blocks. */
  share(peers: number): number {
    let units = 0
    let most = 1
    for (const { facts } of this.open) {
      units += facts.units
      most = Math.max(most, facts.units)
    }
    return Math.max(most, Math.ceil(units / Math.max(1, peers)))
  }

  /** Sends what this peer should be asked now: whole blocks first, no more than `mostUnits`. */
  fill(peer: PeerState, messagesOut: number, mostUnits: number): boolean {
    let sent = false
    let given = 0
    if (peer.units.restUntilMillis > this.core.now) {
      this.core.wakeBy(peer.units.restUntilMillis)
      return false
    }
    while (peer.units.messages < messagesOut && given < mostUnits) {
      const items = this.pick(peer)
      if (items.length === 0) return sent
      const keys = items.map(({ block, unit }) => keyOf(block, unit))
      peer.units.ask(keys, this.core.now)
      for (const { block, unit } of items) {
        const body = this.bodies.get(block)
        if (body === undefined) continue
        body.askedOf[unit] = peer
        body.askedAtMillis[unit] = this.core.now
      }
      this.core.wakeBy(peer.units.deadlineMillis)
      this.core.ask(peer, { kind: "get-units", items })
      given += items.length
      sent = true
    }
    return sent
  }

  private pick(peer: PeerState): Array<{ block: BlockId; unit: number }> {
    const { core } = this
    const items: Array<{ block: BlockId; unit: number }> = []
    for (const body of this.open) {
      if (!peer.mayHold(body.level, core.lowestNamed)) continue
      for (let unit = 0; unit < body.facts.units; unit++) {
        const open = (body.received & (1 << unit)) === 0 && this.isOpen(body, unit)
        if (!open || !peer.units.mayAsk(keyOf(body.id, unit), core.now)) continue
        if (items.length >= core.rules.itemsPerRequest) return items
        items.push({ block: body.id, unit })
      }
      // Half a block more would only make two peers wait for each other.
      if (items.length + body.facts.units > core.rules.itemsPerRequest) return items
    }
    return items
  }

  /** Asked of nobody, or of a peer that takes long: then another one is asked as well, without waiting for the timer. */
  private isOpen(body: Body, unit: number): boolean {
    if (body.askedOf[unit] === undefined) return true
    const patienceMillis = this.core.options.timers.unit / ChainLimits.patienceShare
    return (body.askedAtMillis[unit] ?? 0) + patienceMillis <= this.core.now
  }

  /** Before a round of requests: finds the bodies that have something to ask for, and when a unit may be asked of a second peer. */
  prepare(): void {
    const patienceMillis = this.core.options.timers.unit / ChainLimits.patienceShare
    this.open = []
    let next = Infinity
    for (const body of this.bodies.values()) {
      if (body.received === body.all) continue
      let open = false
      for (let unit = 0; unit < body.facts.units; unit++) {
        if ((body.received & (1 << unit)) !== 0) continue
        const due = body.askedOf[unit] === undefined ? 0 : (body.askedAtMillis[unit] ?? 0) + patienceMillis
        if (due <= this.core.now) open = true
        else next = Math.min(next, due)
      }
      if (open) this.open.push(body)
    }
    this.core.wakeBy(next)
  }

  /** A unit in answer to a request: stored when the header's commitment proves it, blamed when it disproves it (R118, 2.6). */
  answered(peer: PeerState, block: BlockId, unit: number, bytes: Uint8Array, proof: Uint8Array): void {
    const { core } = this
    const standing = peer.units.answered(keyOf(block, unit))
    const subject = () => `block ${core.show(block)} unit ${unit}`
    if (standing === "never") {
      core.blame(peer, "never-asked", subject(), `sent ${bytes.length} bytes that it was never asked for`)
      return
    }
    const body = this.bodies.get(block) ?? this.left.get(block)
    if (body === undefined || unit >= body.facts.units || (body.received & (1 << unit)) !== 0) return
    const fault = core.rules.verifyUnit(body.facts, unit, bytes, proof)
    if (fault !== undefined) {
      if (body.askedOf[unit] === peer) body.askedOf[unit] = undefined
      peer.units.refuse(keyOf(block, unit), core.now)
      core.blame(peer, "bad-body-proof", subject(), fault)
      return
    }
    const other = body.askedOf[unit]
    if (other !== undefined && other !== peer) other.units.drop(keyOf(block, unit))
    body.askedOf[unit] = undefined
    body.received |= 1 << unit
    if (standing === "pending") core.credit(peer, "unit")
    core.counters.unitsReceived++
    core.counters.unitBytes += bytes.length
    core.progress()
    core.emit({ kind: "store-units", units: [{ block, unit, body: bytes }] })
  }

  stored(block: BlockId, unit: number): void {
    const body = this.bodies.get(block) ?? this.left.get(block)
    if (body === undefined || (body.durable & (1 << unit)) !== 0) return
    body.durable |= 1 << unit
    body.received |= 1 << unit
    // From here on the store knows.
    if (body.durable === body.all) this.left.delete(block)
  }

  expire(peer: PeerState): void {
    const expired: Array<string> = []
    peer.units.expire(this.core.now, expired)
    this.core.counters.requestsTimedOut += expired.length
    for (const key of expired) this.reopen(key, peer)
    if (expired.length > 0) peer.units.rest(this.core.now)
    this.core.wakeBy(peer.units.deadlineMillis)
  }

  released(peer: PeerState): void {
    for (const key of peer.units.pendingKeys()) this.reopen(key, peer)
  }

  private reopen(key: string, peer: PeerState): void {
    const slash = key.indexOf("/")
    const body = this.bodies.get(key.slice(0, slash))
    const unit = Number(key.slice(slash + 1))
    if (body?.askedOf[unit] === peer) body.askedOf[unit] = undefined
  }

  /** The lowest block that is not complete, with the units that nobody can be asked for now: what `why` names. */
  lowestOpen(): {
    readonly level: number
    readonly id: BlockId
    readonly missing: number
    readonly asked: ReadonlyArray<string>
  } | undefined {
    let lowest: Body | undefined
    for (const body of this.bodies.values()) {
      if (body.durable !== body.all && (lowest === undefined || body.level < lowest.level)) lowest = body
    }
    if (lowest === undefined) return undefined
    const asked = new Set(lowest.askedOf.flatMap((peer) => peer?.id ?? []))
    let missing = 0
    for (let unit = 0; unit < lowest.facts.units; unit++) if ((lowest.received & (1 << unit)) === 0) missing++
    return { level: lowest.level, id: lowest.id, missing, asked: [...asked] }
  }
}
