/** Filesets of real nodes: what our reader says about them, what our writer makes of them, what verify finds in damaged ones. */
import { assert, describe, it } from "@effect/vitest"
import {
  checkM3tsz,
  fileName,
  type FilesetFile,
  filesetFiles,
  type FilesetKey,
  FilesetReader,
  type FilesetTree,
  FilesetWriter,
  scanDirectory,
  type SeriesBatch,
  shardDirectory,
  verifyFileset
} from "@peerstrap/m3db-files"
import { adler32, decodeBlock, DecodeError, digestPoints, digestPointsWithUnits } from "@peerstrap/m3tsz"
import { MemoryFileSystem, NodeFileSystem } from "@peerstrap/storage"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { createHash } from "node:crypto"
import { readFileSync } from "node:fs"
import { sharedMissing, sharedPath } from "../../../tools/shared.ts"
import { damage, type Mutation, mutations } from "./Damage.ts"
import { toHex } from "./vectors.ts"

if (sharedMissing !== undefined) console.warn(sharedMissing)

const root = sharedPath("data/m3db/filesets")

const sha256 = (bytes: Uint8Array | string): string => createHash("sha256").update(bytes).digest("hex")

const linesOf = (key: FilesetKey, batch: SeriesBatch) =>
  batch.ids.map((id, i) => {
    const raw = batch.bytes[i]!
    const points = decodeBlock([raw], { maxPoints: 100_000 })
    if (points instanceof DecodeError) throw new Error(points.message)
    const tags = batch.tags[i]!
    const columns = [
      key.shard,
      toHex(id),
      tags.length === 0 ? "-" : toHex(tags),
      key.blockStart,
      points.count,
      digestPoints(points),
      digestPointsWithUnits(points),
      sha256(raw),
      raw.length,
      adler32(raw).toString(16).padStart(8, "0")
    ]
    return { shard: key.shard, id: toHex(id), start: key.blockStart, line: columns.join("\t") }
  })

const keysOf = (prefix: string, namespace: string, tree: FilesetTree = "data") =>
  Effect.map(
    scanDirectory(prefix, namespace, tree),
    (found) =>
      found.flatMap(({ namespace, shards }) =>
        shards.flatMap(({ filesets, shard }) =>
          filesets.map(({ blockStart, complete, latest, volume }) => {
            assert.isTrue(complete)
            return { key: { prefix, tree, namespace, shard, blockStart, volume } satisfies FilesetKey, latest }
          })
        )
      )
  )

const readLines = (prefix: string, namespace: string, order: "id" | "write", tree: FilesetTree = "data") =>
  Effect.gen(function*() {
    const all: Array<ReturnType<typeof linesOf>[number]> = []
    for (const { key, latest } of yield* keysOf(prefix, namespace, tree)) {
      if (!latest) continue
      yield* Effect.scoped(Effect.gen(function*() {
        const reader = yield* FilesetReader.open(key)
        yield* Stream.runForEach(
          reader.series({ order }),
          (batch) => Effect.sync(() => all.push(...linesOf(key, batch)))
        )
      }))
    }
    return all.toSorted((a, b) =>
      a.shard - b.shard || (a.id < b.id ? -1 : a.id > b.id ? 1 : a.start < b.start ? -1 : 1)
    ).map((one) => one.line)
  })

const sets = [
  ["A", "raw", 218, "c1a5202f6a84f1f8d12a0081d3d8671082d22d8c7053cccbd6e6798a9bcfb471", 8],
  ["A", "idx", 90, "4e71d4d25aa8d851a12bc2da0a81617196d73b721e9fea367e6c51a380cb658d", 8],
  ["C", "raw", 140, "0def69d5d11093e6527b2abb9c93b74da68edcc5ac4a8938fe1ed0ef4eac6805", 8],
  ["C", "idx", 90, "4e71d4d25aa8d851a12bc2da0a81617196d73b721e9fea367e6c51a380cb658d", 8],
  ["big", "raw", 420, "7b9ce30d4017b30f513b8540d0a93a9083f65aa667b985f719a0a036dd09072d", 1]
] as const

/** Snapshots have the same format in another tree. */
const snapshots = [
  ["raw", 6, "9c2d90a29b10b86631cc7a2231c104724248ace980b8c8517b2721702004640f"],
  ["idx", 1, "33befb559d501871fde2f815a82080be63bbd4c0741ff47684ebea45db4aa45a"],
  ["fast", 42, "fb668a01d7a88ed35b24765e4704718e98bebc039fc146ee074960eaeac90458"],
  ["fastidx", 10, "960fa8c5c19eb9410541e3ffd1ae6f406d7e80a0777e1dfa008af0b8e536b62e"]
] as const

/** Seven mutations of each of the seven files; what real nodes say about them is recorded beside. */
const recorded: ReadonlyArray<{ file: FilesetFile; mutation: Mutation; ok: boolean; says: string }> =
  sharedMissing === undefined ? JSON.parse(readFileSync(`${root}/damage.json`, "utf8")).results : []

