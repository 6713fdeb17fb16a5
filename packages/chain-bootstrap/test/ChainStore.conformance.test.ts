/** All chain stores pass one kit, and the kit rejects every store with a known fault. */
import { assert, describe, it } from "@effect/vitest"
import { chainStoreMutants, chainStoreSuite } from "@peerstrap/chain-bootstrap/testing"
import * as Effect from "effect/Effect"
import { fileStoresInMemory, fileStoresOnDisk, memoryStores } from "./StorePlaces.ts"

describe("ChainStore", () => {
  for (const subject of [memoryStores, fileStoresInMemory, fileStoresOnDisk]) {
    for (const check of chainStoreSuite) it.effect(`${subject.name}: ${check.name}`, () => check.run(subject))
  }

  for (const mutant of chainStoreMutants) {
    it.effect(`rejects a store that ${mutant.name}`, () =>
      Effect.gen(function*() {
        const subject = mutant.mutate(memoryStores)
        const noticed = yield* Effect.forEach(chainStoreSuite, (check) =>
          Effect.match(Effect.scoped(check.run(subject)), { onFailure: () => 1, onSuccess: () => 0 }))
        assert.isAbove(
          noticed.reduce((sum: number, one) =>
            sum + one, 0),
          0,
          "no check noticed"
        )
      }))
  }
})
