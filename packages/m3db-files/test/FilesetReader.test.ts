import { assert, describe, it } from "@effect/vitest"
import {
  filePath,
  filesetFiles,
  FilesetReader,
  FilesetWriter,
  Limits,
  scanDirectory,
  type SeriesBatch,
  shardDirectory,
  verifyFileset
} from "@peerstrap/m3db-files"
import { MemoryFileSystem } from "@peerstrap/storage"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as fc from "fast-check"
import { batchOf, openOptions, type Series } from "./filesets.ts"
import * as Vectors from "./vectors.ts"
import { ascii, hex, toHex } from "./vectors.ts"

const seed = 20_261_121

const write = (series: ReadonlyArray<Series>, volume = 0) =>
  Effect.scoped(Effect.gen(function*() {
    const writer = yield* FilesetWriter.open({ ...openOptions, volume })
    yield* writer.write(batchOf(series))
    return yield* writer.finish
  }))

const text = (one: { id: Uint8Array; tags: Uint8Array; bytes: Uint8Array }) =>
  `${toHex(one.id)} ${toHex(one.tags)} ${toHex(one.bytes)}`

const rows = (batches: ReadonlyArray<SeriesBatch>) =>
  batches.flatMap((batch) => batch.ids.map((id, i) => text({ id, tags: batch.tags[i]!, bytes: batch.bytes[i]! })))

const readAll = (reader: FilesetReader, order: "id" | "write") =>
  Effect.map(Stream.runCollect(reader.series({ order })), (batches) => rows([...batches]))

const openReader = FilesetReader.open({ ...openOptions, volume: 0 })

