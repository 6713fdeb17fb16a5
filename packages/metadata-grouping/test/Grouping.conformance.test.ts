import { assert, describe, it } from "@effect/vitest"
import { makePackedGrouping } from "@peerstrap/metadata-grouping"
import { groupingMutants, groupingSuite, makeNaiveGrouping } from "@peerstrap/metadata-grouping/testing"

describe("packed columns keep the contract", () => {
  for (const check of groupingSuite) {
    it(check.name, () => check.run((peerCount, maxGroups) => makePackedGrouping({ peerCount, maxGroups })))
  }
})

describe("the naive reference keeps the contract", () => {
  for (const check of groupingSuite) it(check.name, () => check.run(makeNaiveGrouping))
})

describe("the kit rejects each mutant", () => {
  for (const mutant of groupingMutants) {
    it(mutant.name, () => {
      const failures = groupingSuite.filter((check) => {
        try {
          check.run(mutant.make)
          return false
        } catch {
          return true
        }
      })
      assert.isNotEmpty(failures, `the kit accepts ${mutant.name}`)
    })
  }
})
