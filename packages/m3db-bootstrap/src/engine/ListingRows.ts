/**
 * The rows of metadata pages on their way into a job's grouping: those of other block starts are left out, those of another shard are
 * counted as evidence, and new series-blocks are entered in the job's columns. (specs: peer streaming 3.5)
 */
import { type MetadataPage, murmur3 } from "@peerstrap/m3db-wire"
import type { RowWatch } from "@peerstrap/metadata-grouping"
import { highHalf, lowHalf, truncate } from "./BlockTime.ts"
import { splitBlockStarts } from "./FetchBatch.ts"
import { record } from "./RunScope.ts"
import type { ShardState } from "./ShardState.ts"

/** Beside id and tags an index entry of a sink costs about so much until its block is published. */
const indexEntryBytes = 48

export class ListingRows {
  /** Bytes that sinks will hold for index entries of this job. */
  indexBytes = 0
  private readonly shard: ShardState
  private readonly starts: ReadonlyArray<bigint>
  private readonly halves: { readonly hi: Int32Array; readonly lo: Int32Array }
  private readonly watch: RowWatch = {
    admits: (row, seriesKnown) => this.admits(row, seriesKnown),
    made: (row, group) => this.enter(row, group),
    added: (_, group) => this.shard.onAdded(group, this.peer)
  }
  /** The page under way. */
  private page: MetadataPage | undefined
  private peer = 0
  private misaligned = 0
  private foreign = 0
  /** Index of the block start that the last admitted row has. */
  private block = 0

  constructor(shard: ShardState, blockStarts: ReadonlyArray<bigint>) {
    this.shard = shard
    this.starts = blockStarts
    this.halves = splitBlockStarts(blockStarts)
  }

  /** Returns how many of the page's rows say something new. A row that finds no room fails the run. */
  take(peer: number, page: MetadataPage): number {
    const { grouping } = this.shard
    const { refused } = grouping
    this.peer = peer
    this.page = page
    this.misaligned = 0
    this.foreign = 0
    const fresh = grouping.reportPage(peer, page, this.watch)
    this.page = undefined
    this.shard.scope.foreign.count(this.shard.peers[peer]!, page.count, this.foreign)
    if (grouping.refused > refused) this.onFull()
    if (this.misaligned > 0) this.onMisaligned(peer, this.misaligned)
    if (this.foreign > 0) this.onForeign(peer, this.foreign, page.count)
    return fresh
  }

  /** Asked for rows of no known group only: what passes once has passed for every peer and, as to its shard, for every block start. */
  private admits(row: number, seriesKnown: boolean): boolean {
    const page = this.page!
    const hi = page.startHi[row]!
    const lo = page.startLo[row]!
    if (this.halves.hi[this.block] !== hi || this.halves.lo[this.block] !== lo) {
      const found = this.blockOf(hi, lo)
      if (found < 0) {
        if (!this.isAligned(hi, lo)) this.misaligned++
        return false
      }
      this.block = found
    }
    if (seriesKnown) return true
    const { hashSeed, numShards } = this.shard.scope.options
    const at = page.idOffset[row]!
    const hash = murmur3(page.buffer, hashSeed, at, at + page.idLength[row]!)
    if (hash % numShards === this.shard.shard) return true
    this.foreign++
    this.shard.scope.foreign.note(hash, this.peer)
    return false
  }

  /** Enters the group of the row that was admitted last. */
  private enter(row: number, group: number): void {
    const page = this.page!
    this.shard.series.add(group, this.block)
    this.indexBytes += page.idLength[row]! + page.tagsLength[row]! + indexEntryBytes
    this.shard.scope.tally.listed++
  }

  private onFull(): void {
    this.shard.scope.failure ??= {
      _tag: "failed",
      fault: "self",
      message:
        `the metadata of shard ${this.shard.shard} does not fit: a job has at most ${this.shard.scope.limits.maxGroupsPerJob} ` +
        `series-blocks, and has ${this.shard.grouping.groupCount}`,
      remedy: "bootstrap a smaller range at a time with --from and --to"
    }
  }

  private blockOf(hi: number, lo: number): number {
    for (let block = 0; block < this.starts.length; block++) {
      if (this.halves.hi[block] === hi && this.halves.lo[block] === lo) return block
    }
    return -1
  }

  private isAligned(hi: number, lo: number): boolean {
    const start = (BigInt(hi) << BigInt(32)) | BigInt(lo >>> 0)
    const aligned = truncate(start, this.shard.scope.options.blockSizeNanos)
    return highHalf(aligned) === hi && lowHalf(aligned) === lo
  }

  private onMisaligned(peer: number, rows: number): void {
    const { scope } = this.shard
    const size = scope.options.blockSizeNanos
    record(
      scope,
      this.shard.peers[peer]!,
      "misaligned-block-start",
      "unknown",
      `shard ${this.shard.shard}`,
      `${rows} block starts are not multiples of the block size of ${size} ns`
    )
    this.usageFailureIfCommon(
      "misaligned-block-start",
      `block starts are not multiples of the block size of ${size} ns`,
      "give the namespace's own --block-size"
    )
  }

  private onForeign(peer: number, rows: number, of: number): void {
    const { scope } = this.shard
    record(
      scope,
      this.shard.peers[peer]!,
      "series-of-another-shard",
      "unknown",
      `shard ${this.shard.shard}`,
      `${rows} of ${of} series do not hash to this shard (seed ${scope.options.hashSeed}, ${scope.options.numShards} shards)`
    )
    const witnesses = scope.foreign.witnesses(this.shard.peers, this.needed)
    if (witnesses.length === 0) return
    const said = witnesses.map((one) => `${one.foreign} of ${one.rows} by ${scope.options.peers[one.peer]!}`).join(", ")
    this.failUsage(
      "series-of-another-shard",
      `series do not hash to the shard that they are listed for with ${scope.options.numShards} shards and seed ` +
        `${scope.options.hashSeed}: ${said}`,
      "give the cluster's own --num-shards and --hash-seed"
    )
  }

  /** What most peers say cannot be one peer's lie: our own settings are wrong. */
  private usageFailureIfCommon(kind: string, message: string, remedy: string): void {
    const { book, options } = this.shard.scope
    const agreeing = this.shard.peers.filter((peer) => book.count(options.peers[peer]!, kind) > 0).length
    if (agreeing >= this.needed) this.failUsage(kind, message, remedy)
  }

  /** So many peers cannot all lie. */
  private get needed(): number {
    return Math.min(this.shard.majority, this.shard.peers.length)
  }

  /** What was noted as evidence of this kind is our own doing. */
  private failUsage(kind: string, message: string, remedy: string): void {
    const { scope } = this.shard
    if (scope.failure !== undefined) return
    scope.failure = { _tag: "failed", fault: "usage", message, remedy }
    scope.ownFault = kind
  }
}
