import { assert, describe, it } from "@effect/vitest"
import {
  encodeCheckpoint,
  encodeIndexEntry,
  encodeInfo,
  encodeSummary,
  filePath,
  type FilesetFile,
  filesetFiles,
  type FilesetInfo,
  type FilesetKey,
  FilesetReader,
  FilesetWriter,
  Limits,
  MsgpackWriter,
  verifyFileset
} from "@peerstrap/m3db-files"
import { shardOf } from "@peerstrap/m3db-wire"
import { adler32 } from "@peerstrap/m3tsz"
import { FileSystem, MemoryFileSystem } from "@peerstrap/storage"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { batchOf, openOptions } from "./filesets.ts"
import { reseal } from "./Reseal.ts"
import * as Vectors from "./vectors.ts"
import { ascii, hex } from "./vectors.ts"

const key: FilesetKey = { prefix: "/m3", namespace: "testns", shard: 7, blockStart: Vectors.blockStart, volume: 0 }

interface Entry {
  readonly index: number
  readonly id: string
  readonly size: number
  readonly offset: number
  readonly sum: number
  readonly tags?: string
}

const [fooBytes, barBytes, bazBytes] = Vectors.series.map((one) => one.bytes)
const bar: Entry = { index: 1, id: "bar", size: 4, offset: 3, sum: adler32(barBytes!) }
const baz: Entry = { index: 2, id: "baz", size: 2, offset: 7, sum: adler32(bazBytes!) }
const foo: Entry = { index: 0, id: "foo", size: 3, offset: 0, sum: adler32(fooBytes!) }

const index = (...entries: ReadonlyArray<Entry>): Uint8Array => {
  const writer = new MsgpackWriter()
  for (const { id, index, offset, size, sum, tags = "" } of entries) {
    const source = new Uint8Array([...ascii(id), ...hex(tags)])
    encodeIndexEntry(writer, index, source, 0, id.length, source.length, size, offset, sum)
  }
  return writer.take()
}

const summary = (...rows: ReadonlyArray<readonly [index: number, id: string, offset: number]>): Uint8Array => {
  const writer = new MsgpackWriter()
  for (const [index, id, offset] of rows) encodeSummary(writer, index, ascii(id), 0, id.length, offset)
  return writer.take()
}

const info = (change: Partial<FilesetInfo>): Uint8Array =>
  encodeInfo({
    blockStart: Vectors.blockStart,
    blockSize: Vectors.blockSize,
    entries: 3,
    majorVersion: 1,
    minorVersion: 1,
    summaries: 1,
    bloomBits: 25,
    bloomHashes: 6,
    snapshotTime: BigInt(0),
    fileType: 0,
    snapshotId: undefined,
    volume: 0,
    ...change
  })

type Case = readonly [name: string, change: Partial<Record<FilesetFile, Uint8Array>>, file: FilesetFile, says: string]

