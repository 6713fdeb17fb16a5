// The protocol of Tezos passes the kit of protocols: over memory, over sockets, and in virtual time by seed.
import { describe, it } from "@effect/vitest"
import { chainProtocolSuite } from "@peerstrap/chain-bootstrap/testing"
import { simulatedRun, simulatedTransport } from "@peerstrap/simulator"
import { Memory, Tcp } from "@peerstrap/transport"
import { tezosWorld } from "./TezosWorld.ts"

/** Links with jitter, which chop what is sent. */
const link = { latencyMillis: 5, jitterMillis: 20, chopBytes: 4_000 }

describe("TezosProtocol", () => {
  const capabilities = { refusals: true, farewell: true, ancestors: true, peers: true }
  chainProtocolSuite("over memory", tezosWorld(Memory.layer), { capabilities, test: it })
  chainProtocolSuite("over sockets", tezosWorld(Tcp.layer), { capabilities, test: it })
  for (const seed of [1, 2]) {
    chainProtocolSuite(`simulated with seed ${seed},`, tezosWorld(simulatedTransport("node"), "node"), {
      capabilities,
      test: it,
      run: simulatedRun({ seed, link })
    })
  }
})
