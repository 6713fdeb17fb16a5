/**
 * Notices a `--block-size` that is not the namespace's although block starts fit it (1 h for 2 h): points then lie outside of their
 * blocks. Copies that agree are never decoded on their way to the disk, so a few streams of each batch are looked at here.
 */
import { formatNanosDuration } from "@peerstrap/command-line"
import type { BlockBatch, StreamRun } from "@peerstrap/m3db-bootstrap"
import { checkBlock, DecodeError } from "@peerstrap/m3tsz"

/** Streams looked at in one batch, spread over it: enough to tell a setting from one odd series, too few to cost anything. */
const samplesPerBatch = 4

const maxPoints = 1 << 22

export interface Misfit {
  readonly message: string
  readonly remedy: string
}

export class BlockSizeWatch {
  private readonly blockSize: bigint
  private sampled = 0
  private outside = 0

  constructor(blockSize: bigint) {
    this.blockSize = blockSize
  }

  private misfit(what: string): Misfit {
    return {
      message: `${what} outside of blocks of ${formatNanosDuration(this.blockSize)}`,
      remedy: "give the namespace's own --block-size (and its --encoding)"
    }
  }

  /** Undefined while most streams seen fit their blocks. */
  look(batch: BlockBatch): Misfit | undefined {
    const step = Math.max(1, Math.floor(batch.count / samplesPerBatch))
    for (let at = 0; at < batch.count; at += step) this.lookAt(batch.data[at]!, batch.key.blockStart)
    return this.verdict
  }

  /** One stream of a block. */
  lookAt(data: ReadonlyArray<Uint8Array>, blockStart: bigint): void {
    const check = checkBlock(data, { blockStart, blockSize: this.blockSize, maxPoints })
    if (check instanceof DecodeError) return
    this.sampled++
    if (check.problems.includes("outside-block")) this.outside++
  }

  /** Undefined while most streams seen fit their blocks. */
  get verdict(): Misfit | undefined {
    return this.outside * 2 > this.sampled
      ? this.misfit(`${this.outside} of ${this.sampled} series looked at have points`)
      : undefined
  }

  /** Copies that differ are decoded by the engine: when those of most peers are refused and none was stored, it is no peer's fault. */
  lookAtEvidence(run: StreamRun): Misfit | undefined {
    const { majority } = run
    const { peers, seriesBlocks } = run.snapshot()
    if (seriesBlocks.stored > 0) return undefined
    const refused = peers.filter(({ id }) => run.book.count(id, "undecodable-block") > 0).map(({ id }) => id)
    return refused.length >= Math.min(majority, peers.length)
      ? this.misfit(`blocks of ${refused.join(", ")} do not decode or have points`)
      : undefined
  }
}