/** Damage under right digests: only a check of the content finds it. */
const cases: ReadonlyArray<Case> = [
  ["ids out of order", { index: index(baz, bar, foo) }, "index", "stands after a higher id"],
  ["an id twice", { index: index(bar, { ...baz, id: "bar" }, foo) }, "index", "stands twice in the index"],
  ["a write index twice", { index: index({ ...bar, index: 2 }, baz, foo) }, "index", "write index 2 stands twice"],
  ["a write index too high", { index: index(bar, { ...baz, index: 3 }, foo) }, "index", "write index 3 of 3"],
  ["a gap between series", { index: index(bar, { ...baz, offset: 8 }, foo) }, "index", "expected 7"],
  ["series that overlap", { index: index(bar, { ...baz, offset: 6 }, foo) }, "index", "begins at 6"],
  ["a series without bytes", { index: index(bar, { ...baz, size: 0, sum: 1 }, foo) }, "index", "has no bytes"],
  [
    "one entry more than the info says",
    { index: index(bar, baz, foo, { ...foo, id: "g" }) },
    "index",
    "after the last entry"
  ],
  ["one entry less than the info says", { index: index(bar, foo) }, "index", "ends before the last entry"],
  ["tags that do not decode", { index: index(bar, { ...baz, tags: "7527" }, foo) }, "index", "tags: "],
  ["a byte more in the data file", { data: hex("01020304050607080900") }, "data", "bytes after the last series"],
  ["a byte less in the data file", { data: hex("0102030405060708") }, "data", "ends before the last series"],
  ["another byte in a series", { data: hex("010203040506070808") }, "data", "\"baz\": checksum is"],
  [
    "a bloom bit too few",
    { bloomfilter: hex("749d580000000000").fill(0, 0, 1) },
    "bloomfilter",
    "do not match the ids"
  ],
  ["a bloom bit too many", { bloomfilter: hex("749d590000000000") }, "bloomfilter", "do not match the ids"],
  ["a bloom filter too long", { bloomfilter: new Uint8Array(16) }, "bloomfilter", "has 8 bytes, this one 16"],
  ["a bloom filter too small for the entries", { info: info({ bloomBits: 9 }) }, "info", "need 25"],
  ["a summary of another id", { summaries: summary([1, "baq", 0]) }, "summaries", "does not match"],
  ["a summary of another offset", { summaries: summary([1, "bar", 5]) }, "summaries", "does not match"],
  ["a summary of another write index", { summaries: summary([2, "bar", 0]) }, "summaries", "another write index"],
  ["a summary behind the index", { summaries: summary([1, "bar", 900]) }, "summaries", "behind the last entry"],
  ["a first summary that is not the first entry", { summaries: summary([2, "baz", 23]) }, "summaries", "even distance"],
  ["no summary", { summaries: hex(""), info: info({ summaries: 0 }) }, "summaries", "no summary"],
  ["another block start", { info: info({ blockStart: BigInt(5) }) }, "info", "block start 5"],
  ["another volume", { info: info({ volume: 4 }) }, "info", "volume 4"],
  ["no block size", { info: info({ blockSize: BigInt(0) }) }, "info", "block size 0"],
  ["a file type", { info: info({ fileType: 1 }) }, "info", "file type 1"],
  ["another major version", { info: info({ majorVersion: 2 }) }, "info", "schema version 2"],
  ["bytes after the info object", { info: new Uint8Array([...info({}), 1]) }, "info", "1 bytes after"]
]

const written = (memory: MemoryFileSystem.MemoryFileSystem) =>
  Effect.scoped(Effect.gen(function*() {
    const writer = yield* FilesetWriter.open(openOptions)
    yield* writer.write(batchOf(Vectors.series))
    yield* writer.finish
  })).pipe(Effect.provide(memory.layer))

