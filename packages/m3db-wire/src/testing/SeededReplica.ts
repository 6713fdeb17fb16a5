/**
 * A replica made from a seed: the same spec gives every replica, in whatever process, the same bytes, and a variation says how this
 * one differs. Shards are encoded when they are first asked for, so that starting costs next to nothing.
 */
import { adler32, type Datapoints, digestPoints, digestPointsWithUnits } from "@peerstrap/m3tsz"
import { createHash } from "node:crypto"
import { murmur3, shardOf } from "../codec/ShardHash.ts"
import type { ListingRequest } from "../contract/ReplicaSource.ts"
import type { MadeUp } from "./BehavedPages.ts"
import { type EveryRule, picksSeries } from "./Picks.ts"
import { type NamespaceData, ReplicaData } from "./ReplicaData.ts"
import { type ReplicaBlock, type ReplicaSeries, ReplicaShard } from "./ReplicaShard.ts"
import { seededId, seededPoints, seededTags } from "./SeededSeries.ts"
import type { SeededSpec, SeededVariation } from "./SeededSpec.ts"
import { keepPoints, raiseValues, splitPoints, streamOf } from "./StreamChanges.ts"

/** One series-block as a replica truly holds it. */
export interface TruthRow {
  readonly shard: number
  readonly id: Uint8Array
  readonly encodedTags: Uint8Array | undefined
  /** ns. */
  readonly blockStart: bigint
  readonly points: Datapoints
}

const picked = (rule: EveryRule | undefined, id: Uint8Array): boolean =>
  rule !== undefined && picksSeries(id, rule.every, rule.remainder)

/** The holdings of a seeded replica: one namespace whose shards are encoded when first asked for. */
export class SeededReplica {
  readonly spec: SeededSpec
  readonly variation: SeededVariation
  readonly namespace: NamespaceData
  private readonly made = new Map<number, ReplicaShard>()
  private members: ReadonlyArray<ReadonlyArray<number>> | undefined

  constructor(spec: SeededSpec, variation: SeededVariation = {}) {
    this.spec = spec
    this.variation = variation
    const all = Array.from({ length: spec.numShards }, (_, shard) => shard)
    this.namespace = {
      name: spec.namespace,
      blockSize: spec.blockSize,
      shards: new Set(spec.shards ?? all),
      shard: (shard) => this.shard(shard)
    }
  }

  /** The source to serve. */
  source(isBootstrapped: () => boolean = () => true): ReplicaData {
    return new ReplicaData([this.namespace], isBootstrapped)
  }

  /** ns, one past the last block. */
  get end(): bigint {
    return this.spec.start + BigInt(this.spec.blocks) * this.spec.blockSize
  }

  /** One shard, encoded on its first use and kept. */
  shard(shard: number): ReplicaShard {
    const known = this.made.get(shard)
    if (known !== undefined) return known
    const series = this.membersOf(shard).map((index) => this.series(index))
    const starts = Array.from({ length: this.spec.blocks - this.spec.active }, (_, block) => this.startOf(block))
    const made = new ReplicaShard(series.filter(({ blocks }) => blocks.length > 0), starts)
    this.made.set(shard, made)
    return made
  }

  /** Every series-block of the shards owned, shard by shard, in no other order than that of its making. */
  *truth(): Generator<TruthRow> {
    for (const shard of [...this.namespace.shards].toSorted((a, b) => a - b)) {
      for (const index of this.membersOf(shard)) {
        const id = seededId(this.spec, index)
        const encodedTags = seededTags(this.spec, index)
        for (let block = 0; block < this.spec.blocks; block++) {
          const points = this.points(id, index, block)
          if (points.count > 0) yield { shard, id, encodedTags, blockStart: this.startOf(block), points }
        }
      }
    }
  }

