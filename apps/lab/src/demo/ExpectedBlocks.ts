/**
 * What a majority of seeded replicas must yield, from the seed alone: every series-block that any of them holds, copies that differ
 * merged point by point, most replicas winning. Shard by shard, so that no more than one shard is in memory.
 */
import type { TruthRow } from "@peerstrap/m3db-wire/testing"
import { type Datapoints, digestPointsWithUnits, mergeCopies, mostReplicas } from "@peerstrap/m3tsz"
import { holdingsOf, type ReplicaPlan } from "../replicas/ReplicaPlan.ts"

export interface ExpectedSeries {
  readonly tags: Uint8Array
  /** SHA-256 over times, value bits, units and annotations. */
  readonly digest: string
}

/** By block start, then by id in hex. */
export type ExpectedShard = ReadonlyMap<bigint, Map<string, ExpectedSeries>>

export const hexOf = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("hex")

const noTags = new Uint8Array(0)

/** Replicas with the same data, and that data in ascending order of shards. */
class SameData {
  readonly peers: ReadonlyArray<string>
  private readonly rows: Iterator<TruthRow>
  private ahead: TruthRow | undefined

  constructor(plans: ReadonlyArray<ReplicaPlan>) {
    this.peers = plans.map(({ id }) => id)
    this.rows = holdingsOf(plans[0]!).truth()
    this.ahead = this.rows.next().value
  }

  *take(shard: number): Generator<TruthRow> {
    while (this.ahead !== undefined && this.ahead.shard === shard) {
      yield this.ahead
      this.ahead = this.rows.next().value
    }
  }
}

interface Held {
  readonly row: TruthRow
  readonly copies: Array<{ readonly same: SameData; readonly points: Datapoints }>
}

const bytesOf = (column: BigInt64Array | Float64Array, count: number): Uint8Array =>
  new Uint8Array(column.buffer, column.byteOffset, count * 8)

/** The same times and value bits. */
const agree = (a: Datapoints, b: Datapoints): boolean =>
  a.count === b.count &&
  Buffer.compare(bytesOf(a.timestamps, a.count), bytesOf(b.timestamps, b.count)) === 0 &&
  Buffer.compare(bytesOf(a.values, a.count), bytesOf(b.values, b.count)) === 0

const merged = ({ copies, row }: Held): Datapoints => {
  // Groups come in the order of their smallest peers, whose copy a merge of equal ones is.
  if (copies.every(({ points }) => agree(points, row.points))) return row.points
  const all = copies.flatMap(({ points, same }) => same.peers.map((peer) => ({ peer, points })))
  const points = mergeCopies(mostReplicas, all)
  if ("_tag" in points) throw new RangeError(`the seeded copies do not merge: ${points.message}`)
  return points
}

export class ExpectedBlocks {
  private readonly groups: ReadonlyArray<SameData>
  private next = 0

  constructor(plans: ReadonlyArray<ReplicaPlan>) {
    const byData = Map.groupBy(plans, ({ variation }) => JSON.stringify(variation))
    this.groups = [...byData.values()].map((same) => new SameData(same))
  }

  /** Shards must be taken in ascending order, each once. */
  shard(shard: number): ExpectedShard {
    if (shard < this.next) throw new RangeError(`shard ${shard} was taken before`)
    this.next = shard + 1
    const held = new Map<bigint, Map<string, Held>>()
    for (const same of this.groups) {
      for (const row of same.take(shard)) {
        const block = held.get(row.blockStart) ?? new Map<string, Held>()
        held.set(row.blockStart, block)
        const key = hexOf(row.id)
        const series = block.get(key) ?? { row, copies: [] }
        block.set(key, series)
        series.copies.push({ same, points: row.points })
      }
    }
    const expected = new Map<bigint, Map<string, ExpectedSeries>>()
    for (const [blockStart, series] of held) {
      const of = new Map<string, ExpectedSeries>()
      for (const [id, one] of series) {
        of.set(id, { tags: one.row.encodedTags ?? noTags, digest: digestPointsWithUnits(merged(one)) })
      }
      expected.set(blockStart, of)
    }
    return expected
  }
}
