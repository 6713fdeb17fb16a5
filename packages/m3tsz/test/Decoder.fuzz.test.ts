// Damaged streams: every truncation and every flipped bit gives what the naive reader gives, and work stays bounded.
import { assert, describe, it } from "@effect/vitest"
import {
  BlockCursor,
  type Datapoints,
  DatapointsBuffer,
  decodeBlock,
  DecodeError,
  decodeInto,
  encodeBlock
} from "@peerstrap/m3tsz"
import { describePoints, firstDifference, generateDatapoints, shapes } from "@peerstrap/m3tsz/testing"
import * as fc from "fast-check"
import { naiveDecode } from "./NaiveDecoder.ts"
import { expectValue, fromRows } from "./Points.ts"

const blockStart = 1_599_998_400_000_000_000n
const limits = { maxPoints: 100_000 }
const cursor = new BlockCursor()
const buffer = new DatapointsBuffer()

interface Sample {
  readonly name: string
  readonly bytes: Uint8Array
}

const sample = (seed: number, points: number, shape: (typeof shapes)[number], unit: 1 | 2 | 3 | 4): Sample => {
  const block = { blockStart, blockSize: 7_200_000_000_000n }
  const options = { seed, ...block, points, shape, unit, jitter: seed % 2 === 1, annotateEvery: 3 + (seed % 9) }
  return {
    name: `${shape}, unit ${unit}, seed ${seed}`,
    bytes: expectValue(encodeBlock(generateDatapoints(options), blockStart)).bytes
  }
}

const samples = [
  ...shapes.flatMap((shape, i) => ([1, 2, 3, 4] as const).map((unit) => sample(4 * i + unit, 12, shape, unit))),
  sample(99, 180, "mixed", 2)
]

/** Decodes and checks what holds for any bytes; the points read, and whether it failed. */
const decodeAny = (bytes: Uint8Array): { points: Datapoints; failed: boolean } => {
  const error = decodeInto(cursor, buffer, [bytes], limits)
  // A point takes at least 3 bits, an annotation its own bytes: nothing multiplies.
  assert.isAtMost(buffer.count * 3, bytes.length * 8)
  let annotated = 0
  for (const annotation of buffer.annotations.values()) annotated += annotation.length
  assert.isAtMost(annotated, bytes.length)
  if (error !== undefined) {
    assert.instanceOf(error, DecodeError)
    assert.isAtMost(error.bitOffset, bytes.length * 8)
    assert.strictEqual(error.pointIndex, buffer.count)
  }
  return { points: buffer, failed: error !== undefined }
}

const likeTheNaiveReader = (bytes: Uint8Array): void => {
  const { failed, points } = decodeAny(bytes)
  const naive = naiveDecode(bytes)
  assert.strictEqual(failed, naive.failed)
  const expected = fromRows(naive.rows)
  if (firstDifference(points, expected) >= 0) assert.deepStrictEqual(describePoints(points), describePoints(expected))
}

describe("every truncation is an error, with the points before it", () => {
  for (const { bytes, name } of samples) {
    it(name, () => {
      const whole = expectValue(decodeBlock([bytes], limits))
      for (let length = 1; length < bytes.length; length++) {
        const cut = bytes.subarray(0, length)
        const { points } = decodeAny(cut)
        assert.propertyVal(decodeBlock([cut], limits), "reason", "truncated")
        const rest = expectValue(decodeBlock([cut], limits, { requireEnd: false }))
        assert.strictEqual(rest.count, points.count)
        // Padding of the cut byte may read as a point more; the others are those of the whole.
        const prefix = { ...whole, count: Math.min(rest.count, whole.count), annotations: new Map() }
        const at = firstDifference({ ...rest, annotations: new Map() }, prefix)
        assert.isTrue(at === -1 || at >= rest.count - 3, `${length}: ${at} of ${rest.count}`)
      }
    })
  }
})

describe("every flipped bit: as the naive reader, and encoded again without loss", () => {
  for (const { bytes, name } of samples) {
    it(name, () => {
      // The plain reader is slow: it looks at every flip of a short stream and at some of a long one.
      const every = bytes.length > 512 ? 97 : 1
      for (let bit = 0; bit < bytes.length * 8; bit++) {
        const flipped = bytes.slice()
        flipped[bit >>> 3]! ^= 0x80 >>> (bit & 7)
        const { failed, points } = decodeAny(flipped)
        if (bit % every === 0) likeTheNaiveReader(flipped)
        if (failed || bit % 7 !== 0) continue
        const again = encodeBlock(points, new DataView(flipped.buffer).getBigInt64(0))
        if ("_tag" in again) {
          assert.strictEqual(again.reason, "delta-too-large")
          continue
        }
        assert.strictEqual(
          firstDifference(expectValue(decodeBlock([again.bytes], limits)), points, { units: false }),
          -1
        )
      }
    })
  }
})

