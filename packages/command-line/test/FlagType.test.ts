import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { Type } from "../src/index.ts"

describe("values of flags", () => {
  it("reads durations", () => {
    const second = 1_000_000_000n
    for (
      const [text, nanos] of [
        ["2h", 7200n * second],
        ["10m", 600n * second],
        ["30s", 30n * second],
        ["500ms", second / 2n],
        ["1d", 86_400n * second],
        ["1h30m", 5400n * second],
        ["0s", 0n]
      ] as const
    ) assert.strictEqual(Type.parseDuration(text), nanos, text)
    for (const text of ["", "2", "h", "2x", "-2h", "1.5h", " 2h", "2 h", "999999999999d", "2H"]) {
      assert.strictEqual(Type.parseDuration(text), undefined, text)
    }
    assert.strictEqual(Type.duration("2h").parse("0s"), undefined)
    assert.strictEqual(Type.durationOrZero("2h").parse("0s"), 0n)
    assert.strictEqual(Type.millis("2h").parse("1500ms"), 1500)
    assert.strictEqual(Type.millis("2h").parse("25d"), undefined)
  })

  it("writes durations so that they can be read again", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 9_000_000_000_000n }), (millis) => {
        const nanos = millis * 1_000_000n
        assert.strictEqual(Type.parseDuration(Type.formatNanosDuration(nanos)), nanos)
      }),
      { seed: 7 }
    )
    assert.strictEqual(Type.formatNanosDuration(7_200_000_000_000n), "2h")
    assert.strictEqual(Type.formatNanosDuration(1n), "1ns")
  })

  it("reads bytes", () => {
    const type = Type.bytes(1, 2 ** 40, "512MiB")
    for (
      const [text, value] of [["512MiB", 2 ** 29], ["64MB", 64e6], ["1024", 1024], ["1B", 1], ["2KiB", 2048], [
        "1TiB",
        2 ** 40
      ]] as const
    ) assert.strictEqual(type.parse(text), value, text)
    for (const text of ["", "0", "2TiB", "1.5GiB", "512 MiB", "512mib", "-1", "1e9", "9999999999999999TiB"]) {
      assert.strictEqual(type.parse(text), undefined, text)
    }
  })

  it("reads times", () => {
    const second = 1_000_000_000n
    for (
      const [text, nanos] of [
        ["1970-01-01T00:00:00Z", 0n],
        ["2026-11-21T10:00:00Z", 1_795_255_200n * second],
        ["2026-11-21T12:30:00.000000001+02:30", 1_795_255_200n * second + 1n],
        ["2024-02-29T00:00:00Z", 1_709_164_800n * second],
        ["1600000000000000000", 1_600_000_000n * second]
      ] as const
    ) assert.strictEqual(Type.parseTime(text), nanos, text)
    for (
      const text of [
        "",
        "now",
        "2026-11-21",
        "2026-02-30T00:00:00Z",
        "2026-11-21T25:00:00Z",
        "2026-11-21T10:00:00",
        "-1",
        "9999999999999999999"
      ]
    ) assert.strictEqual(Type.parseTime(text), undefined, text)
  })

  it("reads whole numbers and words", () => {
    const type = Type.integer(1, 65_536, 64)
    assert.strictEqual(type.parse("64"), 64)
    for (const text of ["0", "65537", "1.0", "0x10", "", "1e3"]) assert.strictEqual(type.parse(text), undefined, text)
    assert.strictEqual(Type.oneOf(["002", "000"], "002").parse("000"), "000")
    assert.strictEqual(Type.oneOf(["002", "000"], "002").parse("2"), undefined)
    assert.strictEqual(Type.path("FILE", "a").parse(""), undefined)
    assert.strictEqual(Type.path("FILE", "a").parse("a\0b"), undefined)
  })
})
