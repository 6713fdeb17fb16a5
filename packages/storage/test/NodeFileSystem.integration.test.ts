import { assert, describe, it } from "@effect/vitest"
import { NodeFileSystem } from "@peerstrap/storage"
import { reasonOf, writeFully } from "@peerstrap/storage/testing"
import * as Effect from "effect/Effect"
import * as fs from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"

const temporary = Effect.acquireRelease(
  Effect.promise(() => fs.mkdtemp(join(tmpdir(), "peerstrap-storage-"))),
  (path) => Effect.promise(() => fs.rm(path, { recursive: true }))
)
const files = NodeFileSystem.fileSystem
const bytesOf = (text: string) => new TextEncoder().encode(text)

describe("NodeFileSystem", () => {
  it.effect("applies the modes that it is given", () =>
    Effect.gen(function*() {
      const root = yield* temporary
      yield* files.writeFileAtomic(join(root, "secret"), bytesOf("x"), { mode: 0o600 })
      const file = yield* files.create(join(root, "other"), { mode: 0o640 })
      yield* file.close
      const modes = yield* Effect.promise(() =>
        Promise.all(["secret", "other"].map(async (name) => (await fs.stat(join(root, name))).mode & 0o777))
      )
      assert.deepStrictEqual(modes, [0o600, 0o640 & ~process.umask()])
    }))

  it.effect("an append that the system refuses leaves the file as it was", () =>
    Effect.gen(function*() {
      const root = yield* temporary
      yield* files.writeFileAtomic(join(root, "f"), bytesOf("content"))
      const readOnly = yield* files.openRead(join(root, "f"))
      const error = yield* Effect.flip(readOnly.append([bytesOf("x")]))
      assert.strictEqual(error._tag, "FileError")
      assert.strictEqual(error.operation, "append")
      assert.strictEqual(yield* readOnly.size, 7)
      yield* readOnly.close
    }))

  it.effect("a failed replacement removes its temporary file", () =>
    Effect.gen(function*() {
      const root = yield* temporary
      yield* files.makeDirectory(join(root, "target", "below"))
      const error = yield* Effect.flip(files.writeFileAtomic(join(root, "target"), bytesOf("x")))
      assert.strictEqual(error.reason, "is-directory")
      assert.deepStrictEqual(yield* files.list(root), ["target"])
    }))

  it.effect("an interrupted caller waits for its append", () =>
    Effect.gen(function*() {
      const root = yield* temporary
      const file = yield* files.create(join(root, "f"))
      const append = file.append([new Uint8Array(1_000_000)])
      yield* Effect.race(append, Effect.yieldNow)
      assert.strictEqual(yield* file.size, 1_000_000)
      yield* file.close
    }))

  it("goes on after short writes, wherever they end", async () => {
    for (const step of [1, 2, 3, 5, 7]) {
      const out: Array<number> = []
      const written = await writeFully(
        (chunks, position) => {
          assert.strictEqual(position, out.length)
          const taken = chunks.flatMap((chunk) => [...chunk]).slice(0, step)
          out.push(...taken)
          return Promise.resolve(taken.length)
        },
        ["abc", "", "d", "efgh"].map(bytesOf),
        0
      )
      assert.strictEqual(written, 8)
      assert.strictEqual(String.fromCharCode(...out), "abcdefgh")
    }
  })

  it("a system that takes nothing is an error, not a loop", async () => {
    const error = await writeFully(() => Promise.resolve(0), [bytesOf("x")], 5).catch((cause: Error) => cause.message)
    assert.include(String(error), "offset 5")
  })

  it("maps system error codes to reasons", () => {
    const pairs = {
      ENOENT: "not-found",
      EEXIST: "already-exists",
      EACCES: "permission",
      EPERM: "permission",
      EROFS: "read-only",
      ENOSPC: "no-space",
      EDQUOT: "no-space",
      EISDIR: "is-directory",
      ENOTDIR: "not-a-directory",
      EMFILE: "too-many-open",
      ENFILE: "too-many-open",
      EIO: "io"
    }
    for (const [code, reason] of Object.entries(pairs)) assert.strictEqual(reasonOf({ code }), reason)
    assert.strictEqual(reasonOf(new Error("none")), "io")
  })
})
