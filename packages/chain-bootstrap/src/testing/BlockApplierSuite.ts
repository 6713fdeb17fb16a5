/**
 * What every `BlockApplier` must keep, as checks that any test runner can run. A subject says what it can do; what it cannot is left out by name, never in
 * silence.
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Block, BlockId, BlockRef } from "../contract/Block.ts"
import type { ApplierFailed, ApplyResult, BlockApplierService } from "../contract/BlockApplier.ts"
import { makeSyntheticChain, type SyntheticBlock } from "./SyntheticChain.ts"

/** What the applier shall say about some blocks: `invalid` always, `retry` the given number of times. */
export interface ScriptedVerdicts {
  readonly invalid: ReadonlyArray<BlockId>
  readonly retries: ReadonlyMap<BlockId, number>
}

export interface ApplierUnderTest {
  readonly applier: BlockApplierService
  /** What it holds as applied on its chain, lowest first, without the base. Undefined: it keeps nothing to look at. */
  readonly chain: Effect.Effect<ReadonlyArray<BlockId> | undefined>
  /** Bytes of units that it has got so far; undefined when it cannot say. */
  readonly unitBytes: Effect.Effect<number | undefined>
}

export interface BlockApplierSubject {
  readonly name: string
  /** Whether it gives verdicts at all. */
  readonly judges: boolean
  make(base: BlockRef, verdicts: ScriptedVerdicts): Effect.Effect<ApplierUnderTest, ApplierFailed, Scope.Scope>
}

export class ApplierCheckFailed extends Data.TaggedError("ApplierCheckFailed")<{ readonly message: string }> {}

export interface BlockApplierCheck {
  readonly name: string
  /** Leaves the check out when the subject does not judge, or has one branch only. */
  readonly needs: "nothing" | "verdicts" | "branches"
  run(subject: BlockApplierSubject): Effect.Effect<void, ApplierCheckFailed | ApplierFailed, Scope.Scope>
}

const chain = makeSyntheticChain({ seed: 99, levels: 12, unitsPerBlock: 3, forks: [{ from: 6, length: 5 }] })
const branch = chain.forks[0]!
const none: ScriptedVerdicts = { invalid: [], retries: new Map() }

const same = (what: string, actual: unknown, expected: unknown): Effect.Effect<void, ApplierCheckFailed> => {
  const [is, want] = [JSON.stringify(actual), JSON.stringify(expected)]
  return is === want
    ? Effect.void
    : Effect.fail(new ApplierCheckFailed({ message: `${what}: ${is}, expected ${want}` }))
}

const idOf = ({ header }: SyntheticBlock): BlockId => header.id
const refOf = ({ header }: SyntheticBlock): BlockRef => ({ id: header.id, level: header.level })

const blocksOf = (applier: BlockApplierService, blocks: ReadonlyArray<SyntheticBlock>): ReadonlyArray<Block> =>
  blocks.map(({ header, units }) => ({ header, units: applier.needsBodies ? units : [] }))

const applied = Effect.fnUntraced(function*(
  { applier }: ApplierUnderTest,
  blocks: ReadonlyArray<SyntheticBlock>,
  expected: Omit<ApplyResult, "reason">
) {
  const { applied, outcome, reason } = yield* applier.apply(blocksOf(applier, blocks))
  yield* same("result", { applied, outcome }, { applied: expected.applied, outcome: expected.outcome })
  if (outcome !== "ok" && reason === "") {
    return yield* new ApplierCheckFailed({ message: `${outcome} without a reason` })
  }
})

const ok = (count: number): Omit<ApplyResult, "reason"> => ({ applied: count, outcome: "ok" })

/** The applier's head, when it keeps one, and its chain, when it can be looked at. */
const stands = Effect.fnUntraced(
  function*({ applier, chain: look }: ApplierUnderTest, blocks: ReadonlyArray<SyntheticBlock>) {
    const head = yield* applier.head
    if (head !== undefined) {
      yield* same("head", { id: head.id, level: head.level }, refOf(blocks.at(-1) ?? chain.genesis))
    }
    const held = yield* look
    if (held !== undefined) yield* same("chain", held, blocks.map(idOf))
  }
)

const main = (from: number, to: number): ReadonlyArray<SyntheticBlock> => chain.main.slice(from, to + 1)

type Body = (subject: BlockApplierSubject) => Effect.Effect<void, ApplierCheckFailed | ApplierFailed, Scope.Scope>

