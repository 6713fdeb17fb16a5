/** What the checks of chain stores put into them, and see of them: a chain of forty blocks with a branch, its segments with evidence. */
import { expectSame, fail } from "@peerstrap/conformance"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import type { BlockId, BlockRef, BodyUnit, HeaderFacts } from "../contract/Block.ts"
import type { ChainStoreService, ChosenSegment, StoreError, StoreIdentity } from "../contract/ChainStore.ts"
import type { ChainStorePlaceService } from "./ChainStorePlace.ts"
import { makeSyntheticChain, type SyntheticBlock } from "./SyntheticChain.ts"

/** Main chain of 40 blocks with three units each, and a branch of six blocks above level 10. */
export const chain = makeSyntheticChain({ seed: 4711, levels: 40, unitsPerBlock: 3, forks: [{ from: 10, length: 6 }] })
export const branch = chain.forks[0]!
export const storeIdentity: StoreIdentity = { protocol: "synthetic", chainId: "kit", base: chain.base }

export const refusedWith = <A, R>(
  what: string,
  effect: Effect.Effect<A, StoreError, R>,
  reason: StoreError["reason"]
) =>
  Effect.matchEffect(effect, {
    onFailure: (error) => expectSame(`${what}: reason of the refusal`, error.reason, reason),
    onSuccess: () => fail(`${what}: accepted, expected ${reason}`)
  })

export const headersOf = (from: number, to: number): ReadonlyArray<HeaderFacts> =>
  chain.main.slice(from, to + 1).map(({ header }) => header)

export const unitsOf = (block: SyntheticBlock, ...units: ReadonlyArray<number>): ReadonlyArray<BodyUnit> =>
  units.map((unit) => ({ block: block.header.id, unit, body: block.units[unit]! }))

export const refOf = ({ header }: SyntheticBlock): BlockRef => ({ id: header.id, level: header.level })

/** Evidence with three supporters of three, for a run of blocks on top of `parent`. */
export const segmentOn = (parent: BlockId, firstLevel: number, ids: ReadonlyArray<BlockId>): ChosenSegment => {
  const topLevel = firstLevel + ids.length - 1
  const run = {
    rule: "settled" as const,
    witnessId: ids[ids.length - 1]!,
    witnessLevel: topLevel,
    supporters: [0, 1, 2],
    electorate: [0, 1, 2]
  }
  return {
    ids,
    firstLevel,
    peers: ["alice", "bob", "carol"],
    evidence: {
      baseId: parent,
      baseLevel: firstLevel - 1,
      topId: ids[ids.length - 1]!,
      topLevel,
      minSupporters: 3,
      electors: [0, 1, 2],
      runs: [{ ...run, fromLevel: firstLevel, toLevel: topLevel }]
    }
  }
}

export const mainSegment = (from: number, to: number): ChosenSegment =>
  segmentOn(chain.at(from - 1).header.id, from, chain.ids(from, to))
export const branchIds: ReadonlyArray<BlockId> = branch.map(({ header }) => header.id)
export const branchSegment = (): ChosenSegment => segmentOn(chain.at(10).header.id, 11, branchIds)

/** Main-chain blocks become applied. */
export const apply = (store: ChainStoreService, from: number, to: number) =>
  store.appendApplied({ kind: "apply", firstLevel: from, ids: chain.ids(from, to) })

/** How a store ends before it is opened again. */
export type Restart = "closed" | "power cut"

export const cutPower = ({ powerCut }: ChainStorePlaceService): Effect.Effect<void> =>
  powerCut ?? Effect.die(new TypeError("the place declares power-cut and has none"))

/** Opens, does something, closes or cuts the power, opens again: `then` sees what was left. */
export const acrossRestart = Effect.fnUntraced(function*<A, E, E2>(
  place: ChainStorePlaceService,
  how: Restart,
  first: (store: ChainStoreService) => Effect.Effect<A, E, Scope.Scope>,
  then: (store: ChainStoreService) => Effect.Effect<void, E2, Scope.Scope>
) {
  const scope = yield* Scope.make()
  yield* Scope.provide(Effect.flatMap(place.open(storeIdentity), first), scope)
  if (how === "power cut") yield* cutPower(place)
  yield* Scope.close(scope, Exit.void)
  yield* Effect.scoped(Effect.flatMap(place.open(storeIdentity), then))
})

/** Everything that a store says about some blocks, as plain values. */
export const observe = Effect.fnUntraced(function*(store: ChainStoreService, blocks: ReadonlyArray<SyntheticBlock>) {
  const ids = blocks.map(({ header }) => header.id)
  const highest = Math.max(...blocks.map(({ header }) => header.level))
  return {
    head: { ...store.head },
    pending: { firstLevel: store.pending.firstLevel, ids: [...store.pending.ids] },
    loose: store.looseHeaders,
    headers: (yield* store.readHeaders(ids)).map((header) => header?.bytes),
    has: ids.map((id) => store.hasHeader(id)),
    units: yield* Effect.forEach(ids, (id) => Effect.map(store.readUnits(id), (units) => Array.from(units))),
    masks: ids.map((id) => store.unitsHeld(id)),
    levels: ids.map((id) => store.appliedLevel(id)),
    applied: Array.from({ length: highest + 1 }, (_, level) => store.appliedAt(level)),
    evidence: (yield* store.evidence(0, highest)).map((one) => [one.firstLevel, one.ids.length, one.evidence.topId])
  }
})