describe.runIf(sharedMissing === undefined)("filesets of real nodes", () => {
  for (const [host, namespace, count, digest, numShards] of sets) {
    it.effect(`reads ${host}/${namespace} to the recorded digest lines, in both orders`, () =>
      Effect.gen(function*() {
        const lines = yield* readLines(`${root}/${host}`, namespace, "id")
        const wanted = readFileSync(`${root}/${host}-${namespace}.digest.tsv`, "utf8").split("\n").slice(1, -1)
        assert.deepStrictEqual(lines, wanted)
        assert.deepStrictEqual([lines.length, sha256(lines.map((line) => `${line}\n`).join(""))], [count, digest])
        assert.deepStrictEqual(yield* readLines(`${root}/${host}`, namespace, "write"), lines)
      }).pipe(Effect.provide(NodeFileSystem.layer)))

    it.effect(`finds nothing wrong with ${host}/${namespace}, and every id by seek`, () =>
      Effect.gen(function*() {
        for (const { key } of yield* keysOf(`${root}/${host}`, namespace)) {
          const reader = yield* FilesetReader.open(key)
          const { blockSize, blockStart } = reader.info
          const verification = yield* verifyFileset(key, {
            sharding: { numShards, seed: 0 },
            checkStream: checkM3tsz(blockStart, blockSize, 100_000)
          })
          assert.deepStrictEqual([verification.problems, verification.entries], [[], reader.info.entries])
          yield* Stream.runForEach(
            reader.series(),
            Effect.fnUntraced(function*(batch) {
              for (let i = 0; i < batch.count; i++) {
                const found = yield* reader.seek(batch.ids[i]!)
                assert.deepStrictEqual(found?.bytes, batch.bytes[i]!)
              }
            })
          )
        }
      }).pipe(Effect.provide(NodeFileSystem.layer)))

    it.effect(`writes the series of ${host}/${namespace} again to the same bytes in all seven files`, () =>
      Effect.gen(function*() {
        let compared = 0
        for (const { key } of yield* keysOf(`${root}/${host}`, namespace)) {
          compared += yield* rewrite(key)
        }
        assert.isAbove(compared, 6)
      }).pipe(Effect.provide(NodeFileSystem.layer)))
  }

  for (const [namespace, count, digest] of snapshots) {
    it.effect(`reads and verifies the snapshots of ${namespace}`, () =>
      Effect.gen(function*() {
        const prefix = sharedPath("data/m3db/snapshots/A")
        const lines = yield* readLines(prefix, namespace, "write", "snapshots")
        assert.deepStrictEqual([lines.length, sha256(lines.map((line) => `${line}\n`).join(""))], [count, digest])
        for (const { key } of yield* keysOf(prefix, namespace, "snapshots")) {
          assert.deepStrictEqual((yield* verifyFileset(key, { sharding: { numShards: 8, seed: 0 } })).problems, [])
        }
      }).pipe(Effect.provide(NodeFileSystem.layer)))
  }

  it.effect("reports every recorded damage, also what real readers miss", () =>
    Effect.gen(function*() {
      assert.strictEqual(recorded.length, filesetFiles.length * mutations.length)
      assert.strictEqual(recorded.filter((one) => one.ok).length, 20)
      const key: FilesetKey = {
        prefix: `${root}/A`,
        namespace: "raw",
        shard: 0,
        blockStart: BigInt("1795226400000000000"),
        volume: 1
      }
      const files = new Map(filesetFiles.map((file) => [file, readFileSync(pathOf(key, file))]))
      const unseen: Array<string> = []
      for (const { file, mutation } of recorded) {
        const memory = MemoryFileSystem.make()
        const copy = { ...key, prefix: "/damaged" }
        for (const [name, bytes] of files) {
          const content = name === file ? damage(bytes, mutation) : bytes
          if (content !== undefined) yield* memory.fileSystem.writeFileAtomic(pathOf(copy, name), content)
        }
        const { problems } = yield* Effect.provide(verifyFileset(copy), memory.layer)
        if (!problems.some((problem) => problem.file === file || file === "digest" || file === "checkpoint")) {
          unseen.push(`${file} ${mutation}`)
        }
        for (const problem of problems) assert.isNotEmpty(problem.remedy)
      }
      assert.deepStrictEqual(unseen, [])
    }))
})

const pathOf = (key: FilesetKey, file: FilesetFile): string =>
  `${shardDirectory(key.prefix, key.namespace, key.shard)}/${fileName(key.blockStart, key.volume, file)}`

/** Reads a real fileset in write order, writes it with our writer, compares all files. */
const rewrite = Effect.fnUntraced(function*(key: FilesetKey) {
  const memory = MemoryFileSystem.make()
  const { info, series } = yield* Effect.scoped(Effect.gen(function*() {
    const reader = yield* FilesetReader.open(key)
    return { info: reader.info, series: [...yield* Stream.runCollect(reader.series({ order: "write" }))] }
  }))
  yield* Effect.scoped(Effect.gen(function*() {
    const writer = yield* FilesetWriter.open({ ...key, prefix: "/again", blockSize: info.blockSize })
    for (const batch of series) yield* writer.write({ ...batch, data: batch.bytes.map((bytes) => [bytes]) })
    yield* writer.finish
  })).pipe(Effect.provide(memory.layer))
  for (const file of filesetFiles) {
    const ours = yield* memory.fileSystem.readFile(pathOf({ ...key, prefix: "/again" }, file), 1 << 24)
    assert.deepStrictEqual(Buffer.from(ours), readFileSync(pathOf(key, file)), `${pathOf(key, file)}`)
  }
  return filesetFiles.length
})
