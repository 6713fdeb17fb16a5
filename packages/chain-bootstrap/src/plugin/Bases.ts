/** Bases that nobody is asked for: `chain.base.fixed`, the first block of a chain of one's own, and `chain.base.stored`, whatever a store has. */
import { configDefault, configValue, definePlugin, Type } from "@peerstrap/plugin-host"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { ChainBase } from "../contract/ChainBase.ts"
import { StoreError } from "../contract/ChainStore.ts"
import { baseKind } from "./Kinds.ts"

const highestLevel = 2_147_483_647

/** Plugin `chain.base.fixed`: a block whose id and level are given. */
export const fixedBase = definePlugin({
  id: "chain.base.fixed",
  version: "0.1.0",
  stability: "stable",
  summary: "A block whose id and level are given, e.g. the genesis of a chain.",
  provides: [baseKind],
  requires: [],
  config: Schema.Struct({
    id: configValue(
      Type.text("HEX", "the block's id as hex digits", "00ff", (text) => /^(?:[0-9a-f]{2}){1,64}$/.test(text)),
      "The block."
    ),
    level: configDefault(Type.integer(0, highestLevel, 0), 0, "Its level.")
  }),
  layer: ({ id, level }) =>
    Layer.succeed(ChainBase, {
      wanted: id,
      genesis: undefined,
      find: Effect.succeed({ ref: { id, level }, header: undefined })
    })
})

/** Fails with `not-found` where a new store would begin. */
export const storedBase = definePlugin({
  id: "chain.base.stored",
  version: "0.1.0",
  stability: "stable",
  summary: "Whatever the store has; a new store is not begun. For those who read and serve.",
  provides: [baseKind],
  requires: [],
  config: Schema.Struct({}),
  layer: () =>
    Layer.succeed(ChainBase, {
      wanted: undefined,
      genesis: undefined,
      find: Effect.fail(new StoreError({ reason: "not-found", path: "", message: "there is no chain store here" }))
    })
})

/** The bases of this package. */
export const basePlugins = [fixedBase, storedBase]
