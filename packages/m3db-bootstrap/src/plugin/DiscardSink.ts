/** A sink that counts and drops: to rehearse a run, or to measure one without a disk. */
import { definePlugin, PluginRuntime } from "@peerstrap/plugin-host"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { BlockSink } from "../contract/BlockSink.ts"
import { sinkKind } from "./Kinds.ts"

/** Plugin `m3db.sink.discard`: counts what it gets and drops it. */
export const discardSink = definePlugin({
  id: "m3db.sink.discard",
  version: "0.1.0",
  stability: "stable",
  summary: "Counts what it gets and drops it.",
  provides: [sinkKind],
  requires: [],
  config: Schema.Struct({}),
  layer: () =>
    Layer.effect(
      BlockSink,
      Effect.gen(function*() {
        const runtime = yield* PluginRuntime
        let seriesBlocks = 0
        return BlockSink.of({
          write: (batch) => Effect.sync(() => void (seriesBlocks += batch.count)),
          commit: () => Effect.sync(() => runtime.report("ok", `${seriesBlocks} series-blocks dropped`)),
          abort: () => Effect.void
        })
      })
    )
})
