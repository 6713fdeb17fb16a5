/**
 * What of a job goes to the sink: series-blocks collected per block start, and when a block may be published: its listing is over, no
 * series of it is open, everything written. A (shard, block) that the level confirms empty is published empty (T7).
 */
import type { BlocksAnswer } from "@peerstrap/m3db-wire"
import { retentionStart } from "./BlockTime.ts"
import { CollectedBatch } from "./CollectedBatch.ts"
import { type Hold, releaseHold } from "./RunScope.ts"
import { SeriesState } from "./SeriesBlock.ts"
import type { ShardState } from "./ShardState.ts"

export type BlockState = "open" | "committing" | "committed" | "aborted"

const zero = BigInt(0)

export class Deliveries {
  readonly blocks: Array<BlockState>
  /** Series-blocks of each block that are not in a final state. */
  readonly open: Int32Array
  readonly stored: Int32Array
  /** Delivered so far. */
  bytes = 0
  private readonly writing: Int32Array
  private readonly inFlight = new Map<number, { readonly block: number; readonly hold: Hold }>()
  private readonly collected: Array<CollectedBatch | undefined>
  private readonly shard: ShardState

  constructor(shard: ShardState, blocks: number) {
    this.shard = shard
    this.blocks = Array.from({ length: blocks }, () => "open")
    this.open = new Int32Array(blocks)
    this.stored = new Int32Array(blocks)
    this.writing = new Int32Array(blocks)
    this.collected = Array.from({ length: blocks }, () => undefined)
  }

  get isSettled(): boolean {
    return this.blocks.every((state) => state === "committed" || state === "aborted")
  }

  /** Deliveries that the sink has not taken yet. */
  get unwritten(): number {
    return this.inFlight.size
  }

  /** The sink has something of the job to write or to publish. */
  get isBusy(): boolean {
    return this.inFlight.size > 0 || this.blocks.includes("committing")
  }

  /** Whether the block is older than the retention allows by now. */
  leftRetention(block: number): boolean {
    const { options, wall } = this.shard.scope
    if (options.retentionNanos === undefined) return false
    const nanos = BigInt(Math.floor(wall)) * BigInt(1_000_000)
    const earliest = retentionStart(nanos, { retention: options.retentionNanos, blockSize: options.blockSizeNanos })
    return this.shard.key(block).blockStart - earliest < zero
  }

  /** Takes one verified series-block; `flush` sends it. The row belongs to `hold`. */
  addRow(group: number, answer: BlocksAnswer, row: number, checksum: number, hold: Hold): void {
    this.collect(group, hold).addRow(group, answer, row, checksum)
  }

  /** The same for a stream in pieces that belong to `hold`. */
  addPieces(group: number, pieces: ReadonlyArray<Uint8Array>, checksum: number, hold: Hold): void {
    this.collect(group, hold).addPieces(group, pieces, checksum)
  }

  private collect(group: number, hold: Hold): CollectedBatch {
    const { grouping, scope, series } = this.shard
    const block = series.block(group)
    series.move(group, SeriesState.STORED)
    scope.tally.stored++
    this.stored[block]!++
    this.onTerminal(block)
    const known = this.collected[block]
    if (known !== undefined) return known
    hold.references++
    return this.collected[block] = new CollectedBatch(this.shard.key(block), grouping)
  }

  /** Sends what was collected; all of it belongs to `hold`, which lives until the sink has written it. */
  flush(hold: Hold): void {
    const { scope } = this.shard
    for (let block = 0; block < this.collected.length; block++) {
      const batch = this.collected[block]
      if (batch === undefined) continue
      this.collected[block] = undefined
      const delivery = scope.nextDelivery()
      this.writing[block]!++
      this.inFlight.set(delivery, { block, hold })
      scope.tally.bytes += batch.bytes
      this.bytes += batch.bytes
      scope.emit({ _tag: "deliver", delivery, batch })
    }
  }

  /** Whether this job made the delivery. */
  onWritten(delivery: number): boolean {
    const known = this.inFlight.get(delivery)
    if (known === undefined) return false
    this.inFlight.delete(delivery)
    this.writing[known.block]!--
    releaseHold(this.shard.scope, known.hold)
    return true
  }

  onTerminal(block: number): void {
    this.open[block]!--
  }

  /** Publishes what is whole. `successes` is the number of peers whose listing is complete. */
  commitReady(successes: number): void {
    for (let block = 0; block < this.blocks.length; block++) {
      if (this.blocks[block] !== "open" || this.open[block] !== 0 || this.writing[block] !== 0) continue
      if (successes === 0 && this.stored[block] === 0) {
        this.abort(block)
        this.shard.scope.tally.missing.add(() => ({
          shard: this.shard.shard,
          blockStart: String(this.shard.key(block).blockStart),
          peers: this.shard.peers.map((_, peer) => this.shard.peerId(peer)),
          reason: "no peer could be listed"
        }))
        continue
      }
      this.blocks[block] = "committing"
      this.shard.scope.emit({ _tag: "commit", job: this.shard.job, block, key: this.shard.key(block) })
    }
  }

  onCommitted(block: number): void {
    this.blocks[block] = "committed"
    this.shard.scope.tally.blocksCommitted++
    if (this.stored[block] === 0) this.shard.scope.tally.blocksEmpty++
  }

  private abort(block: number): void {
    this.blocks[block] = "aborted"
    this.shard.scope.emit({ _tag: "abort", key: this.shard.key(block) })
  }

  onCommitFailed(block: number): void {
    this.blocks[block] = "aborted"
  }

  /** Drops every block that cannot become whole any more without asking peers. */
  abortIncomplete(listingOver: boolean): void {
    for (let block = 0; block < this.blocks.length; block++) {
      if (this.blocks[block] === "open" && (!listingOver || this.open[block] !== 0)) this.abort(block)
    }
  }
}
