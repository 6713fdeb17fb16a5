import { assert, describe, it } from "@effect/vitest"
import { makePeerQueues } from "@peerstrap/peer-selection"
import { peerQueuesMutants, peerQueuesViolation } from "@peerstrap/peer-selection/testing"

describe("PeerQueues against the naive reference", () => {
  it("keeps the contract in random histories", () => {
    for (let seed = 1; seed <= 150; seed++) {
      const violation = peerQueuesViolation(makePeerQueues, { seed, steps: 400, peers: 1 + seed % 4 })
      assert.isUndefined(violation)
    }
  })
})

describe("the kit rejects", () => {
  for (const mutant of peerQueuesMutants) {
    it(mutant.name, () => {
      let found: string | undefined
      for (let seed = 1; seed <= 300 && found === undefined; seed++) {
        found = peerQueuesViolation(mutant.make, { seed, steps: 400, peers: 1 + seed % 4 })
      }
      assert.isDefined(found)
    })
  }
})
