/** The kit of `ChainProtocol`: opening, asking, serving, ending, and the rules, over a world with a peer that serves a known chain. */
import { type Kit, suiteOf } from "@peerstrap/conformance"
import { type ProtocolCapability, protocolPeerChecks, type ProtocolServices } from "./ProtocolChecks.ts"
import { chainProtocolMutants } from "./ProtocolMutants.ts"
import { rulesChecks } from "./RulesChecks.ts"

/** The layer of a suite gives the protocol, a transport, and a `ProtocolWorld`. */
export const chainProtocolKit: Kit<ProtocolServices, ProtocolCapability> = {
  contract: "ChainProtocol",
  capabilities: {
    refusals: "whoever refuses a connection says so, and names other peers",
    farewell: "whoever leaves in order says so",
    ancestors: "a header can be asked for by its distance below another",
    peers: "peers can be asked for the points of others"
  },
  checks: [...protocolPeerChecks, ...rulesChecks],
  mutants: chainProtocolMutants
}

/** `chainProtocolSuite("synthetic", syntheticWorld(Memory.layer), { capabilities, test: it })`. */
export const chainProtocolSuite = suiteOf(chainProtocolKit)