describe("FilesetReader", () => {
  it.effect("reads the published fileset in both orders, and by id", () => {
    const memory = MemoryFileSystem.make()
    return Effect.gen(function*() {
      yield* write(Vectors.series)
      yield* Effect.scoped(Effect.gen(function*() {
        const reader = yield* openReader
        assert.deepStrictEqual([reader.info.entries, reader.dataBytes, reader.indexBytes], [3, 9, 105])
        const [foo, bar, baz] = Vectors.series.map(text)
        assert.deepStrictEqual(yield* readAll(reader, "write"), [foo!, bar!, baz!])
        assert.deepStrictEqual(yield* readAll(reader, "id"), [bar!, baz!, foo!])
        for (const one of Vectors.series) {
          assert.deepStrictEqual(text((yield* reader.seek(one.id))!), text(one))
        }
        for (const id of ["", "ba", "bara", "zzz"]) assert.isUndefined(yield* reader.seek(ascii(id)))
      }))
      assert.strictEqual(memory.openFiles, 0)
    }).pipe(Effect.provide(memory.layer))
  })

  it.effect("reads an empty fileset", () => {
    const memory = MemoryFileSystem.make()
    return Effect.gen(function*() {
      yield* write([])
      const reader = yield* openReader
      assert.deepStrictEqual([yield* readAll(reader, "id"), yield* readAll(reader, "write")], [[], []])
      assert.isUndefined(yield* reader.seek(ascii("foo")))
      assert.deepStrictEqual((yield* verifyFileset(reader.key)).problems, [])
    }).pipe(Effect.provide(memory.layer))
  })

  it.effect("chooses the highest complete volume, as a node does", () => {
    const memory = MemoryFileSystem.make()
    return Effect.gen(function*() {
      const { volume: _, ...latest } = { ...openOptions, volume: 0 }
      assert.strictEqual((yield* Effect.flip(FilesetReader.open(latest))).reason, "missing")
      yield* write(Vectors.series)
      yield* write(Vectors.series.slice(1), 3)
      yield* memory.fileSystem.create(`${shardDirectory("/m3", "testns", 7)}/fileset-${Vectors.blockStart}-10-data.db`)
      assert.strictEqual((yield* FilesetReader.open(latest)).key.volume, 3)
      assert.strictEqual((yield* openReader).key.volume, 0)
      const [scanned] = yield* scanDirectory("/m3")
      assert.deepStrictEqual(
        scanned!.shards[0]!.filesets.map((one) => [one.volume, one.complete, one.latest, one.entries]),
        [[0, true, false, 3], [3, true, true, 2], [10, false, false, undefined]]
      )
      assert.deepStrictEqual([scanned!.namespace, scanned!.shards[0]!.shard], ["testns", 7])
      assert.deepStrictEqual(yield* scanDirectory("/m3", "other"), [])
      assert.deepStrictEqual(yield* scanDirectory("/elsewhere"), [])
    }).pipe(Effect.provide(memory.layer))
  })

  it.effect("prefers the new name of volume 0 to the legacy one, and takes that when it is alone", () => {
    const memory = MemoryFileSystem.make()
    const key = { ...openOptions, volume: 0 }
    const asLegacy = Effect.gen(function*() {
      for (const file of filesetFiles) {
        yield* memory.fileSystem.rename(filePath(key, file), filePath({ ...key, legacy: true }, file))
      }
    })
    return Effect.gen(function*() {
      yield* write(Vectors.series)
      yield* asLegacy
      assert.deepStrictEqual((yield* openReader).info.entries, 3)
      yield* Effect.scoped(Effect.gen(function*() {
        const writer = yield* FilesetWriter.open({ ...openOptions, prefix: "/new" })
        yield* writer.finish
      }))
      for (const file of filesetFiles) {
        yield* memory.fileSystem.rename(filePath({ ...key, prefix: "/new" }, file), filePath(key, file))
      }
      assert.deepStrictEqual((yield* openReader).info.entries, 0)
      const [scanned] = yield* scanDirectory("/m3", "testns")
      assert.deepStrictEqual(scanned!.shards[0]!.filesets.map((one) => [one.legacy, one.latest]), [
        [true, false],
        [false, true]
      ])
    }).pipe(Effect.provide(memory.layer))
  })

  it.effect("hands out batches of bounded size, each entry once", () => {
    const memory = MemoryFileSystem.make()
    const series = Array.from({ length: 9000 }, (_, i): Series => ({
      id: ascii(`series-${(i * 7919) % 9000}`),
      tags: hex(""),
      bytes: new Uint8Array(1 + (i % 900)).fill(i)
    }))
    return Effect.gen(function*() {
      yield* write(series)
      const reader = yield* openReader
      for (const order of ["id", "write"] as const) {
        const batches = [...yield* Stream.runCollect(reader.series({ order }))]
        assert.isAbove(batches.length, 3)
        for (const batch of batches) {
          assert.isAtMost(batch.count, Limits.maxBatchSeries)
          assert.isBelow(batch.sizes.reduce((total, size) => total + size, 0), Limits.readChunkBytes + 1000)
        }
        assert.deepStrictEqual(rows(batches).toSorted(), series.map(text).toSorted())
      }
      const limited = yield* Effect.flip(Stream.runDrain(reader.series({ order: "write", maxIndexBytes: 10_000 })))
      assert.deepStrictEqual([limited.reason, limited.remedy.includes("maxIndexBytes")], ["limit", true])
      assert.deepStrictEqual((yield* verifyFileset(reader.key)).problems, [])
    }).pipe(Effect.provide(memory.layer))
  })

  it.effect(
    "gives back what was written, sorted, and finds all ids and only those",
    () =>
      Effect.promise(() =>
        fc.assert(
          fc.asyncProperty(
            fc.uniqueArray(
              fc.record({
                id: fc.uint8Array({ maxLength: 12 }),
                tags: fc.oneof(fc.constant(hex("")), fc.constant(hex("75270100010061010062"))),
                bytes: fc.uint8Array({ maxLength: 40 })
              }),
              { maxLength: 120, selector: (one) => toHex(one.id) }
            ),
            fc.array(fc.uint8Array({ maxLength: 3 }), { maxLength: 20 }),
            (series, others) =>
              Effect.runPromise(
                Effect.scoped(roundTrip(series, others)).pipe(Effect.provide(MemoryFileSystem.make().layer))
              )
          ),
          { seed, numRuns: 60 }
        )
      ),
    60_000
  )
})

const roundTrip = (series: ReadonlyArray<Series>, others: ReadonlyArray<Uint8Array>) =>
  Effect.gen(function*() {
    yield* write(series)
    const kept = series.filter((one) => one.bytes.length > 0)
    const reader = yield* openReader
    assert.deepStrictEqual(yield* readAll(reader, "write"), kept.map(text))
    const sorted = kept.toSorted((a, b) => Buffer.compare(a.id, b.id)).map(text)
    assert.deepStrictEqual(yield* readAll(reader, "id"), sorted)
    for (const id of [...series.map((one) => one.id), ...others]) {
      const expected = kept.find((one) => toHex(one.id) === toHex(id))
      const found = yield* reader.seek(id)
      assert.strictEqual(found && text(found), expected && text(expected))
    }
    const verification = yield* verifyFileset(reader.key)
    assert.deepStrictEqual([verification.problems, verification.entries], [[], kept.length])
  })
