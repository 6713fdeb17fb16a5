import { assert, describe, it } from "@effect/vitest"
import { makeHeaderDag } from "@peerstrap/header-dag-quorum"
import { headerDagMutants, headerDagSuite, makeNaiveHeaderDag } from "@peerstrap/header-dag-quorum/testing"

describe("the packed header DAG keeps the contract", () => {
  for (const check of headerDagSuite) it(check.name, () => check.run(makeHeaderDag))
})

describe("so does the naive reference", () => {
  for (const check of headerDagSuite) it(check.name, () => check.run(makeNaiveHeaderDag))
})

describe("the kit rejects a header DAG that", () => {
  for (const mutant of headerDagMutants) {
    it(mutant.name, () => {
      const rejecting = headerDagSuite.filter((check) => {
        try {
          check.run(mutant.make)
          return false
        } catch {
          return true
        }
      })
      assert.isNotEmpty(rejecting, `the kit accepts a header DAG that ${mutant.name}`)
    })
  }
})
