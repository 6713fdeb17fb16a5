/** Places for chain stores under test: memory, files in memory, files on disk. */
import { FileChainStore, MemoryChainStore } from "@peerstrap/chain-bootstrap"
import { type ChainStoreSubject, syntheticRules } from "@peerstrap/chain-bootstrap/testing"
import { FileSystem, MemoryFileSystem, NodeFileSystem } from "@peerstrap/storage"
import * as Effect from "effect/Effect"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"

export const temporaryDirectory = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "chain-store-"))),
  (path) => Effect.promise(() => rm(path, { recursive: true }))
)

export const memoryStores: ChainStoreSubject = {
  name: "memory",
  place: Effect.sync(() => {
    const medium = MemoryChainStore.makeMedium()
    return {
      open: (identity) => MemoryChainStore.open({ identity, medium }),
      crash: Effect.sync(() => {
        medium.open = false
      })
    }
  })
}

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

export const fileStoresInMemory: ChainStoreSubject = {
  name: "files in memory",
  place: Effect.sync(() => {
    const memory = MemoryFileSystem.make()
    return { open: (identity) => openInMemory(memory, { identity }), crash: Effect.sync(() => memory.crash()) }
  })
}

export const openOnDisk = (directory: string, options: Partial<FileChainStore.FileStoreOptions> = {}) =>
  Effect.provide(
    FileChainStore.open({ directory, rules: syntheticRules, identity: undefined, ...options }),
    NodeFileSystem.layer
  )

/** On a real disk there is no power to cut: the store is closed and opened again. */
export const fileStoresOnDisk: ChainStoreSubject = {
  name: "files on disk",
  place: Effect.map(temporaryDirectory, (directory) => ({
    open: (identity) => openOnDisk(join(directory, "store"), { identity }),
    crash: Effect.void
  }))
}
