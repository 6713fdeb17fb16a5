/** All chain stores pass one kit, and the kit rejects every store with a known fault, for the right reason. */
import { describe, it } from "@effect/vitest"
import { chainStoreKit, chainStoreSuite, fileStorePlace, memoryStorePlace } from "@peerstrap/chain-bootstrap/testing"
import { mutantSuiteOf } from "@peerstrap/conformance"
import { canCountDescriptors, diskStorePlace } from "./StorePlaces.ts"

if (!canCountDescriptors) console.warn("ChainStore.conformance.test.ts: no /proc here: descriptors are not counted")

describe("ChainStore", () => {
  const all = { "power-cut": true, "counted-handles": true }
  chainStoreSuite("memory", memoryStorePlace, { capabilities: all, test: it })
  chainStoreSuite("files in memory", fileStorePlace(), { capabilities: all, test: it })
  chainStoreSuite("files on disk", diskStorePlace, {
    capabilities: { "power-cut": false, "counted-handles": canCountDescriptors },
    test: it
  })

  mutantSuiteOf(chainStoreKit, it)
})
