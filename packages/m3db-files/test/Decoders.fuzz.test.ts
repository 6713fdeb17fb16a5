/** Hostile bytes in every decoder and under every reader: a value or a typed error, never a defect, never more memory than allowed. */
import { assert, describe, it } from "@effect/vitest"
import {
  BloomFilter,
  decodeCheckpoint,
  decodeDigests,
  decodeInfo,
  decodeSummaries,
  encodeInfo,
  encodeSummary,
  filePath,
  type FilesetFile,
  type FilesetKey,
  FilesetReader,
  FilesetWriter,
  groupNames,
  IndexEntryDecoder,
  isMalformed,
  MsgpackWriter,
  parseFileName,
  scanDirectory,
  verifyFileset
} from "@peerstrap/m3db-files"
import { MemoryFileSystem } from "@peerstrap/storage"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as fc from "fast-check"
import { batchOf, openOptions } from "./filesets.ts"
import { reseal } from "./Reseal.ts"
import * as Vectors from "./vectors.ts"
import { ascii, hex } from "./vectors.ts"

const seed = 20_261_121
const key: FilesetKey = { prefix: "/m3", namespace: "testns", shard: 7, blockStart: Vectors.blockStart, volume: 0 }

/** A change of valid bytes: bits flipped, cut, filled with large lengths, or something else altogether. */
const changed = (valid: Uint8Array) =>
  fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.integer({ min: 0, max: valid.length }).map((length) => valid.slice(0, length)),
    fc.array(
      fc.tuple(fc.nat(Math.max(0, valid.length - 1)), fc.constantFrom(0, 1, 0x7f, 0x80, 0xc6, 0xcf, 0xdd, 0xff)),
      {
        minLength: 1,
        maxLength: 4
      }
    ).map((edits) => {
      const out = valid.slice()
      for (const [at, value] of edits) if (at < out.length) out[at] = value
      return out
    }),
    fc.uint8Array({ minLength: 1, maxLength: 30 }).map((extra) => new Uint8Array([...valid, ...extra]))
  )

const summaries = (() => {
  const writer = new MsgpackWriter()
  encodeSummary(writer, 1, ascii("bar"), 0, 3, 0)
  encodeSummary(writer, 5, ascii("foo"), 0, 3, 80)
  return writer.take()
})()

/** Every allocation of typed arrays above a size, caught while `run` works. */
const allocatesAtMost = (bytes: number, run: () => void): void => {
  const before = process.memoryUsage().arrayBuffers
  run()
  assert.isBelow(process.memoryUsage().arrayBuffers - before, bytes)
}

describe("decoders", () => {
  const runs = { seed, numRuns: 3000 }

  it("take any bytes as an info file, and what they accept they write again", () => {
    allocatesAtMost(50_000_000, () =>
      fc.assert(
        fc.property(changed(hex(Vectors.files.info)), (bytes) => {
          const decoded = decodeInfo(bytes)
          if (isMalformed(decoded)) return assert.isAtMost(decoded.offset, bytes.length)
          const again = decodeInfo(encodeInfo(decoded.info))
          assert.isFalse(isMalformed(again))
          if (!isMalformed(again)) assert.deepStrictEqual(again.info, decoded.info)
        }),
        runs
      ))
  })

  it("take any bytes as index entries", () => {
    const decoder = new IndexEntryDecoder()
    fc.assert(
      fc.property(changed(hex(Vectors.files.index)), (bytes) => {
        let at = 0
        while (at < bytes.length) {
          const found = decoder.read(bytes, at, bytes.length)
          if (found === "more") return assert.isAbove(decoder.needed, bytes.length)
          if (found === "malformed") return assert.isAtMost(decoder.failure!.offset, bytes.length)
          assert.isAbove(decoder.next, at)
          assert.isAtMost(decoder.idEnd, bytes.length)
          at = decoder.next
        }
      }),
      runs
    )
  })

  it("take any bytes as summaries, bloom filter, digest and checkpoint", () => {
    allocatesAtMost(50_000_000, () =>
      fc.assert(
        fc.property(changed(summaries), fc.nat(0x7fffffff), fc.nat(100), (bytes, count, hashes) => {
          const decoded = decodeSummaries(bytes, count % 3 === 0 ? 2 : count)
          if (!isMalformed(decoded)) assert.strictEqual(decoded.count, 2)
          const bloom = BloomFilter.decode(count, hashes, bytes)
          if (!isMalformed(bloom)) bloom.has(bytes, 0, bytes.length)
          assert.strictEqual(isMalformed(decodeDigests(bytes)), bytes.length !== 20)
          assert.strictEqual(isMalformed(decodeCheckpoint(bytes)), bytes.length !== 4)
        }),
        runs
      ))
  })

  it("refuse lengths that no file holds without allocating them", () => {
    const huge = hex("0192059700c6ffffffff6261")
    const decoder = new IndexEntryDecoder()
    allocatesAtMost(1_000_000, () => assert.strictEqual(decoder.read(huge, 0, huge.length), "malformed"))
    assert.strictEqual(decoder.failure?.reason, "limit")
    allocatesAtMost(1_000_000, () => assert.isTrue(isMalformed(decodeSummaries(summaries, 60_000_000))))
    const fields = hex("019202ddffffffff" + Vectors.files.info.slice(8))
    allocatesAtMost(1_000_000, () => assert.isTrue(isMalformed(decodeInfo(fields))))
  })

  it("take any text as a file name", () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.stringMatching(/^fileset-[0-9]{1,25}(-[0-9]{1,12})?-[a-z]{1,12}\.db(\.tmp)?$/)),
        (name) => {
          const parsed = parseFileName(name)
          assert.strictEqual(groupNames([name]).length, parsed === undefined ? 0 : 1)
          if (parsed !== undefined) assert.isTrue(name.startsWith("fileset-") && name.endsWith(`-${parsed.file}.db`))
        }
      ),
      { seed, numRuns: 1000 }
    )
    for (const name of ["fileset-1-data.db", "fileset-1-0-data.db"]) assert.strictEqual(parseFileName(name)?.volume, 0)
    assert.isUndefined(parseFileName("fileset-99999999999999999999-0-data.db"))
  })
})

