/** The conformance kit of `Transport`. */
import { type Kit, suiteOf } from "@peerstrap/conformance"
import type { Transport } from "../contract/Transport.ts"
import { transportExampleChecks } from "./TransportExampleChecks.ts"
import { transportLawChecks } from "./TransportLawChecks.ts"
import { transportMutants } from "./TransportMutants.ts"

/** The kit: 24 checks, 33 mutants. Nothing of the contract is optional, so there are no capabilities. */
export const transportKit: Kit<Transport> = {
  contract: "Transport",
  capabilities: {},
  checks: [...transportExampleChecks, ...transportLawChecks],
  mutants: transportMutants
}

/** `transportSuite("Tcp", Tcp.layer, { capabilities: {}, test: it })`. */
export const transportSuite = suiteOf(transportKit)
