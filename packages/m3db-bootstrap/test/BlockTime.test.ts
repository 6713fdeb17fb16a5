import { assert, describe, it } from "@effect/vitest"
import { blockStarts, immutableEnd, retentionStart, truncate, widenToBlocks } from "../src/engine/BlockTime.ts"

const hour = 3_600_000_000_000n
const at = 1_609_502_400_123_456_789n

describe("truncation is relative to year 1 (T1)", () => {
  for (
    const [hours, expected] of [
      [1n, 1_609_502_400_000_000_000n],
      [2n, 1_609_502_400_000_000_000n],
      [12n, 1_609_502_400_000_000_000n],
      [24n, 1_609_459_200_000_000_000n],
      [60n, 1_609_459_200_000_000_000n],
      [168n, 1_609_113_600_000_000_000n],
      [240n, 1_609_459_200_000_000_000n]
    ] as const
  ) {
    it(`${hours} h`, () => assert.strictEqual(truncate(at, hours * hour), expected))
  }

  it("times before 1970 and sizes of 1 ns", () => {
    assert.strictEqual(truncate(-1n, hour), -hour)
    assert.strictEqual(truncate(at, 1n), at)
  })
})

describe("ranges", () => {
  const day = 1_609_459_200_000_000_000n
  const options = { blockSize: 2n * hour, bufferPast: hour / 6n }

  it("the immutable range ends after the last block that no write can reach", () => {
    assert.strictEqual(immutableEnd(day + 12n * hour + hour / 12n, options), day + 10n * hour)
    assert.strictEqual(immutableEnd(day + 12n * hour + 11n * (hour / 60n), options), day + 12n * hour)
    assert.strictEqual(immutableEnd(day + 13n * hour + 59n * (hour / 60n), options), day + 12n * hour)
  })

  it("retention starts at a block", () => {
    assert.strictEqual(
      retentionStart(day + 13n * hour, { retention: 48n * hour, blockSize: 2n * hour }),
      day - 36n * hour
    )
  })

  it("widening keeps bounds that are aligned and extends the others", () => {
    assert.deepStrictEqual(widenToBlocks({ from: day + 1n, to: day + 2n * hour }, 2n * hour), {
      from: day,
      to: day + 2n * hour
    })
    assert.deepStrictEqual(widenToBlocks({ from: day, to: day + 2n * hour + 1n }, 2n * hour), {
      from: day,
      to: day + 4n * hour
    })
  })

  it("block starts of a range", () => {
    assert.deepStrictEqual(blockStarts({ from: day, to: day + 5n * hour }, 2n * hour), [
      day,
      day + 2n * hour,
      day + 4n * hour
    ])
  })
})
