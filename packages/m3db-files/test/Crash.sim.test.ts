/** Every operation of writing a fileset fails once: afterwards there is no checkpoint, or the fileset is complete and right. */
import { assert, describe, it } from "@effect/vitest"
import {
  fileName,
  type FilesetFile,
  filesetFiles,
  FilesetWriter,
  shardDirectory,
  verifyFileset
} from "@peerstrap/m3db-files"
import { FileSystem, MemoryFileSystem } from "@peerstrap/storage"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { batchOf, openOptions, readFileset } from "./filesets.ts"
import * as Vectors from "./vectors.ts"

const directory = shardDirectory("/m3", "testns", 7)
const key = { prefix: "/m3", namespace: "testns", shard: 7, blockStart: Vectors.blockStart, volume: 0 }

const write = (overwrite = false) =>
  Effect.scoped(Effect.gen(function*() {
    const writer = yield* FilesetWriter.open({ ...openOptions, overwrite })
    yield* writer.write(batchOf(Vectors.series.slice(0, 2)))
    yield* writer.write(batchOf(Vectors.series.slice(2)))
    yield* writer.finish
  }))

/** A seeded coin for what a power cut leaves of unsynced work. */
const coin = (seed: number) => {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 4_294_967_296
  }
}

/** An atomic write in the steps that a real disk takes, so that the power may go between them. */
const inSteps = (memory: MemoryFileSystem.MemoryFileSystem): Layer.Layer<FileSystem> => {
  const files = memory.fileSystem
  return Layer.succeed(FileSystem, {
    ...files,
    writeFileAtomic: Effect.fnUntraced(function*(path, bytes) {
      const temporary = path.replace(/([^/]+)$/, ".$1.00.tmp")
      const file = yield* files.create(temporary)
      yield* Effect.andThen(Effect.andThen(file.append([bytes]), file.sync), file.close)
      yield* files.rename(temporary, path)
      yield* files.syncDirectory(path.slice(0, path.lastIndexOf("/")))
    })
  })
}

/** "none", or the fileset is exactly one of `allowed`. */
const stateOf = Effect.fnUntraced(function*(
  memory: MemoryFileSystem.MemoryFileSystem,
  allowed: ReadonlyArray<Record<FilesetFile, string>>,
  what: string
) {
  const names = yield* Effect.orElseSucceed(memory.fileSystem.list(directory), (): ReadonlyArray<string> => [])
  const checkpoint = names.includes(fileName(Vectors.blockStart, 0, "checkpoint"))
  if (!checkpoint) return "none"
  const files = yield* readFileset(memory.fileSystem, directory, Vectors.blockStart, 0)
  const found = allowed.findIndex((one) => filesetFiles.every((file) => one[file] === files[file]))
  assert.isAtLeast(found, 0, `${what}: a checkpoint stands beside other files: ${JSON.stringify(files)}`)
  assert.deepStrictEqual((yield* verifyFileset(key).pipe(Effect.provide(memory.layer))).problems, [], what)
  return found === 0 ? "new" : "old"
})

const operationsOf = Effect.fnUntraced(function*() {
  const memory = MemoryFileSystem.make()
  yield* Effect.provide(write(), inSteps(memory))
  return memory.operations
})

describe("a fileset writer whose file system fails", () => {
  for (const sticky of [false, true]) {
    it.effect(`leaves nothing or everything when operation k fails${sticky ? " and all after it" : ""}`, () =>
      Effect.gen(function*() {
        const operations = yield* operationsOf()
        assert.isAbove(operations, 25)
        const seen = new Set<string>()
        for (let at = 1; at <= operations; at++) {
          const memory = MemoryFileSystem.make({ faults: [{ at, reason: "io", sticky }] })
          const outcome = yield* Effect.result(Effect.provide(write(), inSteps(memory)))
          memory.plan([])
          const state = yield* stateOf(memory, [Vectors.files], `operation ${at}`)
          seen.add(`${outcome._tag} ${state}`)
          if (outcome._tag === "Success") assert.strictEqual(state, "new", `operation ${at}`)
          else if (!sticky) {
            assert.deepStrictEqual(state, "none", `operation ${at}`)
            const left = yield* Effect.orElseSucceed(memory.fileSystem.list(directory), (): ReadonlyArray<string> => [])
            assert.isAtMost(left.length, 1, `operation ${at}: ${left.join(" ")}`)
          }
          // Whatever is left, the next attempt makes it whole.
          if (state === "none") yield* Effect.provide(write(), memory.layer)
          assert.strictEqual(yield* stateOf(memory, [Vectors.files], `again after operation ${at}`), "new")
        }
        assert.isTrue(seen.has("Failure none"))
      }))
  }

  it.effect("leaves nothing or everything when the power goes at operation k, whatever of unsynced work survives", () =>
    Effect.gen(function*() {
      const operations = yield* operationsOf()
      for (let seed = 1; seed <= 12; seed++) {
        const flip = coin(seed)
        for (let at = 1; at <= operations; at++) {
          const memory = MemoryFileSystem.make({ faults: [{ at, reason: "io", sticky: true }] })
          yield* Effect.ignore(Effect.provide(write(), inSteps(memory)))
          memory.plan([])
          memory.crash({
            keepUnsyncedBytes: (_, bytes) => Math.floor(flip() * (bytes + 1)),
            keepEntry: () => flip() < 0.5
          })
          yield* stateOf(memory, [Vectors.files], `seed ${seed}, operation ${at}`)
        }
      }
    }))

  it.effect("keeps the old, the new or no fileset when it overwrites and the power goes", () =>
    Effect.gen(function*() {
      const seen = new Set<string>()
      const flip = coin(7)
      for (let at = 1; at <= 80; at++) {
        const memory = MemoryFileSystem.make()
        yield* Effect.scoped(Effect.flatMap(FilesetWriter.open(openOptions), (writer) => writer.finish)).pipe(
          Effect.provide(memory.layer)
        )
        memory.plan([{ at, reason: "io", sticky: true }])
        yield* Effect.ignore(Effect.provide(write(true), inSteps(memory)))
        memory.plan([])
        memory.crash({
          keepUnsyncedBytes: (_, bytes) => Math.floor(flip() * (bytes + 1)),
          keepEntry: () => flip() < 0.5
        })
        seen.add(yield* stateOf(memory, [Vectors.files, Vectors.emptyFiles], `operation ${at}`))
      }
      assert.deepStrictEqual([...seen].toSorted(), ["new", "none", "old"])
    }))
})
