/**
 * What every `BlockApplier` must keep. Most scenarios are played three times: for the results alone, with the head that the applier tells, and with
 * the chain that can be seen to be applied.
 */
import {
  atEachStep,
  type Check,
  type CheckFailed,
  expectSame,
  expectTrue,
  type Kit,
  SeededRandom,
  suiteOf
} from "@peerstrap/conformance"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Block, BlockId, BlockRef } from "../contract/Block.ts"
import type { ApplierFailed, ApplyResult, BlockApplierService } from "../contract/BlockApplier.ts"
import {
  ApplierBench,
  type ApplierBenchService,
  type ApplierBlocks,
  type ApplierUnderTest,
  type ScriptedVerdicts
} from "./ApplierBench.ts"
import { blockApplierMutants } from "./BlockApplierMutants.ts"

/** What an applier, or the bench that makes it, may lack. */
export const blockApplierCapabilities = {
  verdicts: "gives the verdicts that it is told to give",
  branches: "holds several branches",
  undo: "a rollback takes effect at once, not only with the next blocks",
  "own-head": "keeps a head of its own",
  "visible-chain": "what is applied can be looked at",
  "counted-units": "the units that it got can be counted",
  "counted-resources": "what it holds of the system can be counted",
  interruptible: "goes on after an interrupted call; without it an interrupted applier is gone for good"
} as const

/** What an applier can show to the kit, by name. */
export type BlockApplierCapability = keyof typeof blockApplierCapabilities

type Failure = CheckFailed | ApplierFailed
type Run<A = void> = Effect.Effect<A, Failure, Scope.Scope>

/** The applier must stand where these blocks end, as far as the scenario looks. */
type Stands = (one: ApplierUnderTest, blocks: ReadonlyArray<Block>) => Effect.Effect<void, Failure>
type Scenario = (bench: ApplierBenchService, stands: Stands) => Run

const none: ScriptedVerdicts = { invalid: [], retries: new Map() }
const idOf = ({ header }: Block): BlockId => header.id
const refOf = ({ header }: Block): BlockRef => ({ id: header.id, level: header.level })

/** Blocks of the main chain from one place above the base to another, both included. */
const mainOf = ({ main }: ApplierBlocks, from: number, to: number): ReadonlyArray<Block> => main.slice(from - 1, to)

const given = (applier: BlockApplierService, blocks: ReadonlyArray<Block>): ReadonlyArray<Block> =>
  blocks.map(({ header, units }) => ({ header, units: applier.needsBodies ? units : [] }))

const applies = Effect.fnUntraced(function*(
  { applier }: ApplierUnderTest,
  blocks: ReadonlyArray<Block>,
  expected: Omit<ApplyResult, "reason">
) {
  const result = yield* applier.apply(given(applier, blocks))
  yield* expectSame("result", { applied: result.applied, outcome: result.outcome }, expected)
  if (result.outcome !== "ok") yield* expectTrue(`${result.outcome} comes with a reason`, result.reason !== "")
})

const ok = (count: number): Omit<ApplyResult, "reason"> => ({ applied: count, outcome: "ok" })

const held = <A>(value: A | undefined, capability: BlockApplierCapability): Effect.Effect<A> =>
  value === undefined
    ? Effect.die(new TypeError(`the bench declares ${capability} and does not have it`))
    : Effect.succeed(value)

const headStands = (bench: ApplierBenchService): Stands =>
  Effect.fnUntraced(function*({ applier }, blocks) {
    const { base } = bench.blocks
    const last = blocks.at(-1)
    yield* expectSame(
      "head",
      yield* applier.head,
      last === undefined ? { id: base.id, level: base.level } : refOf(last)
    )
  })

const chainStands: Stands = Effect.fnUntraced(function*({ chain }, blocks) {
  yield* expectSame("chain", yield* (yield* held(chain, "visible-chain")), blocks.map(idOf))
})

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

type BlockApplierCheck = Check<ApplierBench, BlockApplierCapability>
type Needs = ReadonlyArray<BlockApplierCapability>

const at = (run: (bench: ApplierBenchService) => Run): BlockApplierCheck["run"] => Effect.flatMap(ApplierBench, run)

/** One scenario as three checks, or two where an applier that keeps nothing of its own, and so shows nothing, cannot be asked. */
const looked = (
  name: string,
  needs: Needs,
  scenario: Scenario,
  results: "results too" | "looks only" = "results too"
): ReadonlyArray<BlockApplierCheck> => [
  ...(results === "results too" ? [{ name, needs, run: at((bench) => scenario(bench, () => Effect.void)) }] : []),
  {
    name: `${name}, and tells its head`,
    needs: [...needs, "own-head"],
    run: at((bench) => scenario(bench, headStands(bench)))
  },
  {
    name: `${name}, and holds just that`,
    needs: [...needs, "visible-chain"],
    run: at((bench) => scenario(bench, chainStands))
  }
]

/** How far the head is on the main chain; undefined: somewhere else. */
const placeOf = ({ base, main }: ApplierBlocks, head: BlockRef | undefined): number | undefined => {
  if (head === undefined) return undefined
  const place = head.id === base.id ? 0 : main.findIndex(({ header }) => header.id === head.id) + 1
  return place === 0 && head.id !== base.id ? undefined : place
}

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

/** Head and chain of one moment: what an interrupted call still ends in its own time must not come between the two looks. */
const headAndChain = Effect.fnUntraced(function*({ applier, chain }: ApplierUnderTest, maxLooks: number) {
  const visible = yield* held(chain, "visible-chain")
  let head = yield* applier.head
  let ids = yield* visible
  for (let looks = 1; looks < maxLooks; looks++) {
    const later = yield* applier.head
    if (later?.id === head?.id) break
    head = later
    ids = yield* visible
  }
  return { head, ids }
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

/** Blocks on and off by seed, along the main chain and the branch, as on a plain list. */
const history = Effect.fnUntraced(function*(bench: ApplierBenchService) {
  const { blocks } = bench
  const random = new SeededRandom(7)
  const ways = [blocks.main, [...mainOf(blocks, 1, 6), ...blocks.branch]]
  const one = yield* bench.make(blocks.base, none)
  let held: ReadonlyArray<Block> = []
  for (let step = 1; step <= 30; step++) {
    if (held.length > 0 && random.oneIn(3)) {
      held = held.slice(0, random.int(0, held.length))
      yield* one.applier.rollback(held.length === 0 ? blocks.base : refOf(held.at(-1)!))
    } else {
      const way = random.pick(ways.filter((each) => held.every((block, at) => each[at] === block)))
      const next = way.slice(held.length, held.length + random.int(1, 4))
      yield* applies(one, next, ok(next.length))
      held = [...held, ...next]
    }
    yield* headStands(bench)(one, held)
  }
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
  { name: "stands where a plain list ends, after any history", needs: ["own-head", "undo"], run: at(history) },
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
  { name: "holds nothing once its scope has ended", needs: ["counted-resources"], run: at(leavesNothing) }
]

/** The kit of `BlockApplier`. */
export const blockApplierKit: Kit<ApplierBench, BlockApplierCapability> = {
  contract: "BlockApplier",
  capabilities: blockApplierCapabilities,
  checks,
  mutants: blockApplierMutants
}

/** `blockApplierSuite("archive", archiveBench, { capabilities, test: it })`. */
export const blockApplierSuite = suiteOf(blockApplierKit)
