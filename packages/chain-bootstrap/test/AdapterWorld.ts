// What tests of the adapters share: synthetic peers on a network in memory, virtual time, a run with its ledger and its store.
import type { SegmentEvidence } from "@peerstrap/header-dag-quorum"
import { type Address, ByteLedger, Transport } from "@peerstrap/transport"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import { type MemoryStoreOptions, open as openMemory } from "../src/adapter/store/MemoryChainStore.ts"
import { startSync } from "../src/adapter/SyncRun.ts"
import { simulator } from "../src/applier/SimulatorApplier.ts"
import type { BlockRef, HeaderFacts } from "../src/contract/Block.ts"
import { BlockApplier, type BlockApplierService } from "../src/contract/BlockApplier.ts"
import { ChainProtocol } from "../src/contract/ChainProtocol.ts"
import { ChainStore, type ChainStoreService } from "../src/contract/ChainStore.ts"
import type { SyncNotice, SyncOptions } from "../src/contract/ChainSync.ts"
import type { SyncRunOptions } from "../src/contract/SyncRun.ts"
import { connectionOptions } from "../src/engine/connections/ConnectionDefaults.ts"
import { syncOptions } from "../src/engine/SyncDefaults.ts"
import { makeSyntheticChain, type SyntheticChain } from "../src/testing/SyntheticChain.ts"
import {
  type Answering,
  honestAnswers,
  type SyntheticPeer,
  syntheticPeer,
  syntheticProtocol
} from "../src/testing/SyntheticProtocol.ts"

/** One turn of the real event loop. */
export const turn = Effect.promise(() => new Promise<void>((resolve) => setImmediate(resolve)))

/** Runs an effect while virtual time goes on, in steps that are shorter than any timer. */
export const driven = Effect.fnUntraced(function*<A, E, R>(effect: Effect.Effect<A, E, R>) {
  const fiber = yield* Effect.forkChild(effect)
  while (fiber.pollUnsafe() === undefined) {
    yield* TestClock.adjust(20)
    yield* turn
  }
  return yield* Fiber.join(fiber)
})

/** Lets a long time pass, in steps in which connections get their turns. */
export const pass = Effect.fnUntraced(function*(millis: number) {
  const steps = Math.ceil(millis / 500)
  for (let step = 0; step < steps; step++) {
    yield* TestClock.adjust(millis / steps)
    yield* turn
  }
})

/** Completes when something is the case. */
export const until = (is: () => boolean): Effect.Effect<void> =>
  driven(Effect.gen(function*() {
    while (!is()) yield* Effect.sleep(20)
  }))

export const chainOf = (levels: number, seed = 1, unitBytes = 64): SyntheticChain =>
  makeSyntheticChain({ seed, levels, unitBytes })

/** Virtual time at which the chain's head is young. */
export const atHeadOf = (chain: SyntheticChain) => TestClock.setTime((chain.head.header.timeSeconds + 2) * 1000)

export const placeOf = (number: number): Address => ({ host: `10.0.0.${number}`, port: 1 })

/** Honest peers on places 1 … count; `answering` replaces what one of them says. */
export const peersOf = Effect.fnUntraced(function*(
  chain: SyntheticChain,
  count: number,
  answering: (number: number) => Answering | undefined = () => undefined
) {
  const peers: Array<SyntheticPeer> = []
  for (let number = 1; number <= count; number++) {
    const answers = answering(number) ?? honestAnswers(chain)
    peers.push(yield* syntheticPeer({ id: `peer-${number}` }, placeOf(number), answers))
  }
  return peers
})

export const optionsOf = (given: Partial<SyncOptions> & { readonly peers?: number } = {}): SyncOptions => {
  const { peers, ...sync } = given
  return syncOptions({ finality: 2, blocksPerCycle: 100, blockTimeSeconds: 6 }, {
    connections: connectionOptions({ minPeers: peers ?? 4, maxPeers: 8 }),
    seed: 1,
    ...sync
  })
}

export const memoryStore = (chain: SyntheticChain, given: Partial<MemoryStoreOptions> = {}) =>
  openMemory({ identity: { protocol: "synthetic", chainId: "synthetic", base: chain.base }, ...given })

/** Evidence of nobody's support: what a store keeps beside the ids of a segment. */
export const evidenceOf = (base: BlockRef, top: BlockRef): SegmentEvidence => ({
  baseId: base.id,
  baseLevel: base.level,
  topId: top.id,
  topLevel: top.level,
  minSupporters: 1,
  electors: [],
  runs: []
})

/** A store that holds blocks of the chain: stored up to one level, chosen up to the next, applied up to the last. */
export const filledStore = Effect.fnUntraced(function*(
  chain: SyntheticChain,
  levels: { readonly stored: number; readonly chosen?: number; readonly applied?: number },
  given: Partial<MemoryStoreOptions> = {}
) {
  const store = yield* memoryStore(chain, given)
  const blocks = chain.main.slice(1, levels.stored + 1)
  yield* store.appendHeaders(blocks.map(({ header }) => header))
  for (const { header, units } of blocks) {
    yield* store.appendUnits(units.map((body, unit) => ({ block: header.id, unit, body })))
  }
  const { applied = 0, chosen = applied } = levels
  if (chosen > 0) yield* choose(store, chain.base, chain.main.slice(1, chosen + 1).map(({ header }) => header))
  if (applied > 0) yield* store.appendApplied({ kind: "apply", ids: chain.ids(1, applied), firstLevel: 1 })
  return store
})

/** Records a segment on top of a block. */
export const choose = (store: ChainStoreService, base: BlockRef, headers: ReadonlyArray<HeaderFacts>) =>
  store.appendSegment({
    ids: headers.map(({ id }) => id),
    firstLevel: base.level + 1,
    evidence: evidenceOf(base, headers.at(-1) ?? base),
    peers: []
  })

export interface RunGiven {
  readonly chain: SyntheticChain
  readonly named: ReadonlyArray<string>
  readonly sync?: Partial<SyncOptions> & { readonly peers?: number }
  readonly store?: ChainStoreService
  readonly applier?: BlockApplierService
  readonly ledgerBytes?: number
  readonly run?: Partial<SyncRunOptions>
}

/** A run of ours, id `us`, over the transport of the context. */
export const startRun = Effect.fnUntraced(function*(given: RunGiven) {
  const { chain } = given
  const store = given.store ?? (yield* memoryStore(chain))
  const applier = given.applier ?? simulator({ base: chain.base, branches: "one" })
  const ledger = new ByteLedger(given.ledgerBytes ?? 2 ** 24)
  const notices: Array<SyncNotice> = []
  const run = yield* startSync({
    sync: optionsOf({ until: { level: chain.head.header.level }, ...given.sync }),
    baseHeader: chain.genesis.header,
    named: given.named,
    ledger,
    onNotice: (notice) => notices.push(notice),
    ...given.run
  }).pipe(
    Effect.provideService(ChainStore, store),
    Effect.provideService(BlockApplier, applier),
    Effect.provideService(ChainProtocol, syntheticProtocol({ id: "us" })),
    Effect.provideService(Transport, yield* Transport)
  )
  return { run, store, applier, ledger, notices }
})

export const pointsOf = (peers: ReadonlyArray<SyntheticPeer>): ReadonlyArray<string> => peers.map(({ point }) => point)
