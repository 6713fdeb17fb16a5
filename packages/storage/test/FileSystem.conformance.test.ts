import { describe, it } from "@effect/vitest"
import { mutantSuiteOf } from "@peerstrap/conformance"
import { simulatedRun } from "@peerstrap/simulator"
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
import { join } from "node:path"
import { countsDescriptors, openBelow, temporaryDirectory } from "./support/TemporaryDirectory.ts"

const nodePlace = Layer.effect(
  FileSystemPlace,
  Effect.map(
    temporaryDirectory,
    (path) => fileSystemPlace(join(path, "new"), { openFiles: openBelow(path) })
  )
)

const everything = { "power-cut": true, "open-files": true, "full-disk": true }

describe("the contract of FileSystem", () => {
  fileSystemSuite("Memory", memoryFileSystemPlace(), { capabilities: everything, test: it })
  fileSystemSuite("Memory, simulated", memoryFileSystemPlace(), {
    capabilities: everything,
    test: it,
    run: simulatedRun({ seed: 1 })
  })
  fileSystemSuite("Node", Layer.merge(nodePlace, Layer.succeed(FileSystem, NodeFileSystem.fileSystem)), {
    capabilities: { "power-cut": false, "open-files": countsDescriptors, "full-disk": false },
    test: it
  })
})

describe("the kit of FileSystem", () => mutantSuiteOf(fileSystemKit, it))
