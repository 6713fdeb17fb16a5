/** The kit of `LevelSource` and `LevelControl`, and its mutants. */
export { controlledLevel, type LevelCapability, LevelPlace, levelPlace, type LevelPlaceShape } from "./LevelPlace.ts"
export { levelSourceKit, levelSourceSuite } from "./LevelSourceKit.ts"
