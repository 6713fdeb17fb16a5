export * from "./contract/Grouping.ts"
