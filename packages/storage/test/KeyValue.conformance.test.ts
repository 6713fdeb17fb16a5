import { describe, it } from "@effect/vitest"
import { mutantSuiteOf } from "@peerstrap/conformance"
import { simulatedRun } from "@peerstrap/simulator"
import { MemoryKeyValue, SqliteKeyValue } from "@peerstrap/storage"
import {
  journalKeyValuePlace,
  keyValueKit,
  KeyValuePlace,
  keyValuePlace,
  keyValueSuite
} from "@peerstrap/storage/testing"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { join } from "node:path"
import { countsDescriptors, openBelow, temporaryDirectory } from "./support/TemporaryDirectory.ts"

const sqlite = Layer.effect(
  KeyValuePlace,
  Effect.map(
    temporaryDirectory,
    (path) =>
      keyValuePlace(SqliteKeyValue.open({ path: join(path, "below", "store.db") }), { openFiles: openBelow(path) })
  )
)

const memory = Layer.sync(KeyValuePlace, () => keyValuePlace(MemoryKeyValue.open()))
const everything = { durable: true, "power-cut": true, "open-files": true }

describe("the contract of KeyValue", () => {
  keyValueSuite("SQLite", sqlite, {
    capabilities: { durable: true, "power-cut": false, "open-files": countsDescriptors },
    test: it
  })
  keyValueSuite("Memory", memory, {
    capabilities: { durable: false, "power-cut": false, "open-files": false },
    test: it
  })
  keyValueSuite("Journal", journalKeyValuePlace(), { capabilities: everything, test: it })
  for (const seed of [1, 2]) {
    keyValueSuite(`Journal, simulated with seed ${seed}`, journalKeyValuePlace(), {
      capabilities: everything,
      test: it,
      run: simulatedRun({ seed })
    })
  }
})

describe("the kit of KeyValue", () => mutantSuiteOf(keyValueKit, it))