it("random bytes after a start", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 200 }), fc.boolean(), (noise, aligned) => {
      const start = new Uint8Array(8 + noise.length)
      new DataView(start.buffer).setBigInt64(0, aligned ? blockStart : blockStart + 1n)
      start.set(noise, 8)
      likeTheNaiveReader(start)
    }),
    { seed: 5, numRuns: 3000 }
  )
})

const text = (value: bigint, width: number): string => BigInt.asUintN(width, value).toString(2).padStart(width, "0")

/** A stream whose bits after the start are given as [value, width] pairs. */
const crafted = (start: bigint, fields: ReadonlyArray<readonly [number, number]>): Uint8Array => {
  const bits = text(start, 64) + fields.map(([value, width]) => text(BigInt(value), width)).join("")
  return Uint8Array.from(bits.match(/.{1,8}/g) ?? [], (byte) => Number.parseInt(byte.padEnd(8, "0"), 2))
}

const annotationMarker = [0x401, 11] as const
const unitMarker = [0x402, 11] as const

const reasonOf = (bytes: Uint8Array): unknown => {
  likeTheNaiveReader(bytes)
  const result = decodeBlock([bytes], limits)
  return "_tag" in result ? result.reason : undefined
}
const group = (value: number): readonly [number, number] => [value, 8]
const filler = Array.from({ length: 40 }, () => group(0))

const annotated = (...groups: ReadonlyArray<number>): unknown =>
  reasonOf(crafted(blockStart, [annotationMarker, ...groups.map(group), ...filler]))

const wide = (unit: number, ...words: ReadonlyArray<number>): Uint8Array =>
  crafted(blockStart, [
    unitMarker,
    group(unit),
    [0, 32],
    [0, 32],
    [0b0001, 4],
    [0b1111, 4],
    ...words.map((word) => [word, 32] as const),
    [0b01, 2],
    [0, 1],
    [0b01, 2],
    [0x400, 11]
  ])

describe("hostile fields", () => {
  it("annotation lengths", () => {
    assert.strictEqual(annotated(1), "bad-annotation-length", "length 0")
    assert.strictEqual(annotated(0x8f, 3), "bad-annotation-length", "negative")
    assert.strictEqual(annotated(0xfe, 0xff, 0xff, 0xff, 0x0f), "truncated", "2^31")
    assert.strictEqual(annotated(0xfe, ...Array.from({ length: 8 }, () => 0xff), 1), "truncated", "2^63")
    assert.strictEqual(annotated(0xfe, ...Array.from({ length: 8 }, () => 0xff), 2), "bad-annotation-length", "65 bits")
    assert.strictEqual(annotated(...Array.from({ length: 11 }, () => 0x80)), "bad-annotation-length", "endless")
    assert.strictEqual(annotated(98), "truncated", "one byte more than there is")
  })
  it("units", () => {
    assert.strictEqual(reasonOf(crafted(blockStart, [unitMarker, group(0), ...filler])), "bad-unit")
    assert.strictEqual(reasonOf(crafted(blockStart, [unitMarker, group(9), ...filler])), "bad-unit")
    assert.strictEqual(reasonOf(crafted(blockStart + 1n, [[0, 1], ...filler])), "no-unit")
  })
  it("decimal exponent 7", () => {
    assert.strictEqual(reasonOf(crafted(blockStart, [[0, 1], [0, 2], [0b1111, 4], ...filler])), "bad-multiplier")
  })
  it("steps that leave 53 and 63 bits", () => {
    for (const word of [0x7fffffff, -0x80000000, 9_007_199, 9_007_200, -9_007_200, 0x12345678]) {
      assert.isUndefined(reasonOf(wide(2, word)))
      assert.isUndefined(reasonOf(wide(3, word, word)))
      assert.isUndefined(reasonOf(wide(4, word, word)))
      assert.isUndefined(reasonOf(crafted(blockStart, [[0xf, 4], [word, 32], [0, 1], [0, 2], [1, 1], [0x400, 11]])))
    }
  })
  it("more points than allowed, more bytes than allowed", () => {
    const { bytes } = samples[0]!
    assert.propertyVal(decodeBlock([bytes], { maxPoints: 11 }), "reason", "too-many-points")
    assert.strictEqual(expectValue(decodeBlock([bytes], { maxPoints: 12 })).count, 12)
    assert.propertyVal(decodeBlock([bytes], { ...limits, maxBytes: bytes.length - 1 }), "reason", "too-large")
    assert.strictEqual(expectValue(decodeBlock([bytes], { ...limits, maxBytes: bytes.length })).count, 12)
  })
  it("a buffer grows to the limit of the call and no further", () => {
    const small = new DatapointsBuffer(1)
    assert.isUndefined(decodeInto(cursor, small, [samples.at(-1)!.bytes], { maxPoints: 200 }))
    assert.strictEqual(small.count, 180)
    assert.isAtMost(small.capacity, 200)
  })
})
