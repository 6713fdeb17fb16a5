/** Files in memory on a disk that takes its time, one turn of the scheduler an operation, so that others come in between; its syncs can be held. */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as MemoryFileSystem from "../adapter/MemoryFileSystem.ts"
import type { File, FileError, FileSystem } from "../contract/FileSystem.ts"

type Service = (typeof FileSystem)["Service"]

export interface SlowFiles {
  readonly files: Service
  /** Syncs of files so far. */
  readonly syncs: Effect.Effect<number>
  /** Lets no sync end until what it returns is run. */
  readonly holdSyncs: Effect.Effect<Effect.Effect<void>>
  /** A power cut that leaves up to `keptBytes` of what was not synced of each file. */
  powerCut(keptBytes: number): Effect.Effect<void>
  readonly openFiles: Effect.Effect<number>
}

const slowly = <A, R>(operation: Effect.Effect<A, FileError, R>): Effect.Effect<A, FileError, R> =>
  Effect.uninterruptible(Effect.andThen(Effect.yieldNow, operation))

export const makeSlowFiles = (change: (files: Service) => Service = (files) => files): SlowFiles => {
  const memory = MemoryFileSystem.make()
  let syncs = 0
  let held: Deferred.Deferred<void> | undefined
  const slowFile = (file: File): File => ({
    path: file.path,
    read: (position, length) => slowly(file.read(position, length)),
    append: (chunks) => slowly(file.append(chunks)),
    size: slowly(file.size),
    sync: Effect.uninterruptible(Effect.gen(function*() {
      syncs++
      if (held !== undefined) yield* Deferred.await(held)
      yield* slowly(file.sync)
    })),
    close: slowly(file.close)
  })
  const fast = memory.fileSystem
  const files: Service = {
    ...fast,
    create: (path, options) => Effect.map(slowly(fast.create(path, options)), slowFile),
    openRead: (path) => Effect.map(slowly(fast.openRead(path)), slowFile),
    syncDirectory: (path) => slowly(fast.syncDirectory(path)),
    remove: (path) => slowly(fast.remove(path)),
    lock: (path) => slowly(fast.lock(path))
  }
  return {
    files: change(files),
    syncs: Effect.sync(() => syncs),
    holdSyncs: Effect.sync(() => {
      const gate = Deferred.makeUnsafe<void>()
      held = gate
      return Effect.sync(() => {
        held = undefined
        Deferred.doneUnsafe(gate, Effect.void)
      })
    }),
    powerCut: (keptBytes) => Effect.sync(() => memory.crash({ keepUnsyncedBytes: () => keptBytes })),
    openFiles: Effect.sync(() => memory.openFiles)
  }
}
