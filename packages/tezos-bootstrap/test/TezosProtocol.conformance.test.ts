// The protocol of Tezos passes the kit of protocols: over memory, over sockets, and in virtual time by seed.
import { describe, it } from "@effect/vitest"
import { chainProtocolSuite } from "@peerstrap/chain-bootstrap/testing"
import { type Network, SimulatedTransport, simulateOrThrow } from "@peerstrap/simulator"
import { Memory, Tcp } from "@peerstrap/transport"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { tezosWorld } from "./TezosWorld.ts"

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
  const link = { latencyMillis: 5, jitterMillis: 20, chopBytes: 4_000 }
  await simulateOrThrow({ seed, link }, ({ network }) => Effect.provideService(check, SimulatedNetwork, network))
}

describe("TezosProtocol", () => {
  const capabilities = { refusals: true, farewell: true, ancestors: true, peers: true }
  chainProtocolSuite("over memory", tezosWorld(Memory.layer), { capabilities, test: it })
  chainProtocolSuite("over sockets", tezosWorld(Tcp.layer), { capabilities, test: it })
  for (const seed of [1, 2]) {
    chainProtocolSuite(`simulated with seed ${seed},`, tezosWorld(simulated, "node"), {
      capabilities,
      test: it,
      run: simulation(seed)
    })
  }
})
