/** The conformance kit of merge rules, with the mutants that it rejects. */
import { type Kit, suiteOf } from "@peerstrap/conformance"
import { mergeMutants } from "./MergeMutants.ts"
import {
  type CheckedMergeRule,
  mergeRuleCapabilities,
  type MergeRuleCapability,
  mergeRuleChecks
} from "./MergeRuleKit.ts"

/** The kit of merge rules. */
export const mergeRuleKit: Kit<CheckedMergeRule, MergeRuleCapability> = {
  contract: "MergeRule",
  capabilities: mergeRuleCapabilities,
  checks: mergeRuleChecks,
  mutants: mergeMutants
}

/** Registers a test for each law: `mergeRuleSuite("mine", mergeRuleLayer(rule), { capabilities: { reference: false }, test: it })`. */
export const mergeRuleSuite = suiteOf(mergeRuleKit)
