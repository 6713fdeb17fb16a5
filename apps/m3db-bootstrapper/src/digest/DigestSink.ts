/**
 * A sink that keeps nothing of a block but its digest rows, and writes the lines of a shard, in order, once all of its blocks are
 * published and all shards before it are written.
 */
import { type BlockBatch, type BlockKey, BlockSink, defaultStreamLimits, SinkError } from "@peerstrap/m3db-bootstrap"
import { showId } from "@peerstrap/m3db-wire"
import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"
import { compareIds } from "../inspect/IdText.ts"
import { digestLine, type DigestRow, StreamDigest } from "./DigestRow.ts"

export interface DigestSinkOptions {
  readonly namespace: string
  /** Ascending; the lines come in this order. */
  readonly shards: ReadonlyArray<number>
  /** Blocks of each shard. */
  readonly blocksPerShard: number
  /** Rows that wait for a shard before them may take this much. */
  readonly maxHeldBytes: number
  readonly write: (text: string) => Effect.Effect<void>
  /** A verified stream that does not decode. */
  readonly onUndecodable: (key: BlockKey, id: string, what: string) => void
}

export interface DigestSink {
  readonly sink: BlockSink["Service"]
  /** Writes what is published of the shards that were not written yet; for the end of a run. */
  readonly finish: Effect.Effect<void>
  readonly totals: { readonly seriesBlocks: number; readonly datapoints: number; readonly undecodable: number }
}

interface HeldBlock {
  readonly key: BlockKey
  readonly rows: Array<DigestRow>
  committed: boolean
}

/** Objects, hex digest and views of one row beside its id and tags. */
const rowBytes = 400

/** Copies of many short byte strings, in one buffer. */
const copied = (all: ReadonlyArray<Uint8Array>): ReadonlyArray<Uint8Array> => {
  const buffer = new Uint8Array(all.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  return all.map((one) => {
    buffer.set(one, at)
    at += one.length
    return buffer.subarray(at - one.length, at)
  })
}

const sizeOf = ({ id, tags }: DigestRow): number => rowBytes + id.length + tags.length

const linesOf = (namespace: string, blocks: ReadonlyArray<HeldBlock>): string =>
  blocks
    .filter(({ committed }) => committed)
    .flatMap(({ key, rows }) => rows.map((row) => ({ key, row })))
    .toSorted((a, b) => compareIds(a.row.id, b.row.id) || (a.key.blockStart < b.key.blockStart ? -1 : 1))
    .map(({ key, row }) => digestLine(namespace, key, row))
    .join("")

class Rows {
  readonly totals = { seriesBlocks: 0, datapoints: 0, undecodable: 0 }
  private readonly options: DigestSinkOptions
  private readonly digest = new StreamDigest(defaultStreamLimits.maxPointsPerBlock)
  private readonly shards = new Map<number, Map<bigint, HeldBlock>>()
  private heldBytes = 0
  /** Index into `options.shards` of the next one to write. */
  private next = 0

  constructor(options: DigestSinkOptions) {
    this.options = options
  }

  block(key: BlockKey): HeldBlock {
    const blocks = this.shards.get(key.shard) ?? new Map<bigint, HeldBlock>()
    this.shards.set(key.shard, blocks)
    const block = blocks.get(key.blockStart) ?? { key, rows: [], committed: false }
    blocks.set(key.blockStart, block)
    return block
  }

  add(batch: BlockBatch): SinkError | undefined {
    const { count, data, key } = batch
    const { rows } = this.block(key)
    const ids = copied(batch.ids)
    const tags = copied(batch.tags)
    for (let i = 0; i < count; i++) {
      const row = this.digest.row(ids[i]!, tags[i]!, data[i]!)
      if (typeof row === "string") {
        this.totals.undecodable++
        this.options.onUndecodable(key, showId(ids[i]!), row)
        continue
      }
      rows.push(row)
      this.heldBytes += sizeOf(row)
    }
    const { maxHeldBytes } = this.options
    if (this.heldBytes <= maxHeldBytes) return undefined
    return new SinkError({
      subject: "digest lines",
      reason: "no-space",
      message: `the lines that wait for shard ${this.options.shards[this.next]} need more than ${maxHeldBytes} bytes`,
      remedy: "raise --memory, or digest fewer shards at a time with --shards"
    })
  }

  drop({ blockStart, shard }: BlockKey): void {
    const block = this.shards.get(shard)?.get(blockStart)
    if (block === undefined) return
    for (const row of block.rows) this.heldBytes -= sizeOf(row)
    this.shards.get(shard)?.delete(blockStart)
  }

  /** The text of the next shard when it is complete (`whatever`: or not); undefined when it has to wait. */
  takeNext(whatever: boolean): string | undefined {
    const shard = this.options.shards[this.next]
    if (shard === undefined) return undefined
    const blocks = [...this.shards.get(shard)?.values() ?? []]
    const committed = blocks.filter((block) => block.committed)
    if (!whatever && committed.length < this.options.blocksPerShard) return undefined
    for (const { rows } of committed) {
      this.totals.seriesBlocks += rows.length
      for (const { datapoints } of rows) this.totals.datapoints += datapoints
    }
    const text = linesOf(this.options.namespace, blocks)
    for (const { key } of blocks) this.drop(key)
    this.next++
    return text
  }
}

export const makeDigestSink = Effect.fnUntraced(function*(options: DigestSinkOptions) {
  const rows = new Rows(options)
  const writing = yield* Semaphore.make(1)
  const writeReady = (whatever: boolean): Effect.Effect<void> =>
    Semaphore.withPermit(
      writing,
      Effect.gen(function*() {
        for (let text = rows.takeNext(whatever); text !== undefined; text = rows.takeNext(whatever)) {
          yield* options.write(text)
        }
      })
    )
  const sink = BlockSink.of({
    write: (batch) =>
      Effect.suspend(() => {
        const problem = rows.add(batch)
        return problem === undefined ? Effect.void : Effect.fail(problem)
      }),
    commit: (key) =>
      Effect.suspend(() => {
        rows.block(key).committed = true
        return writeReady(false)
      }),
    abort: (key) => Effect.sync(() => rows.drop(key))
  })
  return { sink, finish: writeReady(true), totals: rows.totals } satisfies DigestSink as DigestSink
})
