// Listings and block answers against a naive reading of the data; seeded data sets against themselves.
import { assert, describe, it } from "@effect/vitest"
import { adler32, decodeBlock, DecodeError, digestPointsWithUnits, encodeBlock, EncodeError } from "@peerstrap/m3tsz"
import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import { decodePageToken } from "../src/codec/PageToken.ts"
import { shardOf } from "../src/codec/ShardHash.ts"
import { decodeTags } from "../src/codec/Tags.ts"
import type { ListingElement, ListingRequest } from "../src/contract/ReplicaSource.ts"
import {
  digestLines,
  makeStream,
  picksSeries,
  type ReplicaBlock,
  ReplicaData,
  ReplicaShard,
  SeededReplica,
  seededSpec,
  splitStream
} from "../src/testing/index.ts"

const blockSize = 100n
const utf8 = new TextEncoder()

const listAll = (data: ReplicaData, request: Omit<ListingRequest, "pageToken">) => {
  const pages: Array<{ elements: ReadonlyArray<ListingElement>; inMemory: boolean }> = []
  let token: Uint8Array | undefined
  do {
    const page = Effect.runSync(data.listMetadata({ ...request, pageToken: token }))
    const decoded = token === undefined ? undefined : decodePageToken(token)
    pages.push({
      elements: page.elements ?? [],
      inMemory: decoded === undefined || ("phase" in decoded && decoded.phase === "active")
    })
    token = page.nextPageToken
  } while (token !== undefined)
  return pages
}

const show = (id: Uint8Array, start: bigint): string => `${Buffer.from(id).toString()}@${start}`

const plain = { includeSizes: true, includeChecksums: true, includeLastRead: true }

/** Blocks of a series: start in blocks, in memory or not, streams. */
const shardArbitrary = fc.array(
  fc.array(
    fc.record({
      start: fc.integer({ min: 1, max: 6 }),
      inMemory: fc.boolean(),
      streams: fc.integer({ min: 1, max: 3 })
    }),
    { maxLength: 4 }
  ),
  { maxLength: 12 }
)

const makeBlock = (label: string, shape: { start: number; inMemory: boolean; streams: number }): ReplicaBlock => ({
  start: BigInt(shape.start) * blockSize,
  inMemory: shape.inMemory,
  streams: Array.from(
    { length: shape.streams },
    (_, n) => makeStream(utf8.encode(`${label}/${n}`), utf8.encode("tail"))
  )
})

