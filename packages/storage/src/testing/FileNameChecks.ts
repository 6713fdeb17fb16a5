/** What every `FileSystem` does with names: replacing, moving, listing, removing. */
import { expectSame } from "@peerstrap/conformance"
import * as Effect from "effect/Effect"
import { FileSystem } from "../contract/FileSystem.ts"
import { bytesOf, expectReason, readText, textOf, writeText } from "./FileProbes.ts"
import { type FileSystemCheck, FileSystemPlace } from "./FileSystemPlace.ts"

export const fileNameChecks: ReadonlyArray<FileSystemCheck> = [
  {
    name: "writeFileAtomic replaces, and leaves nothing else behind",
    run: Effect.gen(function*() {
      const { root } = yield* FileSystemPlace
      const files = yield* FileSystem
      yield* files.writeFileAtomic(`${root}/atomic/state`, bytesOf("a long first version"))
      yield* files.writeFileAtomic(`${root}/atomic/state`, bytesOf("second"))
      yield* expectSame("content", yield* readText(`${root}/atomic/state`), "second")
      yield* expectSame("names", yield* files.list(`${root}/atomic`), ["state"])
    })
  },
  {
    name: "a reader of a replaced file keeps the version that it opened",
    run: Effect.gen(function*() {
      const { root } = yield* FileSystemPlace
      const files = yield* FileSystem
      yield* files.writeFileAtomic(`${root}/version`, bytesOf("first"))
      const file = yield* files.openRead(`${root}/version`)
      yield* files.writeFileAtomic(`${root}/version`, bytesOf("SECOND"))
      yield* expectSame("old content", textOf(yield* file.read(0, 10)), "first")
      yield* file.close
    })
  },
  {
    name: "rename moves, and replaces a file in its way",
    run: Effect.gen(function*() {
      const { root } = yield* FileSystemPlace
      const files = yield* FileSystem
      yield* writeText(`${root}/move/from`, "new")
      yield* writeText(`${root}/move/to`, "old")
      yield* files.rename(`${root}/move/from`, `${root}/move/to`)
      yield* expectSame("content", yield* readText(`${root}/move/to`), "new")
      yield* expectSame("names", yield* files.list(`${root}/move`), ["to"])
      yield* expectReason(files.rename(`${root}/move/from`, `${root}/move/x`), "not-found")
    })
  },
  {
    name: "list is sorted; stat and missing paths",
    run: Effect.gen(function*() {
      const { root } = yield* FileSystemPlace
      const files = yield* FileSystem
      for (const each of ["b", "a", "C", "a10", "a9"]) yield* writeText(`${root}/list/${each}`, each)
      yield* files.makeDirectory(`${root}/list/d/e`)
      yield* files.makeDirectory(`${root}/list/d/e`)
      yield* expectSame("names", yield* files.list(`${root}/list`), ["C", "a", "a10", "a9", "b", "d"])
      yield* expectSame("file", yield* files.stat(`${root}/list/a10`), { kind: "file", size: 3 })
      yield* expectSame("directory", (yield* files.stat(`${root}/list/d`)).kind, "directory")
      yield* expectReason(files.list(`${root}/list/none`), "not-found")
      yield* expectReason(files.stat(`${root}/list/none`), "not-found")
      yield* expectReason(files.openRead(`${root}/list/none`), "not-found")
      yield* expectReason(files.readFile(`${root}/list/none`, 1), "not-found")
    })
  },
  {
    name: "remove: a missing file is no error, a directory is",
    run: Effect.gen(function*() {
      const { root } = yield* FileSystemPlace
      const files = yield* FileSystem
      yield* writeText(`${root}/gone/file`, "x")
      yield* files.remove(`${root}/gone/file`)
      yield* files.remove(`${root}/gone/file`)
      yield* files.remove(`${root}/gone/nowhere/file`)
      yield* expectSame("names", yield* files.list(`${root}/gone`), [])
      yield* expectReason(files.remove(`${root}/gone`), "is-directory")
    })
  },
  {
    name: "names the reason when a file and a directory are mistaken for each other",
    run: Effect.gen(function*() {
      const { root } = yield* FileSystemPlace
      const files = yield* FileSystem
      yield* writeText(`${root}/kinds/file`, "x")
      yield* expectReason(files.create(`${root}/kinds`), "is-directory")
      yield* expectReason(files.openRead(`${root}/kinds`), "is-directory")
      yield* expectReason(files.readFile(`${root}/kinds`, 10), "is-directory")
      yield* expectReason(files.openRead(`${root}/kinds/file/below`), "not-a-directory")
      yield* expectReason(files.create(`${root}/kinds/file/below`), "not-a-directory")
      yield* expectReason(files.list(`${root}/kinds/file`), "not-a-directory")
      yield* expectReason(files.makeDirectory(`${root}/kinds/file`), "already-exists")
    })
  },
  {
    name: "freeBytes answers for a path that does not exist yet; close twice is close",
    run: Effect.gen(function*() {
      const { root } = yield* FileSystemPlace
      const files = yield* FileSystem
      yield* expectSame("free is positive", (yield* files.freeBytes(`${root}/not/yet`)) > 0, true)
      const file = yield* files.create(`${root}/closed`)
      yield* file.close
      yield* file.close
      yield* expectReason(file.append([bytesOf("x")]), "io")
    })
  }
]
