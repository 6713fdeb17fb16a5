/**
 * The goals of the header phase: mission 003's `earliest_hashes`, with who named them. Segmented mode aims at each peer's lowest entries above our
 * chosen chain; anchored mode at each peer's newest entry that is old enough to be final (R20, R23, R29, R35–R38, A9, A18, A20).
 */
import type { BlockId } from "../../contract/Block.ts"
import { ChainLimits } from "../../contract/ChainLimits.ts"
import type { BranchEntry } from "../../contract/PeerMessage.ts"
import type { PeerState } from "./PeerState.ts"
import type { SyncCore } from "./SyncCore.ts"

export interface Target {
  readonly id: BlockId
  /** As computed from the locator; undefined for an inexact entry. */
  level: number | undefined
  readonly sources: Set<PeerState>
  /** Anchored mode: the parallel ways down have been started. */
  begun: boolean
  /** When it appeared or last gained a source. */
  freshMillis: number
}

export class Targets {
  readonly byId = new Map<BlockId, Target>()
  /** There are others than before, or more may be known of them. */
  changed = false
  private readonly core: SyncCore
  /** Hashes that nobody serves, left alone until then. */
  private readonly unavailable = new Map<BlockId, number>()

  constructor(core: SyncCore) {
    this.core = core
  }

  get size(): number {
    return this.byId.size
  }

  /** Takes the present goals of a peer from its stored branch. Returns whether it has any above our chosen chain. */
  refill(peer: PeerState): boolean {
    this.release(peer)
    const goals = this.goals(peer)
    for (const entry of goals) this.add(entry, peer)
    return goals.length > 0
  }

  private goals(peer: PeerState): ReadonlyArray<BranchEntry> {
    const { core } = this
    if (peer.branch === undefined || peer.deviates) return []
    const above = core.frontier.level
    if (core.mode === "anchored") {
      const level = core.peersLevel
      const settled = level === undefined ? undefined : peer.newestBetween(above, level - core.rules.finality)
      if (settled !== undefined) return [settled]
    }
    const earliest = peer.earliestAbove(above, ChainLimits.targetsPerPeer)
    if (earliest.length > 0) return earliest
    const only = peer.branch.entries.at(-1)
    const known = only === undefined || core.chainLevel(only.id) !== undefined
    return known || only.exact || peer.branch.entries.length > 1 ? [] : [{ ...only, level: undefined }]
  }

  private add(entry: BranchEntry, peer: PeerState): void {
    const until = this.unavailable.get(entry.id)
    if (until !== undefined && until > this.core.now) return
    this.unavailable.delete(entry.id)
    this.changed = true
    if (this.core.invalid.has(entry.id)) return
    const known = this.byId.get(entry.id)
    if (known === undefined) {
      this.byId.set(entry.id, {
        id: entry.id,
        level: entry.exact ? entry.level : undefined,
        sources: new Set([peer]),
        begun: false,
        freshMillis: this.core.now
      })
    } else if (!known.sources.has(peer)) {
      known.sources.add(peer)
      known.freshMillis = this.core.now
    }
  }

  /** The peer names nothing any more; targets that nobody else names go (invariant 9). */
  release(peer: PeerState): void {
    for (const target of this.byId.values()) {
      if (target.sources.delete(peer) && target.sources.size === 0) this.byId.delete(target.id)
    }
  }

  /** The header itself says at which level the block stands. */
  setLevel(id: BlockId, level: number): void {
    const target = this.byId.get(id)
    if (target !== undefined) target.level = level
  }

  /**
   * Nobody serves the hash: not tried again for a while, and who named it is asked for its branch anew. Nobody is blamed, because silence proves
   * nothing (R116, A31).
   */
  markUnavailable(id: BlockId): void {
    const target = this.byId.get(id)
    if (target === undefined) return
    for (const source of target.sources) source.branchWanted = true
    this.byId.delete(id)
    this.unavailable.set(id, this.core.now + this.core.options.timers.doNotAsk)
    for (const [old, until] of this.unavailable) if (until <= this.core.now) this.unavailable.delete(old)
  }

  /** Drops targets at or below our chosen chain, and those that gained no support for their lifetime. */
  sweep(): void {
    const { core } = this
    for (const target of this.byId.values()) {
      const reached = target.level !== undefined && target.level <= core.frontier.level
      const stale = core.now - target.freshMillis > core.options.timers.targetLifetime
      if (reached || core.chainLevel(target.id) !== undefined) this.byId.delete(target.id)
      else if (stale) this.markUnavailable(target.id)
    }
  }

  /** Every goal starts again from the stored branches; peers with nothing left above us are asked for a new branch (R57, 5.5.7). */
  restart(): void {
    this.byId.clear()
    for (const peer of this.core.peers.values()) {
      if (peer.branch === undefined) continue
      const claimed = peer.claimedLevel ?? 0
      if (!this.refill(peer) && claimed > this.core.frontier.level) peer.branchWanted = true
    }
  }
}
