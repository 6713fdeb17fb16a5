/** The kernel sets the same bits as the filter's own loop over 32-bit limbs; its bytes are those of the source. */
import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { readFileSync } from "node:fs"
import wabt from "wabt"
import { BloomFilter } from "../src/codec/BloomFilter.ts"
import { makeBloomProbes } from "../src/codec/BloomProbes.ts"
import { bloomProbesModule } from "../src/codec/BloomProbesModule.ts"
import { isMalformed } from "../src/contract/Malformed.ts"

const probes = makeBloomProbes()!

/** Ids one behind the other with `gap` bytes around them. */
const laidOut = (ids: ReadonlyArray<Uint8Array>, gap: number): { bytes: Uint8Array; ranges: Uint32Array } => {
  const bytes = new Uint8Array(ids.reduce((sum, id) => sum + id.length + gap, gap)).fill(0xa5)
  const ranges = new Uint32Array(2 * ids.length)
  let at = gap
  for (const [i, id] of ids.entries()) {
    bytes.set(id, at)
    ranges[2 * i] = at
    ranges[2 * i + 1] = at + id.length
    at += id.length + gap
  }
  return { bytes, ranges }
}

const filterOf = (bits: number, hashes: number): BloomFilter => {
  const filter = BloomFilter.empty(bits, hashes)
  if (isMalformed(filter)) throw new Error(filter.message)
  return filter
}

const oneByOne = (bits: number, hashes: number, ids: ReadonlyArray<Uint8Array>): Uint8Array => {
  const filter = filterOf(bits, hashes)
  for (const id of ids) filter.add(id, 0, id.length)
  return filter.bytes
}

const allAtOnce = (bits: number, hashes: number, ids: ReadonlyArray<Uint8Array>, gap: number): Uint8Array => {
  const filter = filterOf(bits, hashes)
  const { bytes, ranges } = laidOut(ids, gap)
  filter.addAll(bytes, ranges, ids.length)
  return filter.bytes
}

const noise = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => (i * 167 + length * 31) >>> 2)

describe("bloom probes", () => {
  it("the kernel runs here and takes every id that its memory holds", () => {
    const ids = Array.from({ length: 700 }, (_, i) => noise(i % 60))
    const { bytes, ranges } = laidOut(ids, 3)
    const filter = filterOf(5_000, 6)
    assert.strictEqual(probes(filter.bytes, 5_000, 6, bytes, ranges, 0, 700), 700)
    assert.deepStrictEqual(filter.bytes, oneByOne(5_000, 6, ids))
  })

  it("ids of every length, one at a time", () => {
    for (let length = 0; length <= 130; length++) {
      const ids = [noise(length)]
      assert.deepStrictEqual(allAtOnce(100_003, 9, ids, 2), oneByOne(100_003, 9, ids), `length ${length}`)
    }
  })

  it("any ids, sizes and numbers of hashes", () => {
    const id = fc.uint8Array({ maxLength: 80 })
    const bits = fc.integer({ min: 1, max: 1 << 20 })
    fc.assert(
      fc.property(bits, fc.integer({ min: 0, max: 64 }), fc.array(id, { maxLength: 40 }), (size, hashes, ids) => {
        assert.deepStrictEqual(allAtOnce(size, hashes, ids, 1), oneByOne(size, hashes, ids))
      }),
      { seed: 20_261_121, numRuns: 200 }
    )
  })

  it("more ids than one call takes, and ids longer than the kernel's memory among them", () => {
    const ids = Array.from({ length: 3_000 }, (_, i) => noise(i % 41))
    ids.splice(1_500, 0, noise(300_000), noise(160_000), noise(100_000), noise(100_000))
    assert.deepStrictEqual(allAtOnce(30_011, 6, ids, 0), oneByOne(30_011, 6, ids))
    assert.deepStrictEqual(allAtOnce(30_011, 64, ids, 5), oneByOne(30_011, 64, ids))
  })

  it("the largest filter there is", () => {
    const bits = 8 * 67_108_864 - 64
    const ids = [noise(20), noise(48)]
    const [one, all] = [oneByOne(bits, 6, ids), allAtOnce(bits, 6, ids, 4)]
    assert.strictEqual(Buffer.compare(one, all), 0)
  })

  it("is assembled from its source", async () => {
    const source = new URL("../src/codec/BloomProbes.wat", import.meta.url)
    const parsed = (await wabt()).parseWat("BloomProbes.wat", readFileSync(source, "utf8"))
    parsed.resolveNames()
    const assembled = Buffer.from(parsed.toBinary({ write_debug_names: false }).buffer).toString("base64")
    assert.strictEqual(bloomProbesModule, assembled, "put the assembled bytes into BloomProbesModule.ts")
  })
})
