/** The reference in plain maps, random histories, and the comparison of two implementations. */
export * from "./CompareHistories.ts"
export * from "./NaiveHeaderDag.ts"
export * from "./RandomHistory.ts"
