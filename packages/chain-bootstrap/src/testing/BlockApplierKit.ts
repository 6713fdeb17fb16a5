/**
 * What every `BlockApplier` must keep. Most scenarios are played three times: for the results alone, with the head that the applier tells, and with
 * the chain that can be seen to be applied.
 */
import { atEachStep, expectSame, expectTrue, type Kit, suiteOf } from "@peerstrap/conformance"
import * as Effect from "effect/Effect"
import type { ApplierFailed, BlockApplierService } from "../contract/BlockApplier.ts"
import type { ApplierBench, ApplierBenchService, ApplierBlocks } from "./ApplierBench.ts"
import { blockApplierMutants } from "./BlockApplierMutants.ts"
import { blockApplierRestartMutants } from "./BlockApplierRestartMutants.ts"
import { restartChecks } from "./BlockApplierRestarts.ts"
import {
  applies,
  at,
  blockApplierCapabilities,
  type BlockApplierCapability,
  type BlockApplierCheck,
  chainStands,
  given,
  headAndChain,
  headStands,
  held,
  history,
  idOf,
  looked,
  mainOf,
  none,
  ok,
  placeOf,
  refOf,
  type Scenario
} from "./BlockApplierScenario.ts"

export { blockApplierCapabilities, type BlockApplierCapability } from "./BlockApplierScenario.ts"

const inOrder: Scenario = Effect.fnUntraced(function*(bench, stands) {
  const { blocks } = bench
  const one = yield* bench.make(blocks.base, none)
  yield* stands(one, [])
  yield* applies(one, [], ok(0))
  yield* applies(one, mainOf(blocks, 1, 4), ok(4))
  yield* stands(one, mainOf(blocks, 1, 4))
  yield* applies(one, mainOf(blocks, 5, 5), ok(1))
  yield* applies(one, mainOf(blocks, 6, 12), ok(7))
  yield* stands(one, mainOf(blocks, 1, 12))
})

/** An older block, from there the other branch, which ends higher than what was undone. */
const otherBranch: Scenario = Effect.fnUntraced(function*(bench, stands) {
  const { blocks } = bench
  const one = yield* bench.make(blocks.base, none)
  yield* applies(one, mainOf(blocks, 1, 9), ok(9))
  yield* one.applier.rollback(refOf(blocks.main[5]!))
  yield* applies(one, blocks.branch, ok(5))
  yield* stands(one, [...mainOf(blocks, 1, 6), ...blocks.branch])
})

const undoes: Scenario = Effect.fnUntraced(function*(bench, stands) {
  const { blocks } = bench
  const one = yield* bench.make(blocks.base, none)
  yield* applies(one, mainOf(blocks, 1, 9), ok(9))
  yield* one.applier.rollback(refOf(blocks.main[5]!))
  yield* stands(one, mainOf(blocks, 1, 6))
  yield* applies(one, blocks.branch.slice(0, 2), ok(2))
  yield* one.applier.rollback(blocks.base)
  yield* stands(one, [])
  yield* applies(one, mainOf(blocks, 1, 2), ok(2))
  yield* stands(one, mainOf(blocks, 1, 2))
})

const undoesNothing: Scenario = Effect.fnUntraced(function*(bench, stands) {
  const { blocks } = bench
  const one = yield* bench.make(blocks.base, none)
  yield* applies(one, mainOf(blocks, 1, 3), ok(3))
  yield* one.applier.rollback(refOf(blocks.main[2]!))
  yield* stands(one, mainOf(blocks, 1, 3))
  yield* applies(one, mainOf(blocks, 4, 4), ok(1))
})

const stopsBeforeInvalid: Scenario = Effect.fnUntraced(function*(bench, stands) {
  const { blocks } = bench
  const one = yield* bench.make(blocks.base, { ...none, invalid: [idOf(blocks.main[4]!)] })
  yield* applies(one, mainOf(blocks, 1, 8), { applied: 4, outcome: "invalid" })
  yield* stands(one, mainOf(blocks, 1, 4))
  yield* applies(one, mainOf(blocks, 5, 8), { applied: 0, outcome: "invalid" })
  yield* stands(one, mainOf(blocks, 1, 4))
})

