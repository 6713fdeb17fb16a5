/** A chain without a network: the synthetic one of the test kit, peers in this process that serve a branch of it, and a run that follows them. */
import {
  type Block,
  ChainProtocol,
  connectionOptions,
  ReorganisationStrategy,
  startSync,
  syncOptions
} from "@peerstrap/chain-bootstrap"
import {
  applierKind,
  baseKind,
  fixedBase,
  protocolKind,
  storeKind,
  strategyKind
} from "@peerstrap/chain-bootstrap/plugin"
import { makeSyntheticChain, servedBy, syntheticPeer, syntheticProtocol } from "@peerstrap/chain-bootstrap/testing"
import { definePlugin } from "@peerstrap/plugin-host"
import { BufferMemory } from "@peerstrap/transport"
import { boundedMemory, memory, memoryKind, transportKind } from "@peerstrap/transport/plugin"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"

export const chain = makeSyntheticChain({ seed: 11, levels: 60 })

/** What the peers have at first: 60 blocks above the genesis. */
export const first: ReadonlyArray<Block> = chain.main.filter(({ header }) => header.level > 0)
/** What they have later: the last three blocks were replaced, and the branch grew. */
export const second: ReadonlyArray<Block> = [
  ...first.filter(({ header }) => header.level <= 57),
  ...chain.grow(chain.at(57).header.id, 23, "second", 1)
]

const startPeers = (blocks: ReadonlyArray<Block>) =>
  Effect.forEach(["ann", "ben", "cat"], (id) =>
    Effect.map(
      syntheticPeer({ id }, { host: "10.0.0.1", port: 0 }, servedBy({ genesis: chain.genesis.header, blocks })),
      ({ point }) => point
    ))

export const toyProtocol = definePlugin({
  id: "chain.protocol.synthetic",
  version: "1.0.0",
  stability: "experimental",
  summary: "The synthetic chain of the test kit.",
  provides: [protocolKind],
  requires: [],
  config: Schema.Struct({}),
  layer: () => Layer.sync(ChainProtocol, () => syntheticProtocol({ id: "us" }))
})

/** What every run of this chain has in common. */
export const toyNetwork = [memory({}), boundedMemory({}), toyProtocol({}), fixedBase({ id: chain.base.id })] as const

/** What `follow` takes from the host, `startSync` in it included. */
export const toyNeeds = [
  transportKind,
  memoryKind,
  protocolKind,
  baseKind,
  storeKind,
  applierKind,
  strategyKind
] as const

/** Follows peers with these blocks to a level; says how that ended. */
export const follow = (blocks: ReadonlyArray<Block>, level: number) =>
  Effect.scoped(Effect.gen(function*() {
    const pace = { finality: 2, blocksPerCycle: 100, blockTimeSeconds: 10 }
    const { done } = yield* startSync({
      sync: syncOptions(pace, { until: { level }, connections: connectionOptions({ minPeers: 3 }) }),
      named: yield* startPeers(blocks),
      ledger: (yield* BufferMemory).ledger,
      strategy: yield* ReorganisationStrategy
    })
    return (yield* done)?.outcome
  }))
