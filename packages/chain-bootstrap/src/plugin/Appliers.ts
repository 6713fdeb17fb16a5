/** Appliers as plugins of kind `chain.applier`. */
import { configDefault, configOptional, configValue, definePlugin, PluginRuntime, Type } from "@peerstrap/plugin-host"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { archive } from "../applier/ArchiveApplier.ts"
import { command } from "../applier/CommandApplier.ts"
import { simulator } from "../applier/SimulatorApplier.ts"
import { BlockApplier } from "../contract/BlockApplier.ts"
import { ChainStore } from "../contract/ChainStore.ts"
import { storeLimits } from "../contract/StoreLimits.ts"
import { applierKind, storeKind } from "./Kinds.ts"
import { tellingApplier } from "./TellingApplier.ts"

/** Plugin `chain.applier.archive`: applies by keeping. */
export const archiveApplier = definePlugin({
  id: "chain.applier.archive",
  version: "0.1.0",
  stability: "stable",
  summary: "Applies by keeping: the store has verified and kept everything already.",
  provides: [applierKind],
  requires: [],
  config: Schema.Struct({}),
  layer: () => Layer.sync(BlockApplier, archive)
})

/** Plugin `chain.applier.command`: hands blocks to a child process as lines of JSON. */
export const commandApplier = definePlugin({
  id: "chain.applier.command",
  version: "0.1.0",
  stability: "stable",
  summary: "Hands blocks to a child process as JSON lines: any language can be an applier.",
  provides: [applierKind],
  requires: [],
  config: Schema.Struct({
    command: configValue(
      Type.text("COMMAND", "a command line for /bin/sh", "./index-blocks"),
      "Blocks come on its standard input, one answer a line goes back."
    )
  }),
  budgets: () => ({ descriptors: 3 }),
  limits: {
    lineBytes: { value: storeLimits.applierLineBytes, reason: "one answer: a hash and a reason" },
    helloMillis: { value: storeLimits.applierHelloMillis, reason: "until the first line of the process" },
    stopMillis: { value: storeLimits.applierStopMillis, reason: "between the end of its input and the kill" }
  },
  layer: (config) =>
    Layer.effect(
      BlockApplier,
      Effect.gen(function*() {
        const runtime = yield* PluginRuntime
        const applier = yield* command({
          command: "/bin/sh",
          args: ["-c", config.command],
          title: config.command,
          onErrorLine: (line) => runtime.event("applier-says", { line }, `applier: ${line}`)
        })
        return tellingApplier(applier, runtime)
      })
    )
})

/** Plugin `chain.applier.simulator`: a toy state for tests. */
export const simulatorApplier = definePlugin({
  id: "chain.applier.simulator",
  version: "0.1.0",
  stability: "stable",
  summary: "A toy state for tests: a checksum over everything that was applied.",
  provides: [applierKind],
  requires: [storeKind],
  config: Schema.Struct({
    branches: configDefault(Type.oneOf(["one", "many"], "many"), "many", "Chains that it holds."),
    cost: configOptional(Type.millis("5ms"), "Time that a block takes. Default: none.")
  }),
  layer: ({ branches, cost }) =>
    Layer.effect(
      BlockApplier,
      // It has no state of its own from before: it begins where the store is.
      Effect.map(ChainStore, ({ head }) => simulator({ base: head, branches, costMillis: cost ?? 0 }))
    )
})

/** The appliers of this package. */
export const applierPlugins = [archiveApplier, commandApplier, simulatorApplier]