const goesOnAfterTransient: Scenario = Effect.fnUntraced(function*(bench, stands) {
  const { blocks } = bench
  const one = yield* bench.make(blocks.base, { ...none, retries: new Map([[idOf(blocks.main[2]!), 2]]) })
  yield* applies(one, mainOf(blocks, 1, 6), { applied: 2, outcome: "transient" })
  yield* stands(one, mainOf(blocks, 1, 2))
  yield* applies(one, mainOf(blocks, 3, 6), { applied: 0, outcome: "transient" })
  yield* applies(one, mainOf(blocks, 3, 6), ok(4))
  yield* stands(one, mainOf(blocks, 1, 6))
})

const refusesTheUnlinked: Scenario = Effect.fnUntraced(function*(bench, stands) {
  const { blocks } = bench
  const one = yield* bench.make(blocks.base, none)
  yield* applies(one, mainOf(blocks, 1, 2), ok(2))
  yield* applies(one, mainOf(blocks, 4, 5), { applied: 0, outcome: "transient" })
  yield* stands(one, mainOf(blocks, 1, 2))
})

const keepsBranchesApart: Scenario = Effect.fnUntraced(function*(bench, stands) {
  const { blocks } = bench
  const { branch } = blocks
  const one = yield* bench.make(blocks.base, none)
  yield* expectSame("branches", one.applier.branches, "many")
  yield* applies(one, mainOf(blocks, 1, 9), ok(9))
  yield* applies(one, branch.slice(0, 3), ok(3))
  yield* stands(one, mainOf(blocks, 1, 9))
  yield* applies(one, branch.slice(3), ok(2))
  yield* one.applier.moveHead(refOf(branch.at(-1)!))
  yield* stands(one, [...mainOf(blocks, 1, 6), ...branch])
  yield* one.applier.forget(idOf(blocks.main[6]!))
  yield* stands(one, [...mainOf(blocks, 1, 6), ...branch])
})

/** Six blocks, interrupted at each step: what is done is done, what is not is not, and the rest can follow. */
const interrupted = Effect.fnUntraced(function*(bench: ApplierBenchService) {
  const { blocks } = bench
  let one = yield* bench.make(blocks.base, none)
  yield* atEachStep(
    Effect.suspend(() => one.applier.apply(given(one.applier, mainOf(blocks, 1, 6)))),
    (step) =>
      Effect.gen(function*() {
        const place = placeOf(blocks, yield* one.applier.head)
        if (place === undefined || place > 6) return yield* expectTrue(`head on the chain after step ${step}`, false)
        if (place < 6) yield* applies(one, mainOf(blocks, place + 1, 6), ok(6 - place))
        yield* headStands(bench)(one, mainOf(blocks, 1, 6))
        if (one.chain !== undefined) yield* chainStands(one, mainOf(blocks, 1, 6))
        one = yield* bench.make(blocks.base, none)
      })
  )
})

/**
 * An applier with some blocks, and a call that is interrupted at each step: the head and what a reader sees must agree at once, before a further
 * call could mend what was half done.
 */
const agreesAfter = (
  count: number,
  call: (applier: BlockApplierService, blocks: ApplierBlocks) => Effect.Effect<unknown, ApplierFailed>
) =>
  Effect.fnUntraced(function*(bench: ApplierBenchService) {
    const { blocks } = bench
    const fresh = Effect.gen(function*() {
      const made = yield* bench.make(blocks.base, none)
      yield* applies(made, mainOf(blocks, 1, count), ok(count))
      return made
    })
    let one = yield* fresh
    yield* atEachStep(
      Effect.suspend(() => call(one.applier, blocks)),
      (step) =>
        Effect.gen(function*() {
          const { head, ids } = yield* headAndChain(one, blocks.main.length)
          const place = placeOf(blocks, head)
          if (place === undefined) return yield* expectTrue(`head on the chain after step ${step}`, false)
          yield* expectSame(
            `chain after step ${step}, with the head at level ${head?.level}`,
            ids,
            mainOf(blocks, 1, place).map(idOf)
          )
          one = yield* fresh
        })
    )
  })

