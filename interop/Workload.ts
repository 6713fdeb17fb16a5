/** The seeded points that the nodes are given: what every later reading is compared with. */
import { encodeTags, shardOf } from "@peerstrap/m3db-wire"
import { createHash } from "node:crypto"
import type { RealNode } from "./RealNode.ts"

const utf8 = new TextEncoder()

export interface WrittenSeries {
  readonly id: string
  readonly tags: ReadonlyArray<{ readonly name: string; readonly value: string }>
  readonly encodedTags: Uint8Array
  readonly shard: number
  /** By block, in order of time. */
  readonly blocks: ReadonlyArray<WrittenBlock>
}

export interface WrittenBlock {
  /** s. */
  readonly startSeconds: number
  readonly points: ReadonlyArray<{ readonly seconds: number; readonly value: number }>
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
    const id = `interop-${spec.seed}-${String(index).padStart(4, "0")}`
    const draw = random(spec.seed * 100_003 + index)
    const step = Math.floor(spec.blockSizeSeconds / spec.pointsPerBlock)
    const tags = [{ name: "__name__", value: "interop" }, { name: "series", value: String(index) }]
    return {
      id,
      tags,
      encodedTags: encodeTags(tags.map(({ name, value }) => [utf8.encode(name), utf8.encode(value)] as const)),
      shard: shardOf(utf8.encode(id), 0, spec.numShards),
      blocks: spec.blockStartsSeconds.map((startSeconds) => ({
        startSeconds,
        points: Array.from({ length: spec.pointsPerBlock }, (_, n) => ({
          seconds: startSeconds + n * step + Math.floor(draw() * step),
          value: valueOf(index, n, draw)
        }))
      }))
    }
  })

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
    for (const { blocks, id, tags } of left) {
      for (const { seconds, value } of blocks.flatMap(({ points }) => points)) {
        const datapoint = { timestamp: seconds, value }
        await node.call("writetagged", { nameSpace: namespace, id, tags, datapoint })
      }
    }
  }
  await Promise.all(Array.from({ length: writers }, writeSome))
}

/** SHA-256 over the points as `peerstrap-m3db digest` computes it: 8 bytes of ns, 8 bytes of the value's bits, big-endian. */
export const pointsDigest = ({ points }: WrittenBlock): string => {
  const bytes = Buffer.alloc(points.length * 16)
  points.forEach(({ seconds, value }, n) => {
    bytes.writeBigInt64BE(BigInt(seconds) * 1_000_000_000n, n * 16)
    bytes.writeDoubleBE(value, n * 16 + 8)
  })
  return createHash("sha256").update(bytes).digest("hex")
}
