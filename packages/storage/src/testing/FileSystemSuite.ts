/**
 * The checks that every `FileSystem` must pass, independent of a test runner: each is a name and an effect that fails with what
 * differed. The checks about power cuts run only for implementations that can `crash`.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { FileError, type FileErrorReason, FileSystem } from "../contract/FileSystem.ts"

/** A check that did not hold: which one, and what was seen in place of what. */
export class KitFailure extends Schema.TaggedError<KitFailure>()("KitFailure", {
  check: Schema.String,
  message: Schema.String
}) {}

/** Where the checks may work, and how to cut the power where that is possible. */
export interface FileSystemSubject {
  /** An existing or creatable directory of the checks' own. */
  readonly root: string
  readonly crash?: () => void
}

export interface FileSystemCheck {
  readonly name: string
  readonly run: Effect.Effect<void, KitFailure | FileError, FileSystem>
}

type Body = Effect.Effect<void, KitFailure | FileError, FileSystem>

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)
const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

const same = (check: string, what: string, actual: unknown, expected: unknown): Effect.Effect<void, KitFailure> =>
  JSON.stringify(actual) === JSON.stringify(expected)
    ? Effect.void
    : Effect.fail(
      new KitFailure({ check, message: `${what}: expected ${JSON.stringify(expected)}, saw ${JSON.stringify(actual)}` })
    )

const failsWith = <A>(
  check: string,
  effect: Effect.Effect<A, FileError>,
  reason: FileErrorReason
): Effect.Effect<void, KitFailure> =>
  Effect.matchEffect(effect, {
    onFailure: (error) => same(check, `reason of "${error.message}"`, error.reason, reason),
    onSuccess: () => Effect.fail(new KitFailure({ check, message: `expected a failure "${reason}", it succeeded` }))
  })

const writeText = Effect.fnUntraced(function*(path: string, text: string, options?: { readonly sync?: boolean }) {
  const files = yield* FileSystem
  const file = yield* files.create(path)
  yield* file.append([bytesOf(text)])
  if (options?.sync === true) yield* file.sync
  yield* file.close
})

const readText = Effect.fnUntraced(function*(path: string) {
  return textOf(yield* (yield* FileSystem).readFile(path, 1_000_000))
})

const contentChecks = (root: string): ReadonlyArray<readonly [string, (name: string) => Body]> => [
  [
    "appends all chunks in order and reads them back by offset",
    Effect.fnUntraced(function*(name) {
      const files = yield* FileSystem
      const file = yield* files.create(`${root}/a/b/file`)
      yield* file.append([bytesOf("one"), new Uint8Array(0), bytesOf("two")])
      yield* file.append([])
      yield* file.append(["three", "four"].map(bytesOf))
      yield* same(name, "size", yield* file.size, 15)
      yield* same(name, "middle", textOf(yield* file.read(3, 8)), "twothree")
      yield* same(name, "past the end", textOf(yield* file.read(11, 100_000)), "four")
      yield* same(name, "beyond the end", (yield* file.read(40, 5)).length, 0)
      yield* file.close
      yield* same(name, "content", yield* readText(`${root}/a/b/file`), "onetwothreefour")
    })
  ],
  [
    "takes more chunks than one system call does",
    Effect.fnUntraced(function*(name) {
      const files = yield* FileSystem
      const file = yield* files.create(`${root}/many`)
      const chunks = Array.from({ length: 3000 }, (_, i) => Uint8Array.of(i & 255, i >> 8))
      yield* file.append(chunks)
      const back = yield* file.read(0, 6000)
      yield* same(name, "size", back.length, 6000)
      yield* same(name, "last pair", [...back.subarray(5998)], [2999 & 255, 2999 >> 8])
      yield* file.close
    })
  ],
  [
    "keeps appends of concurrent fibers whole",
    Effect.fnUntraced(function*(name) {
      const files = yield* FileSystem
      const file = yield* files.create(`${root}/concurrent`)
      yield* Effect.forEach(["aaaa", "bbbb", "cccc", "dddd"], (text) => file.append([bytesOf(text)]), {
        concurrency: "unbounded",
        discard: true
      })
      const text = textOf(yield* file.read(0, 100))
      yield* same(name, "sorted words", (text.match(/.{4}/g) ?? []).toSorted().join(), "aaaa,bbbb,cccc,dddd")
      yield* file.close
    })
  ],
  [
    "what was read belongs to the caller",
    Effect.fnUntraced(function*(name) {
      const files = yield* FileSystem
      yield* writeText(`${root}/own`, "own")
      const read = yield* files.readFile(`${root}/own`, 10)
      read.fill(0)
      const file = yield* files.openRead(`${root}/own`)
      ;(yield* file.read(0, 3)).fill(0)
      yield* same(name, "content", textOf(yield* file.read(0, 3)), "own")
      yield* file.close
    })
  ],
  [
    "create truncates what was there",
    Effect.fnUntraced(function*(name) {
      yield* writeText(`${root}/again`, "a long first version")
      yield* writeText(`${root}/again`, "second")
      yield* same(name, "content", yield* readText(`${root}/again`), "second")
    })
  ],
  [
    "readFile refuses a file above the bound",
    Effect.fnUntraced(function*(name) {
      const files = yield* FileSystem
      yield* writeText(`${root}/bound`, "123456")
      yield* same(name, "at the bound", (yield* files.readFile(`${root}/bound`, 6)).length, 6)
      yield* failsWith(name, files.readFile(`${root}/bound`, 5), "io")
    })
  ]
]

