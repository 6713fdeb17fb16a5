/** Memory of a run as the plugin `memory.bounded`. */
import { configDefault, definePlugin, one, Type } from "@peerstrap/plugin-host"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { BufferMemory } from "../adapter/BufferMemory.ts"
import { ByteLedger } from "../engine/ByteLedger.ts"

const leastBytes = 32 * 2 ** 20
const mostBytes = 2 ** 40

/** Kind `memory`: the ledger of large buffers. */
export const memoryKind = one("memory", BufferMemory, {
  summary: "What all large buffers of a run draw from.",
  metered: false
})

/** Plugin `memory.bounded`: so many bytes for all large buffers together. */
export const boundedMemory = definePlugin({
  id: "memory.bounded",
  version: "0.1.0",
  stability: "stable",
  summary: "So many bytes for all large buffers together; who finds none left waits.",
  provides: [memoryKind],
  requires: [],
  config: Schema.Struct({
    bytes: configDefault(Type.bytes(leastBytes, mostBytes, "512MiB"), "512MiB", "Bytes in all.")
  }),
  budgets: ({ bytes }) => ({ memoryBytes: bytes }),
  layer: ({ bytes }) => Layer.sync(BufferMemory, () => ({ ledger: new ByteLedger(bytes) }))
})
