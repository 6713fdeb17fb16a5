/**
 * A chain with quorum and more weight than ours, until it is adopted or gone: what both strategies do alike. The applier gets nothing new meanwhile, and
 * nothing is undone before all of the rival is there and its quorum still stands.
 */
import type { Wait } from "@peerstrap/progress"
import type { BlockId, BlockRef } from "../../contract/Block.ts"
import type { ReorganisationParts, Rival } from "../../contract/Reorganisation.ts"
import { forkOf, replaceChosen, takenBack } from "./Reorganisation.ts"

export class PendingRival {
  private readonly parts: ReorganisationParts
  private present: Rival | undefined = undefined
  private sinceMillis = 0

  constructor(parts: ReorganisationParts) {
    this.parts = parts
  }

  get rival(): Rival | undefined {
    return this.present
  }

  /** Takes what the gate saw. A rival that touches nothing the applier has is chosen at once. True: it is to be prepared. */
  consider(rival: Rival | undefined): boolean {
    const { apply, core } = this.parts
    if (rival === undefined || rival.forkLevel >= apply.committedLevel) {
      this.present = undefined
      apply.paused = false
      if (rival !== undefined) replaceChosen(this.parts, rival)
      return false
    }
    if (forkOf(this.parts, rival) === undefined) return false
    if (this.present === undefined) this.sinceMillis = core.now
    this.present = rival
    apply.paused = true
    return true
  }

  /** The rival and its fork, once the applier has nothing in hand, every block is prepared, and the quorum stands: then it is pending no more. */
  take(prepared: (id: BlockId) => boolean): { readonly rival: Rival; readonly fork: BlockRef } | undefined {
    const { apply, gate } = this.parts
    const rival = this.present
    if (rival === undefined || apply.inFlight > 0) return undefined
    if (takenBack(this.parts, rival)) {
      this.present = undefined
      return undefined
    }
    if (!rival.ids.every(prepared) || !gate.stands(rival)) return undefined
    const fork = forkOf(this.parts, rival)
    if (fork === undefined) return undefined
    this.present = undefined
    return { rival, fork }
  }

  /** `missing`: what is not prepared, in words, for so many blocks. */
  waits(prepared: (id: BlockId) => boolean, missing: (blocks: number) => string, remedy: string): ReadonlyArray<Wait> {
    const rival = this.present
    if (rival === undefined) return []
    const left = rival.ids.filter((id) => !prepared(id)).length
    return [{
      subject: `reorganisation to block ${this.parts.core.show(rival.top.id)} of level ${rival.top.level}`,
      waitingFor: left > 0 ? missing(left) : "the applier to finish what it was given",
      cause: `a quorum left our chain at level ${rival.forkLevel}`,
      peers: [],
      remedy,
      sinceMillis: this.sinceMillis
    }]
  }
}
