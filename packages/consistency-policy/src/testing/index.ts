/** The kit of `LevelSource` and `LevelControl`, and its mutants. */
export * from "./LevelSourceMutants.ts"
export * from "./LevelSourceSuite.ts"
