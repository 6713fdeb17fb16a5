/** The conformance kit of `PeerQueues`: random histories beside a naive reference. */
import { fail, type Kit, suiteOf } from "@peerstrap/conformance"
import * as Effect from "effect/Effect"
import { peerQueuesViolation } from "./PeerQueuesHistory.ts"
import { PeerQueuesMaker } from "./PeerQueuesMaker.ts"
import { peerQueuesMutants } from "./PeerQueuesMutants.ts"

/** The kit: one law of 150 histories, 22 mutants, each found for its own violation. */
export const peerQueuesKit: Kit<PeerQueuesMaker> = {
  contract: "PeerQueues",
  capabilities: {},
  checks: [{
    name: "keeps the contract in any history",
    run: Effect.gen(function*() {
      const make = yield* PeerQueuesMaker
      for (let seed = 1; seed <= 150; seed++) {
        const violation = peerQueuesViolation(make, { seed, steps: 400, peers: 1 + seed % 4 })
        if (violation !== undefined) return yield* fail(violation)
      }
    })
  }],
  mutants: peerQueuesMutants
}

/** `peerQueuesSuite("Mine", Layer.succeed(PeerQueuesMaker, makeMine), { capabilities: {}, test: it })`. */
export const peerQueuesSuite = suiteOf(peerQueuesKit)
