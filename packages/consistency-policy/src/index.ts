export * from "./contract/Level.ts"
export * from "./contract/LevelSource.ts"
