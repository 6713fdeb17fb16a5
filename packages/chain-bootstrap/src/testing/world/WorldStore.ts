/** A chain store and an applier in virtual time: actions take effect in order, after a delay; a crash loses what is not durable yet. */
import type { BlockId, BlockRef, HeaderFacts } from "../../contract/Block.ts"
import type { SyncStart } from "../../contract/ChainSync.ts"

export interface StoredSegment {
  readonly ids: ReadonlyArray<BlockId>
  readonly firstLevel: number
}

/** What is durable. */
export class WorldStore {
  readonly base: BlockRef
  readonly headers = new Map<BlockId, HeaderFacts>()
  readonly units = new Map<BlockId, number>()
  readonly segments = new Set<BlockId>()
  /** Chosen by level, above the head. */
  private chosen = new Map<number, BlockId>()
  /** Ids from the base on. */
  private applied: Array<BlockId>
  private readonly levels = new Map<BlockId, number>()
  knownPeers: string | undefined

  constructor(base: BlockRef) {
    this.base = base
    this.applied = [base.id]
    this.levels.set(base.id, base.level)
  }

  get head(): BlockRef {
    return { id: this.applied.at(-1)!, level: this.base.level + this.applied.length - 1 }
  }

  appliedAt(level: number): BlockId | undefined {
    return this.applied[level - this.base.level]
  }

  appliedLevel(id: BlockId): number | undefined {
    return this.levels.get(id)
  }

  addSegment({ firstLevel, ids }: StoredSegment): void {
    for (const level of this.chosen.keys()) if (level >= firstLevel) this.chosen.delete(level)
    for (const [n, id] of ids.entries()) {
      this.chosen.set(firstLevel + n, id)
      this.segments.add(id)
    }
  }

  apply(ids: ReadonlyArray<BlockId>): void {
    for (const id of ids) {
      this.levels.set(id, this.base.level + this.applied.length)
      this.applied.push(id)
      this.chosen.delete(this.head.level)
    }
  }

  rollback(to: BlockRef): void {
    for (const id of this.applied.splice(to.level - this.base.level + 1)) this.levels.delete(id)
    const next = this.chosen.get(to.level + 1)
    if (next === undefined || this.headers.get(next)?.parent !== to.id) this.chosen.clear()
  }

  get pending(): SyncStart["pending"] {
    const firstLevel = this.head.level + 1
    const ids: Array<BlockId> = []
    let parent = this.head.id
    for (let level = firstLevel;; level++) {
      const id = this.chosen.get(level)
      if (id === undefined || this.headers.get(id)?.parent !== parent) return { firstLevel, ids }
      ids.push(id)
      parent = id
    }
  }

  start(branches: "one" | "many"): SyncStart {
    const loose = [...this.headers.keys()].some((id) => !this.segments.has(id))
    return {
      base: this.base,
      head: this.head,
      headFacts: this.headers.get(this.head.id),
      pending: this.pending,
      appliedAt: (level) => this.appliedAt(level),
      appliedLevel: (id) => this.appliedLevel(id),
      unitsHeld: (id) => this.units.get(id) ?? 0,
      looseHeaders: loose,
      knownPeers: this.knownPeers,
      branches
    }
  }
}