const agreesAfterApply = agreesAfter(
  2,
  (applier, blocks) => applier.apply(given(applier, mainOf(blocks, 3, 8)))
)
const agreesAfterRollback = agreesAfter(8, (applier, { main }) => applier.rollback(refOf(main[1]!)))

const unitsArrive = Effect.fnUntraced(function*(bench: ApplierBenchService) {
  const { blocks } = bench
  const one = yield* bench.make(blocks.base, none)
  yield* applies(one, mainOf(blocks, 1, 12), ok(12))
  const expected = mainOf(blocks, 1, 12).flatMap(({ units }) => units).reduce((sum, { length }) => sum + length, 0)
  const bytes = yield* (yield* held(one.unitBytes, "counted-units"))
  yield* expectSame("bytes of units", bytes, one.applier.needsBodies ? expected : 0)
})

const leavesNothing = Effect.fnUntraced(function*(bench: ApplierBenchService) {
  const { blocks } = bench
  const resources = yield* held(bench.resources, "counted-resources")
  const before = yield* resources
  const use = Effect.fnUntraced(function*() {
    const one = yield* bench.make(blocks.base, none)
    yield* applies(one, mainOf(blocks, 1, 3), ok(3))
  })
  for (let time = 0; time < 3; time++) yield* Effect.scoped(use())
  yield* expectSame("resources held", yield* resources, before)
})

const checks: ReadonlyArray<BlockApplierCheck> = [
  ...looked("applies batches in order", [], inOrder),
  { name: "gets every unit, when it asks for bodies", needs: ["counted-units"], run: at(unitsArrive) },
  ...looked("leaves its chain for a higher branch", [], otherBranch),
  ...looked("rolls back and goes on from there", ["undo"], undoes),
  ...looked("rolls back to its head without a change", [], undoesNothing),
  ...looked("stops before an invalid block, each time", ["verdicts"], stopsBeforeInvalid),
  ...looked("goes on after a transient fault has passed", ["verdicts"], goesOnAfterTransient),
  ...looked("refuses for now what builds on nothing applied", [], refusesTheUnlinked, "looks only"),
  ...looked("keeps a side branch apart until the head moves there", ["branches"], keepsBranchesApart),
  { name: "stands where a plain list ends, after any history", needs: ["own-head", "undo"], run: at(history()) },
  {
    name: "is on its chain after an interruption at any step, and goes on",
    needs: ["own-head", "interruptible"],
    run: at(interrupted)
  },
  {
    name: "holds just what its head says after an interruption of apply at any step",
    needs: ["own-head", "visible-chain", "interruptible"],
    run: at(agreesAfterApply)
  },
  {
    name: "holds just what its head says after an interruption of rollback at any step",
    needs: ["own-head", "visible-chain", "interruptible", "undo"],
    run: at(agreesAfterRollback)
  },
  { name: "holds nothing once its scope has ended", needs: ["counted-resources"], run: at(leavesNothing) },
  ...restartChecks
]

/** The kit of `BlockApplier`. */
export const blockApplierKit: Kit<ApplierBench, BlockApplierCapability> = {
  contract: "BlockApplier",
  capabilities: blockApplierCapabilities,
  checks,
  mutants: [...blockApplierMutants, ...blockApplierRestartMutants]
}

/** `blockApplierSuite("archive", archiveBench, { capabilities, test: it })`. */
export const blockApplierSuite = suiteOf(blockApplierKit)
