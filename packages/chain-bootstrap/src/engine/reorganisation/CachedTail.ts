/**
 * Strategy 1 of mission 003: only the chain we follow is applied. When a quorum moves to another branch, what is missing of it is fetched first,
 * then the applier goes back to the fork and up the new branch. Cheap to keep, with a delay at the switch (R121, R122).
 */
import type { Wait } from "@peerstrap/progress"
import type { BlockId, BlockRef } from "../../contract/Block.ts"
import type { Rival } from "../sync/Gate.ts"
import {
  adopt,
  forkOf,
  type Reorganisation,
  type ReorganisationParts,
  replaceChosen,
  takenBack
} from "./Reorganisation.ts"

export class CachedTail implements Reorganisation {
  private readonly parts: ReorganisationParts
  private rival: Rival | undefined = undefined
  private moving: { readonly rival: Rival; readonly from: BlockRef } | undefined = undefined
  private sinceMillis = 0

  constructor(parts: ReorganisationParts) {
    this.parts = parts
  }

  get busy(): boolean {
    return this.rival !== undefined || this.moving !== undefined
  }

  consider(rival: Rival | undefined): void {
    const { apply, bodies, core } = this.parts
    if (this.moving !== undefined) return
    if (rival === undefined) {
      if (this.rival === undefined) return
      for (const id of this.rival.ids) bodies.forget(id)
      this.rival = undefined
      apply.paused = false
      return
    }
    if (rival.forkLevel >= apply.committedLevel) {
      this.rival = undefined
      apply.paused = false
      return replaceChosen(this.parts, rival)
    }
    if (forkOf(this.parts, rival) === undefined) return
    if (this.rival === undefined) this.sinceMillis = core.now
    this.rival = rival
    apply.paused = true
    bodies.want(rival.ids)
  }

  advance(): void {
    const { apply, bodies, core, gate } = this.parts
    const { rival } = this
    if (rival === undefined || this.moving !== undefined || apply.inFlight > 0) return
    if (takenBack(this.parts, rival)) {
      this.rival = undefined
      return
    }
    if (!rival.ids.every((id) => bodies.complete(id)) || !gate.stands(rival)) return
    const fork = forkOf(this.parts, rival)
    if (fork === undefined) return
    this.rival = undefined
    this.moving = { rival, from: core.head }
    core.emit({ kind: "rollback", to: fork })
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
    // The branch is chosen like any segment, by the quorum of now.
    gate.restart()
    const top = { id: moving.rival.top.id, level: moving.rival.top.level }
    core.notice({ kind: "reorganised", fork: to, from: moving.from, to: top, strategy: "cached-tail" })
  }

  waits(): ReadonlyArray<Wait> {
    const { rival } = this
    if (rival === undefined) return []
    const { bodies, core } = this.parts
    const missing = rival.ids.filter((id: BlockId) => !bodies.complete(id)).length
    return [{
      subject: `reorganisation to block ${core.show(rival.top.id)} of level ${rival.top.level}`,
      waitingFor: missing > 0
        ? `bodies of ${missing} blocks of the new branch`
        : "the applier to finish what it was given",
      cause: `a quorum left our chain at level ${rival.forkLevel}`,
      peers: [],
      remedy: "none needed; --strategy applied-branches switches without this delay",
      sinceMillis: this.sinceMillis
    }]
  }
}
