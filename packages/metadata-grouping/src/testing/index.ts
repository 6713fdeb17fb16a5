/** The kit of `Grouping`, its mutants, the naive reference, and the hash for those who craft collisions. */
export * from "../engine/HalfSipHash.ts"
export { CheckedGrouping, groupingLayer, type MakeGrouping } from "./GroupingCheck.ts"
export * from "./GroupingSuite.ts"
export * from "./NaiveGrouping.ts"
