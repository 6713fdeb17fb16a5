// Locks on the machine's own disk, against processes that are killed.
import { assert, describe, it } from "@effect/vitest"
import { FileJournal, NodeFileSystem } from "@peerstrap/storage"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { readdirSync } from "node:fs"
import { mkdir, readFile, writeFile } from "node:fs/promises"
import { hostname } from "node:os"
import { join } from "node:path"
import { lockProcess } from "./support/LockProcess.ts"
import { temporaryDirectory } from "./support/TemporaryDirectory.ts"

const files = NodeFileSystem.fileSystem
const refused = (path: string) => Effect.flip(Effect.scoped(files.lock(path)))

const allOf = (directory: string) =>
  Effect.scoped(Effect.gen(function*() {
    const journal = yield* FileJournal.open({ directory })
    const pages = yield* Stream.runCollect(journal.replay())
    return pages.flatMap(({ records }) => records.map((record) => new TextDecoder().decode(record)))
  })).pipe(Effect.provide(NodeFileSystem.layer))

describe("a lock on the machine's disk", () => {
  it.live(
    "is one process's, which is named, until it is killed; what it leaves behind holds nobody",
    () =>
      Effect.gen(function*() {
        const path = join(yield* temporaryDirectory, "new", "a")
        const child = yield* lockProcess(path)
        assert.strictEqual(yield* Effect.promise(child.reach), "held")
        const error = yield* refused(path)
        assert.strictEqual(error.reason, "in-use")
        assert.include(error.message, `process ${child.pid} holds it`)
        yield* Effect.promise(child.kill)
        assert.deepStrictEqual(readdirSync(join(path, "..")), ["a.pid", "a.sqlite"])
        yield* Effect.scoped(files.lock(path))
        assert.deepStrictEqual(readdirSync(join(path, "..")), ["a.sqlite"])
      }),
    30_000
  )

  it.live("is this process's after it has refused others, in this process too", () =>
    Effect.gen(function*() {
      const path = join(yield* temporaryDirectory, "a")
      const child = yield* lockProcess(path)
      yield* Effect.scoped(Effect.gen(function*() {
        yield* files.lock(path)
        // A descriptor of a lock's file that is closed takes all locks of its process with it.
        assert.include((yield* refused(path)).message, `this process (${process.pid}) holds it`)
        assert.include((yield* refused(path)).message, `this process (${process.pid}) holds it`)
        assert.include(yield* Effect.promise(child.reach), `process ${process.pid} holds it`)
      }))
    }), 30_000)

  it.live("is got by exactly one of those that reach for it at once", () =>
    Effect.gen(function*() {
      const path = join(yield* temporaryDirectory, "a")
      const children = yield* Effect.forEach([1, 2, 3], () => lockProcess(path), { concurrency: 3 })
      for (let round = 0; round < 20; round++) {
        const answers = yield* Effect.promise(() => Promise.all(children.map(({ reach }) => reach())))
        assert.strictEqual(answers.filter((answer) => answer === "held").length, 1, `${round}: ${answers.join("\n")}`)
        yield* Effect.promise(() => children[answers.indexOf("held")]!.free())
      }
    }), 30_000)

  it.live("names nobody who does not hold it", () =>
    Effect.gen(function*() {
      const path = join(yield* temporaryDirectory, "a")
      const leave = (text: string) => Effect.promise(() => writeFile(`${path}.pid`, text))
      yield* leave(`${process.pid}`)
      yield* Effect.scoped(Effect.gen(function*() {
        yield* files.lock(path)
        assert.strictEqual(yield* Effect.promise(() => readFile(`${path}.pid`, "utf8")), `${process.pid} ${hostname()}`)
        // Those before it may have left these, and it has not yet written who it is.
        for (const text of ["", "4194999", `4194999 ${hostname()}`, "no number", "x".repeat(10_000)]) {
          yield* leave(text)
          assert.include((yield* refused(path)).message, "another process holds it", text)
        }
        yield* leave("12 elsewhere.example")
        assert.include((yield* refused(path)).message, "process 12 of elsewhere.example holds it")
      }))
    }))

  it.live("says why it cannot be taken", () =>
    Effect.gen(function*() {
      const root = yield* temporaryDirectory
      yield* Effect.promise(() =>
        Promise.all([
          mkdir(join(root, "directory.sqlite")),
          writeFile(join(root, "file"), "x"),
          writeFile(join(root, "other.sqlite"), "something else that stands in its place".repeat(100))
        ])
      )
      assert.strictEqual((yield* refused(join(root, "directory"))).reason, "is-directory")
      assert.strictEqual((yield* refused(join(root, "file", "a"))).reason, "already-exists")
      const error = yield* refused(join(root, "other"))
      assert.strictEqual(error.reason, "io")
      assert.include(error.message, join(root, "other.sqlite"))
    }))
})

describe("a journal's directory", () => {
  it.live("is refused while another process works in it, and free once that is killed", () =>
    Effect.gen(function*() {
      const directory = join(yield* temporaryDirectory, "journal")
      const child = yield* lockProcess(join(directory, "lock"))
      assert.strictEqual(yield* Effect.promise(child.reach), "held")
      const error = yield* Effect.flip(allOf(directory))
      assert.strictEqual(error.reason, "in-use")
      assert.include(error.message, directory)
      assert.include(error.message, `process ${child.pid} holds it`)
      yield* Effect.promise(child.kill)
      assert.deepStrictEqual(yield* allOf(directory), [])
    }), 30_000)
})
