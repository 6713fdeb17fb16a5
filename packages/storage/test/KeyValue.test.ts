import { assert, describe, it } from "@effect/vitest"
import {
  FileJournal,
  FileSystem,
  Journal,
  JournalKeyValue,
  Limits,
  MemoryFileSystem,
  MemoryKeyValue,
  SqliteKeyValue
} from "@peerstrap/storage"
import * as Effect from "effect/Effect"
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { temporaryDirectory } from "./support/TemporaryDirectory.ts"

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)
const put = (key: string, value: Uint8Array) => ({ key: bytesOf(key), value })
const remove = (key: string) => ({ key: bytesOf(key), value: undefined })

const openOver = (memory: MemoryFileSystem.MemoryFileSystem, options: JournalKeyValue.JournalKeyValueOptions) =>
  Effect.gen(function*() {
    const journal = yield* FileJournal.open({ directory: "/kv", segmentBytes: 1000 })
    return { journal, store: yield* Effect.provideService(JournalKeyValue.open(options), Journal, journal) }
  }).pipe(Effect.provideService(FileSystem, memory.fileSystem))

describe("JournalKeyValue", () => {
  it.effect("writes its journal anew when little of it lives, and holds the same after a power cut", () =>
    Effect.gen(function*() {
      const memory = MemoryFileSystem.make()
      yield* Effect.scoped(Effect.gen(function*() {
        const { store } = yield* openOver(memory, { compactionBytes: 4000 })
        for (let i = 0; i < 500; i++) {
          yield* store.write([put(`${i % 5}`, new Uint8Array(100).fill(i)), remove(`${(i + 1) % 5}`)])
          assert.isBelow(memory.usedBytes, 12_000)
        }
      }))
      memory.crash()
      yield* Effect.scoped(Effect.gen(function*() {
        const { store } = yield* openOver(memory, {})
        const { entries } = yield* store.scan({ limit: 10 })
        assert.deepStrictEqual(entries.map(({ key, value }) => [...key, value[0]]), [
          [49, 496 & 255],
          [50, 497 & 255],
          [51, 498 & 255],
          [52, 499 & 255]
        ])
      }))
    }))

  it.effect("goes on when its journal cannot be written anew, and fails what does not fit", () =>
    Effect.gen(function*() {
      const memory = MemoryFileSystem.make()
      const { store } = yield* openOver(memory, { compactionBytes: 1, capacityBytes: 1000 })
      yield* store.write([put("a", new Uint8Array(200))])
      yield* store.write([put("a", new Uint8Array(200).fill(1))])
      memory.plan([{ at: 2, operation: "append", reason: "no-space" }])
      yield* store.write([put("a", new Uint8Array(200).fill(2))])
      memory.plan([])
      const [full, fits] = yield* Effect.all([
        Effect.flip(store.write([put("b", new Uint8Array(900))])),
        Effect.exit(store.write([put("b", new Uint8Array(90))]))
      ], { concurrency: "unbounded" })
      assert.strictEqual(full.reason, "no-space")
      assert.strictEqual(fits._tag, "Success")
      assert.deepStrictEqual((yield* store.get([bytesOf("a")]))[0], new Uint8Array(200).fill(2))
    }))

  it.effect("a journal of something else is damage that names the record", () =>
    Effect.gen(function*() {
      const memory = MemoryFileSystem.make()
      for (
        const record of [
          new Uint8Array(0),
          bytesOf("x"),
          Uint8Array.of(1, 0),
          Uint8Array.of(1, 9, 0, 1),
          Uint8Array.of(2)
        ]
      ) {
        const error = yield* Effect.scoped(Effect.gen(function*() {
          const journal = yield* FileJournal.open({ directory: `/${record.join("-")}` })
          yield* journal.append([Uint8Array.of(2, 1), record])
          return yield* Effect.flip(Effect.provideService(JournalKeyValue.open(), Journal, journal))
        })).pipe(Effect.provideService(FileSystem, memory.fileSystem))
        assert.strictEqual(error.reason, "damaged")
        assert.include(error.message, "record 1 is no change of a store")
      }
    }))
})

describe("MemoryKeyValue", () => {
  it.effect("is bounded, and what makes it smaller always fits", () =>
    Effect.gen(function*() {
      const store = yield* MemoryKeyValue.open({ capacityBytes: 200 })
      yield* store.write([put("a", new Uint8Array(100))])
      assert.strictEqual((yield* Effect.flip(store.write([put("b", new Uint8Array(10))]))).reason, "no-space")
      yield* store.write([remove("a")])
      yield* store.write([put("b", new Uint8Array(10))])
    }))

  it.effect("takes many keys at once and one by one alike", () =>
    Effect.gen(function*() {
      const store = yield* MemoryKeyValue.open()
      const keys = Array.from({ length: 200 }, (_, i) => `${(i * 7919) % 1000}`)
      yield* store.write(keys.map((key) => put(key, bytesOf(key))))
      for (const key of keys.slice(0, 10)) yield* store.write([remove(key)])
      yield* store.write(keys.slice(10, 150).map(remove))
      const { entries } = yield* store.scan({ limit: Limits.scanEntries })
      assert.deepStrictEqual(
        entries.map(({ key }) => new TextDecoder().decode(key)),
        keys.slice(150).toSorted()
      )
    }))
})

describe("SqliteKeyValue", () => {
  it.effect("one process at a time; the next finds what was left", () =>
    Effect.gen(function*() {
      const path = join(yield* temporaryDirectory, "store.db")
      yield* Effect.scoped(Effect.gen(function*() {
        const store = yield* SqliteKeyValue.open({ path })
        yield* store.write([put("a", bytesOf("1"))])
        const error = yield* Effect.flip(SqliteKeyValue.open({ path }))
        assert.strictEqual(error.reason, "busy")
        assert.include(error.message, path)
      }))
      const store = yield* SqliteKeyValue.open({ path })
      assert.deepStrictEqual(yield* store.get([bytesOf("a")]), [bytesOf("1")])
    }))

  it.effect("refuses a file that is no store, and leaves it as it is", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      yield* Effect.promise(() =>
        writeFile(join(directory, "text"), "this is a text, long enough to be read as a page".repeat(99))
      )
      const other = new DatabaseSync(join(directory, "other.db"))
      other.exec("CREATE TABLE mine (x); PRAGMA user_version = 1")
      other.close()
      for (const name of ["text", "other.db"]) {
        assert.strictEqual((yield* Effect.flip(SqliteKeyValue.open({ path: join(directory, name) }))).reason, "damaged")
      }
      const again = new DatabaseSync(join(directory, "other.db"))
      assert.strictEqual(again.prepare("SELECT count(*) AS tables FROM sqlite_schema").get()?.["tables"], 1)
      again.close()
    }))

  it.effect("a directory in its place is an error with its path", () =>
    Effect.gen(function*() {
      const path = yield* temporaryDirectory
      const error = yield* Effect.flip(SqliteKeyValue.open({ path }))
      assert.strictEqual(error.reason, "io")
      assert.include(error.message, path)
    }))
})
