import { describe, it } from "@effect/vitest"
import { mutantSuiteOf } from "@peerstrap/conformance"
import { simulateOrThrow } from "@peerstrap/simulator"
import { FileSystem, NodeFileSystem } from "@peerstrap/storage"
import {
  fileSystemKit,
  FileSystemPlace,
  fileSystemPlace,
  fileSystemSuite,
  memoryFileSystemPlace
} from "@peerstrap/storage/testing"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { readdirSync, readlinkSync } from "node:fs"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"

const countsDescriptors = process.platform === "linux"

/** Descriptors of this process that are open on something below `root`. */
const openBelow = (root: string): number =>
  readdirSync("/proc/self/fd").filter((descriptor) => {
    try {
      return readlinkSync(`/proc/self/fd/${descriptor}`).startsWith(root)
    } catch {
      return false
    }
  }).length

const nodePlace = Layer.effect(
  FileSystemPlace,
  Effect.map(
    Effect.acquireRelease(
      Effect.promise(() => mkdtemp(join(tmpdir(), "peerstrap-storage-"))),
      (path) => Effect.promise(() => rm(path, { recursive: true }))
    ),
    (path) => fileSystemPlace(join(path, "new"), { openFiles: Effect.sync(() => openBelow(path)) })
  )
)

const everything = { "power-cut": true, "open-files": true, "full-disk": true }

describe("the contract of FileSystem", () => {
  fileSystemSuite("Memory", memoryFileSystemPlace(), { capabilities: everything, test: it })
  fileSystemSuite("Memory, simulated", memoryFileSystemPlace(), {
    capabilities: everything,
    test: it,
    run: async (check) => void (await simulateOrThrow({ seed: 1 }, () => check))
  })
  fileSystemSuite("Node", Layer.merge(nodePlace, Layer.succeed(FileSystem, NodeFileSystem.fileSystem)), {
    capabilities: { "power-cut": false, "open-files": countsDescriptors, "full-disk": false },
    test: it
  })
})

describe("the kit of FileSystem", () => mutantSuiteOf(fileSystemKit, it))
