/** Where appliers are made for checks: with a chain of blocks that they take, verdicts that they shall give, and ways to look at what they hold. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import type { Verdict } from "../applier/CallbackApplier.ts"
import { simulator } from "../applier/SimulatorApplier.ts"
import type { Block, BlockId, BlockRef } from "../contract/Block.ts"
import type { ApplierFailed, BlockApplierService } from "../contract/BlockApplier.ts"
import { makeSyntheticChain } from "./SyntheticChain.ts"

/** What the applier shall say about some blocks: `invalid` always, `retry` the given number of times. */
export interface ScriptedVerdicts {
  readonly invalid: ReadonlyArray<BlockId>
  readonly retries: ReadonlyMap<BlockId, number>
}

/** Blocks that the appliers of a bench take. */
export interface ApplierBlocks {
  readonly base: BlockRef
  /** Twelve blocks above the base, lowest first. */
  readonly main: ReadonlyArray<Block>
  /** Five blocks above the sixth of `main`, each as heavy as the one of `main` at its level. */
  readonly branch: ReadonlyArray<Block>
}

/** An applier and the ways to look into it that its bench declares as capabilities. */
export interface ApplierUnderTest {
  readonly applier: BlockApplierService
  /** Capability `visible-chain`: what it holds as applied on its chain, lowest first, without the base. */
  readonly chain?: Effect.Effect<ReadonlyArray<BlockId>>
  /** Capability `counted-units`: bytes of units that it has got so far. */
  readonly unitBytes?: Effect.Effect<number>
  /** Capability `restart`: stops it, and gives the next one over what it keeps. `restartable` makes it. */
  readonly restart?: Effect.Effect<ApplierUnderTest, ApplierFailed, Scope.Scope>
  /** Capability `kill`: ends it as a kill does, with nothing done at its end, and gives the next one over what it keeps. */
  readonly kill?: Effect.Effect<ApplierUnderTest, ApplierFailed, Scope.Scope>
}

/** Makes appliers for the kit's checks. */
export interface ApplierBenchService {
  readonly blocks: ApplierBlocks
  /**
   * A new applier that stands at a block. It ends with the scope. What it writes to should take a turn of the scheduler for each write (`Effect.yieldNow`
   * will do), as a disk does: only there can an interruption fall between two of them.
   */
  make(base: BlockRef, verdicts: ScriptedVerdicts): Effect.Effect<ApplierUnderTest, ApplierFailed, Scope.Scope>
  /** Capability `counted-resources`: processes, sockets or handles that appliers of this bench hold now. */
  readonly resources?: Effect.Effect<number>
}

/** The bench that the suite of `BlockApplier` works at. */
export class ApplierBench
  extends Context.Service<ApplierBench, ApplierBenchService>()("@peerstrap/chain-bootstrap/testing/ApplierBench")
{}

/**
 * An applier that can be opened again, and again, over what it keeps, which `open` finds each time. Before a `restart` the scope of the one that was open
 * is closed; before a `kill` what is given is done instead: `Effect.void` for one that ends when nobody holds it any more.
 */
export const restartable = (
  open: Effect.Effect<ApplierUnderTest, ApplierFailed, Scope.Scope>,
  kill?: (one: ApplierUnderTest) => Effect.Effect<void>
): Effect.Effect<ApplierUnderTest, ApplierFailed, Scope.Scope> =>
  Effect.gen(function*() {
    const scope = yield* Scope.fork(yield* Effect.scope)
    const one = yield* Scope.provide(open, scope)
    const next = restartable(open, kill)
    return {
      ...one,
      restart: Effect.andThen(Scope.close(scope, Exit.void), next),
      ...(kill === undefined ? {} : { kill: Effect.andThen(kill(one), next) })
    }
  })

const chain = makeSyntheticChain({ seed: 99, levels: 12, unitsPerBlock: 3, forks: [{ from: 6, length: 5 }] })

/** Synthetic blocks: what appliers take that do not look into headers. */
export const syntheticApplierBlocks: ApplierBlocks = {
  base: chain.base,
  main: chain.main.slice(1),
  branch: chain.forks[0]!
}

/** Verdicts as a function that is asked once for each try of a block. */
export const judgeOf = ({ invalid, retries }: ScriptedVerdicts): (block: Block) => Verdict => {
  const left = new Map(retries)
  return ({ header }) => {
    if (invalid.includes(header.id)) return { invalid: "told so" }
    const count = left.get(header.id) ?? 0
    left.set(header.id, count - 1)
    return count > 0 ? { retry: `${count} more times` } : "ok"
  }
}

const simulated = (branches: BlockApplierService["branches"], base: BlockRef, verdicts: ScriptedVerdicts) => {
  const parents = new Map<BlockId, BlockId>()
  let bytes = 0
  const judge = judgeOf(verdicts)
  const applier = simulator({
    base,
    branches,
    judge: (block) => {
      parents.set(block.header.id, block.header.parent)
      bytes += block.units.reduce((sum, { length }) => sum + length, 0)
      return judge(block)
    }
  })
  const chain = Effect.sync(() => {
    const ids: Array<BlockId> = []
    for (let id = applier.current.id; id !== base.id; id = parents.get(id)!) ids.unshift(id)
    return ids
  })
  return { applier, chain, unitBytes: Effect.sync(() => bytes) }
}

/**
 * The bench of `Appliers.simulator`, of one branch or of many. Each applier counts as one resource until its scope ends. A simulator is its own memory: it is
 * what a restart or a kill leaves.
 */
export const simulatorBench = (branches: BlockApplierService["branches"]): Layer.Layer<ApplierBench> =>
  Layer.sync(ApplierBench, () => {
    let open = 0
    const counted = Effect.acquireRelease(Effect.sync(() => void open++), () => Effect.sync(() => void open--))
    return {
      blocks: syntheticApplierBlocks,
      make: (base, verdicts) =>
        Effect.suspend(() => {
          const kept = simulated(branches, base, verdicts)
          return restartable(Effect.as(counted, kept), () => Effect.void)
        }),
      resources: Effect.sync(() => open)
    }
  })
