// The encoder: M3's vectors, single fields, and the promise that decoding gives the input back.
import { assert, describe, it } from "@effect/vitest"
import { adler32, type Datapoints, decodeBlock, encodeBlock, type EncodeOptions } from "@peerstrap/m3tsz"
import { describePoints, firstDifference, generateDatapoints, shapes } from "@peerstrap/m3tsz/testing"
import * as fc from "fast-check"
import { expectValue, fromHex, fromRows, series, toHex } from "./Points.ts"

const start = 1_599_998_400_000_000_000n
const limits = { maxPoints: 10_000 }
const m3: EncodeOptions = { lossless: false }
const encoded = (points: Datapoints, options?: EncodeOptions, from = start) =>
  expectValue(encodeBlock(points, from, options))
const decoded = (bytes: Uint8Array): Datapoints => expectValue(decodeBlock([bytes], limits))

const vector = (
  name: string,
  points: Datapoints,
  head: string,
  tail: string,
  checksum: string,
  lossy = false
): void =>
  it(name, () => {
    for (const options of lossy ? [m3] : [m3, {}]) {
      const { bytes, headLength } = encoded(points, options)
      assert.strictEqual(toHex(bytes.subarray(0, headLength)), head)
      assert.strictEqual(toHex(bytes.subarray(headLength)), tail)
      assert.strictEqual(adler32(bytes).toString(16).padStart(8, "0"), checksum)
    }
    const back = expectValue(decodeBlock([fromHex(head), fromHex(tail)], limits))
    assert.strictEqual(firstDifference(back, points) === -1, !lossy)
  })

describe("M3's vectors", () => {
  vector(
    "V1",
    series(start, 1, [[10, 1], [20, 2], [30, 3], [40, 3], [50, 2.5], [60, -7], [71, 1_000_000]]),
    "163456115131800085301bb90c49d8318bf011aecc4b63",
    "4000",
    "62c9088f"
  )
  vector(
    "V2",
    series(start, 1, [[10, 0.1], [20, Math.PI], [30, Math.PI], [40, Math.E], [50, 4]]),
    "16345611513180008530271400921fb54442d182e66793de3bea0f4e2183",
    "1e0000",
    "ad360ae5"
  )
  vector(
    "V3, a repeated annotation",
    series(start, 2, [[10_500, 1, "dead"], [20_500, 1, "dead"], [20_750, 2], [5_000_000, 3, "01"]], 1_000_000n),
    "163456115131800080205bd5b0080800000009c765240180fc00009c41fffffd9eaf0040007c012fe4e3",
    "c000",
    "2f3c0fb2",
    true
  )
  vector("V4", series(start, 1, [[5, 42]]), "163456115131800082b15a", "a000", "177403e1")
  vector(
    "V5, −0",
    series(start, 1, [[0, NaN], [10, Infinity], [20, -0], [30, 1e300]]),
    "16345611513180005ffe00000000000021580041017e37e43c880075",
    "9c8000",
    "6e2a07ba",
    true
  )
  vector("A", series(start, 1, [[10, 1], [20, 2], [40, 4]]), "163456115131800085301bc2860b", "4000", "21910417")
  vector("B", series(start, 1, [[10, 1], [20, 9], [30, 3]]), "163456115131800085301861b0", "9a0000", "216f042c")
})

/** `count` bits from bit `from`, left-aligned, in hex. */
const field = (bytes: Uint8Array, from: number, count: number): string => {
  const text = Array.from(bytes, (byte) => byte.toString(2).padStart(8, "0")).join("").slice(from, from + count)
  const padded = text.padEnd(Math.ceil(count / 8) * 8, "0")
  return (padded.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2).toString(16).padStart(2, "0")).join(" ")
}

const dod = (seconds: number, bits: number, hex: string): void =>
  it(`dod ${seconds} s`, () => {
    assert.strictEqual(field(encoded(series(start, 1, [[seconds, 0]])).bytes, 64, bits), hex)
  })

describe("single fields", () => {
  dod(0, 1, "00")
  dod(32, 9, "90 00")
  dod(-63, 9, "a0 80")
  dod(-128, 12, "d8 00")
  dod(255, 12, "cf f0")
  dod(-2048, 16, "e8 00")
  dod(2047, 16, "e7 ff")
  dod(4096, 36, "f0 00 01 00 00")
  it("−4096 s in nanoseconds", () => {
    // The first point changes the unit and is an int 0: 11 + 8 + 64 bits of time, 1 + 2 + 1 of value.
    const { bytes } = encoded(series(start, 4, [[0, 0], [-4096, 0]]))
    assert.strictEqual(field(bytes, 64 + 87, 68), "ff ff ff c4 65 36 00 00 00")
  })
  it("an annotation", () => {
    assert.strictEqual(field(encoded(series(start, 1, [[0, 0, "0102"]])).bytes, 64, 35), "80 20 40 20 40")
  })
  it("a change to seconds", () => {
    const off = start + 5_000_000n
    assert.strictEqual(field(encoded(series(start, 1, [[10, 0]]), {}, off).bytes, 64, 19), "80 40 20")
  })
})

