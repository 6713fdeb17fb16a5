import { assert, describe, it } from "@effect/vitest"
import {
  fileName,
  FilesetError,
  filesetFiles,
  FilesetWriter,
  type FilesetWriterOptions,
  shardDirectory
} from "@peerstrap/m3db-files"
import { adler32 } from "@peerstrap/m3tsz"
import { FileSystem, MemoryFileSystem } from "@peerstrap/storage"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import { batchOf, openOptions as options, readFileset } from "./filesets.ts"
import * as Vectors from "./vectors.ts"
import { ascii, hex } from "./vectors.ts"

const directory = shardDirectory("/m3", "testns", 7)

const write = (change: Partial<FilesetWriterOptions> = {}, series = Vectors.series) =>
  Effect.scoped(Effect.gen(function*() {
    const writer = yield* FilesetWriter.open({ ...options, ...change })
    yield* writer.write(batchOf(series))
    return yield* writer.finish
  }))

const failure = <A, R>(effect: Effect.Effect<A, FilesetError, R>) => Effect.flip(effect)

describe("FilesetWriter", () => {
  it.effect("writes the published fileset byte for byte", () => {
    const memory = MemoryFileSystem.make()
    return Effect.gen(function*() {
      const written = yield* write()
      assert.deepStrictEqual([written.entries, written.dataBytes], [3, 9])
      assert.deepStrictEqual(yield* readFileset(memory.fileSystem, directory, Vectors.blockStart, 0), Vectors.files)
      assert.deepStrictEqual((yield* memory.fileSystem.list(directory)).length, 7)
      assert.strictEqual(memory.openFiles, 0)
    }).pipe(Effect.provide(memory.layer))
  })

  it.effect("writes the published empty fileset, and drops series of zero length", () => {
    const memory = MemoryFileSystem.make()
    return Effect.gen(function*() {
      yield* write({}, [{ id: ascii("nothing"), tags: hex(""), bytes: hex("") }])
      assert.deepStrictEqual(
        yield* readFileset(memory.fileSystem, directory, Vectors.blockStart, 0),
        Vectors.emptyFiles
      )
    }).pipe(Effect.provide(memory.layer))
  })

  it.effect("writes the same bytes however series are cut into batches and pieces", () => {
    const memory = MemoryFileSystem.make()
    return Effect.gen(function*() {
      const writer = yield* FilesetWriter.open(options)
      for (const one of Vectors.series) {
        const pieces = [hex(""), one.bytes.subarray(0, 1), one.bytes.subarray(1)]
        yield* writer.write({
          count: 1,
          ids: [one.id],
          tags: [one.tags],
          data: [pieces],
          checksums: Uint32Array.of(adler32(one.bytes))
        })
      }
      assert.isAbove(writer.indexBytes, 0)
      yield* writer.finish
      assert.deepStrictEqual(yield* readFileset(memory.fileSystem, directory, Vectors.blockStart, 0), Vectors.files)
    }).pipe(Effect.provide(memory.layer))
  })

  it.effect("leaves nothing when the scope closes, the fiber is interrupted or abort is called", () => {
    const memory = MemoryFileSystem.make()
    const nothingLeft = Effect.gen(function*() {
      assert.deepStrictEqual(yield* memory.fileSystem.list(directory), [])
      assert.strictEqual(memory.openFiles, 0)
    })
    return Effect.gen(function*() {
      yield* Effect.scoped(Effect.gen(function*() {
        const writer = yield* FilesetWriter.open(options)
        yield* writer.write(batchOf(Vectors.series))
        assert.deepStrictEqual((yield* memory.fileSystem.list(directory)).length, 1)
      }))
      yield* nothingLeft
      const fiber = yield* Effect.forkChild(Effect.scoped(Effect.gen(function*() {
        const writer = yield* FilesetWriter.open(options)
        yield* writer.write(batchOf(Vectors.series))
        return yield* Effect.never
      })))
      yield* Effect.yieldNow
      yield* Effect.yieldNow
      yield* Fiber.interrupt(fiber)
      yield* nothingLeft
      const writer = yield* FilesetWriter.open(options)
      yield* writer.write(batchOf(Vectors.series))
      yield* writer.abort
      yield* nothingLeft
      assert.strictEqual((yield* failure(writer.write(batchOf(Vectors.series)))).reason, "closed")
      assert.strictEqual((yield* failure(writer.finish)).reason, "closed")
      yield* nothingLeft
    }).pipe(Effect.provide(memory.layer))
  })

  it.effect("names a duplicate id and leaves nothing", () => {
    const memory = MemoryFileSystem.make()
    return Effect.gen(function*() {
      const error = yield* failure(write({}, [...Vectors.series, Vectors.series[1]!]))
      assert.strictEqual(error.reason, "duplicate-id")
      assert.include(error.message, "\"bar\"")
      assert.deepStrictEqual(yield* memory.fileSystem.list(directory), [])
      const adjacent = yield* failure(write({}, [Vectors.series[1]!, Vectors.series[1]!]))
      assert.strictEqual(adjacent.reason, "duplicate-id")
    }).pipe(Effect.provide(memory.layer))
  })

  it.effect("refuses a complete volume unless told to overwrite, and any higher volume always", () => {
    const memory = MemoryFileSystem.make()
    return Effect.gen(function*() {
      yield* write()
      assert.strictEqual((yield* failure(write())).reason, "exists")
      yield* write({ overwrite: true }, [])
      assert.deepStrictEqual(
        yield* readFileset(memory.fileSystem, directory, Vectors.blockStart, 0),
        Vectors.emptyFiles
      )
      yield* write({ volume: 2 })
      const newer = yield* failure(write({ overwrite: true }))
      assert.strictEqual(newer.reason, "newer-volume")
      assert.include(newer.message, "would ignore volume 0")
      // Without its checkpoint volume 2 is no volume: nodes do not see it either.
      yield* memory.fileSystem.remove(`${directory}/${fileName(Vectors.blockStart, 2, "checkpoint")}`)
      yield* write({ overwrite: true })
      assert.deepStrictEqual(yield* readFileset(memory.fileSystem, directory, Vectors.blockStart, 0), Vectors.files)
    }).pipe(Effect.provide(memory.layer))
  })

  it.effect("overwrites an incomplete volume and removes what a crash left of it", () => {
    const memory = MemoryFileSystem.make()
    const put = (name: string, bytes: string) =>
      Effect.flatMap(memory.fileSystem.create(`${directory}/${name}`), (file) => file.append([hex(bytes)]))
    return Effect.gen(function*() {
      for (const file of filesetFiles) yield* put(fileName(Vectors.blockStart, 0, file), "00")
      yield* put(`.${fileName(Vectors.blockStart, 0, "checkpoint")}.0a0b0c.tmp`, "00")
      yield* write()
      assert.deepStrictEqual(yield* readFileset(memory.fileSystem, directory, Vectors.blockStart, 0), Vectors.files)
      assert.deepStrictEqual((yield* memory.fileSystem.list(directory)).length, 7)
    }).pipe(Effect.provide(memory.layer))
  })

  it.effect("sees a legacy name as volume 0", () => {
    const memory = MemoryFileSystem.make()
    return Effect.gen(function*() {
      const file = yield* memory.fileSystem.create(
        `${directory}/${fileName(Vectors.blockStart, 0, "checkpoint", true)}`
      )
      yield* file.append([hex("00000000")])
      assert.strictEqual((yield* failure(write())).reason, "exists")
      yield* write({ overwrite: true })
      assert.deepStrictEqual((yield* memory.fileSystem.list(directory)).length, 7)
    }).pipe(Effect.provide(memory.layer))
  })

  it.effect("refuses arguments and batches that make no fileset, and goes on after a refused batch", () => {
    const memory = MemoryFileSystem.make()
    return Effect.gen(function*() {
      for (
        const change of [
          { namespace: "../up" },
          { namespace: "" },
          { shard: -1 },
          { shard: 1.5 },
          { volume: -1 },
          { blockSize: BigInt(0) },
          { blockStart: BigInt(2) ** BigInt(63) }
        ]
      ) {
        assert.strictEqual((yield* failure(write(change))).reason, "invalid-argument")
      }
      const writer = yield* FilesetWriter.open(options)
      const good = batchOf(Vectors.series)
      assert.strictEqual((yield* failure(writer.write({ ...good, count: 4 }))).reason, "invalid-argument")
      const wrong = yield* failure(writer.write({ ...good, checksums: Uint32Array.of(1, 2, 3) }))
      assert.deepStrictEqual([wrong.reason, wrong.message.includes("\"foo\"")], ["checksum", true])
      const long = { id: new Uint8Array(5_000_000), tags: hex(""), bytes: hex("01") }
      assert.strictEqual((yield* failure(writer.write(batchOf([long])))).reason, "limit")
      yield* writer.write(good)
      yield* writer.finish
      assert.deepStrictEqual(yield* readFileset(memory.fileSystem, directory, Vectors.blockStart, 0), Vectors.files)
    }).pipe(Effect.provide(memory.layer))
  })

  it.effect("has removed everything when finish fails or is interrupted, before the scope closes", () => {
    const memory = MemoryFileSystem.make()
    return Effect.gen(function*() {
      const writer = yield* FilesetWriter.open(options)
      yield* writer.write(batchOf(Vectors.series))
      memory.plan([{ at: 1, operation: "syncDirectory", reason: "io" }])
      assert.strictEqual((yield* failure(writer.finish)).reason, "io")
      assert.deepStrictEqual(yield* memory.fileSystem.list(directory), [])
      const stuck = Layer.succeed(FileSystem, { ...memory.fileSystem, writeFileAtomic: () => Effect.interrupt })
      const other = yield* Effect.provide(FilesetWriter.open(options), stuck)
      yield* other.write(batchOf(Vectors.series))
      assert.isTrue(Exit.hasInterrupts(yield* Effect.exit(other.finish)))
      assert.deepStrictEqual(yield* memory.fileSystem.list(directory), [])
      assert.strictEqual(memory.openFiles, 0)
    }).pipe(Effect.provide(memory.layer))
  })

  it.effect("says that the disk is full and leaves nothing", () => {
    const memory = MemoryFileSystem.make({ capacityBytes: 60 })
    return Effect.gen(function*() {
      const error = yield* failure(write())
      assert.deepStrictEqual([error._tag, error.reason], ["FilesetError", "no-space"])
      assert.deepStrictEqual(yield* memory.fileSystem.list(directory), [])
    }).pipe(Effect.provide(memory.layer))
  })
})