describe("verifyFileset", () => {
  for (const [name, change, file, says] of cases) {
    it.effect(`reports ${name}`, () => {
      const memory = MemoryFileSystem.make()
      return Effect.gen(function*() {
        yield* written(memory)
        yield* reseal(memory.fileSystem, key, change)
        const { ok, problems } = yield* verifyFileset(key)
        assert.isFalse(ok)
        const found = problems.find((problem) => problem.file === file && problem.message.includes(says))
        assert.isDefined(found, JSON.stringify(problems.map((one) => `${one.file}: ${one.message}`)))
        assert.deepStrictEqual([found!.path, found!.remedy !== ""], [filePath(key, file), true])
        assert.strictEqual(memory.openFiles, 0)
      }).pipe(Effect.provide(memory.layer))
    })
  }

  it.effect("accepts the same files resealed without a change, and checks shards and streams when asked to", () => {
    const memory = MemoryFileSystem.make()
    return Effect.gen(function*() {
      yield* written(memory)
      yield* reseal(memory.fileSystem, key, { index: index(bar, { ...baz, tags: "75270100010061010062" }, foo) })
      assert.deepStrictEqual((yield* verifyFileset(key)).problems, [])
      const elsewhere = Vectors.series.filter((one) => shardOf(one.id, 0, 64) !== 7).length
      const sharded = yield* verifyFileset(key, { sharding: { numShards: 64, seed: 0 } })
      assert.strictEqual(sharded.problems.length, elsewhere)
      const seen: Array<string> = []
      const streams = yield* verifyFileset(key, {
        checkStream: (bytes) => {
          seen.push(Vectors.toHex(bytes))
          return bytes.length === 4 ? "four bytes" : undefined
        }
      })
      assert.deepStrictEqual(seen, Vectors.series.map((one) => Vectors.toHex(one.bytes)))
      assert.deepStrictEqual(streams.problems.map((one) => [one.message, one.offset]), [[
        "series \"bar\": four bytes",
        3
      ]])
    }).pipe(Effect.provide(memory.layer))
  })

  it.effect("lists a bounded number of problems and counts the rest", () => {
    const memory = MemoryFileSystem.make()
    const series = Array.from(
      { length: 400 },
      (_, i) => ({ id: ascii(`id ${i}`), tags: hex(""), bytes: Uint8Array.of(i) })
    )
    return Effect.gen(function*() {
      yield* Effect.scoped(Effect.gen(function*() {
        const writer = yield* FilesetWriter.open(openOptions)
        yield* writer.write(batchOf(series))
        yield* writer.finish
      }))
      yield* reseal(memory.fileSystem, key, { data: new Uint8Array(400).fill(0xaa) })
      const { further, problems } = yield* verifyFileset(key)
      assert.deepStrictEqual([problems.length, problems.length + further], [Limits.maxProblems, 399])
    }).pipe(Effect.provide(memory.layer))
  })

  it.effect("reports a fileset of which nothing is there, and files that cannot be read", () => {
    const memory = MemoryFileSystem.make()
    return Effect.gen(function*() {
      assert.deepStrictEqual((yield* verifyFileset(key)).problems.map((one) => one.reason), Array(7).fill("missing"))
      yield* written(memory)
      memory.plan([{ at: 1, reason: "io", operation: "read", sticky: true }])
      const { problems } = yield* verifyFileset(key)
      assert.deepStrictEqual(problems.map((one) => [one.file, one.reason]), [["index", "io"], ["data", "io"]])
    }).pipe(Effect.provide(memory.layer))
  })
})

const readAll = (order: "id" | "write") =>
  Effect.scoped(Effect.flatMap(FilesetReader.open(key), (reader) => Stream.runDrain(reader.series({ order }))))

const seek = (id: string) => Effect.scoped(Effect.flatMap(FilesetReader.open(key), (reader) => reader.seek(ascii(id))))

