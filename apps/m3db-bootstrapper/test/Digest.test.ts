// The order of digest lines: the merge over filesets against sorting, and the sink that gets shards in any order.
import { assert, describe, it } from "@effect/vitest"
import type { BlockBatch } from "@peerstrap/m3db-bootstrap"
import { adler32, decodeBlock, digestPoints } from "@peerstrap/m3tsz"
import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import { createHash } from "node:crypto"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { digestLine, type DigestRow } from "../src/digest/DigestRow.ts"
import { makeDigestSink } from "../src/digest/DigestSink.ts"
import { MergeHeap } from "../src/digest/MergeHeap.ts"
import { blockSize, firstBlock, streamOf, writeFilesets } from "./support/Filesets.ts"
import { jsonLinesOf, linesOf, runCommand, temporaryDirectory } from "./support/InspectProgram.ts"

const noTags = new Uint8Array(0)
const rowOf = (id: Uint8Array): DigestRow => ({ id, tags: noTags, datapoints: 1, sha256: "00" })
const text = (id: string): string => Buffer.from(id, "hex").toString()
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex")

const mergedKeys = (sources: ReadonlyArray<ReadonlyArray<Uint8Array>>): Array<string> => {
  const heap = new MergeHeap()
  sources.forEach((ids, at) => {
    if (ids.length > 0) heap.push({ blockStart: BigInt(at), rows: ids.map(rowOf), position: 0 })
  })
  const out: Array<string> = []
  for (let first = heap.first; first !== undefined; first = heap.first) {
    out.push(`${hex(first.rows[first.position]!.id)}/${first.blockStart}`)
    first.position++
    heap.settleFirst()
  }
  return out
}

describe("merge of sorted filesets", () => {
  it("gives what sorting everything gives", () => {
    const ids = fc.uniqueArray(fc.uint8Array({ maxLength: 3 }), { selector: hex, maxLength: 12 })
      .map((all) => all.toSorted((a, b) => Buffer.compare(a, b)))
    fc.assert(
      fc.property(fc.array(ids, { maxLength: 9 }), (sources) => {
        const naive = sources
          .flatMap((all, at) => all.map((id) => ({ id, at })))
          .toSorted((a, b) => Buffer.compare(a.id, b.id) || a.at - b.at)
          .map(({ at, id }) => `${hex(id)}/${at}`)
        assert.deepStrictEqual(mergedKeys(sources), naive)
      }),
      { seed: 20_261_121, numRuns: 300 }
    )
  })
})

describe("digest line", () => {
  it("has its fields in the agreed order, and a digest over big-endian times and value bits", () => {
    const stream = streamOf(3, firstBlock, 7)
    const points = decodeBlock([stream], { maxPoints: 100 })
    if ("_tag" in points) throw new Error(points.message)
    const bytes = Buffer.alloc(7 * 16)
    for (let i = 0; i < 7; i++) {
      bytes.writeBigInt64BE(points.timestamps[i]!, i * 16)
      bytes.writeDoubleBE(points.values[i]!, i * 16 + 8)
    }
    const sha256 = createHash("sha256").update(bytes).digest("hex")
    assert.strictEqual(digestPoints(points), sha256)
    const row = { id: Uint8Array.of(0, 255), tags: Uint8Array.of(0x75), datapoints: 7, sha256 }
    assert.strictEqual(
      digestLine("a\"b", { shard: 3, blockStart: firstBlock }, row),
      `{"namespace":"a\\"b","shard":3,"id":"00ff","tags":"75","blockStart":"${firstBlock}","datapoints":7,"sha256":"${sha256}"}\n`
    )
  })
})

describe("digest of a directory", () => {
  it.effect("reads the highest complete volume, and sorts by shard, id and block", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      yield* writeFilesets(directory, [
        { shard: 10, block: 0, ids: ["z"] },
        { shard: 2, block: 1, ids: ["b", "a"] },
        { shard: 2, block: 0, ids: ["old"] },
        { shard: 2, block: 0, volume: 3, ids: ["b", "a"] }
      ])
      const { code, out } = yield* runCommand("digest", directory)
      assert.strictEqual(code, 0)
      const second = String(firstBlock + blockSize)
      assert.deepStrictEqual(jsonLinesOf(out).map(({ blockStart, id, shard }) => [shard, text(id), blockStart]), [
        [2, "a", String(firstBlock)],
        [2, "a", second],
        [2, "b", String(firstBlock)],
        [2, "b", second],
        [10, "z", String(firstBlock)]
      ])
    }))

  it.effect("goes on after a fileset that does not open, with exit code 1", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      yield* writeFilesets(directory, [0, 1, 2].map((block) => ({ shard: 1, block, ids: ["a"] })))
      const path = join(directory, `data/metrics/1/fileset-${firstBlock + blockSize}-0-digest.db`)
      writeFileSync(path, readFileSync(path).map((byte) => byte ^ 1))
      const { code, err, out } = yield* runCommand("digest", directory)
      assert.deepStrictEqual([code, linesOf(out).length], [1, 2])
      assert.isTrue(err.includes(path) && err.includes("what to do: "), err)
      assert.isTrue(err.includes("1 problems: what they concern has no line"), err)
    }))
})

