/** Merge rules as plugins of kind `m3db.merge`. */
import { type MergeRule, mergeRules } from "@peerstrap/m3tsz"
import { definePlugin } from "@peerstrap/plugin-host"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { MergePolicy } from "../contract/MergePolicy.ts"
import { mergeKind } from "./Kinds.ts"

const pluginOf = (name: string, rule: MergeRule, summary: string) =>
  definePlugin({
    id: `m3db.merge.${name}`,
    version: "0.1.0",
    stability: "stable",
    summary,
    provides: [mergeKind],
    requires: [],
    config: Schema.Struct({}),
    layer: () => Layer.succeed(MergePolicy, rule)
  })

/** Plugin `m3db.merge.most-replicas`: the value that most replicas hold. */
export const mostReplicasPlugin = pluginOf(
  "most-replicas",
  mergeRules.get("most-replicas")!,
  "The value that most replicas hold; a tie goes to the smallest peer id."
)

/** Plugin `m3db.merge.highest-peer`: the value of the highest peer id. */
export const highestPeerPlugin = pluginOf(
  "highest-peer",
  mergeRules.get("highest-peer")!,
  "The value of the highest peer id."
)

/** All merge rules. */
export const mergePlugins = [mostReplicasPlugin, highestPeerPlugin]