const kept = (name: string, points: Datapoints): void =>
  it(name, () => {
    assert.notStrictEqual(
      firstDifference(decoded(encoded(points, m3).bytes), points),
      -1,
      "M3's way is faithful here"
    )
    const back = decoded(encoded(points).bytes)
    assert.strictEqual(firstDifference(back, points, { units: false }), -1, describePoints(back).join("\n"))
  })

describe("what M3's encoder loses, this one keeps", () => {
  kept("−0", series(start, 1, [[0, 1], [10, -0]]))
  kept("the smallest subnormal (K9)", series(start, 1, [[0, 5e-324]]))
  kept(
    "small integers beside huge ones (K8)",
    series(start, 1, [[0, 2 ** 53], [10, -23], [20, 39], [30, 2 ** 62], [40, 7]])
  )
  kept("steps below the unit (K10)", series(start, 1, [[1001, 1], [2999, 2], [3000, 3], [4000, 4]], 1_000_000n))
  kept("a repeated annotation", series(start, 1, [[0, 1, "aa"], [10, 2, "aa"]]))
  kept("two decimals one float step from an integer", series(start, 1, [[0, 46.00000000000001]]))
  it("a first value below −2^63 (D12), either way", () => {
    const points = series(start, 1, [[0, -1e19], [10, 1]])
    for (const options of [{}, m3]) {
      assert.strictEqual(firstDifference(decoded(encoded(points, options).bytes), points), -1)
    }
  })
  it("units without an encoding (K11) become seconds; M3's way is an error", () => {
    const points = series(start, 5, [[60, 1], [120, 2]])
    assert.deepStrictEqual(Array.from(decoded(encoded(points).bytes).units), [1, 1])
    assert.deepInclude(encodeBlock(points, start, m3), {
      _tag: "EncodeError",
      reason: "unit-not-encodable",
      pointIndex: 0
    })
  })
  it("a step beyond 32 bits", () => {
    const points = series(start, 2, [[0, 1], [1, 1], [2 ** 40, 2], [2 ** 40 + 1, 3]], 1_000_000n)
    assert.strictEqual(firstDifference(decoded(encoded(points).bytes), points, { units: false }), -1)
    assert.deepInclude(encodeBlock(points, start, m3), { reason: "delta-too-large", pointIndex: 2 })
  })
  it("a run below its unit stays in one finer unit, then returns", () => {
    const points = series(start, 1, [[1001, 1], [2002, 2], [3004, 3], [4004, 4], [5000, 5], [7000, 6]], 1_000_000n)
    assert.deepStrictEqual(Array.from(decoded(encoded(points).bytes).units), [2, 2, 2, 1, 2, 1])
  })
  it("a size limit", () => {
    const points = series(start, 1, [[0, 1, "aabb"], [10, 2]])
    const { length } = encoded(points).bytes
    assert.deepInclude(encodeBlock(points, start, { maxBytes: length - 1 }), { reason: "too-large", pointIndex: 1 })
    assert.deepInclude(encodeBlock(points, start, { maxBytes: 1 }), { reason: "too-large", pointIndex: 0 })
    assert.strictEqual(encoded(points, { maxBytes: length }).bytes.length, length)
  })
  it("no points are no bytes", () => {
    const none = encoded(series(start, 1, []))
    assert.strictEqual(none.bytes.length, 0)
    assert.strictEqual(decoded(none.bytes).count, 0)
  })
})

const bits64 = fc.oneof(
  fc.constantFrom(
    0n,
    1n << 63n,
    1n,
    0x7ff8000000000001n,
    0xfff4000000000000n,
    0x7ff0000000000000n,
    0x4340000000000000n
  ),
  fc.bigInt(0n, (1n << 64n) - 1n),
  fc.integer({ min: -1000, max: 1000 }).map((n) => bitsOf(n)),
  fc.integer({ min: -100_000, max: 100_000 }).map((n) => bitsOf(n / 1000)),
  fc.double().map((n) => bitsOf(n)),
  fc.constantFrom(2 ** 53, -(2 ** 53), 2 ** 62, -(2 ** 63), 2 ** 63, 9.2e18, -1e19, 1e13, 9_999_999.999_999).map((n) =>
    bitsOf(n)
  )
)

