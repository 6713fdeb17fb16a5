import { assert, describe, it } from "@effect/vitest"
import { FileSystem, MemoryFileSystem, NodeFileSystem } from "@peerstrap/storage"
import { fileSystemMutants, fileSystemSuite } from "@peerstrap/storage/testing"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"

const temporary = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "peerstrap-storage-"))),
  (path) => Effect.promise(() => rm(path, { recursive: true }))
)

describe("FileSystem conformance", () => {
  for (const [index, { name }] of fileSystemSuite({ root: "/", crash: () => undefined }).entries()) {
    it.effect(`memory: ${name}`, () => {
      const memory = MemoryFileSystem.make()
      const check = fileSystemSuite({ root: "/work", crash: () => memory.crash() })[index]!
      return Effect.provide(check.run, memory.layer)
    })
  }

  for (const [index, { name }] of fileSystemSuite({ root: "/" }).entries()) {
    it.effect(`node: ${name}`, () =>
      Effect.gen(function*() {
        const root = yield* temporary
        yield* Effect.provide(fileSystemSuite({ root: join(root, "new") })[index]!.run, NodeFileSystem.layer)
      }))
  }

  for (const mutant of fileSystemMutants) {
    it.effect(`rejects: ${mutant.name}`, () =>
      Effect.gen(function*() {
        const failed: Array<string> = []
        for (const index of fileSystemSuite({ root: "/", crash: () => undefined }).keys()) {
          const memory = MemoryFileSystem.make()
          const check = fileSystemSuite({ root: "/work", crash: () => memory.crash() })[index]!
          const files: Context.Service.Shape<typeof FileSystem> = mutant.mutate(memory.fileSystem)
          const exit = yield* Effect.exit(Effect.provideService(check.run, FileSystem, files))
          if (exit._tag === "Failure") failed.push(check.name)
        }
        assert.isAbove(failed.length, 0, "no check noticed")
      }))
  }
})
