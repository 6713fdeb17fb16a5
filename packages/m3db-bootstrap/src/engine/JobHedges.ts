/**
 * Second chances for what one job asked of a peer that is overdue: an item goes to another peer that advertised it, once. The first good
 * answer is stored; a later one finds the item settled and is ignored, whoever it is from.
 */
import { best, type Candidate } from "@peerstrap/peer-selection"
import type { FanOut } from "./FanOut.ts"
import type { FetchBatch } from "./FetchBatch.ts"
import type { Overdue } from "./Hedging.ts"
import { isHopeless } from "./RunScope.ts"
import { SeriesState } from "./SeriesBlock.ts"
import { expectedBytes, type ShardState } from "./ShardState.ts"

const S = SeriesState

export class JobHedges {
  /** Items that were asked of a second peer. */
  private readonly hedged = new Set<number>()
  private readonly shard: ShardState
  private readonly fanOut: FanOut
  private readonly ask: (peer: number, group: number) => void

  constructor(shard: ShardState, fanOut: FanOut, ask: (peer: number, group: number) => void) {
    this.shard = shard
    this.fanOut = fanOut
    this.ask = ask
  }

  /** The batch from `peer` is overdue. */
  onOverdue({ groups }: FetchBatch, peer: number, overdue: Overdue): void {
    const { series } = this.shard
    for (const group of groups) {
      if (!series.asked(group, peer)) continue
      const state = series.state(group)
      if (state === S.FETCH_ONE) this.hedge(group, peer)
      else if (state === S.FETCH_ALL && overdue === "silent") this.fanOut.passOver(group, peer)
    }
  }

  private hedge(group: number, peer: number): void {
    if (this.hedged.has(group) || this.isAskedElsewhere(group, peer)) return
    const { scope } = this.shard
    const other = this.choose(group, peer)
    if (other < 0) return
    this.hedged.add(group)
    scope.tally.hedgedItems++
    scope.tally.hedgedBytes += expectedBytes(this.shard, group, other)
    this.ask(other, group)
  }

  private choose(group: number, slow: number): number {
    const { limits, now, queues, ranking } = this.shard.scope
    const candidates: Array<Candidate> = []
    for (let peer = 0; peer < this.shard.peers.length; peer++) {
      const run = this.shard.peers[peer]!
      const tries = this.shard.series.tries(group, peer)
      if (peer === slow || !this.shard.offers(group, peer) || tries >= limits.attemptsPerPeer) continue
      if (isHopeless(this.shard.scope, run) || !queues.hasRoom(run, now)) continue
      candidates.push(queues.candidate(run, tries))
    }
    const chosen = best(ranking, candidates)
    return chosen === undefined ? -1 : this.shard.peers.indexOf(chosen.peer)
  }

  /** Whether somebody else than `peer` is being asked for the group. */
  isAskedElsewhere(group: number, peer: number): boolean {
    for (let other = 0; other < this.shard.peers.length; other++) {
      if (other !== peer && this.shard.series.asked(group, other)) return true
    }
    return false
  }

  /** The second request never left: another peer may get it. */
  withdrawn(group: number): void {
    this.hedged.delete(group)
  }

  clear(): void {
    this.hedged.clear()
  }
}