  /** Series for `endless-pages`: numbered names that hash into the shard asked. */
  get madeUp(): MadeUp {
    const { blockSize, hashSeed, numShards } = this.spec
    const id = (shard: number, n: number) => {
      for (let attempt = 0;; attempt++) {
        const candidate = new TextEncoder().encode(`endless-${n}-${attempt}`)
        if (shardOf(candidate, hashSeed, numShards) === shard || attempt > 100 * numShards) return candidate
      }
    }
    const start = ({ rangeStart }: ListingRequest) => rangeStart + (blockSize - rangeStart % blockSize) % blockSize
    return { id, start }
  }

  private startOf(block: number): bigint {
    return this.spec.start + BigInt(block) * this.spec.blockSize
  }

  /** Numbers of the series of a shard. In the order of another hash: entries of data files are not sorted by id. */
  private membersOf(shard: number): ReadonlyArray<number> {
    this.members ??= membersByShard(this.spec, this.variation.lackSeries)
    return this.members[shard] ?? []
  }

  private points(id: Uint8Array, index: number, block: number): Datapoints {
    const { lackPoints, otherValues } = this.variation
    let points = seededPoints(this.spec, index, block)
    if (lackPoints !== undefined) points = keepPoints(points, (at) => at % lackPoints.every !== lackPoints.remainder)
    return picked(otherValues, id) ? raiseValues(points) : points
  }

  private series(index: number): ReplicaSeries {
    const id = seededId(this.spec, index)
    const blocks: Array<ReplicaBlock> = []
    for (let block = 0; block < this.spec.blocks; block++) {
      const points = this.points(id, index, block)
      if (points.count === 0) continue
      const start = this.startOf(block)
      const inMemory = block >= this.spec.blocks - this.spec.active
      const streams = inMemory && picked(this.variation.unmerged, id)
        ? splitPoints(points, start, true)
        : [streamOf(points, start, inMemory)]
      blocks.push({ start, streams, inMemory })
    }
    return { id, encodedTags: seededTags(this.spec, index), blocks }
  }
}

const membersByShard = (spec: SeededSpec, lack: EveryRule | undefined): ReadonlyArray<ReadonlyArray<number>> => {
  const shards = Array.from({ length: spec.numShards }, (): Array<{ index: number; order: number }> => [])
  for (let index = 0; index < spec.series; index++) {
    const id = seededId(spec, index)
    if (picked(lack, id)) continue
    shards[shardOf(id, spec.hashSeed, spec.numShards)]!.push({ index, order: murmur3(id, 0x5eed) })
  }
  return shards.map((members) => members.toSorted((a, b) => a.order - b.order).map(({ index }) => index))
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("hex")

/** The header of digest files. */
export const digestHeader =
  "#shard\tid\ttags\tblockStart\tn\tsha256(points)\tsha256(points+unit+annotation)\tsha256(raw)\trawLen\tadler32"

/**
 * One series-block as a line: shard · id (hex) · tags (hex, `-` if none) · start (ns) · points · SHA-256 of the points · the same
 * with units and annotations · SHA-256, length and Adler-32 of the merged stream.
 */
export const digestLine = ({ blockStart, encodedTags, id, points, shard }: TruthRow): string => {
  const { head } = streamOf(points, blockStart, false)
  return [
    shard,
    hex(id),
    encodedTags === undefined ? "-" : hex(encodedTags),
    blockStart,
    points.count,
    digestPoints(points),
    digestPointsWithUnits(points),
    createHash("sha256").update(head).digest("hex"),
    head.length,
    adler32(head).toString(16).padStart(8, "0")
  ].join("\t")
}

/** The digest lines of rows in their canonical order: shard, id bytes, block start. */
export const digestLines = (rows: Iterable<TruthRow>): ReadonlyArray<string> =>
  [...rows]
    .toSorted((a, b) =>
      a.shard - b.shard || Buffer.compare(a.id, b.id) ||
      (a.blockStart < b.blockStart ? -1 : a.blockStart > b.blockStart ? 1 : 0)
    )
    .map(digestLine)
