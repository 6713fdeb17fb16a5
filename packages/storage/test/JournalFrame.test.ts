// The bytes of a journal, and that no bytes make the reader fail otherwise than by saying so.
import { assert, describe, it } from "@effect/vitest"
import { FileJournal, FileSystem, MemoryFileSystem } from "@peerstrap/storage"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Random from "effect/Random"
import * as Stream from "effect/Stream"
import fc from "fast-check"
import { crc32 } from "node:zlib"

const records = [Uint8Array.of(1, 2, 3), new Uint8Array(0)]
const written = Effect.gen(function*() {
  const memory = MemoryFileSystem.make()
  yield* Effect.scoped(Effect.gen(function*() {
    const journal = yield* FileJournal.open({ directory: "/j" })
    yield* journal.append(records)
    yield* journal.append([Uint8Array.of(255)])
  })).pipe(Effect.provideService(FileSystem, memory.fileSystem))
  return yield* memory.fileSystem.readFile("/j/0000000000000000.journal", 1000)
}).pipe(Random.withSeed("frames"))

/** What opening and replaying these bytes gives: records, or an error; anything else dies. */
const readBack = (bytes: Uint8Array) => {
  const memory = MemoryFileSystem.make()
  return Effect.scoped(Effect.gen(function*() {
    yield* memory.fileSystem.writeFileAtomic("/j/0000000000000000.journal", bytes)
    const journal = yield* FileJournal.open({ directory: "/j" })
    const pages = yield* Stream.runCollect(journal.replay())
    return pages.flatMap((page) => page.records).length
  })).pipe(Effect.provideService(FileSystem, memory.fileSystem))
}

describe("the bytes of a journal", () => {
  it.effect("are as documented", () =>
    Effect.gen(function*() {
      const bytes = yield* written
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
      const u32 = (at: number) => view.getUint32(at, true)
      assert.strictEqual(new TextDecoder().decode(bytes.subarray(0, 8)), "PSJRNL01")
      assert.strictEqual(view.getBigUint64(8, true), 0n)
      assert.isAbove(u32(16), 0)
      assert.strictEqual(u32(20), crc32(bytes.subarray(0, 20)))
      assert.deepStrictEqual([u32(24), u32(28), view.getBigUint64(32, true), u32(40)], [u32(16), 11, 0n, 2])
      assert.strictEqual(u32(44), crc32(bytes.subarray(52, 63)))
      assert.strictEqual(u32(48), crc32(bytes.subarray(24, 48)))
      assert.deepStrictEqual([...bytes.subarray(52, 63)], [3, 0, 0, 0, 1, 2, 3, 0, 0, 0, 0])
      assert.deepStrictEqual([u32(63), view.getBigUint64(71, true)], [u32(16), 2n])
      assert.strictEqual(bytes.length, 63 + 28 + 5)
    }))

  it.effect("however spoilt, are read or refused with an error", () =>
    Effect.gen(function*() {
      const good = yield* written
      const spoilt = fc.sample(
        fc.tuple(
          fc.integer({ min: 0, max: good.length }),
          fc.integer({ min: 0, max: 3 }),
          fc.uint8Array({ minLength: 1, maxLength: 40 })
        ),
        { numRuns: 400, seed: 20_261_121 }
      )
      let errors = 0
      for (const [at, kind, noise] of spoilt) {
        const bytes = [
          () => new Uint8Array([...good.subarray(0, at), ...noise, ...good.subarray(at)]),
          () => new Uint8Array([...good.subarray(0, at), ...noise]),
          () => new Uint8Array([...good.subarray(0, at), ...good.subarray(at + noise.length)]),
          () => new Uint8Array([...good.subarray(0, at), ...noise, ...good.subarray(at + noise.length)])
        ][kind]!()
        const exit = yield* Effect.exit(readBack(bytes))
        const where = `${kind} at ${at}: ${noise.join()}`
        if (Exit.isSuccess(exit)) assert.include([0, 2, 3], exit.value, where)
        else {
          errors++
          assert.match(String(exit.cause), /JournalError/, where)
        }
      }
      assert.isAbove(errors, 50)
    }))

  it.effect("announced lengths cost nothing: a frame of 4 GiB is refused", () =>
    Effect.gen(function*() {
      const bytes = (yield* written).slice()
      const view = new DataView(bytes.buffer)
      view.setUint32(28, 0xffff_ffff, true)
      view.setUint32(48, crc32(bytes.subarray(24, 48)), true)
      const error = yield* Effect.flip(readBack(bytes))
      assert.include(error.message, "a frame of 4294967295 bytes, at most 4210704")
    }))
})