function bitsOf(value: number): bigint {
  return new BigUint64Array(Float64Array.of(value).buffer)[0]!
}

const steps = fc.oneof(
  fc.constantFrom(0n, 10_000_000_000n, -1n, 1n),
  fc.bigInt(-3_000n, 3_000n).map((n) => n * 1_000_000n),
  fc.bigInt(0n, 100n).map((n) => n * 1_000_000_000n),
  fc.bigInt(-(10n ** 10n), 10n ** 10n),
  fc.bigInt(-(1n << 63n), (1n << 63n) - 1n)
)

const anyPoints = fc.array(
  fc.record({
    step: steps,
    bits: bits64,
    unit: fc.integer({ min: 0, max: 9 }),
    annotation: fc.option(fc.uint8Array({ minLength: 1, maxLength: 150 }), { freq: 5, nil: undefined })
  }),
  { maxLength: 40 }
)

describe("decode(encode(points)) = points", () => {
  it("for any times, value bits, units and annotations", () => {
    fc.assert(
      fc.property(anyPoints, fc.constantFrom(start, start + 5_000_000n, start + 7n, 0n, -1n), (items, from) => {
        let time = from
        const points = fromRows(items.map(({ annotation, bits, step, unit }) => {
          time = BigInt.asIntN(64, time + step)
          const row = { t: String(time), bits: bits.toString(16).padStart(16, "0"), unit }
          return annotation === undefined ? row : { ...row, annotation: toHex(annotation) }
        }))
        const result = encodeBlock(points, from)
        if ("_tag" in result) {
          // Only a step back of 291 years or more, see the next test.
          assert.strictEqual(result.reason, "delta-too-large")
          assert.isTrue(items.some(({ step }) => step > 4n * 10n ** 18n || step < -4n * 10n ** 18n))
          return
        }
        const back = decoded(result.bytes)
        assert.strictEqual(firstDifference(back, points, { units: false }), -1)
        for (let i = 0; i < points.count; i++) {
          const asked = points.units[i]!
          assert.isAtLeast(back.units[i]!, asked >= 1 && asked <= 4 ? asked : 1)
        }
      }),
      { seed: 17, numRuns: 2000 }
    )
  })
  it("not for a step back of 291 years, which readers take for a marker: an error", () => {
    const back = (step: bigint): Datapoints => ({
      ...series(start, 4, [[0, 1]]),
      timestamps: BigInt64Array.of(start + step)
    })
    assert.deepInclude(encodeBlock(back(-(1n << 63n)), start), { reason: "delta-too-large", pointIndex: 0 })
    const first = -(1n << 63n) + (3n << 53n)
    assert.deepInclude(encodeBlock(back(first - 1n), start), { reason: "delta-too-large", pointIndex: 0 })
    assert.strictEqual(firstDifference(decoded(encoded(back(first)).bytes), back(first)), -1)
  })
  it("units stay where every time is a multiple of its own", () => {
    const unit = fc.constantFrom(1, 2, 3, 4)
    const nanos = [0n, 1_000_000_000n, 1_000_000n, 1_000n, 1n]
    fc.assert(
      fc.property(fc.array(fc.tuple(unit, fc.integer({ min: 0, max: 4000 }), bits64), { maxLength: 30 }), (items) => {
        let time = start
        const points = fromRows(items.map(([id, step, bits]) => {
          time = (time + BigInt(step) * nanos[id]!) / nanos[id]! * nanos[id]!
          return { t: String(time), bits: bits.toString(16).padStart(16, "0"), unit: id }
        }))
        assert.strictEqual(firstDifference(decoded(encoded(points).bytes), points), -1)
      }),
      { seed: 19, numRuns: 1000 }
    )
  })
  it("for the seeded series", () => {
    for (const shape of shapes) {
      for (const unit of [1, 2, 3, 4] as const) {
        const block = { blockStart: start, blockSize: 7_200_000_000_000n }
        const options = { seed: unit, ...block, points: 300, shape, unit, jitter: unit > 1, annotateEvery: 50 }
        const points = generateDatapoints(options)
        assert.strictEqual(firstDifference(generateDatapoints(options), points), -1, "not deterministic")
        assert.strictEqual(firstDifference(decoded(encoded(points).bytes), points), -1, `${shape} ${unit}`)
      }
    }
  })
})
