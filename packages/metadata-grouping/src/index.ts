export * from "./contract/Grouping.ts"
export * from "./contract/Limits.ts"
export * from "./engine/PackedGrouping.ts"