describe("FilesetReader on damage", () => {
  // Summaries and bloom filter are not read by a whole pass; the other cases are, unless they concern readers not at all.
  const noticed = cases.filter(([name, , file]) =>
    (file === "index" || file === "data") && !["a series without bytes", "tags that do not decode"].includes(name)
  )
  for (const [name, change, file] of noticed) {
    it.effect(`notices ${name}`, () => {
      const memory = MemoryFileSystem.make()
      return Effect.gen(function*() {
        yield* written(memory)
        yield* reseal(memory.fileSystem, key, change)
        // Write indexes concern readers in write order only.
        const orders = name.startsWith("a write index") ? ["write"] as const : ["write", "id"] as const
        for (const order of orders) {
          const error = yield* Effect.flip(readAll(order))
          assert.include(["malformed", "checksum"], error.reason)
          assert.include([filePath(key, file), filePath(key, "index"), filePath(key, "data")], error.path)
        }
      }).pipe(Effect.provide(memory.layer))
    })
  }

  it.effect("notices digests that do not belong to index and data", () => {
    const memory = MemoryFileSystem.make()
    return Effect.gen(function*() {
      for (const [at, orders] of [[4, ["id", "write"]], [16, ["write"]]] as const) {
        yield* memory.fileSystem.remove(filePath(key, "checkpoint"))
        yield* written(memory)
        const digest = hex(Vectors.files.digest)
        digest[at]! ^= 1
        yield* memory.fileSystem.writeFileAtomic(filePath(key, "digest"), digest)
        assert.strictEqual((yield* Effect.flip(seek("foo"))).reason, "checksum")
        yield* memory.fileSystem.writeFileAtomic(filePath(key, "checkpoint"), encodeCheckpoint(digest))
        for (const order of orders) assert.strictEqual((yield* Effect.flip(readAll(order))).reason, "checksum", order)
      }
    }).pipe(Effect.provide(memory.layer))
  })

  it.effect("refuse an entry that never ends, within the limit of an entry's size", () => {
    const memory = MemoryFileSystem.make()
    const endless = new Uint8Array(9_500_000)
    endless.set(hex("0192059801c4036261720403ce00360017c0c600900000"))
    return Effect.gen(function*() {
      yield* written(memory)
      yield* reseal(memory.fileSystem, key, { index: endless })
      const reads: Array<number> = []
      const counted = Layer.succeed(FileSystem, {
        ...memory.fileSystem,
        openRead: (path) =>
          Effect.map(memory.fileSystem.openRead(path), (file) => ({
            ...file,
            read: (at: number, length: number) => (reads.push(length), file.read(at, length))
          }))
      })
      assert.strictEqual((yield* Effect.provide(Effect.flip(readAll("id")), counted)).reason, "limit")
      assert.isBelow(Math.max(...reads), 1_000_000)
      const { problems } = yield* verifyFileset(key)
      assert.deepStrictEqual(problems.filter((one) => one.file === "index").map((one) => one.reason), ["limit"])
    }).pipe(Effect.provide(memory.layer))
  })

  it.effect("refuses to seek by summaries that point behind the index, and with damaged small files", () => {
    const memory = MemoryFileSystem.make()
    return Effect.gen(function*() {
      yield* written(memory)
      yield* reseal(memory.fileSystem, key, { summaries: summary([1, "bar", 900]) })
      assert.strictEqual((yield* Effect.flip(seek("foo"))).reason, "malformed")
      yield* reseal(memory.fileSystem, key, { summaries: hex("00") })
      assert.strictEqual((yield* Effect.flip(seek("foo"))).path, filePath(key, "summaries"))
      yield* memory.fileSystem.writeFileAtomic(filePath(key, "bloomfilter"), new Uint8Array(8))
      const error = yield* Effect.flip(seek("foo"))
      assert.deepStrictEqual([error.path, error.reason], [filePath(key, "bloomfilter"), "checksum"])
    }).pipe(Effect.provide(memory.layer))
  })
})

describe("old filesets", () => {
  /** Entries of V1: five fields, no tags, no checksum of their own. */
  const v1 = Vectors.entryBar.replace("97", "95").slice(0, 34) + Vectors.entryBaz.replace("97", "95").slice(0, 34) +
    Vectors.entryFoo.replace("97", "95").slice(0, 34)
  const old: FilesetKey = { ...key, legacy: true }

  it.effect("are read under their old names, in every way, and verified", () => {
    const memory = MemoryFileSystem.make()
    return Effect.gen(function*() {
      yield* written(memory)
      yield* reseal(memory.fileSystem, key, { index: hex(v1), info: info({ minorVersion: 0 }) })
      for (const file of filesetFiles) yield* memory.fileSystem.rename(filePath(key, file), filePath(old, file))
      yield* readAll("id")
      yield* readAll("write")
      assert.deepStrictEqual((yield* seek("foo"))?.bytes, fooBytes!)
      assert.deepStrictEqual((yield* seek("foo"))?.tags, hex(""))
      assert.deepStrictEqual((yield* verifyFileset(old)).problems, [])
      // A changed checksum field is still an entry: only the digest of the whole index shows it.
      const damaged = hex(v1)
      damaged[v1.indexOf("ce000d0007") / 2 + 4]! ^= 1
      yield* memory.fileSystem.writeFileAtomic(filePath(old, "index"), damaged)
      const error = yield* Effect.flip(seek("bar"))
      assert.deepStrictEqual([error.path, error.reason], [filePath(old, "index"), "checksum"])
    }).pipe(Effect.provide(memory.layer))
  })
})
