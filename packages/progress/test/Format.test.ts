import { assert, describe, it } from "@effect/vitest"
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatMillis,
  formatNanos,
  formatPercent,
  formatRate
} from "@peerstrap/progress"
import * as fc from "fast-check"

describe("formats", () => {
  it("bytes and rates", () => {
    const cases: Array<[number, string]> = [
      [0, "0 B"],
      [1023, "1023 B"],
      [1024, "1.0 KiB"],
      [1536, "1.5 KiB"],
      [102_400, "100 KiB"],
      [1023.6 * 1024, "1.0 MiB"],
      [4 * 1024 ** 2, "4.0 MiB"],
      [5e18, "4441 PiB"],
      [-2048, "-2.0 KiB"],
      [Number.NaN, "unknown"]
    ]
    for (const [bytes, text] of cases) assert.strictEqual(formatBytes(bytes), text)
    assert.strictEqual(formatRate(2048), "2.0 KiB/s")
  })
  it("durations", () => {
    const cases: Array<[number, string]> = [
      [0, "0 ms"],
      [999.9, "999 ms"],
      [1000, "1.0 s"],
      [59_999, "59.9 s"],
      [60_000, "1 min 00 s"],
      [3_599_999, "59 min 59 s"],
      [3_600_000, "1 h 00 min"],
      [47 * 3_600_000, "47 h 00 min"],
      [51 * 3_600_000, "2 d 03 h"],
      [-1500, "-1.5 s"],
      [Number.POSITIVE_INFINITY, "unknown"]
    ]
    for (const [millis, text] of cases) assert.strictEqual(formatDuration(millis), text)
  })
  it("percentages say 100 only when all is done", () => {
    assert.strictEqual(formatPercent(99_999, 100_000), "99.9 %")
    assert.strictEqual(formatPercent(100_000, 100_000), "100.0 %")
    assert.strictEqual(formatPercent(1, 3), "33.3 %")
    assert.strictEqual(formatPercent(0, 0), "–")
    assert.strictEqual(formatPercent(1e16 - 2, 1e16), "99.9 %")
  })
  it("counts", () => {
    assert.strictEqual(formatCount(12_642), "12,642")
    assert.strictEqual(formatCount(999), "999")
    assert.strictEqual(formatCount(-1_234_567.9), "-1,234,567")
  })
  it("nanoseconds as RFC 3339", () => {
    const second = BigInt(1_000_000_000)
    assert.strictEqual(formatNanos(BigInt("1795226400000000000")), "2026-11-21T02:00:00Z")
    assert.strictEqual(formatNanos(BigInt(-1)), "1969-12-31T23:59:59.999999999Z")
    assert.strictEqual(formatNanos(second / BigInt(2)), "1970-01-01T00:00:00.5Z")
    assert.strictEqual(formatNanos(BigInt("9223372036854775807")), "2262-04-11T23:47:16.854775807Z")
    assert.strictEqual(formatNanos(BigInt("-9223372036854775808")), "1677-09-21T00:12:43.145224192Z")
    assert.strictEqual(formatMillis(1500), "1970-01-01T00:00:01.5Z")
  })
  it("agrees with the platform's dates at every millisecond", () => {
    fc.assert(
      fc.property(fc.integer({ min: -9_000_000_000_000, max: 9_000_000_000_000 }), (millis) => {
        assert.strictEqual(Date.parse(formatMillis(millis)), millis)
        assert.strictEqual(formatMillis(millis).slice(0, 19), new Date(millis).toISOString().slice(0, 19))
      }),
      { seed: 7, numRuns: 2000 }
    )
  })
})
