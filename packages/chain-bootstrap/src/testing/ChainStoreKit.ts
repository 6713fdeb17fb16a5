/** The kit of `ChainStore`: examples, laws, and stores with one fault each. */
import { type Kit, suiteOf } from "@peerstrap/conformance"
import { type ChainStoreCapability, chainStoreExamples } from "./ChainStoreChecks.ts"
import { chainStoreLaws } from "./ChainStoreLaws.ts"
import { chainStoreMutants } from "./ChainStoreMutants.ts"
import type { ChainStorePlace } from "./ChainStorePlace.ts"

/** Each check takes a place of its own: its layer is built anew. */
export const chainStoreKit: Kit<ChainStorePlace, ChainStoreCapability> = {
  contract: "ChainStore",
  capabilities: {
    "power-cut": "its power can be cut at any time, which takes what is not durable",
    "counted-handles": "the handles that it holds can be counted"
  },
  checks: [...chainStoreExamples, ...chainStoreLaws],
  mutants: chainStoreMutants
}

/** `chainStoreSuite("memory", memoryStorePlace, { capabilities: { "power-cut": true, "counted-handles": true }, test: it })`. */
export const chainStoreSuite = suiteOf(chainStoreKit)