describe("ReplicaData", () => {
  it("lists what a naive reading lists, whatever the limit and the range", () => {
    fc.assert(
      fc.property(
        shardArbitrary,
        fc.integer({ min: 1, max: 9 }),
        fc.bigInt({ min: 0n, max: 800n }),
        fc.bigInt({ min: 0n, max: 800n }),
        (shape, limit, rangeStart, rangeEnd) => {
          const series = shape.map((blocks, index) => ({
            id: utf8.encode(`s${index}`),
            encodedTags: undefined,
            blocks: blocks.map((block, n) => makeBlock(`s${index}/${n}`, block)).toSorted((
              a,
              b
            ) => (a.start < b.start ? -1 : 1))
          }))
          const shard = new ReplicaShard(series)
          const data = new ReplicaData([{ name: "ns", blockSize, shards: new Set([0]), shard: () => shard }])
          const pages = listAll(data, { namespace: utf8.encode("ns"), shard: 0, rangeStart, rangeEnd, limit, ...plain })
          const seen = (inMemory: boolean) =>
            pages.filter((page) => page.inMemory === inMemory).flatMap(({ elements }) =>
              elements.map(({ id, start }) => show(id, start))
            )
          const memory = series.flatMap(({ blocks, id }) =>
            blocks.filter(({ inMemory, start }) => inMemory && start < rangeEnd && start + blockSize > rangeStart)
              .map(({ start }) => show(id, start))
          )
          const disk: Array<string> = []
          for (let start = rangeEnd / blockSize * blockSize - blockSize; start >= rangeStart; start -= blockSize) {
            for (const { blocks, id } of series) {
              for (const block of blocks) if (!block.inMemory && block.start === start) disk.push(show(id, start))
            }
          }
          // Starts that are listed are multiples of the block size, as filesets are.
          assert.deepStrictEqual(seen(true), memory)
          assert.deepStrictEqual(seen(false), disk)
          assert.isTrue(pages.every(({ elements, inMemory }) => inMemory || elements.length <= limit))
          assert.isAtLeast(pages.length, 2)
        }
      ),
      { numRuns: 300 }
    )
  })

  it("answers a block with all its streams, filesets first, merged only when there is one", () => {
    fc.assert(
      fc.property(shardArbitrary, fc.array(fc.bigInt({ min: 0n, max: 700n }), { maxLength: 6 }), (shape, starts) => {
        const series = shape.map((blocks, index) => ({
          id: utf8.encode(`s${index}`),
          encodedTags: undefined,
          blocks: blocks.map((block, n) => makeBlock(`s${index}/${n}`, block))
        }))
        const shard = new ReplicaShard(series)
        const data = new ReplicaData([{ name: "ns", blockSize, shards: new Set([0]), shard: () => shard }])
        const aligned = starts.map((start) => start - start % (start % 2n === 0n ? blockSize : 1n))
        const elements = series.map(({ id }) => ({ id, starts: aligned }))
        const answers = Effect.runSync(data.fetchBlocks({ namespace: utf8.encode("ns"), shard: 0, elements }))
        assert.strictEqual(answers.length, series.length)
        for (const [index, { blocks, id }] of answers.entries()) {
          assert.strictEqual(id, series[index]!.id)
          const want = aligned.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0)).flatMap((start) => {
            const held = series[index]!.blocks.filter((block) => block.start === start)
            const streams = [...held.filter(({ inMemory }) => !inMemory), ...held.filter(({ inMemory }) => inMemory)]
              .flatMap((block) => block.streams.map(({ checksum }) => checksum))
            return streams.length === 0 ? [] : [{ start, streams }]
          })
          const got = blocks.map(({ merged, start, unmerged }) => ({
            start,
            streams: (merged === undefined ? unmerged! : [merged]).map(({ checksum }) => checksum!)
          }))
          assert.deepStrictEqual(got, want)
          for (const { checksum, merged } of blocks) assert.strictEqual(checksum, merged?.checksum)
        }
      }),
      { numRuns: 200 }
    )
  })

  it("starts a block again when the token is of another volume", () => {
    const series = [0, 1, 2].map((n) => ({
      id: utf8.encode(`s${n}`),
      encodedTags: undefined,
      blocks: [makeBlock(`s${n}`, { start: 1, inMemory: false, streams: 1 })]
    }))
    const shard = new ReplicaShard(series)
    let volume = 1
    const data = new ReplicaData([{
      name: "ns",
      blockSize,
      shards: new Set([0]),
      shard: () => shard,
      get volume() {
        return volume
      }
    }])
    const request = { namespace: utf8.encode("ns"), shard: 0, rangeStart: 0n, rangeEnd: 1_000n, limit: 2, ...plain }
    const first = Effect.runSync(data.listMetadata({ ...request, pageToken: Uint8Array.of(0x12, 0) }))
    assert.strictEqual(first.elements?.length, 2)
    assert.strictEqual(
      Effect.runSync(data.listMetadata({ ...request, pageToken: first.nextPageToken })).elements?.length,
      1
    )
    volume = 2
    assert.strictEqual(
      Effect.runSync(data.listMetadata({ ...request, pageToken: first.nextPageToken })).elements?.length,
      2
    )
  })

  it("neither lists nor answers what has left retention", () => {
    const blocks = [1, 2].flatMap((start) =>
      [true, false].map((inMemory) => makeBlock("s", { start, inMemory, streams: 1 }))
    )
    const shard = new ReplicaShard([{ id: utf8.encode("s"), encodedTags: undefined, blocks }])
    const data = new ReplicaData([
      { name: "ns", blockSize, shards: new Set([0]), shard: () => shard, earliestStart: () => 200n }
    ])
    const range = { namespace: utf8.encode("ns"), shard: 0, rangeStart: 0n, rangeEnd: 1_000n, limit: 100, ...plain }
    assert.deepStrictEqual(listAll(data, range).flatMap(({ elements }) => elements.map(({ start }) => start)), [
      200n,
      200n
    ])
    const elements = [{ id: utf8.encode("s"), starts: [100n, 200n] }]
    const [answer] = Effect.runSync(data.fetchBlocks({ namespace: utf8.encode("ns"), shard: 0, elements }))
    assert.deepStrictEqual(answer!.blocks.map(({ start }) => start), [200n])
  })
})

