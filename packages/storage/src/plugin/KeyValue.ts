/** Stores of keys and values as plugins of kind `kv`. */
import { configDefault, configValue, definePlugin, one, Type } from "@peerstrap/plugin-host"
import * as Schema from "effect/Schema"
import * as JournalKeyValue from "../adapter/JournalKeyValue.ts"
import * as MemoryKeyValue from "../adapter/MemoryKeyValue.ts"
import * as SqliteKeyValue from "../adapter/SqliteKeyValue.ts"
import { KeyValue } from "../contract/KeyValue.ts"
import { Limits } from "../contract/Limits.ts"
import { journalKind } from "./Journal.ts"

/** Kind `kv`: keys and values, ordered by the keys' bytes. */
export const keyValueKind = one("kv", KeyValue, {
  summary: "Keys and values: atomic durable batches, scans by prefix."
})

const facts = {
  version: "0.1.0",
  stability: "beta",
  provides: [keyValueKind],
  limits: {
    keyBytes: { value: Limits.keyBytes, reason: "an index keeps keys whole in its inner pages" },
    valueBytes: { value: Limits.valueBytes, reason: "what is larger belongs into a file" },
    batchBytes: { value: Limits.batchBytes, reason: "a batch is whole or not there at all" }
  }
} as const

/** Plugin `kv.sqlite`: one SQLite file. */
export const sqliteKeyValue = definePlugin({
  ...facts,
  id: "kv.sqlite",
  summary: "A store in one SQLite file of this machine.",
  requires: [],
  config: Schema.Struct({
    path: configValue(Type.path("FILE", "store.db"), "The file; made when it is not there, with its directories.")
  }),
  layer: (options) => SqliteKeyValue.layer(options)
})

const capacity = configDefault(
  Type.bytes(1, 2 ** 40, "256MiB"),
  Limits.memoryStoreBytes,
  "Keys and values, with 64 bytes each entry."
)

/** Plugin `kv.journal`: in memory, over a journal. */
export const journalKeyValue = definePlugin({
  ...facts,
  id: "kv.journal",
  summary: "A store in this process's memory, whose changes are a journal.",
  requires: [journalKind],
  config: Schema.Struct({
    capacityBytes: capacity,
    compactionBytes: configDefault(
      Type.bytes(1, 2 ** 40, "16MiB"),
      Limits.compactionBytes,
      "Bytes of the journal from which on it may be written anew."
    )
  }),
  budgets: ({ capacityBytes }) => ({ memoryBytes: capacityBytes }),
  layer: (options) => JournalKeyValue.layer(options)
})

/** Plugin `kv.memory`: in this process's memory. */
export const memoryKeyValue = definePlugin({
  ...facts,
  id: "kv.memory",
  summary: "A store in this process's memory, gone when it ends.",
  requires: [],
  config: Schema.Struct({ capacityBytes: capacity }),
  budgets: ({ capacityBytes }) => ({ memoryBytes: capacityBytes }),
  layer: (options) => MemoryKeyValue.layer(options)
})

/** All plugins of kind `kv`. */
export const keyValuePlugins = [sqliteKeyValue, journalKeyValue, memoryKeyValue]
