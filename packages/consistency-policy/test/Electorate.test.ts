import { assert, describe, it } from "@effect/vitest"
import { Electorate, majority, readConsistencyAchieved, stillReachable } from "@peerstrap/consistency-policy"

describe("electorate", () => {
  it("leaves the origin out and says so", () => {
    const electorate = Electorate.make({ peers: ["a", "b", "c"], origin: "c" })
    assert.deepStrictEqual(electorate.peers, ["a", "b"])
    assert.deepStrictEqual([electorate.size, electorate.originExcluded, electorate.has("c")], [2, true, false])
    assert.strictEqual(electorate.describe(), "2 peers (a, b; origin c is not counted)")
  })

  it("needs no origin, and keeps each peer once in the order given", () => {
    const electorate = Electorate.make({ peers: ["b", "a", "b"] })
    assert.deepStrictEqual(electorate.peers, ["b", "a"])
    assert.strictEqual(electorate.describe(), "2 peers (b, a)")
    assert.isFalse(Electorate.make({ peers: ["a"], origin: "c" }).originExcluded)
  })

  it("may be empty", () => {
    assert.strictEqual(Electorate.make({ peers: [] }).describe(), "0 peers")
    assert.strictEqual(Electorate.make({ peers: ["a"], origin: "a" }).describe(), "0 peers (origin a is not counted)")
  })

  it("D8: all is reachable, because the origin is not in the electorate", () => {
    for (let replicationFactor = 2; replicationFactor <= 7; replicationFactor++) {
      const hosts = Array.from({ length: replicationFactor }, (_, n) => `host-${n}`)
      const { size } = Electorate.make({ peers: hosts, origin: "host-0" })
      const needs = majority(replicationFactor)
      assert.isTrue(stillReachable("all", { majority: needs, peers: size }, { successes: 0, failedForGood: 0 }))
      assert.isFalse(readConsistencyAchieved("all", needs, size, size - 1))
      assert.isTrue(readConsistencyAchieved("all", needs, size, size))
      // M3's gate compares with all hosts, of which one can never succeed.
      assert.isFalse(readConsistencyAchieved("all", needs, hosts.length, size))
    }
  })
})