const batchOf = (shard: number, block: number, ids: ReadonlyArray<string>, stream?: Uint8Array): BlockBatch => {
  const blockStart = firstBlock + BigInt(block) * blockSize
  const data = ids.map((_, at) => [stream ?? streamOf(at, blockStart, 3)])
  return {
    key: { shard, blockStart },
    count: ids.length,
    ids: ids.map((id) => new TextEncoder().encode(id)),
    tags: ids.map(() => noTags),
    data,
    checksums: Uint32Array.from(data, ([bytes]) => adler32(bytes!)),
    bytes: data.reduce((sum, [bytes]) => sum + bytes!.length, 0)
  }
}

const sinkOf = Effect.fnUntraced(
  function*(shards: ReadonlyArray<number>, blocksPerShard: number, maxHeldBytes = 1 << 20) {
    const written: Array<string> = []
    const undecodable: Array<string> = []
    const made = yield* makeDigestSink({
      namespace: "metrics",
      shards,
      blocksPerShard,
      maxHeldBytes,
      write: (text) => Effect.sync(() => void written.push(...linesOf(text))),
      onUndecodable: (_, id) => void undecodable.push(id)
    })
    const places = (): Array<string> =>
      written.map((line) => JSON.parse(line)).map(({ blockStart, id, shard }) =>
        `${shard} ${Buffer.from(id, "hex")} ${(BigInt(blockStart) - firstBlock) / blockSize}`
      )
    return { ...made, places, undecodable }
  }
)

describe("digest sink", () => {
  it.effect("writes a shard when all of its blocks are published and the shards before it are written", () =>
    Effect.gen(function*() {
      const { finish, places, sink, totals } = yield* sinkOf([1, 4], 2)
      yield* sink.write(batchOf(4, 0, ["x"]))
      yield* sink.commit(batchOf(4, 0, []).key)
      yield* sink.commit(batchOf(4, 1, []).key)
      assert.deepStrictEqual(places(), [])
      yield* sink.write(batchOf(1, 1, ["b", "a"]))
      yield* sink.write(batchOf(1, 0, ["b"]))
      yield* sink.commit(batchOf(1, 1, []).key)
      assert.deepStrictEqual(places(), [])
      yield* sink.commit(batchOf(1, 0, []).key)
      assert.deepStrictEqual(places(), ["1 a 1", "1 b 0", "1 b 1", "4 x 0"])
      yield* finish
      assert.deepStrictEqual([totals.seriesBlocks, totals.datapoints, places().length], [4, 12, 4])
    }))

  it.effect("at the end writes what is published; what was aborted or never published has no line", () =>
    Effect.gen(function*() {
      const { finish, places, sink } = yield* sinkOf([0, 1], 2)
      yield* sink.write(batchOf(1, 0, ["never"]))
      yield* sink.write(batchOf(1, 1, ["first try"]))
      yield* sink.abort(batchOf(1, 1, []).key)
      yield* sink.write(batchOf(1, 1, ["again"]))
      yield* sink.commit(batchOf(1, 1, []).key)
      yield* finish
      assert.deepStrictEqual(places(), ["1 again 1"])
    }))

  it.effect("names streams that do not decode, and refuses to hold more than it may", () =>
    Effect.gen(function*() {
      const { sink, totals, undecodable } = yield* sinkOf([0, 1], 1, 1000)
      yield* sink.write(batchOf(1, 0, ["bad"], Uint8Array.of(1, 2, 3)))
      assert.deepStrictEqual([totals.undecodable, undecodable], [1, ["\"bad\""]])
      const refused = yield* Effect.flip(sink.write(batchOf(1, 0, ["a", "b", "c"])))
      assert.isTrue(
        refused.message.includes("wait for shard 0") && refused.remedy.includes("--memory"),
        refused.message
      )
    }))
})
