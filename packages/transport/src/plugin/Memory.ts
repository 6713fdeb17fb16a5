/** Memory of a run as the plugin `memory.bounded`, with the live setting `bytes`. */
import {
  configDefault,
  configValue,
  definePlugin,
  machineBudgets,
  one,
  PluginRuntime,
  Type
} from "@peerstrap/plugin-host"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { BufferMemory } from "../adapter/BufferMemory.ts"
import { ByteLedger } from "../engine/ByteLedger.ts"

const leastBytes = 32 * 2 ** 20
const mostBytes = 2 ** 40

/** Kind `memory`: the ledger of large buffers. */
export const memoryKind = one("memory", BufferMemory, {
  summary: "What all large buffers of a run draw from; how much that is may change while it goes on.",
  metered: false
})

const bytesType = (most: number) => Type.bytes(leastBytes, most, "512MiB")

/** Within the same bounds as at the start, the machine's own memory among them: a composition asked for it when it was planned. */
const liveBytes = () => {
  const { memoryBytes = mostBytes } = machineBudgets()
  const type = bytesType(Math.min(mostBytes, memoryBytes))
  const expected = memoryBytes < mostBytes ? `${type.expected}, which is what this machine grants` : type.expected
  return configValue({ ...type, expected }, "Bytes in all.")
}

/** Plugin `memory.bounded`: so many bytes for all large buffers together. */
export const boundedMemory = definePlugin({
  id: "memory.bounded",
  version: "0.1.0",
  stability: "stable",
  summary:
    "So many bytes for all large buffers together, which can be set while a run goes on; who finds none left waits.",
  provides: [memoryKind],
  requires: [],
  config: Schema.Struct({
    bytes: configDefault(bytesType(mostBytes), "512MiB", "Bytes in all, at first.")
  }),
  budgets: ({ bytes }) => ({ memoryBytes: bytes }),
  layer: ({ bytes }) =>
    Layer.effect(
      BufferMemory,
      Effect.map(PluginRuntime, (runtime) => {
        const ledger = new ByteLedger(bytes)
        runtime.live("bytes", {
          summary:
            "bytes of all large buffers together; lowered below what is drawn, nothing more is granted until enough came back",
          schema: liveBytes(),
          current: () => ledger.capacity,
          apply: (next: number) => Effect.sync(() => ledger.resize(next))
        })
        return BufferMemory.of({ ledger })
      })
    )
})
