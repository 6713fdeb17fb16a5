/** The synthetic protocol passes the kit of protocols, over memory and in virtual time by seed, and the kit rejects every protocol with a known fault. */
import { describe, it } from "@effect/vitest"
import { chainProtocolKit, chainProtocolSuite, syntheticWorld } from "@peerstrap/chain-bootstrap/testing"
import { mutantSuiteOf } from "@peerstrap/conformance"
import { simulatedRun, simulatedTransport } from "@peerstrap/simulator"
import { Memory } from "@peerstrap/transport"

/** Links with jitter, which chop what is sent. */
const link = { latencyMillis: 5, jitterMillis: 20, chopBytes: 40 }

describe("ChainProtocol", () => {
  const capabilities = { refusals: true, farewell: true, ancestors: true, peers: true }
  chainProtocolSuite("synthetic over memory", syntheticWorld(Memory.layer), { capabilities, test: it })
  for (const seed of [1, 2, 3]) {
    chainProtocolSuite(`synthetic, simulated with seed ${seed},`, syntheticWorld(simulatedTransport("node"), "node"), {
      capabilities,
      test: it,
      run: simulatedRun({ seed, link })
    })
  }

  mutantSuiteOf(chainProtocolKit, it)
})
