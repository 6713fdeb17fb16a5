/** The kit of `HeaderDag`, its mutants, the naive reference, random histories and the comparison of two implementations. */
export * from "./CompareHistories.ts"
export * from "./HeaderDagKit.ts"
export * from "./HeaderDagMaker.ts"
export * from "./HeaderDagMutants.ts"
export * from "./NaiveHeaderDag.ts"
export * from "./RandomHistory.ts"
export type { MakeHeaderDag } from "./Sketch.ts"
