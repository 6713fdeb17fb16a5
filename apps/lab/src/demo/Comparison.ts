/** Holds filesets against what the seed says must be in them: the proof that does not rely on the bootstrapper's own word. */
import { type FilesetError, FilesetReader, type SeriesBatch } from "@peerstrap/m3db-files"
import { decodeBlock, DecodeError, digestPointsWithUnits } from "@peerstrap/m3tsz"
import { formatNanos } from "@peerstrap/progress"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { ReplicaPlan } from "../replicas/ReplicaPlan.ts"
import { ExpectedBlocks, type ExpectedSeries, hexOf } from "./ExpectedBlocks.ts"

/** Differences spelled out; the rest is counted. */
const shownDifferences = 10

export interface Comparison {
  /** Series-blocks that must be there. */
  readonly expected: number
  /** Of them there with the same tags and points. */
  readonly equal: number
  readonly different: number
  readonly missing: number
  /** There, though no replica holds it. */
  readonly unexpected: number
  /** The first differences in words. */
  readonly first: ReadonlyArray<string>
}

export const isEqual = ({ equal, expected, unexpected }: Comparison): boolean => equal === expected && unexpected === 0

class Tally {
  expected = 0
  equal = 0
  different = 0
  missing = 0
  unexpected = 0
  readonly first: Array<string> = []

  note(kind: "different" | "missing" | "unexpected", place: string, what: string, count = 1): void {
    this[kind] += count
    if (this.first.length < shownDifferences) this.first.push(`${place}: ${what}`)
  }
}

const shownId = (hex: string): string => JSON.stringify(Buffer.from(hex, "hex").toString("utf8"))

/** Why a series is not what it must be; undefined when it is. */
const difference = (
  expected: ExpectedSeries,
  tags: Uint8Array,
  bytes: Uint8Array,
  maxPoints: number
): string | undefined => {
  if (Buffer.compare(expected.tags, tags) !== 0) return "other tags"
  const points = decodeBlock([bytes], { maxPoints })
  if (points instanceof DecodeError) return points.message
  return digestPointsWithUnits(points) === expected.digest ? undefined : `other points (${points.count} of them)`
}

/** Takes the series of a batch out of `open`. */
const compareBatch = (
  tally: Tally,
  place: string,
  open: Map<string, ExpectedSeries>,
  batch: SeriesBatch,
  maxPoints: number
): void => {
  for (let i = 0; i < batch.count; i++) {
    const id = hexOf(batch.ids[i]!)
    const expected = open.get(id)
    open.delete(id)
    if (expected === undefined) {
      tally.note("unexpected", place, `series ${shownId(id)} is on no replica`)
      continue
    }
    const what = difference(expected, batch.tags[i]!, batch.bytes[i]!, maxPoints)
    if (what === undefined) tally.equal++
    else tally.note("different", place, `series ${shownId(id)}: ${what}`)
  }
}

/** Reads all filesets of the plans' namespace below `out` and compares every series-block. */
export const compareWithSeed = Effect.fnUntraced(function*(plans: ReadonlyArray<ReplicaPlan>, out: string) {
  const { blockSize, blocks, namespace, numShards, points, start } = plans[0]!.spec
  const expected = new ExpectedBlocks(plans)
  const tally = new Tally()
  for (let shard = 0; shard < numShards; shard++) {
    yield* Effect.yieldNow
    const ofShard = expected.shard(shard)
    for (let block = 0; block < blocks; block++) {
      const blockStart = start + BigInt(block) * blockSize
      const open = ofShard.get(blockStart) ?? new Map<string, ExpectedSeries>()
      const place = `shard ${shard} block ${formatNanos(blockStart)}`
      tally.expected += open.size
      const read = Effect.flatMap(
        FilesetReader.open({ prefix: out, namespace, shard, blockStart }),
        (reader) =>
          Stream.runForEach(
            reader.series(),
            (batch) => Effect.sync(() => compareBatch(tally, place, open, batch, points))
          )
      )
      const problem = yield* Effect.scoped(read).pipe(
        Effect.as(undefined),
        Effect.catch((error: FilesetError) => Effect.succeed(error.message))
      )
      if (open.size > 0) tally.note("missing", place, problem ?? `${open.size} series are not there`, open.size)
    }
  }
  const { different, equal, first, missing, unexpected } = tally
  return { expected: tally.expected, equal, different, missing, unexpected, first } satisfies Comparison
})
