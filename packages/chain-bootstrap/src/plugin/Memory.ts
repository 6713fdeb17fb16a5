/** Memory of a run as the plugin `chain.memory.bounded`. */
import { configDefault, definePlugin, Type } from "@peerstrap/plugin-host"
import { ByteLedger } from "@peerstrap/transport"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { ChainMemory } from "../contract/ChainMemory.ts"
import { memoryKind } from "./Kinds.ts"

const leastBytes = 64 * 2 ** 20
const mostBytes = 2 ** 40

/** Plugin `chain.memory.bounded`: so many bytes for all large buffers together. */
export const boundedMemory = definePlugin({
  id: "chain.memory.bounded",
  version: "0.1.0",
  stability: "stable",
  summary: "So many bytes for all large buffers together; who finds none left waits.",
  provides: [memoryKind],
  requires: [],
  config: Schema.Struct({
    bytes: configDefault(Type.bytes(leastBytes, mostBytes, "512MiB"), "512MiB", "Bytes in all.")
  }),
  budgets: ({ bytes }) => ({ memoryBytes: bytes }),
  layer: ({ bytes }) => Layer.sync(ChainMemory, () => ({ ledger: new ByteLedger(bytes) }))
})
