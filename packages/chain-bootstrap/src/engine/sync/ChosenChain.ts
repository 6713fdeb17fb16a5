/** The chosen and not yet applied part of our chain: ids by level from the head's successor upward, and their levels by id. */
import type { BlockId, BlockRef } from "../../contract/Block.ts"

export class ChosenChain {
  /** Level of the lowest chosen block. */
  private firstLevel: number
  private ids: Array<BlockId> = []
  /** Entries of `ids` before this one are applied; dropped now and then, so that taking from the front costs nothing. */
  private start = 0
  private readonly levels = new Map<BlockId, number>()
  private below: BlockRef

  constructor(head: BlockRef) {
    this.below = head
    this.firstLevel = head.level + 1
  }

  get length(): number {
    return this.ids.length - this.start
  }

  /** The highest chosen block, or the head when none is pending. */
  get top(): BlockRef {
    const id = this.length === 0 ? undefined : this.ids.at(-1)
    return id === undefined ? this.below : { id, level: this.firstLevel + this.length - 1 }
  }

  get lowest(): number {
    return this.firstLevel
  }

  at(level: number): BlockId | undefined {
    return level < this.firstLevel ? undefined : this.ids[this.start + level - this.firstLevel]
  }

  levelOf(id: BlockId): number | undefined {
    return this.levels.get(id)
  }

  append(ids: ReadonlyArray<BlockId>): void {
    for (const id of ids) {
      this.levels.set(id, this.firstLevel + this.length)
      this.ids.push(id)
    }
  }

  /** The lowest `count` blocks have been applied. */
  applied(count: number): BlockRef {
    for (const id of this.ids.slice(this.start, this.start + count)) {
      this.levels.delete(id)
      this.below = { id, level: this.firstLevel }
      this.firstLevel++
      this.start++
    }
    if (this.start > 4096 && this.start * 2 > this.ids.length) {
      this.ids = this.ids.slice(this.start)
      this.start = 0
    }
    return this.below
  }

  /** Removes everything above a level; returns what was removed. */
  cutAbove(level: number): ReadonlyArray<BlockId> {
    const removed = this.ids.splice(this.start + Math.max(0, level + 1 - this.firstLevel))
    for (const id of removed) this.levels.delete(id)
    return removed
  }

  /** Starts again above another head. */
  reset(head: BlockRef): void {
    this.ids = []
    this.start = 0
    this.levels.clear()
    this.below = head
    this.firstLevel = head.level + 1
  }
}
