/**
 * Headers near the peers' heads are kept when they lose, with their supporters, so that a branch that comes back is not fetched again (R7,
 * R121, R126, 5.10, A26). Bodies stay in the store anyway. The oldest level slides out.
 */
import type { Removed } from "@peerstrap/header-dag-quorum"
import type { BlockId, HeaderFacts } from "../../contract/Block.ts"
import { ChainLimits } from "../../contract/ChainLimits.ts"
import type { SyncCore } from "./SyncCore.ts"

export interface Retained {
  readonly header: HeaderFacts
  /** Identities that claimed it when it was pruned. */
  readonly supporters: ReadonlyArray<string>
}

export class Retention {
  private readonly core: SyncCore
  private readonly kept = new Map<BlockId, Retained>()

  constructor(core: SyncCore) {
    this.core = core
  }

  get size(): number {
    return this.kept.size
  }

  /** Lowest level worth keeping, seen from the level that more than 2/3 of the peers reach. */
  get lowestLevel(): number {
    const level = this.core.peersLevel
    return level === undefined ? Infinity : level - this.core.options.retentionBlocks
  }

  keep(header: HeaderFacts, removed: Removed): void {
    if (header.level < this.lowestLevel) return
    const supporters = [...this.core.peers.values()].filter((peer) => removed.strong.includes(peer.slot)).map((peer) =>
      peer.id
    )
    this.kept.set(header.id, { header, supporters })
    if (this.kept.size > ChainLimits.retainedHeaders) this.slide()
  }

  /** A header that was asked for and came when it was not wanted any more: perhaps it will be. */
  spare(header: HeaderFacts): void {
    this.kept.set(header.id, { header, supporters: [] })
    if (this.kept.size > ChainLimits.retainedHeaders) this.slide()
  }

  get(id: BlockId): Retained | undefined {
    return this.kept.get(id)
  }

  /** Gives a kept header back to the pending ones. */
  take(id: BlockId): HeaderFacts | undefined {
    const retained = this.kept.get(id)
    this.kept.delete(id)
    return retained?.header
  }

  slide(): void {
    const lowest = this.lowestLevel
    for (const [id, retained] of this.kept) if (retained.header.level < lowest) this.kept.delete(id)
    for (const id of this.kept.keys()) {
      if (this.kept.size <= ChainLimits.retainedHeaders) return
      this.kept.delete(id)
    }
  }
}
