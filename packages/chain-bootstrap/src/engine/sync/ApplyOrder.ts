/**
 * Applies chosen blocks strictly in order, as soon as the lowest is complete, durable and of a stored segment; keeps a window of bodies ahead
 * (mission 003 step 5; R53–R55; 5.4 ApplyOk and ApplyFailed, A35).
 */
import type { BlockId, HeaderFacts } from "../../contract/Block.ts"
import { ChainLimits } from "../../contract/ChainLimits.ts"
import { applyRetryMillis } from "../ApplyRetry.ts"
import type { BodyRequests } from "./BodyRequests.ts"
import type { Deviations } from "./Deviations.ts"
import type { SyncCore } from "./SyncCore.ts"

export class ApplyOrder {
  private readonly core: SyncCore
  private readonly bodies: BodyRequests
  private readonly deviations: Deviations
  /** Highest level whose segment is durable. */
  private storedLevel: number
  /** Highest level given to the applier. */
  private givenLevel: number
  private appliesOut = 0
  private retryAtMillis: number | undefined = undefined
  private retries = 0
  retryReason: string | undefined = undefined
  /** Nothing more is given out: the head is about to move. */
  paused = false

  constructor(core: SyncCore, bodies: BodyRequests, deviations: Deviations) {
    this.core = core
    this.bodies = bodies
    this.deviations = deviations
    this.storedLevel = core.chosen.top.level
    this.givenLevel = core.head.level
  }

  get inFlight(): number {
    return this.appliesOut
  }

  segmentStored(topLevel: number): void {
    this.storedLevel = Math.max(this.storedLevel, topLevel)
  }

  /** Wants the bodies of the window, and gives the applier what is ready. */
  advance(): void {
    const { core } = this
    if (core.halted !== undefined || core.finished) return
    const until = core.options.until
    const limit = typeof until === "object" ? until.level : Infinity
    const windowTop = Math.min(core.head.level + core.options.applyWindow, core.chosen.top.level, limit)
    const wanted: Array<BlockId> = []
    for (let level = core.head.level + 1; level <= windowTop; level++) {
      const id = core.chosen.at(level)
      if (id !== undefined && !this.bodies.has(id)) wanted.push(id)
    }
    if (wanted.length > 0) this.bodies.want(wanted)
    if (this.retryAtMillis !== undefined) {
      // What was given before the failure comes back first, or it would be given twice.
      if (this.appliesOut > 0) return
      if (this.retryAtMillis > core.now) return core.wakeBy(this.retryAtMillis)
      this.retryAtMillis = undefined
    }
    while (!this.paused && this.appliesOut < ChainLimits.appliesOut && this.give(limit)) continue
  }

  private give(limit: number): boolean {
    const { core } = this
    const blocks: Array<HeaderFacts> = []
    const top = Math.min(core.chosen.top.level, this.storedLevel, limit)
    for (let level = this.givenLevel + 1; level <= top && blocks.length < core.options.applyBatch; level++) {
      const id = core.chosen.at(level)
      if (id === undefined || !this.bodies.complete(id)) break
      const facts = this.bodies.factsOf(id)
      if (facts === undefined) break
      blocks.push(facts)
    }
    const first = blocks[0]
    if (first === undefined) return false
    this.givenLevel += blocks.length
    this.appliesOut++
    core.emit({ kind: "apply", blocks, firstLevel: first.level, branch: "head" })
    return true
  }

  applied(ids: ReadonlyArray<BlockId>, count: number, outcome: "ok" | "invalid" | "transient", reason: string): void {
    const { core } = this
    this.appliesOut--
    if (count > 0) this.moveHead(ids.slice(0, count))
    if (outcome === "ok") return
    this.givenLevel = core.head.level
    const id = core.chosen.at(core.head.level + 1)
    if (outcome === "invalid" && id !== undefined) return this.invalid(id, reason)
    // A batch given before another one failed fails with it.
    if (this.retryAtMillis !== undefined) return
    const delayMillis = applyRetryMillis(core.options.timers, ++this.retries)
    this.retryAtMillis = core.now + delayMillis
    this.retryReason = reason
    core.wakeBy(this.retryAtMillis)
    core.notice({ kind: "apply-retry", level: core.head.level + 1, reason, delayMillis })
  }

  private moveHead(ids: ReadonlyArray<BlockId>): void {
    const { core } = this
    this.retries = 0
    this.retryReason = undefined
    for (const id of ids) {
      const facts = this.bodies.factsOf(id)
      if (facts !== undefined) core.headFacts = facts
      this.bodies.forget(id)
      if (facts !== undefined && facts.level <= core.tipFromLevel) core.facts.delete(id)
    }
    core.head = core.chosen.applied(ids.length)
    core.counters.blocksApplied += ids.length
    // The gate may have waited for room.
    core.dagDirty = true
    core.progress()
    core.notice({ kind: "applied", level: core.head.level, id: core.head.id, blocks: ids.length })
  }

  /** A block that a quorum chose does not apply: either more than a third lie, or our applier is wrong. Only an operator can tell (PX). */
  private invalid(id: BlockId, reason: string): void {
    const { core } = this
    core.markInvalid(id)
    core.notice({ kind: "invalid", level: core.head.level + 1, id, reason })
    this.deviations.halt(
      `the applier refuses block ${core.show(id)} of level ${
        core.head.level + 1
      }, which a quorum of peers supports: ${reason}`
    )
  }

  /** The applied chain ends, and chosen blocks begin, somewhere else now. */
  moved(): void {
    this.givenLevel = this.core.head.level
    this.storedLevel = this.core.head.level
    this.paused = false
  }

  /** Chosen blocks above a level were taken back before they were given out. */
  cutAbove(level: number): void {
    this.storedLevel = Math.min(this.storedLevel, level)
  }

  /** Highest level that the applier has or was given: chosen blocks up to it cannot be taken back without undoing. */
  get committedLevel(): number {
    return Math.max(this.givenLevel, this.core.head.level)
  }
}
