/** A whole chain bootstrap as an application runs it: sockets, sessions, engine, a store in memory, and the applier that is given. */
import {
  BlockApplier,
  type BlockApplierService,
  ChainStore,
  connectionOptions,
  MemoryChainStore,
  startSync,
  syncOptions
} from "@peerstrap/chain-bootstrap"
import { makeTezosRules, tezosProtocol } from "@peerstrap/tezos-bootstrap"
import { cryptoLayer, loadCrypto } from "@peerstrap/tezos-wire"
import { identityFromSeed } from "@peerstrap/tezos-wire/testing"
import { ByteLedger, Tcp } from "@peerstrap/transport"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { networkOf, type SwarmFacts } from "./SwarmFacts.ts"

const ledgerBytes = 64 * 2 ** 20

/** An applier that keeps nothing; bodies are read for it all the same. */
export const applierOf = (apply: BlockApplierService["apply"]): BlockApplierService => ({
  name: "bench",
  needsBodies: true,
  branches: "one",
  head: Effect.void as Effect.Effect<undefined>,
  apply,
  rollback: () => Effect.void,
  moveHead: () => Effect.void,
  forget: () => Effect.void
})

/** Runs until the last block of the swarm is applied. Fails when the run ends in any other way. */
export const runSync = Effect.fnUntraced(function*(facts: SwarmFacts, applier: BlockApplierService) {
  const crypto = yield* loadCrypto
  const network = networkOf(facts)
  const ledger = new ByteLedger(ledgerBytes)
  const identity = identityFromSeed(crypto, "bench")
  const storeLayer = Layer.effect(
    ChainStore,
    MemoryChainStore.open({
      identity: { protocol: "tezos", chainId: network.chainId, base: { id: network.genesis.id, level: 0 } }
    })
  )
  const protocol = Layer.provide(tezosProtocol({ network, identity, ledger }), cryptoLayer)
  const baseHeader = makeTezosRules(crypto, network).genesis
  const peers = facts.points.length
  yield* Effect.gen(function*() {
    const run = yield* startSync({
      sync: syncOptions(network, {
        until: { level: facts.blocks },
        connections: connectionOptions({ minPeers: peers, maxPeers: Math.max(50, peers) }),
        seed: 8
      }),
      named: facts.points,
      ledger,
      ...(baseHeader === undefined ? {} : { baseHeader })
    })
    const end = yield* run.done
    if (end?.outcome !== "level-reached") throw new Error(`the run ended ${JSON.stringify(end)}`)
    yield* Effect.forkDetach(run.stop)
  }).pipe(
    Effect.scoped,
    Effect.provide([storeLayer, Layer.succeed(BlockApplier, applier), protocol, Tcp.layer])
  )
})
