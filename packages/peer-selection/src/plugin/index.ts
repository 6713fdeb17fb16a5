/** Rankings of peers as plugins of kind `selection`. */
import { configDefault, definePlugin, one, Type } from "@peerstrap/plugin-host"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { PeerRanking } from "../contract/PeerRanking.ts"
import { leastLoaded } from "../engine/LeastLoaded.ts"
import { makeThroughputWeighted } from "../engine/ThroughputWeighted.ts"

export * from "./PeerRate.ts"

/** Kind `selection`: which of several peers gets a piece of work. */
export const selectionKind = one("selection", PeerRanking, {
  summary: "Which of several peers gets a piece of work.",
  metered: false
})

const facts = { version: "0.1.0", stability: "stable", provides: [selectionKind], requires: [] } as const

/** Plugin `selection.least-loaded`: fewest attempts, then least outstanding. */
export const leastLoadedPlugin = definePlugin({
  ...facts,
  id: "selection.least-loaded",
  summary: "Fewest attempts, then least outstanding, then least recently tried.",
  config: Schema.Struct({}),
  layer: () => Layer.succeed(PeerRanking, leastLoaded)
})

/** Plugin `selection.throughput-weighted`: who would be done first. */
export const throughputWeightedPlugin = definePlugin({
  ...facts,
  id: "selection.throughput-weighted",
  summary: "Who would be done first, by measured rates.",
  config: Schema.Struct({
    batchBytes: configDefault(Type.bytes(1, 2 ** 40, "256KiB"), "256KiB", "The batch that is about to be given.")
  }),
  layer: ({ batchBytes }) => Layer.succeed(PeerRanking, makeThroughputWeighted({ batchBytes }))
})

/** All plugins of kind `selection`. */
export const selectionPlugins = [leastLoadedPlugin, throughputWeightedPlugin]
