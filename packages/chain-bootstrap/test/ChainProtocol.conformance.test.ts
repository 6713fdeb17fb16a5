/** The synthetic protocol passes the kit of protocols, over memory and in virtual time by seed, and the kit rejects every protocol with a known fault. */
import { describe, it } from "@effect/vitest"
import { chainProtocolKit, chainProtocolSuite, syntheticWorld } from "@peerstrap/chain-bootstrap/testing"
import { mutantSuiteOf } from "@peerstrap/conformance"
import { type Network, SimulatedTransport, simulateOrThrow } from "@peerstrap/simulator"
import { Memory } from "@peerstrap/transport"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

/** The network of the simulation that a check runs in. */
const SimulatedNetwork = Context.Reference<Network | undefined>("test/SimulatedNetwork", {
  defaultValue: () => undefined
})

const simulated = Layer.unwrap(
  Effect.map(SimulatedNetwork, (network) => {
    if (network === undefined) throw new Error("not in a simulation")
    return SimulatedTransport.layer(network, "node")
  })
)

/** Runs checks in virtual time, on links with jitter that chop what is sent. */
const simulation = (seed: number) => async (check: Effect.Effect<void, unknown>): Promise<void> => {
  const link = { latencyMillis: 5, jitterMillis: 20, chopBytes: 40 }
  await simulateOrThrow({ seed, link }, ({ network }) => Effect.provideService(check, SimulatedNetwork, network))
}

describe("ChainProtocol", () => {
  const capabilities = { refusals: true, farewell: true, ancestors: true, peers: true }
  chainProtocolSuite("synthetic over memory", syntheticWorld(Memory.layer), { capabilities, test: it })
  for (const seed of [1, 2, 3]) {
    chainProtocolSuite(`synthetic, simulated with seed ${seed},`, syntheticWorld(simulated, "node"), {
      capabilities,
      test: it,
      run: simulation(seed)
    })
  }

  mutantSuiteOf(chainProtocolKit, it)
})
