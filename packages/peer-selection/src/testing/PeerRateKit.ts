/** The conformance kit of `PeerRateSource`, what a part of kind `rate` gives. */
import { type Kit, suiteOf } from "@peerstrap/conformance"
import type { PeerRateSource } from "../contract/PeerRateSource.ts"
import { peerRateChecks } from "./PeerRateChecks.ts"
import { peerRateMutants } from "./PeerRateMutants.ts"
import type { PeerRateCapability, PeerRatePlace } from "./PeerRatePlace.ts"

/** The kit: 7 checks, 10 mutants. */
export const peerRateKit: Kit<PeerRateSource | PeerRatePlace, PeerRateCapability> = {
  contract: "PeerRateSource",
  capabilities: { changes: "its rate can be changed" },
  checks: peerRateChecks,
  mutants: peerRateMutants
}

/** `peerRateSuite("Settable", settableRatePlace({ bytesPerSecond: 0, origin: "flag" }), { capabilities: { changes: true }, test: it })`. */
export const peerRateSuite = suiteOf(peerRateKit)
