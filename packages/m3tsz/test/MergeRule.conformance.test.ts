import { assert, describe, it } from "@effect/vitest"
import { mutantSuiteOf } from "@peerstrap/conformance"
import { type MergeRule, mergeRules } from "@peerstrap/m3tsz"
import { mergeReferences, mergeRuleKit, mergeRuleLayer, mergeRuleSuite, naiveMerge } from "@peerstrap/m3tsz/testing"

describe("merge rules keep their laws:", () => {
  for (const rule of mergeRules.values()) {
    const reference = mergeReferences.get(rule.name)
    assert.isDefined(reference)
    mergeRuleSuite(`${rule.name}:`, mergeRuleLayer(rule, reference), { capabilities: { reference: true }, test: it })
  }

  const smallestPeer: MergeRule = {
    name: "smallest-peer",
    merge: naiveMerge((held) => held.toSorted((a, b) => a.copy.peer < b.copy.peer ? -1 : 1)[0]!)
  }
  const { leftOut } = mergeRuleSuite("a rule without reference:", mergeRuleLayer(smallestPeer), {
    capabilities: { reference: false },
    test: it
  })
  it("only the comparison needs a reference", () => assert.strictEqual(leftOut.length, 1))
})

describe("the kit of merge rules", () => mutantSuiteOf(mergeRuleKit, it))
