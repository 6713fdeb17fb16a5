/** Appliers with one fault each, which the kit must reject. They wrap a correct one that judges and keeps its chain. */
import type { Mutant } from "@peerstrap/conformance"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import type { BlockRef } from "../contract/Block.ts"
import type { BlockApplierService } from "../contract/BlockApplier.ts"
import { ApplierBench, type ApplierBenchService, simulatorBench, syntheticApplierBlocks } from "./ApplierBench.ts"

type Branches = BlockApplierService["branches"]
type Change = (applier: BlockApplierService) => Partial<BlockApplierService>

const benchWith = (
  branches: Branches,
  change: (bench: ApplierBenchService) => ApplierBenchService
): Layer.Layer<ApplierBench> =>
  Layer.effect(ApplierBench, Effect.map(ApplierBench, change)).pipe(Layer.provide(simulatorBench(branches)))

/** The prototype keeps getters alive, which spreading would read once. */
export const changed = (applier: BlockApplierService, change: Change): BlockApplierService =>
  Object.defineProperties(
    Object.create(applier) as BlockApplierService,
    Object.getOwnPropertyDescriptors(change(applier))
  )

const applierWith = (branches: Branches, change: Change): Layer.Layer<ApplierBench> =>
  benchWith(branches, (bench) => ({
    ...bench,
    make: (base, verdicts) =>
      Effect.map(bench.make(base, verdicts), (one) => ({ ...one, applier: changed(one.applier, change) }))
  }))

const mutant = (
  name: string,
  rejectedBy: string,
  because: RegExp | "hangs",
  change: Change,
  branches: Branches = "many"
): Mutant<ApplierBench> => ({ name, rejectedBy, because, layer: applierWith(branches, change) })

/** Undoes one block more than asked for. */
export const tooDeep = (applier: BlockApplierService): BlockApplierService["rollback"] => (to) => {
  const { base, branch, main } = syntheticApplierBlocks
  const parent = [...main, ...branch].find(({ header }) => header.id === to.id)?.header.parent ?? base.id
  return applier.rollback({ id: parent, level: Math.max(base.level, to.level - 1) })
}

/** A batch block by block, with a turn of the scheduler after each before it counts. */
export const blockByBlock = (
  applier: BlockApplierService,
  counts: (done: number) => void
): BlockApplierService["apply"] =>
  Effect.fnUntraced(function*(blocks) {
    for (const [done, block] of blocks.entries()) {
      const result = yield* applier.apply([block])
      if (result.outcome !== "ok") return { ...result, applied: done }
      yield* Effect.yieldNow
      counts(1)
    }
    return { applied: blocks.length, outcome: "ok", reason: "" }
  })

/** Keeps the head beside the chain: a turn of the scheduler lies between what a call does and the head that it leaves. */
const withHeadSecond = (one: BlockApplierService, calls: ReadonlyArray<"apply" | "rollback">) => {
  let told: BlockRef | undefined = syntheticApplierBlocks.base
  const noted = Effect.map(one.head, (head) => void (told = head)).pipe(Effect.orDie)
  const after = <A, E>(call: "apply" | "rollback", done: Effect.Effect<A, E>) =>
    calls.includes(call)
      ? Effect.tap(done, () => Effect.andThen(Effect.yieldNow, noted))
      : Effect.uninterruptible(Effect.tap(done, () => noted))
  return {
    apply: (blocks) => after("apply", one.apply(blocks)),
    rollback: (to) => after("rollback", one.rollback(to)),
    moveHead: (to) => Effect.tap(one.moveHead(to), () => noted),
    head: Effect.sync(() => told)
  } satisfies Partial<BlockApplierService>
}