const nameChecks = (root: string): ReadonlyArray<readonly [string, (name: string) => Body]> => [
  [
    "writeFileAtomic replaces, and leaves nothing else behind",
    Effect.fnUntraced(function*(name) {
      const files = yield* FileSystem
      yield* files.writeFileAtomic(`${root}/atomic/state`, bytesOf("a long first version"))
      yield* files.writeFileAtomic(`${root}/atomic/state`, bytesOf("second"))
      yield* same(name, "content", yield* readText(`${root}/atomic/state`), "second")
      yield* same(name, "names", yield* files.list(`${root}/atomic`), ["state"])
    })
  ],
  [
    "a reader of a replaced file keeps the version that it opened",
    Effect.fnUntraced(function*(name) {
      const files = yield* FileSystem
      yield* files.writeFileAtomic(`${root}/version`, bytesOf("first"))
      const file = yield* files.openRead(`${root}/version`)
      yield* files.writeFileAtomic(`${root}/version`, bytesOf("SECOND"))
      yield* same(name, "old content", textOf(yield* file.read(0, 10)), "first")
      yield* file.close
    })
  ],
  [
    "rename moves, and replaces a file in its way",
    Effect.fnUntraced(function*(name) {
      const files = yield* FileSystem
      yield* writeText(`${root}/move/from`, "new")
      yield* writeText(`${root}/move/to`, "old")
      yield* files.rename(`${root}/move/from`, `${root}/move/to`)
      yield* same(name, "content", yield* readText(`${root}/move/to`), "new")
      yield* same(name, "names", yield* files.list(`${root}/move`), ["to"])
      yield* failsWith(name, files.rename(`${root}/move/from`, `${root}/move/x`), "not-found")
    })
  ],
  [
    "list is sorted; stat and missing paths",
    Effect.fnUntraced(function*(name) {
      const files = yield* FileSystem
      for (const each of ["b", "a", "C", "a10", "a9"]) yield* writeText(`${root}/list/${each}`, each)
      yield* files.makeDirectory(`${root}/list/d/e`)
      yield* files.makeDirectory(`${root}/list/d/e`)
      yield* same(name, "names", yield* files.list(`${root}/list`), ["C", "a", "a10", "a9", "b", "d"])
      yield* same(name, "file", yield* files.stat(`${root}/list/a10`), { kind: "file", size: 3 })
      yield* same(name, "directory", (yield* files.stat(`${root}/list/d`)).kind, "directory")
      yield* failsWith(name, files.list(`${root}/list/none`), "not-found")
      yield* failsWith(name, files.stat(`${root}/list/none`), "not-found")
      yield* failsWith(name, files.openRead(`${root}/list/none`), "not-found")
      yield* failsWith(name, files.readFile(`${root}/list/none`, 1), "not-found")
    })
  ],
  [
    "remove: a missing file is no error, a directory is",
    Effect.fnUntraced(function*(name) {
      const files = yield* FileSystem
      yield* writeText(`${root}/gone/file`, "x")
      yield* files.remove(`${root}/gone/file`)
      yield* files.remove(`${root}/gone/file`)
      yield* files.remove(`${root}/gone/nowhere/file`)
      yield* same(name, "names", yield* files.list(`${root}/gone`), [])
      yield* failsWith(name, files.remove(`${root}/gone`), "is-directory")
    })
  ],
  [
    "names the reason when a file and a directory are mistaken for each other",
    Effect.fnUntraced(function*(name) {
      const files = yield* FileSystem
      yield* writeText(`${root}/kinds/file`, "x")
      yield* failsWith(name, files.create(`${root}/kinds`), "is-directory")
      yield* failsWith(name, files.openRead(`${root}/kinds`), "is-directory")
      yield* failsWith(name, files.readFile(`${root}/kinds`, 10), "is-directory")
      yield* failsWith(name, files.openRead(`${root}/kinds/file/below`), "not-a-directory")
      yield* failsWith(name, files.create(`${root}/kinds/file/below`), "not-a-directory")
      yield* failsWith(name, files.list(`${root}/kinds/file`), "not-a-directory")
      yield* failsWith(name, files.makeDirectory(`${root}/kinds/file`), "already-exists")
    })
  ],
  [
    "freeBytes answers for a path that does not exist yet; close twice is close",
    Effect.fnUntraced(function*(name) {
      const files = yield* FileSystem
      yield* same(name, "free is positive", (yield* files.freeBytes(`${root}/not/yet`)) > 0, true)
      const file = yield* files.create(`${root}/closed`)
      yield* file.close
      yield* file.close
      yield* failsWith(name, file.append([bytesOf("x")]), "io")
    })
  ]
]

