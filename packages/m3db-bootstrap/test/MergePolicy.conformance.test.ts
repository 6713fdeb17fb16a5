// Merge rules as a composition gives them keep the laws of merge rules.
import { describe, it } from "@effect/vitest"
import { CheckedMergeRule, mergeReferences, mergeRuleSuite } from "@peerstrap/m3tsz/testing"
import { compose, Host } from "@peerstrap/plugin-host"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { MergePolicy } from "../src/contract/MergePolicy.ts"
import { highestPeerPlugin, mostReplicasPlugin } from "../src/plugin/index.ts"

describe("merge rules of a composition keep their laws:", () => {
  for (const plugin of [mostReplicasPlugin, highestPeerPlugin]) {
    const layer = Layer.effect(
      CheckedMergeRule,
      Effect.map(Host.start(compose(plugin({}))), ({ context }) => {
        const rule = Context.get(context, MergePolicy)
        return { rule, reference: mergeReferences.get(rule.name)! }
      })
    )
    mergeRuleSuite(`${plugin.id}:`, layer, { capabilities: { reference: true }, test: it })
  }
})
