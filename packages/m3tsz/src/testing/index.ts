export * from "./Comparison.ts"
export {
  CheckedMergeRule,
  generateCopies,
  mergeReferences,
  type MergeRuleCapability,
  mergeRuleLayer
} from "./MergeRuleKit.ts"
export * from "./MergeRuleSuite.ts"
export * from "./NaiveMerge.ts"
export * from "./Random.ts"
export * from "./Series.ts"
