/**
 * Strategy 2 of mission 003: branches near the tip are applied as they come, each on its own ground, so that a switch only moves the head.
 * Instant, at the price of work for branches that lose (R123, R124). Needs an applier that holds several branches.
 */
import type { Wait } from "@peerstrap/progress"
import type { BlockId, BlockRef, HeaderFacts } from "../../contract/Block.ts"
import type { Reorganisation, ReorganisationParts, Rival } from "../../contract/Reorganisation.ts"
import { PendingRival } from "./PendingRival.ts"
import { adopt } from "./Reorganisation.ts"
import { SideRetries } from "./SideRetries.ts"

export class AppliedBranches implements Reorganisation {
  private readonly parts: ReorganisationParts
  /** Side blocks that the applier has. */
  private readonly held = new Set<BlockId>()
  private readonly refused = new Set<BlockId>()
  /** Side blocks whose bodies were asked for. */
  private readonly wanted = new Set<BlockId>()
  private applying: BlockId | undefined = undefined
  private readonly pending: PendingRival
  private readonly retries: SideRetries
  private moving:
    | { readonly rival: Rival; readonly from: BlockRef; readonly left: ReadonlyArray<BlockId> }
    | undefined = undefined

  constructor(parts: ReorganisationParts) {
    this.parts = parts
    this.pending = new PendingRival(parts)
    this.retries = new SideRetries(parts.core)
  }

  get busy(): boolean {
    return this.pending.rival !== undefined || this.moving !== undefined
  }

  consider(rival: Rival | undefined): void {
    if (this.moving === undefined) this.pending.consider(rival)
  }

  advance(): void {
    this.forgetSettled()
    if (this.moving !== undefined) return
    this.applyNext()
    if (this.applying !== undefined) return
    const taken = this.pending.take((id) => this.held.has(id))
    if (taken === undefined) return
    const { core, gate } = this.parts
    const { fork, rival } = taken
    const left: Array<BlockId> = []
    for (let level = fork.level + 1; level <= core.head.level; level++) {
      const id = core.chainAt(level)
      if (id !== undefined) left.push(id)
    }
    this.moving = { rival, from: core.head, left }
    gate.record(rival.ids, fork, core.dag.find(core.idBytes(rival.top.id)))
    core.emit({ kind: "switch", fork, to: { id: rival.top.id, level: rival.top.level }, ids: rival.ids })
  }

  /** Side headers whose parent is applied: those of the rival first, then those that failed least often, lowest first. */
  private candidates(): ReadonlyArray<HeaderFacts> {
    const { core } = this.parts
    const found: Array<HeaderFacts> = []
    for (const facts of core.facts.values()) {
      if (facts.level <= core.dag.baseLevel || core.chainLevel(facts.id) !== undefined) continue
      if (this.held.has(facts.id) || this.refused.has(facts.id)) continue
      const parentApplied = this.held.has(facts.parent) || core.start.appliedLevel(facts.parent) !== undefined
      if (parentApplied && core.dag.find(core.idBytes(facts.id)) >= 0) found.push(facts)
    }
    const rank = ({ id }: HeaderFacts): number => this.isOfRival(id) ? -1 : this.retries.failures(id)
    return found.toSorted((a, b) => rank(a) - rank(b) || a.level - b.level || (a.id < b.id ? -1 : 1))
  }

  private isOfRival(id: BlockId): boolean {
    return this.pending.rival?.ids.includes(id) ?? false
  }

  /** Tips of side branches that the applier holds. */
  private tips(): ReadonlySet<BlockId> {
    const { core } = this.parts
    const parents = new Set([...this.held].flatMap((id) => core.facts.get(id)?.parent ?? []))
    return new Set([...this.held].filter((id) => !parents.has(id)))
  }

  private applyNext(): void {
    const { apply, bodies, core } = this.parts
    if (this.applying !== undefined || apply.inFlight > 0 || this.retries.paused) return
    const tips = this.tips()
    for (const facts of this.candidates()) {
      const opensBranch = !tips.has(facts.parent)
      if (opensBranch && !this.isOfRival(facts.id) && tips.size >= core.options.maxBranches) continue
      bodies.want([facts.id])
      this.wanted.add(facts.id)
      if (!bodies.complete(facts.id) || this.retries.rests(facts.id)) continue
      this.applying = facts.id
      core.emit({ kind: "store-headers", headers: [facts] })
      core.emit({ kind: "apply", blocks: [facts], firstLevel: facts.level, branch: "side" })
      return
    }
  }

  applied(ids: ReadonlyArray<BlockId>, count: number, outcome: "ok" | "invalid" | "transient", reason: string): void {
    this.applying = undefined
    for (const id of ids.slice(0, count)) {
      this.held.add(id)
      this.retries.settled(id)
      this.unwant(id)
    }
    const next = ids[count]
    if (outcome === "ok" || next === undefined) return
    if (outcome === "invalid") {
      this.refused.add(next)
      this.retries.settled(next)
      return this.unwant(next)
    }
    // A block that has lost meanwhile has no facts any more, and is not tried again.
    const facts = this.parts.core.facts.get(next)
    if (facts !== undefined) this.retries.failed(facts, reason)
  }

  /** What was chosen meanwhile is wanted for our chain. */
  private unwant(id: BlockId): void {
    const { bodies, core } = this.parts
    if (this.wanted.delete(id) && core.chainLevel(id) === undefined) bodies.forget(id)
  }

  moved(to: BlockRef): void {
    const { core, gate } = this.parts
    const { moving } = this
    if (moving === undefined) return
    this.moving = undefined
    core.counters.reorganisations++
    for (const id of moving.left) this.held.add(id)
    for (const id of moving.rival.ids) this.held.delete(id)
    const forkLevel = moving.rival.forkLevel
    const fork = { id: core.chainAt(forkLevel) ?? to.id, level: forkLevel }
    adopt(this.parts, to, moving.rival.top)
    gate.restart()
    core.notice({ kind: "reorganised", fork, from: moving.from, to, strategy: "applied-branches" })
  }

  /** A branch that leaves our chain at or below what is final has lost for good. */
  private forgetSettled(): void {
    const { core } = this.parts
    const isSettled = (id: BlockId): boolean => core.dag.find(core.idBytes(id)) < 0
    for (const id of this.wanted) if (isSettled(id)) this.unwant(id)
    for (const id of this.refused) if (isSettled(id)) this.refused.delete(id)
    // What our chain took over is tried as part of it.
    for (const id of this.retries.ids()) {
      if (isSettled(id) || core.chainLevel(id) !== undefined) this.retries.settled(id)
    }
    for (const id of this.held) {
      if (!isSettled(id)) continue
      this.held.delete(id)
      core.emit({ kind: "forget-branch", id })
    }
  }

  waits(): ReadonlyArray<Wait> {
    const ofRival = this.pending.waits(
      (id) => this.held.has(id),
      (blocks) => `${blocks} blocks of the new branch to be applied`,
      "none needed"
    )
    return [...ofRival, ...this.retries.waits(this.pending.rival?.ids ?? [])]
  }
}
