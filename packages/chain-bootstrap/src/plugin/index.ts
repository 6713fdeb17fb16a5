/** Kinds of the chain side, and the plugins of this package: bases, stores, appliers, reorganisation strategies. */
import { applierPlugins } from "./Appliers.ts"
import { basePlugins } from "./Bases.ts"
import { storePlugins } from "./Stores.ts"
import { strategyPlugins } from "./Strategies.ts"

export * from "./Appliers.ts"
export * from "./Bases.ts"
export * from "./Kinds.ts"
export * from "./Stores.ts"
export * from "./Strategies.ts"
export * from "./TellingApplier.ts"

/** All plugins of this package: bases, stores, appliers, strategies. */
export const chainPlugins = [...basePlugins, ...storePlugins, ...applierPlugins, ...strategyPlugins]
