/** The whole table: six levels × replication factors 1 to 7 × electorates 0 to 7 × successes × failures. */
import { assert, describe, it } from "@effect/vitest"
import {
  type Level,
  levels,
  majority,
  readConsistencyAchieved,
  requiredCopies,
  requiredSuccesses,
  stillReachable
} from "@peerstrap/consistency-policy"

const majorities = [1, 2, 2, 3, 3, 4, 4]
const upTo = (last: number): ReadonlyArray<number> => Array.from({ length: last + 1 }, (_, n) => n)

/** The successes that are enough, written out as in the table of the specification. */
const enough: Record<Level, (needs: number, peers: number, successes: number) => boolean> = {
  none: () => true,
  one: (_, __, successes) => successes > 0,
  unstrict_majority: (_, __, successes) => successes > 0,
  majority: (needs, _, successes) => successes >= needs,
  unstrict_all: (_, __, successes) => successes > 0,
  all: (_, peers, successes) => successes === peers
}

const cases = levels.flatMap((level) =>
  majorities.flatMap((needs) =>
    upTo(7).flatMap((peers) => upTo(peers).map((successes) => ({ level, needs, peers, successes })))
  )
)

const copies = (level: Level, needs: number): ReadonlyArray<number> =>
  upTo(4).map((advertisers) => requiredCopies(level, { majority: needs, advertisers }))

describe("levels", () => {
  it("majority of replication factors 1 to 7", () => {
    assert.deepStrictEqual(majorities.map((_, n) => majority(n + 1)), majorities)
  })

  it("achieved: the table of peer streaming 3.13", () => {
    assert.strictEqual(cases.length, 6 * 7 * 36)
    for (const { level, needs, peers, successes } of cases) {
      assert.strictEqual(
        readConsistencyAchieved(level, needs, peers, successes),
        enough[level](needs, peers, successes),
        `${level}, majority ${needs}, ${successes} of ${peers}`
      )
    }
  })

  it("required: the least number of successes that achieves the level", () => {
    for (const { level, needs, peers } of cases) {
      const least = upTo(8).find((successes) => enough[level](needs, peers, successes))
      assert.strictEqual(requiredSuccesses(level, { majority: needs, peers }), least, `${level} ${needs} ${peers}`)
    }
  })

  it("still reachable: some number of further successes achieves the level", () => {
    for (const { level, needs, peers, successes } of cases) {
      for (const failedForGood of upTo(peers - successes)) {
        const possible = upTo(peers - successes - failedForGood)
          .some((more) => enough[level](needs, peers, successes + more))
        assert.strictEqual(
          stillReachable(level, { majority: needs, peers }, { successes, failedForGood }),
          possible,
          `${level}, majority ${needs}, ${successes} of ${peers}, ${failedForGood} failed`
        )
      }
    }
  })

  it("copies of a block that differs: what the level asks for, capped by those who advertise it", () => {
    assert.deepStrictEqual(copies("none", 2), [0, 0, 0, 0, 0])
    for (const level of ["one", "unstrict_majority", "unstrict_all"] as const) {
      assert.deepStrictEqual(copies(level, 2), [0, 1, 1, 1, 1])
    }
    assert.deepStrictEqual(copies("majority", 2), [0, 1, 2, 2, 2])
    assert.deepStrictEqual(copies("majority", 3), [0, 1, 2, 3, 3])
    assert.deepStrictEqual(copies("all", 2), [0, 1, 2, 3, 4])
  })

  it("the worked numbers of replication factor 3", () => {
    assert.isFalse(readConsistencyAchieved("majority", majority(3), 3, 1))
    assert.isTrue(readConsistencyAchieved("majority", majority(3), 3, 2))
    assert.isFalse(stillReachable("majority", { majority: 2, peers: 3 }, { successes: 0, failedForGood: 2 }))
    assert.isFalse(stillReachable("majority", { majority: 2, peers: 1 }, { successes: 0, failedForGood: 0 }))
  })
})