describe("SeededReplica", () => {
  const spec = seededSpec({
    series: 200,
    numShards: 8,
    blocks: 3,
    active: 1,
    points: 30,
    tags: -1,
    annotate: 10,
    odd: 9,
    hashSeed: 42
  })

  it("holds exactly what its truth says, in the right shards, with lossless streams", () => {
    const replica = new SeededReplica(spec)
    const held = new Map<string, string>()
    for (let shard = 0; shard < spec.numShards; shard++) {
      for (const { blocks, encodedTags, id } of replica.shard(shard).series) {
        assert.strictEqual(shardOf(id, spec.hashSeed, spec.numShards), shard)
        if (encodedTags !== undefined) assert.isArray(decodeTags(encodedTags))
        for (const { inMemory, start, streams } of blocks) {
          const [{ checksum, head, tail }] = streams as unknown as readonly [typeof streams[number]]
          const points = decodeBlock([head, tail], { maxPoints: 1_000 })
          if (points instanceof DecodeError) throw points
          assert.strictEqual(checksum, adler32(Uint8Array.from([...head, ...tail])))
          assert.strictEqual(inMemory, start === replica.end - spec.blockSize)
          assert.strictEqual(tail.length > 0, inMemory)
          held.set(`${shard}/${Buffer.from(id).toString("hex")}/${start}`, digestPointsWithUnits(points))
        }
      }
    }
    let rows = 0
    for (const { blockStart, id, points, shard } of replica.truth()) {
      rows++
      assert.strictEqual(
        held.get(`${shard}/${Buffer.from(id).toString("hex")}/${blockStart}`),
        digestPointsWithUnits(points)
      )
    }
    assert.strictEqual(rows, held.size)
    assert.strictEqual(rows, 600)
  })

  it("is the same for the same spec and another for another seed", () => {
    const lines = digestLines(new SeededReplica(spec).truth())
    assert.deepStrictEqual(digestLines(new SeededReplica({ ...spec }).truth()), lines)
    assert.notDeepEqual(digestLines(new SeededReplica({ ...spec, seed: 2 }).truth()), lines)
  })

  it("varies as told and in nothing else", () => {
    const whole = new Map(
      [...new SeededReplica(spec).truth()].map((
        row
      ) => [`${Buffer.from(row.id).toString("hex")}/${row.blockStart}`, row])
    )
    const variation = {
      lackSeries: { every: 5, remainder: 1 },
      lackPoints: { every: 3, remainder: 2 },
      otherValues: { every: 4, remainder: 0 }
    }
    const varied = [...new SeededReplica(spec, variation).truth()]
    const kept = [...whole.values()].filter(({ id }) => !picksSeries(id, 5, 1))
    assert.strictEqual(varied.length, kept.length)
    assert.isBelow(varied.length, whole.size)
    for (const { blockStart, id, points } of varied) {
      assert.isFalse(picksSeries(id, 5, 1))
      const full = whole.get(`${Buffer.from(id).toString("hex")}/${blockStart}`)!.points
      const raised = picksSeries(id, 4, 0) ? 1 : 0
      const want = Array.from({ length: full.count }, (_, index) => index).filter((index) => index % 3 !== 2)
      assert.deepStrictEqual([...points.timestamps], want.map((index) => full.timestamps[index]!))
      assert.deepStrictEqual([...points.values], want.map((index) => full.values[index]! + raised))
    }
  })

  it("holds blocks in memory as two streams when told, with the same points", () => {
    const replica = new SeededReplica(spec, { unmerged: { every: 2, remainder: 0 } })
    const blocks = [...Array(8).keys()].flatMap((shard) =>
      replica.shard(shard).series.flatMap(({ blocks, id }) => blocks.map((block) => ({ block, id })))
    )
    for (const { block, id } of blocks) {
      assert.strictEqual(block.streams.length, block.inMemory && picksSeries(id, 2, 0) ? 2 : 1)
    }
    assert.isTrue(blocks.some(({ block }) => block.streams.length === 2))
    assert.deepStrictEqual(digestLines(replica.truth()), digestLines(new SeededReplica(spec).truth()))
  })

  it("encodes nothing before it is asked", () => {
    const replica = new SeededReplica(seededSpec({ series: 100_000, points: 100, numShards: 4_096 }))
    assert.isAbove(replica.shard(7).series.length, 0)
    assert.strictEqual(replica.shard(7), replica.shard(7))
  })

  it("makes up series that hash into the shard asked", () => {
    const { madeUp } = new SeededReplica(spec)
    const ids = Array.from({ length: 50 }, (_, n) => madeUp.id(3, n))
    for (const id of ids) assert.strictEqual(shardOf(id, spec.hashSeed, spec.numShards), 3)
    assert.strictEqual(new Set(ids.map((id) => Buffer.from(id).toString())).size, 50)
  })

  it("splits a stream of one point into two with that point", () => {
    const points = {
      count: 1,
      timestamps: BigInt64Array.of(0n),
      values: Float64Array.of(5),
      units: Uint8Array.of(1),
      annotations: new Map()
    }
    const encoded = encodeBlock(points, 0n)
    if (encoded instanceof EncodeError) throw encoded
    const segment = { head: encoded.bytes, tail: new Uint8Array(0), startTime: 0n, blockSize: 1n, checksum: 0 }
    const [one, other] = splitStream(segment, 0n)
    assert.deepStrictEqual(one, other)
  })
})