const checks: ReadonlyArray<readonly [string, BlockApplierCheck["needs"], Body]> = [
  [
    "applies batches in order and tells its head",
    "nothing",
    Effect.fnUntraced(function*(subject) {
      const one = yield* subject.make(chain.base, none)
      yield* stands(one, [])
      yield* applied(one, [], ok(0))
      yield* applied(one, main(1, 4), ok(4))
      yield* stands(one, main(1, 4))
      yield* applied(one, main(5, 5), ok(1))
      yield* applied(one, main(6, 12), ok(7))
      yield* stands(one, main(1, 12))
    })
  ],
  [
    "gets every unit, when it asks for bodies",
    "nothing",
    Effect.fnUntraced(function*(subject) {
      const one = yield* subject.make(chain.base, none)
      yield* applied(one, main(1, 12), ok(12))
      const bytes = yield* one.unitBytes
      const expected = main(1, 12).reduce(
        (sum, { units }) => sum + units.reduce((inner, { length }) => inner + length, 0),
        0
      )
      if (bytes !== undefined) yield* same("bytes", bytes, one.applier.needsBodies ? expected : 0)
    })
  ],
  [
    "rolls back and goes on along another branch",
    "nothing",
    Effect.fnUntraced(function*(subject) {
      const one = yield* subject.make(chain.base, none)
      yield* applied(one, main(1, 9), ok(9))
      yield* one.applier.rollback(refOf(chain.at(6)))
      yield* stands(one, main(1, 6))
      yield* applied(one, branch, ok(5))
      yield* stands(one, [...main(1, 6), ...branch])
      yield* one.applier.rollback(chain.base)
      yield* stands(one, [])
      yield* applied(one, main(1, 2), ok(2))
      yield* stands(one, main(1, 2))
    })
  ],
  [
    "rolls back to its head without a change",
    "nothing",
    Effect.fnUntraced(function*(subject) {
      const one = yield* subject.make(chain.base, none)
      yield* applied(one, main(1, 3), ok(3))
      yield* one.applier.rollback(refOf(chain.at(3)))
      yield* stands(one, main(1, 3))
      yield* applied(one, main(4, 4), ok(1))
    })
  ],
  [
    "stops before an invalid block, each time",
    "verdicts",
    Effect.fnUntraced(function*(subject) {
      const one = yield* subject.make(chain.base, { ...none, invalid: [idOf(chain.at(5))] })
      yield* applied(one, main(1, 8), { applied: 4, outcome: "invalid" })
      yield* stands(one, main(1, 4))
      yield* applied(one, main(5, 8), { applied: 0, outcome: "invalid" })
      yield* stands(one, main(1, 4))
    })
  ],
  [
    "goes on after a transient fault has passed",
    "verdicts",
    Effect.fnUntraced(function*(subject) {
      const one = yield* subject.make(chain.base, { ...none, retries: new Map([[idOf(chain.at(3)), 2]]) })
      yield* applied(one, main(1, 6), { applied: 2, outcome: "transient" })
      yield* applied(one, main(3, 6), { applied: 0, outcome: "transient" })
      yield* applied(one, main(3, 6), ok(4))
      yield* stands(one, main(1, 6))
    })
  ],
  [
    "refuses for now what builds on nothing applied",
    "verdicts",
    Effect.fnUntraced(function*(subject) {
      const one = yield* subject.make(chain.base, none)
      yield* applied(one, main(1, 2), ok(2))
      yield* applied(one, main(4, 5), { applied: 0, outcome: "transient" })
      yield* stands(one, main(1, 2))
    })
  ],
  [
    "keeps a side branch apart until the head moves there",
    "branches",
    Effect.fnUntraced(function*(subject) {
      const one = yield* subject.make(chain.base, none)
      yield* applied(one, main(1, 9), ok(9))
      yield* applied(one, branch.slice(0, 3), ok(3))
      yield* stands(one, main(1, 9))
      yield* applied(one, branch.slice(3), ok(2))
      yield* one.applier.moveHead(refOf(branch.at(-1)!))
      yield* stands(one, [...main(1, 6), ...branch])
      yield* one.applier.forget(idOf(chain.at(7)))
      yield* stands(one, [...main(1, 6), ...branch])
    })
  ]
]

/** All checks. Those that need what a subject does not have are not for it: `applierChecksFor` chooses. */
export const blockApplierSuite: ReadonlyArray<BlockApplierCheck> = checks.map(([name, needs, run]) => ({
  name,
  needs,
  run
}))

export const applierChecksFor = (
  subject: BlockApplierSubject,
  branches: BlockApplierService["branches"]
): ReadonlyArray<BlockApplierCheck> =>
  blockApplierSuite.filter(({ needs }) =>
    needs === "nothing" || (needs === "verdicts" ? subject.judges : branches === "many")
  )