const files: ReadonlyArray<FilesetFile> = ["info", "index", "summaries", "bloomfilter", "data"]

const change = fc.constantFrom(...files).chain((file) =>
  fc.tuple(fc.constant(file), changed(hex(Vectors.files[file as keyof typeof Vectors.files])), fc.boolean())
)

/** Reads a damaged fileset in every way that there is. Only typed errors may come out; anything else is a defect and fails. */
const attack = Effect.fnUntraced(function*(memory: MemoryFileSystem.MemoryFileSystem) {
  const attempts = [
    Effect.scoped(Effect.flatMap(FilesetReader.open(key), (reader) => Stream.runDrain(reader.series()))),
    Effect.scoped(
      Effect.flatMap(FilesetReader.open(key), (reader) => Stream.runDrain(reader.series({ order: "write" })))
    ),
    ...["foo", "bar", "zzz"].map((id) =>
      Effect.scoped(Effect.flatMap(FilesetReader.open(key), (reader) => reader.seek(ascii(id))))
    ),
    scanDirectory("/m3")
  ]
  let failed = 0
  for (const attempt of attempts) {
    const result = yield* Effect.result(attempt as typeof attempts[0])
    if (result._tag === "Success") continue
    failed++
    assert.deepStrictEqual([result.failure._tag, result.failure.remedy !== ""], ["FilesetError", true])
    assert.isTrue(result.failure.path.startsWith("/m3/"))
  }
  const { ok } = yield* verifyFileset(key)
  assert.isTrue(!ok || failed === 0, "readers fail on a fileset that verifyFileset accepts")
  assert.strictEqual(memory.openFiles, 0)
})

describe("readers", () => {
  it.effect(
    "answer with typed errors to any bytes in any file, under wrong and under right digests",
    () =>
      Effect.promise(() =>
        fc.assert(
          fc.asyncProperty(change, ([file, bytes, sealed]) => {
            const memory = MemoryFileSystem.make()
            return Effect.runPromise(
              Effect.gen(function*() {
                yield* Effect.scoped(Effect.gen(function*() {
                  const writer = yield* FilesetWriter.open(openOptions)
                  yield* writer.write(batchOf(Vectors.series))
                  yield* writer.finish
                }))
                if (sealed) yield* reseal(memory.fileSystem, key, { [file]: bytes })
                else yield* memory.fileSystem.writeFileAtomic(filePath(key, file), bytes)
                yield* attack(memory)
              }).pipe(Effect.provide(memory.layer))
            )
          }),
          { seed, numRuns: 200 }
        )
      ),
    60_000
  )
})
