/**
 * Strategy 1 of mission 003: only the chain we follow is applied. When a quorum moves to another branch, what is missing of it is fetched first,
 * then the applier goes back to the fork and up the new branch. Cheap to keep, with a delay at the switch (R121, R122).
 */
import type { Wait } from "@peerstrap/progress"
import type { BlockId, BlockRef } from "../../contract/Block.ts"
import type { Reorganisation, ReorganisationParts, Rival } from "../../contract/Reorganisation.ts"
import { PendingRival } from "./PendingRival.ts"
import { adopt } from "./Reorganisation.ts"

export class CachedTail implements Reorganisation {
  private readonly parts: ReorganisationParts
  private readonly pending: PendingRival
  /** Blocks of all rivals since there was none: peers do not turn at once, so that one rival soon gives way to the next, or comes back. */
  private readonly prepared = new Set<BlockId>()
  private moving: { readonly rival: Rival; readonly from: BlockRef } | undefined = undefined

  constructor(parts: ReorganisationParts) {
    this.parts = parts
    this.pending = new PendingRival(parts)
  }

  get busy(): boolean {
    return this.pending.rival !== undefined || this.moving !== undefined
  }

  consider(rival: Rival | undefined): void {
    if (this.moving !== undefined) return
    if (!this.pending.consider(rival)) return this.forgetPrepared()
    for (const id of rival?.ids ?? []) this.prepared.add(id)
    this.parts.bodies.want(rival?.ids ?? [])
  }

  advance(): void {
    const { bodies, core } = this.parts
    if (this.moving !== undefined) return
    const taken = this.pending.take((id) => bodies.complete(id))
    if (taken === undefined) return
    this.moving = { rival: taken.rival, from: core.head }
    core.emit({ kind: "rollback", to: taken.fork })
  }

  applied(): void {
    // Nothing is applied beside the chain we follow.
  }

  moved(to: BlockRef): void {
    const { core, gate } = this.parts
    const { moving } = this
    if (moving === undefined) return
    this.moving = undefined
    core.counters.reorganisations++
    adopt(this.parts, to, core.facts.get(to.id))
    // The branch is chosen like any segment, by the quorum of now, which may want another one. Its bodies are durable: what is chosen has them at once.
    this.forgetPrepared()
    gate.restart()
    const top = { id: moving.rival.top.id, level: moving.rival.top.level }
    core.notice({ kind: "reorganised", fork: to, from: moving.from, to: top, strategy: "cached-tail" })
  }

  private forgetPrepared(): void {
    const { bodies, core } = this.parts
    for (const id of this.prepared) if (core.chainLevel(id) === undefined) bodies.forget(id)
    this.prepared.clear()
  }

  waits(): ReadonlyArray<Wait> {
    return this.pending.waits(
      (id) => this.parts.bodies.complete(id),
      (blocks) => `bodies of ${blocks} blocks of the new branch`,
      "none needed; --strategy applied-branches switches without this delay"
    )
  }
}
