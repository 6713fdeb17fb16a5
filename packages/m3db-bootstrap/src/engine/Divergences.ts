/** How replicas differ about the series-blocks of one job, as far as their listings tell; counted, and listed for the report. */
import { toHex } from "@peerstrap/m3db-wire"
import { noChecksum } from "@peerstrap/metadata-grouping"
import type { Divergence } from "../contract/RunReport.ts"
import type { ShardState } from "./ShardState.ts"

type Kind = Divergence["kind"]

export class Divergences {
  private readonly shard: ShardState
  private readonly isFinished: (peer: number) => boolean

  constructor(shard: ShardState, isFinished: (peer: number) => boolean) {
    this.shard = shard
    this.isFinished = isFinished
  }

  /** Whether all who advertised the group, but `except`, say the same checksum. */
  agree(group: number, except = -1): boolean {
    const { grouping } = this.shard
    let checksum: number | undefined
    for (let peer = 0; peer < this.shard.peers.length; peer++) {
      if (peer === except || !this.shard.offers(group, peer)) continue
      const own = grouping.checksum(group, peer)
      if (own === noChecksum || checksum !== undefined && own !== checksum) return false
      checksum = own
    }
    return true
  }

  /** Whether the checksums of any series-block differ. O(groups × peers) */
  get isAny(): boolean {
    for (let group = 0; group < this.shard.series.count; group++) {
      if (this.kindOf(group, -1) === "different") return true
    }
    return false
  }

  /** A group became ready. */
  onReady(group: number): void {
    const kind = this.kindOf(group, -1)
    if (kind !== undefined) this.note(group, kind)
  }

  /** A peer that nobody waited for reported a group later: told when that made the difference. */
  onAdded(group: number, peer: number): void {
    if (this.kindOf(group, peer) !== undefined) return
    const kind = this.kindOf(group, -1)
    if (kind !== undefined) this.note(group, kind)
  }

  /** A peer that nobody waited for finished its listing: ready groups that it did not report are absent there. */
  onFinishedLate(peer: number): void {
    const { grouping, series } = this.shard
    for (let group = 0; group < series.count; group++) {
      if (series.state(group) !== 0 && !grouping.has(group, peer) && this.kindOf(group, peer) === undefined) {
        this.note(group, "absent-on-some")
      }
    }
  }

  private kindOf(group: number, except: number): Kind | undefined {
    const { grouping } = this.shard
    let kind: Kind | undefined
    let first = -2
    for (let peer = 0; peer < this.shard.peers.length; peer++) {
      if (peer === except) continue
      if (!grouping.has(group, peer)) {
        if (this.isFinished(peer)) kind ??= "absent-on-some"
        continue
      }
      const checksum = grouping.checksum(group, peer)
      if (first === -2) first = checksum
      if (checksum === noChecksum && kind !== "different") kind = "unknown"
      else if (checksum !== noChecksum && first !== noChecksum && checksum !== first) kind = "different"
    }
    return kind
  }

  private note(group: number, kind: Kind): void {
    const { tally } = this.shard.scope
    tally.divergenceCounts[kind]++
    tally.divergences.add(() => this.divergence(group, kind))
  }

  private divergence(group: number, kind: Kind): Divergence {
    const { grouping } = this.shard
    const checksums: Record<string, string> = {}
    const sizes: Record<string, number> = {}
    for (let peer = 0; peer < this.shard.peers.length; peer++) {
      const id = this.shard.peerId(peer)
      if (!grouping.has(group, peer)) checksums[id] = this.isFinished(peer) ? "-" : "not listed"
      else {
        const checksum = grouping.checksum(group, peer)
        checksums[id] = checksum === noChecksum ? "?" : checksum.toString(16).padStart(8, "0")
        sizes[id] = grouping.size(group, peer)
      }
    }
    const { blockStart, shard } = this.shard.key(this.shard.series.block(group))
    return { shard, blockStart: String(blockStart), id: toHex(grouping.id(group)), kind, checksums, sizes }
  }
}
