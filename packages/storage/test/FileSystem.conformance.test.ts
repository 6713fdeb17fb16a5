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
import { lockProcess } from "./support/LockProcess.ts"
import { countsDescriptors, openBelow, temporaryDirectory } from "./support/TemporaryDirectory.ts"

const nodePlace = Layer.effect(
  FileSystemPlace,
  Effect.map(
    temporaryDirectory,
    (path) =>
      fileSystemPlace(join(path, "new"), {
        openFiles: openBelow(path),
        holdElsewhere: (lock) =>
          Effect.flatMap(lockProcess(lock), ({ kill, reach }) =>
            Effect.flatMap(
              Effect.promise(reach),
              (answer) => answer === "held" ? Effect.succeed(Effect.promise(kill)) : Effect.fail(answer)
            ))
      })
  )
)

const everything = { "power-cut": true, "open-files": true, "full-disk": true, "other-process": true }

describe("the contract of FileSystem", () => {
  fileSystemSuite("Memory", memoryFileSystemPlace(), { capabilities: everything, test: it })
  fileSystemSuite("Memory, simulated", memoryFileSystemPlace(), {
    capabilities: everything,
    test: it,
    run: simulatedRun({ seed: 1 })
  })
  fileSystemSuite("Node", Layer.merge(nodePlace, Layer.succeed(FileSystem, NodeFileSystem.fileSystem)), {
    capabilities: { "power-cut": false, "open-files": countsDescriptors, "full-disk": false, "other-process": true },
    test: it
  })
})

describe("the kit of FileSystem", () => mutantSuiteOf(fileSystemKit, it))
