/** What survives a power cut. */
import { expectSame } from "@peerstrap/conformance"
import * as Effect from "effect/Effect"
import { FileSystem } from "../contract/FileSystem.ts"
import { bytesOf, expectReason, readText, writeText } from "./FileProbes.ts"
import { type FileSystemCheck, FileSystemPlace } from "./FileSystemPlace.ts"

export const fileDurabilityChecks: ReadonlyArray<FileSystemCheck> = [
  {
    name: "synced bytes in a synced directory survive a power cut, later ones do not",
    needs: ["power-cut"],
    run: Effect.gen(function*() {
      const { powerCut, root } = yield* FileSystemPlace
      const files = yield* FileSystem
      const file = yield* files.create(`${root}/synced/log`)
      yield* file.append([bytesOf("kept")])
      yield* file.sync
      yield* files.syncDirectory(`${root}/synced`)
      yield* file.append([bytesOf("lost")])
      yield* powerCut
      yield* expectSame("content", yield* readText(`${root}/synced/log`), "kept")
      yield* expectReason(file.append([bytesOf("x")]), "io")
    })
  },
  {
    name: "a new name is lost without a sync of its directory",
    needs: ["power-cut"],
    run: Effect.gen(function*() {
      const { powerCut, root } = yield* FileSystemPlace
      const files = yield* FileSystem
      yield* writeText(`${root}/entry/file`, "x", { sync: true })
      yield* powerCut
      yield* expectSame("names", yield* files.list(`${root}/entry`), [])
    })
  },
  {
    name: "writeFileAtomic is durable when it returns",
    needs: ["power-cut"],
    run: Effect.gen(function*() {
      const { powerCut, root } = yield* FileSystemPlace
      const files = yield* FileSystem
      yield* files.writeFileAtomic(`${root}/durable/state`, bytesOf("first"))
      yield* powerCut
      yield* expectSame("first", yield* readText(`${root}/durable/state`), "first")
      yield* files.writeFileAtomic(`${root}/durable/state`, bytesOf("second"))
      yield* powerCut
      yield* expectSame("second", yield* readText(`${root}/durable/state`), "second")
    })
  },
  {
    name: "rename and remove are durable after a sync of the directory only",
    needs: ["power-cut"],
    run: Effect.gen(function*() {
      const { powerCut, root } = yield* FileSystemPlace
      const files = yield* FileSystem
      yield* files.writeFileAtomic(`${root}/names/a`, bytesOf("a"))
      yield* files.rename(`${root}/names/a`, `${root}/names/b`)
      yield* powerCut
      yield* expectSame("before the sync", yield* files.list(`${root}/names`), ["a"])
      yield* files.rename(`${root}/names/a`, `${root}/names/b`)
      yield* files.syncDirectory(`${root}/names`)
      yield* powerCut
      yield* expectSame("after the sync", yield* files.list(`${root}/names`), ["b"])
      yield* files.remove(`${root}/names/b`)
      yield* files.syncDirectory(`${root}/names`)
      yield* powerCut
      yield* expectSame("after remove", yield* files.list(`${root}/names`), [])
    })
  }
]
