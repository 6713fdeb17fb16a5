/** Places for chain stores under test: files in memory, files on disk. */
import { FileChainStore } from "@peerstrap/chain-bootstrap"
import { ChainStorePlace, syntheticRules } from "@peerstrap/chain-bootstrap/testing"
import { FileSystem, MemoryFileSystem, NodeFileSystem } from "@peerstrap/storage"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { existsSync, readdirSync, readlinkSync } from "node:fs"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"

export const temporaryDirectory = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "chain-store-"))),
  (path) => Effect.promise(() => rm(path, { recursive: true }))
)

/** A store on a file system in memory; the salt is fixed so that runs are equal. */
export const openInMemory = (
  memory: MemoryFileSystem.MemoryFileSystem,
  options: Partial<FileChainStore.FileStoreOptions> = {}
) =>
  FileChainStore.open({
    directory: "/store",
    rules: syntheticRules,
    identity: undefined,
    index: "memory",
    salt: 0x5a17,
    ...options
  }).pipe(Effect.provideService(FileSystem, memory.fileSystem))

export const openOnDisk = (directory: string, options: Partial<FileChainStore.FileStoreOptions> = {}) =>
  Effect.provide(
    FileChainStore.open({ directory, rules: syntheticRules, identity: undefined, ...options }),
    NodeFileSystem.layer
  )

/** Descriptors of this process that lead into a directory; Linux only. */
const descriptorsIn = (directory: string): number =>
  readdirSync("/proc/self/fd").filter((descriptor) => {
    try {
      return readlinkSync(`/proc/self/fd/${descriptor}`).startsWith(directory)
    } catch {
      // It was closed meanwhile, as the one that reads the listing is.
      return false
    }
  }).length

export const canCountDescriptors = existsSync("/proc/self/fd")

/** On a real disk there is no power to cut: the store is closed and opened again. */
export const diskStorePlace = Layer.effect(
  ChainStorePlace,
  Effect.map(temporaryDirectory, (directory) => ({
    open: (identity) => openOnDisk(join(directory, "store"), { identity }),
    handles: Effect.sync(() => descriptorsIn(directory))
  }))
)
