/**
 * The rows of metadata pages on their way into a job's grouping: those of other block starts are left out, those of another shard are
 * counted as evidence, and new series-blocks are entered in the job's columns. (specs: peer streaming 3.5)
 */
import { type MetadataPage, shardOf } from "@peerstrap/m3db-wire"
import { noChecksum } from "@peerstrap/metadata-grouping"
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

  constructor(shard: ShardState, blockStarts: ReadonlyArray<bigint>) {
    this.shard = shard
    this.starts = blockStarts
    this.halves = splitBlockStarts(blockStarts)
  }

  /** Returns how many of the page's rows say something new. Stops at the first one that finds no room; the run has failed then. */
  take(peer: number, page: MetadataPage): number {
    const { grouping, scope, series } = this.shard
    const { hashSeed, numShards } = scope.options
    let fresh = 0
    let misaligned = 0
    let foreign = 0
    let block = 0
    for (let row = 0; row < page.count; row++) {
      const hi = page.startHi[row]!
      const lo = page.startLo[row]!
      if (this.halves.hi[block] !== hi || this.halves.lo[block] !== lo) {
        const found = this.blockOf(hi, lo)
        if (found < 0) {
          if (!this.isAligned(hi, lo)) misaligned++
          continue
        }
        block = found
      }
      const idOffset = page.idOffset[row]!
      const idLength = page.idLength[row]!
      const id = page.buffer.subarray(idOffset, idOffset + idLength)
      if (shardOf(id, hashSeed, numShards) !== this.shard.shard) {
        foreign++
        continue
      }
      const before = grouping.duplicates + grouping.late
      const additions = grouping.additions
      const group = grouping.report(
        peer,
        page.buffer,
        idOffset,
        idLength,
        page.tagsOffset[row]!,
        page.tagsLength[row]!,
        hi,
        lo,
        Math.min(page.size[row]!, scope.limits.maxBlockBytes),
        page.failed[row] === 1 ? noChecksum : page.checksum[row]!
      )
      if (group < 0) {
        this.onFull()
        return fresh
      }
      if (grouping.duplicates + grouping.late === before) fresh++
      if (grouping.additions !== additions) this.shard.onAdded(group, peer)
      if (group === series.count) {
        series.add(group, block)
        this.indexBytes += idLength + page.tagsLength[row]! + indexEntryBytes
        scope.tally.listed++
      }
    }
    if (misaligned > 0) this.onMisaligned(peer, misaligned)
    if (foreign > 0) this.onForeign(peer, foreign, page.count)
    return fresh
  }

  private onFull(): void {
    this.shard.scope.failure ??= {
      _tag: "failed",
      fault: "self",
      message:
        `the metadata of shard ${this.shard.shard} does not fit: ${this.shard.grouping.groupCount} series-blocks in ` +
        `${this.shard.grouping.bytes} bytes`,
      remedy: "raise --memory, or bootstrap a smaller range at a time with --from and --to"
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
    if (rows === of) {
      this.usageFailureIfCommon(
        "series-of-another-shard",
        `no series listed for shard ${this.shard.shard} hashes to it with ${scope.options.numShards} shards and seed ${scope.options.hashSeed}`,
        "give the cluster's own --num-shards and --hash-seed"
      )
    }
  }

  /** What most peers say cannot be one peer's lie: our own settings are wrong. */
  private usageFailureIfCommon(kind: string, message: string, remedy: string): void {
    const { book, options } = this.shard.scope
    const agreeing = this.shard.peers.filter((peer) => book.count(options.peers[peer]!, kind) > 0).length
    if (agreeing >= Math.min(this.shard.majority, this.shard.peers.length)) {
      this.shard.scope.failure ??= { _tag: "failed", fault: "usage", message, remedy }
    }
  }
}
