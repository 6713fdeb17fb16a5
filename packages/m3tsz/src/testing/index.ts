export * from "./Comparison.ts"
export * from "./Random.ts"
export * from "./Series.ts"
