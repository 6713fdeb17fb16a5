// The pure parts of diff: the table of listings, what it says of a row, and the comparison of points against a naive one.
import { assert, describe, it } from "@effect/vitest"
import {
  absentChecksum,
  decodeMetadataAnswer,
  encodeMetadataAnswer,
  type MetadataElement,
  type MetadataPage,
  type NodeClient
} from "@peerstrap/m3db-wire"
import { type Datapoints, encodeBlock } from "@peerstrap/m3tsz"
import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import { compareRow, compareTable, needsData, noCounts } from "../src/diff/Comparison.ts"
import { batchesOf, judgeCopies } from "../src/diff/DeepComparison.ts"
import { diffReplicas } from "../src/diff/DiffReplicas.ts"
import { comparePoints } from "../src/diff/PointComparison.ts"
import { ReplicaTable } from "../src/diff/ReplicaTable.ts"
import { blockSize, firstBlock } from "./support/Filesets.ts"

const text = new TextEncoder()
const starts = [firstBlock, firstBlock + blockSize]

const pageOf = (elements: ReadonlyArray<Partial<MetadataElement> & { readonly id: Uint8Array }>): MetadataPage => {
  const whole = elements.map((element): MetadataElement => ({ start: firstBlock, size: 10n, checksum: 7, ...element }))
  const page = decodeMetadataAnswer(encodeMetadataAnswer(whole, undefined))
  if (!("count" in page)) throw new Error("the page does not decode")
  return page
}

const a = text.encode("a")

/** One series in one block as replicas list it; undefined: not at all. */
const tableOf = (...listings: ReadonlyArray<ReadonlyArray<Partial<MetadataElement>>>): ReplicaTable => {
  const table = new ReplicaTable(listings.length, starts, 1 << 20)
  listings.forEach((elements, replica) => table.addPage(replica, pageOf(elements.map((each) => ({ id: a, ...each })))))
  return table
}

const none = { checksum: undefined }

describe("comparison of listings", () => {
  const cases = [
    ["same", false, [[{}], [{}], [{}]]],
    ["different", true, [[{}], [{ checksum: 8 }], [{}]]],
    ["different", true, [[{}], [{ size: 11n }]]],
    ["different", true, [[{}], [], [{ checksum: 8 }]]],
    ["missing", false, [[{}], [], [{}]]],
    ["missing", true, [[{}], [], [none]]],
    ["missing", false, [[], [none]]],
    ["unknown", true, [[{}], [none]]],
    ["unknown", true, [[none], [none]]],
    // Listed from memory and from disk: the same twice is one, two different ones say nothing of the whole.
    ["same", false, [[{}, {}], [{}]]],
    ["unknown", true, [[{}, { checksum: 8 }], [{}]]],
    ["unknown", true, [[{}, none], [{}]]]
  ] as const
  for (const [expected, data, listings] of cases) {
    it(`${expected}${data ? ", settled by data only" : ""}: ${JSON.stringify(listings, (_, v) => typeof v === "bigint" ? Number(v) : v)}`, () => {
      const table = tableOf(...listings)
      assert.deepStrictEqual([table.rows, compareRow(table, 0), needsData(table, 0)], [1, expected, data])
    })
  }

  it("sorts what differs by id and block, keeps the first tags, and leaves other blocks out", () => {
    const table = new ReplicaTable(2, starts, 1 << 20)
    const [b, z] = [text.encode("b"), text.encode("z")]
    const fresh = table.addPage(
      0,
      pageOf([
        { id: z, encodedTags: Uint8Array.of(1) },
        { id: b, start: starts[1]! },
        { id: b },
        { id: a },
        { id: a, start: firstBlock + 5n },
        { id: a, start: firstBlock - blockSize },
        { id: a, start: firstBlock + 2n * blockSize },
        { id: z, encodedTags: Uint8Array.of(2) }
      ])
    )
    table.addPage(1, pageOf([{ id: a }]))
    const counts = noCounts()
    const rows = compareTable(table, counts)
    assert.deepStrictEqual([fresh, table.unaligned, counts], [4, 1, { same: 1, different: 0, missing: 3, unknown: 0 }])
    assert.deepStrictEqual(rows.map((row) => [String.fromCharCode(...table.id(row)), table.blockStart(row)]), [
      ["b", starts[0]],
      ["b", starts[1]],
      ["z", starts[0]]
    ])
    assert.deepStrictEqual(table.tags(rows[2]!), Uint8Array.of(1))
  })

  it("an element with an error counts as one without checksum", () => {
    const page = pageOf([{ id: a }])
    const table = new ReplicaTable(1, starts, 1 << 20)
    table.addPage(0, { ...page, failed: Uint8Array.of(1) })
    assert.strictEqual(compareRow(table, 0), "unknown")
    assert.strictEqual(table.checksum(0, 0), absentChecksum)
  })

  it("grows past its first thousand rows, and is full at its limit", () => {
    const elements = Array.from({ length: 3000 }, (_, at) => ({ id: text.encode(`series ${at}`), checksum: at }))
    const table = new ReplicaTable(2, starts, 1 << 24)
    assert.strictEqual(table.addPage(1, pageOf(elements)), 3000)
    assert.deepStrictEqual([table.checksum(2999, 1), table.presence(2999, 0), table.size(0, 1)], [2999, 0, 10])
    const small = new ReplicaTable(2, starts, 100_000)
    assert.isUndefined(small.addPage(0, pageOf(elements)))
    assert.isTrue(small.bytes > 100_000 && small.rows < 3000)
    const batches = [...batchesOf(table, Array.from({ length: 600 }, (_, row) => row))]
    assert.deepStrictEqual(batches.map(({ length }) => length), [256, 256, 88])
  })
})