const durabilityChecks = (
  root: string,
  crash: () => void
): ReadonlyArray<readonly [string, (name: string) => Body]> => [
  [
    "synced bytes in a synced directory survive a power cut, later ones do not",
    Effect.fnUntraced(function*(name) {
      const files = yield* FileSystem
      const file = yield* files.create(`${root}/synced/log`)
      yield* file.append([bytesOf("kept")])
      yield* file.sync
      yield* files.syncDirectory(`${root}/synced`)
      yield* file.append([bytesOf("lost")])
      crash()
      yield* same(name, "content", yield* readText(`${root}/synced/log`), "kept")
      yield* failsWith(name, file.append([bytesOf("x")]), "io")
    })
  ],
  [
    "a new name is lost without a sync of its directory",
    Effect.fnUntraced(function*(name) {
      const files = yield* FileSystem
      yield* writeText(`${root}/entry/file`, "x", { sync: true })
      crash()
      yield* same(name, "names", yield* files.list(`${root}/entry`), [])
    })
  ],
  [
    "writeFileAtomic is durable when it returns",
    Effect.fnUntraced(function*(name) {
      const files = yield* FileSystem
      yield* files.writeFileAtomic(`${root}/durable/state`, bytesOf("first"))
      crash()
      yield* same(name, "first", yield* readText(`${root}/durable/state`), "first")
      yield* files.writeFileAtomic(`${root}/durable/state`, bytesOf("second"))
      crash()
      yield* same(name, "second", yield* readText(`${root}/durable/state`), "second")
    })
  ],
  [
    "rename and remove are durable after a sync of the directory only",
    Effect.fnUntraced(function*(name) {
      const files = yield* FileSystem
      yield* files.writeFileAtomic(`${root}/names/a`, bytesOf("a"))
      yield* files.rename(`${root}/names/a`, `${root}/names/b`)
      crash()
      yield* same(name, "before the sync", yield* files.list(`${root}/names`), ["a"])
      yield* files.rename(`${root}/names/a`, `${root}/names/b`)
      yield* files.syncDirectory(`${root}/names`)
      crash()
      yield* same(name, "after the sync", yield* files.list(`${root}/names`), ["b"])
      yield* files.remove(`${root}/names/b`)
      yield* files.syncDirectory(`${root}/names`)
      crash()
      yield* same(name, "after remove", yield* files.list(`${root}/names`), [])
    })
  ]
]

/**
 * All checks for one implementation, each in a directory of its own below `subject.root`, so that they may run together. Checks
 * that cut the power must not run beside others on the same subject: run the list in order.
 */
export const fileSystemSuite = (subject: FileSystemSubject): ReadonlyArray<FileSystemCheck> => {
  const { crash, root } = subject
  const all = [
    ...contentChecks(root),
    ...nameChecks(root),
    ...(crash === undefined ? [] : durabilityChecks(root, crash))
  ]
  return all.map(([name, body]) => ({ name, run: body(name) }))
}