const results: ReadonlyArray<Mutant<ApplierBench>> = [
  mutant(
    "counts no more than six blocks of a batch",
    "applies batches in order",
    /result: saw {"applied":6/,
    (one) => ({
      apply: (blocks) =>
        Effect.map(one.apply(blocks), (result) => ({ ...result, applied: Math.min(6, result.applied) }))
    })
  ),
  mutant(
    "skips the last block of a batch and counts it",
    "applies batches in order, and tells its head",
    /head: saw .*"level":3.* expected .*"level":4/,
    (one) => ({
      apply: (blocks) =>
        Effect.map(
          one.apply(blocks.slice(0, -1)),
          (result) => result.outcome === "ok" ? { ...result, applied: blocks.length } : result
        )
    })
  ),
  mutant("counts the block that it refuses", "stops before an invalid block, each time", /saw {"applied":5/, (one) => ({
    apply: (blocks) =>
      Effect.map(
        one.apply(blocks),
        (result) => result.outcome === "ok" ? result : { ...result, applied: result.applied + 1 }
      )
  })),
  mutant(
    "takes invalid blocks for transient ones",
    "stops before an invalid block, each time",
    /saw .*"transient".* expected .*"invalid"/,
    (one) => ({
      apply: (blocks) =>
        Effect.map(
          one.apply(blocks),
          (result) => result.outcome === "invalid" ? { ...result, outcome: "transient" as const } : result
        )
    })
  ),
  mutant(
    "takes a transient fault for the last word",
    "goes on after a transient fault has passed",
    /saw .*"invalid".* expected .*"transient"/,
    (one) => ({
      apply: (blocks) =>
        Effect.map(
          one.apply(blocks),
          (result) => result.outcome === "transient" ? { ...result, outcome: "invalid" as const } : result
        )
    })
  ),
  mutant("gives no reason", "stops before an invalid block, each time", /invalid comes with a reason/, (one) => ({
    apply: (blocks) => Effect.map(one.apply(blocks), (result) => ({ ...result, reason: "" }))
  })),
  mutant(
    "applies what is linked to nothing",
    "refuses for now what builds on nothing applied, and tells its head",
    /saw {"applied":2,"outcome":"ok"}/,
    (one) => ({
      apply: (blocks) =>
        Effect.map(
          one.apply(blocks),
          (result) =>
            result.reason.includes("not applied") ? { applied: blocks.length, outcome: "ok", reason: "" } : result
        )
    })
  ),
  mutant("loses the units", "gets every unit, when it asks for bodies", /bytes of units: saw \d+, expected/, (one) => ({
    apply: (blocks) => one.apply(blocks.map(({ header, units }) => ({ header, units: units.slice(1) })))
  }))
]

const moves: ReadonlyArray<Mutant<ApplierBench>> = [
  mutant(
    "forgets to roll back, with one chain",
    "leaves its chain for a higher branch",
    /saw {"applied":0,"outcome":"transient"}/,
    () => ({ rollback: () => Effect.void }),
    "one"
  ),
  mutant(
    "forgets to roll back",
    "rolls back and goes on from there, and tells its head",
    /head: saw .*"level":9.* expected .*"level":6/,
    () => ({ rollback: () => Effect.void })
  ),
  mutant(
    "goes back one too deep",
    "rolls back to its head without a change",
    /saw {"applied":0,"outcome":"transient"}/,
    (one) => ({ rollback: tooDeep(one) }),
    "one"
  ),
  mutant(
    "goes back one too deep, with many branches",
    "rolls back and goes on from there, and holds just that",
    /chain: saw/,
    (one) => ({ rollback: tooDeep(one) })
  ),
  mutant(
    "goes back one too deep the third time",
    "stands where a plain list ends, after any history",
    /head: saw/,
    (one) => {
      let times = 0
      return { rollback: (to) => ++times === 3 ? tooDeep(one)(to) : one.rollback(to) }
    }
  ),
  mutant(
    "tells the head that it had",
    "applies batches in order, and tells its head",
    /head: saw .*"level":0.* expected .*"level":4/,
    (one) => {
      let first: Effect.Success<BlockApplierService["head"]> | undefined
      return { head: Effect.map(one.head, (head) => first ??= head) }
    }
  ),
  mutant(
    "never moves its head",
    "keeps a side branch apart until the head moves there, and tells its head",
    /head: saw .*"level":9.* expected .*"level":11/,
    () => ({ moveHead: () => Effect.void })
  ),
  mutant(
    "moves its head to whatever it applies",
    "keeps a side branch apart until the head moves there, and holds just that",
    /chain: saw/,
    (one) => ({
      apply: (blocks) =>
        Effect.tap(one.apply(blocks), ({ applied }) => {
          const last = blocks[applied - 1]?.header
          return last === undefined ? Effect.void : one.moveHead({ id: last.id, level: last.level })
        })
    })
  ),
  mutant(
    "has one chain and says that it has many",
    "keeps a side branch apart until the head moves there",
    /saw {"applied":0,"outcome":"transient"}/,
    () => ({ branches: "many" }),
    "one"
  )
]

const whole: ReadonlyArray<Mutant<ApplierBench>> = [
  {
    name: "loses count when it is interrupted",
    rejectedBy: "is on its chain after an interruption at any step, and goes on",
    because: /result: saw|head: saw/,
    layer: applierWith("one", (one) => {
      let known = 0
      return {
        apply: blockByBlock(one, (count) => {
          known += count
        }),
        head: Effect.map(one.head, (head) => head === undefined ? head : { ...head, level: known })
      }
    })
  },
  {
    name: "never answers once it was interrupted",
    rejectedBy: "is on its chain after an interruption at any step, and goes on",
    because: "hangs",
    layer: applierWith("many", (one) => {
      let isBusy = false
      const apply = blockByBlock(one, () => undefined)
      return {
        apply: (blocks) =>
          Effect.suspend(() => {
            if (isBusy) return Effect.never
            isBusy = true
            return Effect.tap(apply(blocks), () => Effect.sync(() => (isBusy = false)))
          })
      }
    })
  },
  mutant(
    "applies blocks first and moves its head second",
    "holds just what its head says after an interruption of apply at any step",
    /chain after step \d+, with the head at level 2: saw /,
    (one) => withHeadSecond(one, ["apply"])
  ),
  mutant(
    "undoes blocks first and moves its head second",
    "holds just what its head says after an interruption of rollback at any step",
    /chain after step \d+, with the head at level 8: saw /,
    (one) => withHeadSecond(one, ["rollback"])
  ),
  {
    name: "stays open when its scope has ended",
    rejectedBy: "holds nothing once its scope has ended",
    because: /resources held: saw 3, expected 0/,
    layer: benchWith("many", (bench) => ({
      ...bench,
      make: (base, verdicts) => Scope.provide(bench.make(base, verdicts), Scope.makeUnsafe())
    }))
  }
]

/** All appliers with a fault, each with the check that must reject it. */
export const blockApplierMutants: ReadonlyArray<Mutant<ApplierBench>> = [...results, ...moves, ...whole]
