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

  it.effect("makes missing levels, says what is in the way, and comes back where a directory takes no entries", () =>
    Effect.gen(function*() {
      const root = yield* temporary
      yield* files.makeDirectory(join(root, "a", "b", "c"))
      yield* Effect.forEach([1, 2, 3, 4], () => files.makeDirectory(join(root, "a", "d", "e", "f")), {
        concurrency: "unbounded"
      })
      assert.deepStrictEqual(yield* files.list(join(root, "a")), ["b", "d"])
      yield* files.writeFileAtomic(join(root, "file"), bytesOf("x"))
      yield* Effect.promise(() => fs.symlink(join(root, "nowhere"), join(root, "dangling")))
      const refused = ["file", "file/below", "file/below/deep", "dangling"].map((name) =>
        Effect.flip(files.makeDirectory(join(root, name)))
      )
      assert.deepStrictEqual((yield* Effect.all(refused)).map(({ reason }) => reason), [
        "already-exists",
        "not-a-directory",
        "not-a-directory",
        "already-exists"
      ])
      assert.include((yield* refused[0]!).message, `make directory ${join(root, "file")}: something is in its place`)
      // Linux: a directory that says of every new entry that there is no such directory. Elsewhere /proc cannot be made.
      yield* Effect.flip(files.makeDirectory("/proc/peerstrap/below"))
    }))

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
