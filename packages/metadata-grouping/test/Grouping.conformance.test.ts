import { describe, it } from "@effect/vitest"
import { mutantSuiteOf } from "@peerstrap/conformance"
import { makePackedGrouping } from "@peerstrap/metadata-grouping"
import { groupingKit, groupingLayer, groupingSuite, makeNaiveGrouping } from "@peerstrap/metadata-grouping/testing"

describe("groupings keep the contract:", () => {
  const packed = groupingLayer((peerCount, maxGroups) => makePackedGrouping({ peerCount, maxGroups }))
  groupingSuite("packed columns,", packed, { capabilities: {}, test: it })
  groupingSuite("the naive reference,", groupingLayer(makeNaiveGrouping), { capabilities: {}, test: it })
})

describe("the kit of groupings", () => mutantSuiteOf(groupingKit, it))
