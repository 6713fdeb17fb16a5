/** Both chain stores pass one kit, and the kit rejects every store with a known fault. */
import { assert, describe, it } from "@effect/vitest"
import { MemoryChainStore } from "@peerstrap/chain-bootstrap"
import { chainStoreMutants, type ChainStoreSubject, chainStoreSuite } from "@peerstrap/chain-bootstrap/testing"
import * as Effect from "effect/Effect"

const memory: ChainStoreSubject = {
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

describe("ChainStore", () => {
  for (const subject of [memory]) {
    for (const check of chainStoreSuite) it.effect(`${subject.name}: ${check.name}`, () => check.run(subject))
  }

  for (const mutant of chainStoreMutants) {
    it.effect(`rejects a store that ${mutant.name}`, () =>
      Effect.gen(function*() {
        const subject = mutant.mutate(memory)
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
