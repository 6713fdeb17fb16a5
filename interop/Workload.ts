/** The seeded points that the nodes are given through their own calls: what every later reading is compared with. */
import { encodeTags, shardOf } from "@peerstrap/m3db-wire"
import type { HeldSeries } from "./Held.ts"
import type { RealNode } from "./RealNode.ts"

const utf8 = new TextEncoder()
const nanosPerSecond = 1_000_000_000n

export interface WrittenSeries extends HeldSeries {
  readonly name: string
  readonly tags: ReadonlyArray<{ readonly name: string; readonly value: string }>
}

export interface WorkloadSpec {
  readonly seed: number
  readonly series: number
  readonly pointsPerBlock: number
  readonly numShards: number
  readonly blockStartsSeconds: ReadonlyArray<number>
  readonly blockSizeSeconds: number
}

/** xorshift32, in [0, 1). */
const random = (seed: number): () => number => {
  let state = (Math.imul(seed, 0x9e3779b1) | 1) >>> 0
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 4_294_967_296
  }
}

/** Counters, decimals and floats in turns, all far below 2^53, beyond which M3TSZ loses digits. */
const valueOf = (series: number, n: number, draw: () => number): number =>
  [series + n * 3, Math.round(draw() * 100_000) / 100, draw() * 1e6][series % 3]!

export const makeWorkload = (spec: WorkloadSpec): ReadonlyArray<WrittenSeries> =>
  Array.from({ length: spec.series }, (_, index) => {
    const name = `interop-${spec.seed}-${String(index).padStart(4, "0")}`
    const id = utf8.encode(name)
    const draw = random(spec.seed * 100_003 + index)
    const step = Math.floor(spec.blockSizeSeconds / spec.pointsPerBlock)
    const tags = [{ name: "__name__", value: "interop" }, { name: "series", value: String(index) }]
    return {
      name,
      id,
      tags,
      encodedTags: encodeTags(tags.map((tag) => [utf8.encode(tag.name), utf8.encode(tag.value)] as const)),
      shard: shardOf(id, 0, spec.numShards),
      blocks: spec.blockStartsSeconds.map((startSeconds) => ({
        start: BigInt(startSeconds) * nanosPerSecond,
        points: Array.from({ length: spec.pointsPerBlock }, (_, n) => ({
          nanos: BigInt(startSeconds + n * step + Math.floor(draw() * step)) * nanosPerSecond,
          value: valueOf(index, n, draw)
        }))
      }))
    }
  })

/** What a node that is behind got: not the series whose number ends in 3, and of those that end in 7 not every third point. */
export const behind = (workload: ReadonlyArray<WrittenSeries>): ReadonlyArray<WrittenSeries> =>
  workload.filter(({ name }) => !name.endsWith("3")).map((series) =>
    series.name.endsWith("7")
      ? {
        ...series,
        blocks: series.blocks.map(({ points, start }) => ({ start, points: points.filter((_, n) => n % 3 !== 1) }))
      }
      : series
  )

/** Calls under way at a time. */
const writers = 16

/** Writes everything to one node, a point a call, each series in order of time. */
export const writeAll = async (
  node: RealNode,
  namespace: string,
  workload: ReadonlyArray<WrittenSeries>
): Promise<void> => {
  const left = workload.values()
  const writeSome = async (): Promise<void> => {
    for (const { blocks, name: id, tags } of left) {
      for (const { nanos, value } of blocks.flatMap(({ points }) => points)) {
        const datapoint = { timestamp: Number(nanos / nanosPerSecond), value }
        await node.call("writetagged", { nameSpace: namespace, id, tags, datapoint })
      }
    }
  }
  await Promise.all(Array.from({ length: writers }, writeSome))
}
