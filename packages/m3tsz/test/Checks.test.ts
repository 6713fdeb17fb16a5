// checkBlock, digests, Adler-32, and the generator's bounds.
import { assert, describe, it } from "@effect/vitest"
import {
  adler32,
  adler32OfPieces,
  adler32Update,
  checkBlock,
  type Datapoints,
  digestPoints,
  digestPointsWithUnits,
  encodeBlock
} from "@peerstrap/m3tsz"
import { generateDatapoints, Random } from "@peerstrap/m3tsz/testing"
import { createHash } from "node:crypto"
import { expectValue, series } from "./Points.ts"

const blockStart = 1_599_998_400_000_000_000n
const bounds = { blockStart, blockSize: 100_000_000_000n, maxPoints: 1000 }
const bytesOf = (points: Datapoints): Uint8Array => expectValue(encodeBlock(points, blockStart)).bytes

describe("checkBlock", () => {
  it("a sound block", () => {
    assert.deepStrictEqual(checkBlock([bytesOf(series(blockStart, 1, [[0, 1], [99, 2]]))], bounds), {
      points: 2,
      encodedStart: blockStart,
      firstTimestamp: blockStart,
      lastTimestamp: blockStart + 99_000_000_000n,
      repeatedTimestamps: 0,
      backwardSteps: 0,
      outsideBlock: 0,
      problems: []
    })
  })
  it("times that repeat, go back or lie outside", () => {
    const points = series(blockStart, 1, [[-1, 1], [10, 1], [10, 2], [5, 3], [100, 4]])
    assert.deepInclude(checkBlock([bytesOf(points)], bounds), {
      repeatedTimestamps: 1,
      backwardSteps: 1,
      outsideBlock: 2,
      problems: ["not-ascending", "outside-block"]
    })
  })
  it("another start", () => {
    const { bytes } = expectValue(encodeBlock(series(blockStart, 1, [[1, 1]]), blockStart - 1n))
    assert.deepInclude(checkBlock([bytes], bounds), { encodedStart: blockStart - 1n, problems: ["other-start"] })
  })
  it("bits and bytes after the end", () => {
    // 14 bits of value and end in the last two bytes.
    const bytes = bytesOf(series(blockStart, 1, [[5, 42]]))
    const flipped = bytes.slice()
    flipped[flipped.length - 1]! |= 1
    assert.deepInclude(checkBlock([flipped], bounds), { problems: ["padding"] })
    assert.deepInclude(checkBlock([bytes, new Uint8Array(1)], bounds), { problems: ["padding"] })
  })
  it("no end, too many points, too many bytes, nothing", () => {
    const bytes = bytesOf(series(blockStart, 1, [[0, 1], [99, 2]]))
    assert.propertyVal(checkBlock([bytes.subarray(0, -1)], bounds), "reason", "truncated")
    assert.propertyVal(checkBlock([bytes.subarray(0, 7)], bounds), "reason", "truncated")
    assert.propertyVal(checkBlock([bytes], { ...bounds, maxPoints: 1 }), "reason", "too-many-points")
    assert.propertyVal(checkBlock([bytes], { ...bounds, maxBytes: 5 }), "reason", "too-large")
    assert.deepInclude(checkBlock([], bounds), { points: 0, firstTimestamp: undefined, problems: [] })
  })
})

const plainDigest = (points: Datapoints, whole: boolean): string => {
  const hash = createHash("sha256")
  for (let i = 0; i < points.count; i++) {
    const annotation = points.annotations.get(i) ?? new Uint8Array(0)
    const bytes = new DataView(new ArrayBuffer(21))
    bytes.setBigInt64(0, points.timestamps[i]!)
    bytes.setFloat64(8, points.values[i]!)
    bytes.setUint8(16, points.units[i]!)
    bytes.setUint32(17, annotation.length)
    hash.update(new Uint8Array(bytes.buffer, 0, whole ? 21 : 16))
    if (whole) hash.update(annotation)
  }
  return hash.digest("hex")
}

describe("digests", () => {
  it("as defined, over more than one chunk", () => {
    const block = { blockStart, blockSize: 7_200_000_000_000n }
    for (const points of [0, 1, 4096, 5000]) {
      const some = generateDatapoints({ seed: 3, ...block, points, shape: "float", unit: 2, annotateEvery: 7 })
      assert.strictEqual(digestPoints(some), plainDigest(some, false))
      assert.strictEqual(digestPointsWithUnits(some), plainDigest(some, true))
    }
  })
  it("units and annotations count only in the second", () => {
    const [a, b] = [series(blockStart, 1, [[1, 1]]), series(blockStart, 2, [[1, 1, "00"]])]
    assert.strictEqual(digestPoints(a), digestPoints(b))
    assert.notStrictEqual(digestPointsWithUnits(a), digestPointsWithUnits(b))
  })
})

const plainAdler = (bytes: Uint8Array): number => {
  let [a, b] = [1, 0]
  for (const byte of bytes) {
    a = (a + byte) % 65521
    b = (b + a) % 65521
  }
  return b * 65536 + a
}

describe("Adler-32", () => {
  it("known values", () => {
    assert.strictEqual(adler32(new Uint8Array(0)), 1)
    assert.strictEqual(adler32(new TextEncoder().encode("Wikipedia")), 0x11e60398)
  })
  it("all 0xff around the block length, at every alignment", () => {
    const bytes = new Uint8Array(8000).fill(0xff)
    for (const length of [1, 7, 8, 9, 3799, 3800, 3801, 5552, 5553, 7601, 7990]) {
      const expected = plainAdler(bytes.subarray(0, length))
      for (let offset = 0; offset < 9; offset++) {
        assert.strictEqual(adler32Update(1, bytes, offset, length), expected, `${length} at ${offset}`)
      }
    }
  })
  it("from the largest sums", () => {
    const bytes = new Uint8Array(3800).fill(0xff)
    let [a, b] = [65520, 65520]
    for (const byte of bytes) {
      a = (a + byte) % 65521
      b = (b + a) % 65521
    }
    assert.strictEqual(adler32Update(65520 * 65536 + 65520, bytes, 0, bytes.length), b * 65536 + a)
  })
  it("pieces, cut anywhere", () => {
    const random = new Random(9)
    const bytes = Uint8Array.from({ length: 300 }, () => random.below(256))
    for (let cut = 0; cut <= bytes.length; cut++) {
      assert.strictEqual(adler32OfPieces([bytes.subarray(0, cut), bytes.subarray(cut)]), plainAdler(bytes))
    }
  })
})

describe("generateDatapoints", () => {
  it("stays inside the block, ascending, on its unit", () => {
    for (const jitter of [false, true]) {
      const block = { blockStart, blockSize: 60_000_000_000n }
      const points = generateDatapoints({ seed: 1, ...block, points: 60, shape: "int", unit: 1, jitter })
      for (let i = 0; i < points.count; i++) {
        const offset = points.timestamps[i]! - blockStart
        assert.isTrue(offset >= 0n && offset < block.blockSize && offset % 1_000_000_000n === 0n)
        assert.isTrue(i === 0 || points.timestamps[i - 1]! < points.timestamps[i]!)
      }
    }
  })
  it("refuses more points than units", () => {
    const block = { blockStart, blockSize: 1_000_000_000n }
    assert.throws(() => generateDatapoints({ seed: 1, ...block, points: 2, shape: "int", unit: 1 }), RangeError)
  })
})
