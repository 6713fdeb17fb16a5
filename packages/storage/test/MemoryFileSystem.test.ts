import { assert, describe, it } from "@effect/vitest"
import { FileSystem, MemoryFileSystem } from "@peerstrap/storage"
import * as Effect from "effect/Effect"

const bytesOf = (text: string) => new TextEncoder().encode(text)
const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes)

describe("MemoryFileSystem", () => {
  it.effect("a full disk refuses the append and leaves the file as it was", () =>
    Effect.gen(function*() {
      const memory = MemoryFileSystem.make({ capacityBytes: 10 })
      const file = yield* memory.fileSystem.create("/a")
      yield* file.append([bytesOf("12345678")])
      const error = yield* Effect.flip(file.append([bytesOf("9"), bytesOf("abc")]))
      assert.strictEqual(error.reason, "no-space")
      assert.include(error.message, "4 bytes wanted, 2 free")
      assert.strictEqual(textOf(yield* file.read(0, 100)), "12345678")
      yield* file.append([bytesOf("9a")])
      assert.strictEqual(yield* memory.fileSystem.freeBytes("/"), 0)
      memory.setCapacityBytes(undefined)
      yield* file.append([bytesOf("more")])
    }))

  it.effect("fails the k-th operation, of a kind when asked, once or for good", () =>
    Effect.gen(function*() {
      const memory = MemoryFileSystem.make({ faults: [{ at: 2, reason: "permission" }] })
      const files = memory.fileSystem
      yield* files.makeDirectory("/d")
      assert.strictEqual((yield* Effect.flip(files.makeDirectory("/d"))).reason, "permission")
      yield* files.makeDirectory("/d")
      assert.strictEqual(memory.operations, 3)
      memory.plan([{ at: 2, operation: "append", reason: "io", sticky: true }])
      const file = yield* files.create("/d/f")
      yield* file.append([bytesOf("x")])
      assert.strictEqual((yield* Effect.flip(file.append([bytesOf("y")]))).reason, "io")
      assert.strictEqual((yield* Effect.flip(file.append([bytesOf("y")]))).reason, "io")
      assert.strictEqual(yield* file.size, 1)
    }))

  it.effect("an atomic write that fails leaves the old version", () =>
    Effect.gen(function*() {
      const memory = MemoryFileSystem.make({ capacityBytes: 8 })
      yield* memory.fileSystem.writeFileAtomic("/state", bytesOf("old"))
      yield* Effect.flip(memory.fileSystem.writeFileAtomic("/state", bytesOf("too long")))
      assert.strictEqual(textOf(yield* memory.fileSystem.readFile("/state", 10)), "old")
      assert.deepStrictEqual(yield* memory.fileSystem.list("/"), ["state"])
    }))

  it.effect("a crash may leave a torn tail, and a name without content", () =>
    Effect.gen(function*() {
      const memory = MemoryFileSystem.make()
      const file = yield* memory.fileSystem.create("/log")
      yield* file.append([bytesOf("synced")])
      yield* file.sync
      yield* memory.fileSystem.syncDirectory("/")
      yield* file.append([bytesOf("-unsynced")])
      const fresh = yield* memory.fileSystem.create("/fresh")
      yield* fresh.append([bytesOf("content")])
      assert.strictEqual(memory.openFiles, 2)
      memory.crash({ keepUnsyncedBytes: (path) => path === "/log" ? 3 : 0, keepEntry: (path) => path === "/fresh" })
      assert.strictEqual(memory.openFiles, 0)
      assert.strictEqual(textOf(yield* memory.fileSystem.readFile("/log", 100)), "synced-un")
      assert.strictEqual((yield* memory.fileSystem.readFile("/fresh", 100)).length, 0)
    }))

  it.effect("a truncated file that was not synced comes back as it was", () =>
    Effect.gen(function*() {
      const memory = MemoryFileSystem.make()
      yield* memory.fileSystem.writeFileAtomic("/f", bytesOf("first version"))
      const file = yield* memory.fileSystem.create("/f")
      yield* file.append([bytesOf("second")])
      memory.crash()
      assert.strictEqual(textOf(yield* memory.fileSystem.readFile("/f", 100)), "first version")
    }))

  it.effect("renames directories and refuses to replace a full one", () =>
    Effect.gen(function*() {
      const memory = MemoryFileSystem.make()
      yield* memory.fileSystem.writeFileAtomic("/a/x", bytesOf("x"))
      yield* memory.fileSystem.writeFileAtomic("/b/y", bytesOf("y"))
      assert.strictEqual((yield* Effect.flip(memory.fileSystem.rename("/a", "/b"))).reason, "already-exists")
      yield* memory.fileSystem.rename("/a", "/c")
      assert.strictEqual(textOf(yield* memory.fileSystem.readFile("/c/x", 100)), "x")
    }))

  it.effect("each build of the layer is empty", () => {
    const write = FileSystem.use((files) => files.writeFileAtomic("/f", bytesOf("x")))
    const list = FileSystem.use((files) => files.list("/"))
    return Effect.gen(function*() {
      yield* Effect.provide(write, MemoryFileSystem.layer, { local: true })
      assert.deepStrictEqual(yield* Effect.provide(list, MemoryFileSystem.layer, { local: true }), [])
    })
  })
})
