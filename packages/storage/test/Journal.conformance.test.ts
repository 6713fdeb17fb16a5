import { describe, it } from "@effect/vitest"
import { mutantSuiteOf } from "@peerstrap/conformance"
import { simulatedRun } from "@peerstrap/simulator"
import { FileJournal, NodeFileSystem } from "@peerstrap/storage"
import { journalKit, JournalPlace, journalPlace, journalSuite, memoryJournalPlace } from "@peerstrap/storage/testing"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { join } from "node:path"
import { countsDescriptors, openBelow, temporaryDirectory } from "./support/TemporaryDirectory.ts"

const onNode = Layer.effect(
  JournalPlace,
  Effect.map(temporaryDirectory, (path) =>
    journalPlace(
      Effect.provide(
        FileJournal.open({ directory: join(path, "journal"), segmentBytes: 300 }),
        NodeFileSystem.layer
      ),
      { openFiles: openBelow(path) }
    ))
)

const everything = { "power-cut": true, syncs: true, "open-files": true, "one-at-a-time": true }

describe("the contract of Journal", () => {
  journalSuite("FileJournal in memory", memoryJournalPlace(), { capabilities: everything, test: it })
  for (const seed of [1, 2]) {
    journalSuite(`FileJournal in memory, simulated with seed ${seed}`, memoryJournalPlace(), {
      capabilities: everything,
      test: it,
      run: simulatedRun({ seed })
    })
  }
  journalSuite("FileJournal on Node's files", onNode, {
    capabilities: { "power-cut": false, syncs: false, "open-files": countsDescriptors, "one-at-a-time": true },
    test: it
  })
})

describe("the kit of Journal", () => mutantSuiteOf(journalKit, it))
