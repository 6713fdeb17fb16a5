// The kit must reject every mutant, each by the check named for it; every check must be failed by some mutant.
import { assert, describe, it } from "@effect/vitest"
import { Memory } from "@peerstrap/transport"
import { judge, transportChecks, transportMutants } from "@peerstrap/transport/testing"
import * as Effect from "effect/Effect"

describe("the kit of Transport", () => {
  for (const mutant of transportMutants) {
    it.live(`rejects a transport that ${mutant.name}`, () =>
      Effect.gen(function*() {
        const check = transportChecks.find((check) => check.name === mutant.rejectedBy)
        assert.isDefined(check, `no check is called "${mutant.rejectedBy}"`)
        assert.notStrictEqual(yield* judge(check, mutant.layer), "passed")
        assert.strictEqual(yield* judge(check, Memory.layer), "passed")
      }))
  }

  it("has a mutant for every check", () => {
    const rejecting = new Set(transportMutants.map((mutant) => mutant.rejectedBy))
    assert.deepStrictEqual(transportChecks.map((check) => check.name).filter((name) => !rejecting.has(name)), [])
  })
})
