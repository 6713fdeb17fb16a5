/** Where the checks of `FileSystem` may work, and what its implementation lets them do to it. */
import { type Check, lacking } from "@peerstrap/conformance"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as MemoryFileSystem from "../adapter/MemoryFileSystem.ts"
import { FileSystem } from "../contract/FileSystem.ts"

type Service = (typeof FileSystem)["Service"]

/** Where a file system is checked, and what can be done to it. */
export interface FileSystemPlaceShape {
  /** An existing or creatable directory of the checks' own, empty. */
  readonly root: string
  /** Takes what was not synced, as a power cut does. */
  readonly powerCut: Effect.Effect<void>
  /** How many files below `root` are open. */
  readonly openFiles: Effect.Effect<number>
  /** From now on the disk takes so many bytes more. */
  fillUpTo(freeBytes: number): Effect.Effect<void>
  /** Another process takes the lock `path` and keeps it until what this returns is run: that kills it. */
  holdElsewhere(path: string): Effect.Effect<Effect.Effect<void>, unknown, Scope.Scope>
}

/** Service: the place of a file system under test. */
export class FileSystemPlace extends Context.Service<FileSystemPlace, FileSystemPlaceShape>()(
  "@peerstrap/storage/testing/FileSystemPlace"
) {}

/** What a place can show to the kit, by name. */
export type FileSystemCapability = "power-cut" | "open-files" | "full-disk" | "other-process"
/** A check of the kit. */
export type FileSystemCheck = Check<FileSystem | FileSystemPlace, FileSystemCapability>

/** A place with what it is able to do; what is not given dies with that word when it is asked for. */
export const fileSystemPlace = (
  root: string,
  able: Partial<Omit<FileSystemPlaceShape, "root">> = {}
): FileSystemPlaceShape => ({
  root,
  powerCut: lacking("power-cut"),
  openFiles: lacking("open-files"),
  fillUpTo: () => lacking("full-disk"),
  holdElsewhere: () => lacking("other-process"),
  ...able
})

/** Files in memory with their place, which can do everything. `change` breaks them in some way. */
export const memoryFileSystemPlace = (
  change: (files: Service) => Service = (files) => files
): Layer.Layer<FileSystem | FileSystemPlace> =>
  Layer.effectContext(Effect.sync(() => {
    const memory = MemoryFileSystem.make()
    const files = change(memory.fileSystem)
    const place = fileSystemPlace("/work/kit", {
      powerCut: Effect.sync(() => memory.crash()),
      openFiles: Effect.sync(() => memory.openFiles),
      fillUpTo: (freeBytes) => Effect.sync(() => memory.setCapacityBytes(memory.usedBytes + freeBytes)),
      // Of a process that dies no scope ends. All others of the machine die with it, which is no matter here.
      holdElsewhere: (path) =>
        Effect.as(Scope.provide(files.lock(path), Scope.makeUnsafe()), Effect.sync(() => memory.crash()))
    })
    return Context.make(FileSystem, files).pipe(Context.add(FileSystemPlace, place))
  }))
