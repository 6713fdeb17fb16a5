/**
 * One process at a time: an exclusive SQLite lock on a file of its own, which the system frees when the process ends in whatever way, and the process id
 * beside it for the error. On a file system that is not the machine's own, a set in this process.
 */
import { FileSystem } from "@peerstrap/storage"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { DatabaseSync } from "node:sqlite"
import type { StoreError } from "../../contract/ChainStore.ts"
import { fromFile, fromIndex, storeError } from "./StoreErrors.ts"

const inUse = (directory: string, holder: string): StoreError =>
  storeError("in-use", directory, `the store is in use by ${holder}. Stop that one, or name another directory`)

const heldInProcess = new WeakMap<object, Set<string>>()

const lockInProcess = (
  files: (typeof FileSystem)["Service"],
  directory: string
): Effect.Effect<void, StoreError, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.suspend(() => {
      const held = heldInProcess.get(files) ?? new Set()
      if (held.has(directory)) return Effect.fail(inUse(directory, `this process (${process.pid})`))
      heldInProcess.set(files, held.add(directory))
      return Effect.succeed(held)
    }),
    (held) => Effect.sync(() => held.delete(directory))
  )

const lockOnDisk = Effect.fnUntraced(function*(files: (typeof FileSystem)["Service"], directory: string) {
  const path = `${directory}/lock.sqlite`
  const pidPath = `${directory}/lock.pid`
  const take = (): DatabaseSync | undefined => {
    const db = new DatabaseSync(path)
    try {
      db.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE")
      return db
    } catch (cause) {
      db.close()
      if (fromIndex(path, cause).reason === "in-use") return undefined
      throw cause
    }
  }
  const acquire = Effect.gen(function*() {
    const db = yield* Effect.try({ try: take, catch: (cause) => fromIndex(path, cause) })
    if (db !== undefined) return db
    const pid = yield* Effect.option(files.readFile(pidPath, 64))
    const holder = pid._tag === "None" ? "another process" : `process ${new TextDecoder().decode(pid.value)}`
    return yield* inUse(directory, holder)
  })
  yield* Effect.acquireRelease(acquire, (db) => Effect.sync(() => db.close()))
  yield* Effect.mapError(files.writeFileAtomic(pidPath, new TextEncoder().encode(`${process.pid}`)), fromFile)
})

/** Holds the store until the scope ends, or fails with `in-use` and the holder's process id. */
export const lockStore = (
  directory: string,
  onDisk: boolean
): Effect.Effect<void, StoreError, FileSystem | Scope.Scope> =>
  Effect.flatMap(FileSystem, (files) => onDisk ? lockOnDisk(files, directory) : lockInProcess(files, directory))
