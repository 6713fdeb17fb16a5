import { assert, describe, it } from "@effect/vitest"
import {
  custom,
  hasQuorum,
  majority,
  majorityQuorum,
  moreThanTwoThirds,
  twoThirdsQuorum
} from "@peerstrap/consistency-policy"
import * as fc from "fast-check"

const anyCount = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER })

describe("quorums", () => {
  it("majority of 1 to 7", () => {
    assert.deepStrictEqual([1, 2, 3, 4, 5, 6, 7].map(majority), [1, 2, 2, 3, 3, 4, 4])
    for (const wrong of [0, -1, 1.5, NaN, Infinity]) assert.throws(() => majority(wrong), RangeError, String(wrong))
  })

  it("more than two thirds of 0 to 9", () => {
    const counts = Array.from({ length: 10 }, (_, n) => moreThanTwoThirds(n))
    assert.deepStrictEqual(counts, [1, 1, 2, 3, 3, 4, 5, 5, 6, 7])
    for (const wrong of [-1, 0.5, NaN]) assert.throws(() => moreThanTwoThirds(wrong), RangeError, String(wrong))
  })

  it("both are the smallest counts above their fraction, up to the largest integer", () => {
    fc.assert(
      fc.property(anyCount, (members) => {
        const n = BigInt(members)
        const half = BigInt(majority(members))
        const thirds = BigInt(moreThanTwoThirds(members))
        const two = BigInt(2)
        const three = BigInt(3)
        return half * two > n && (half - BigInt(1)) * two <= n &&
          thirds * three > n * two && (thirds - BigInt(1)) * three <= n * two
      }),
      { seed: 20240607, numRuns: 2000 }
    )
  })

  it("an electorate of nobody has no quorum", () => {
    assert.isFalse(hasQuorum(majorityQuorum, 0, 0))
    assert.isFalse(hasQuorum(twoThirdsQuorum, 0, 0))
  })

  it("supporters are compared with what the rule needs", () => {
    assert.deepStrictEqual([2, 3].map((supporters) => hasQuorum(twoThirdsQuorum, 4, supporters)), [false, true])
    assert.deepStrictEqual([2, 3].map((supporters) => hasQuorum(majorityQuorum, 4, supporters)), [false, true])
    assert.deepStrictEqual([1, 2].map((supporters) => hasQuorum(custom("two", () => 2), 9, supporters)), [false, true])
  })

  it("a rule of one's own that answers nonsense is named", () => {
    for (const wrong of [0, -1, 0.5, NaN]) {
      assert.throws(() => hasQuorum(custom("half-baked", () => wrong), 3, 1), RangeError, "half-baked")
    }
  })
})