const pointsOf = (points: ReadonlyArray<readonly [at: number, value: number]>): Datapoints => ({
  count: points.length,
  timestamps: BigInt64Array.from(points, ([at]) => firstBlock + BigInt(at) * 1_000_000_000n),
  values: Float64Array.from(points, ([, value]) => value),
  units: new Uint8Array(points.length).fill(1),
  annotations: new Map()
})

const encoded = (points: ReadonlyArray<readonly [number, number]>) => {
  const stream = encodeBlock(pointsOf(points), firstBlock)
  if ("_tag" in stream) throw new Error(stream.message)
  return [stream.bytes]
}

describe("comparison of points", () => {
  it("counts the times that differ, and finds the first, like a naive comparison", () => {
    const series = fc.uniqueArray(fc.tuple(fc.integer({ min: 0, max: 12 }), fc.constantFrom(0, -0, 1, Number.NaN)), {
      selector: ([at]) => at,
      maxLength: 8
    }).map((points) => points.toSorted(([x], [y]) => x - y))
    fc.assert(
      fc.property(fc.array(series, { maxLength: 4 }), (copies) => {
        const at = (copy: (typeof copies)[number], time: number) => copy.find(([each]) => each === time)?.[1]
        const times = Array.from({ length: 13 }, (_, time) => time)
          .filter((time) => copies.some((copy) => !Object.is(at(copy, time), at(copies[0]!, time))))
        const { count, first } = comparePoints(copies.map(pointsOf))
        assert.strictEqual(count, times.length)
        if (times.length === 0) return assert.isUndefined(first)
        assert.strictEqual(first!.timestamp, firstBlock + BigInt(times[0]!) * 1_000_000_000n)
        assert.deepStrictEqual(first!.values, copies.map((copy) => at(copy, times[0]!)))
      }),
      { seed: 20_261_121, numRuns: 400 }
    )
  })

  it("judges copies by their points: same, different, or undecided when one cannot be read", () => {
    const whole = encoded([[1, 1], [2, -0], [3, 3]])
    const parts = [encoded([[1, 1], [3, 3]])[0]!, encoded([[2, -0]])[0]!].map((part) => [part])
    assert.deepStrictEqual(judgeCopies([["a", [whole]], ["b", parts]]), {
      verdict: "same-points",
      points: { a: 3, b: 3 },
      differing: 0,
      first: undefined,
      problems: {}
    })
    const other = judgeCopies([["a", [whole]], ["b", [encoded([[1, 1], [2, 0]])]]])
    assert.deepStrictEqual([other.verdict, other.differing, other.first], ["different-points", 2, {
      timestamp: firstBlock + 2_000_000_000n,
      values: { a: { value: "-0", bits: "8000000000000000" }, b: { value: "0", bits: "0000000000000000" } }
    }])
    const broken = judgeCopies([["a", [whole]], ["b", [[Uint8Array.of(1, 2)]]], ["c", "not there"]])
    assert.deepStrictEqual([broken.verdict, Object.keys(broken.problems)], ["undecided", ["b", "c"]])
  })
})

const clientOf = (peer: string, page: MetadataPage): NodeClient => ({
  peer,
  address: "-",
  health: () => Effect.never,
  fetchBlocksMetadata: () => Effect.succeed(page),
  fetchBlocks: () => Effect.never
})

const run = (pages: ReadonlyArray<MetadataPage>, memoryBytes: number) =>
  diffReplicas({
    namespace: "metrics",
    shards: [0],
    replicasOf: () => pages.map((page, at) => clientOf(`p${at}`, page)),
    starts,
    blockSize,
    deep: false,
    limit: 10,
    memoryBytes,
    deadlineMillis: 1000,
    onRetry: () => Effect.void,
    onItems: () => Effect.void,
    onShard: () => Effect.void
  })

describe("diff of replicas", () => {
  it.effect("refuses a shard that does not fit, with the arithmetic", () =>
    Effect.gen(function*() {
      const page = pageOf(Array.from({ length: 1000 }, (_, at) => ({ id: text.encode(`series ${at}`) })))
      const failure = yield* Effect.flip(run([page, page], 400_000))
      if (failure._tag !== "Memory") throw new Error("not refused for want of memory")
      assert.deepStrictEqual([failure.shard, failure.share, failure.bytes > failure.share], [0, 100_000, true])
      assert.isTrue((yield* run([page, page], 4_000_000)).identical)
    }))

  it.effect("gives up a replica whose pages never end", () =>
    Effect.gen(function*() {
      const endless = { ...pageOf([{ id: a }]), nextPageToken: Uint8Array.of(1) }
      const failure = yield* Effect.flip(run([endless, pageOf([{ id: a }])], 1 << 20))
      if (failure._tag !== "Peers") throw new Error("the endless listing was taken")
      assert.deepStrictEqual(failure.failures.map(({ peer, reason }) => [peer, reason]), [["p0", "bad-answer"]])
    }))
})
