/** Reorganisation strategies as plugins of kind `chain.strategy`. */
import { definePlugin } from "@peerstrap/plugin-host"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { BlockApplier } from "../contract/BlockApplier.ts"
import { ReorganisationStrategy } from "../contract/Reorganisation.ts"
import { appliedBranches, cachedTail } from "../engine/reorganisation/Strategies.ts"
import { applierKind, strategyKind } from "./Kinds.ts"

/** A strategy that needs several branches, and an applier with a single chain. */
export class StrategyUnfit extends Schema.TaggedError<StrategyUnfit>()("StrategyUnfit", {
  strategy: Schema.String,
  applier: Schema.String,
  message: Schema.String
}) {}

/** Plugin `chain.strategy.cached-tail`: applies only the chain that is followed. */
export const cachedTailStrategy = definePlugin({
  id: "chain.strategy.cached-tail",
  version: "0.1.0",
  stability: "stable",
  summary: "Applies only the chain that is followed; a better branch is fetched and applied when it has won.",
  provides: [strategyKind],
  requires: [],
  config: Schema.Struct({}),
  layer: () => Layer.succeed(ReorganisationStrategy, cachedTail)
})

/** Plugin `chain.strategy.applied-branches`: applies branches near the tip as they come. */
export const appliedBranchesStrategy = definePlugin({
  id: "chain.strategy.applied-branches",
  version: "0.1.0",
  stability: "stable",
  summary: "Applies branches near the tip as they come, so that a switch only moves the head.",
  provides: [strategyKind],
  requires: [applierKind],
  config: Schema.Struct({}),
  layer: () =>
    Layer.effect(
      ReorganisationStrategy,
      Effect.flatMap(BlockApplier, ({ branches, name }) =>
        branches === "many" ? Effect.succeed(appliedBranches) : Effect.fail(
          new StrategyUnfit({
            strategy: appliedBranches.name,
            applier: name,
            message:
              `${appliedBranches.name} needs an applier that holds several branches; ${name} has a single chain: take chain.strategy.cached-tail`
          })
        ))
    )
})

/** The strategies of this package. */
export const strategyPlugins = [cachedTailStrategy, appliedBranchesStrategy]
