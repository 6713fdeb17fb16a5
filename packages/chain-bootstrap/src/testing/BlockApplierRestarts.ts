/** What an applier must keep over its own end: it is stopped or killed, and made again over what is left, as a run after the last one does it. */
import { atEachStep, expectSame, expectTrue } from "@peerstrap/conformance"
import * as Effect from "effect/Effect"
import type { Block } from "../contract/Block.ts"
import type { ApplierFailed, BlockApplierService } from "../contract/BlockApplier.ts"
import type { ApplierBenchService, ApplierBlocks, ApplierUnderTest } from "./ApplierBench.ts"
import {
  applies,
  at,
  type BlockApplierCheck,
  given,
  headAndChain,
  held,
  history,
  idOf,
  looked,
  mainOf,
  none,
  ok,
  placeOf,
  refOf,
  type Run,
  type Scenario
} from "./BlockApplierScenario.ts"

type End = "restart" | "kill"

/** The next one, which has a head of its own if the last one had. */
const again = Effect.fnUntraced(function*(one: ApplierUnderTest, end: End) {
  const had = (yield* one.applier.head) !== undefined
  const next = yield* yield* held(one[end], end)
  yield* expectSame(`has a head of its own after a ${end}`, (yield* next.applier.head) !== undefined, had)
  return next
})

/**
 * The rest of some blocks, of which `done` are applied. Who has no head of its own gets two of those again: the store may not have recorded them before
 * the end.
 */
const goesOn = Effect.fnUntraced(function*(one: ApplierUnderTest, blocks: ReadonlyArray<Block>, done: number) {
  const overlap = (yield* one.applier.head) === undefined ? 2 : 0
  const rest = blocks.slice(Math.max(0, done - overlap))
  yield* applies(one, rest, ok(rest.length))
})

const continues = (end: End): Scenario =>
  Effect.fnUntraced(function*(bench, stands) {
    const { blocks } = bench
    let one = yield* again(yield* bench.make(blocks.base, none), end)
    yield* stands(one, [])
    let done = 0
    for (const to of [4, 5, 12]) {
      yield* goesOn(one, mainOf(blocks, 1, to), done)
      one = yield* again(one, end)
      yield* stands(one, mainOf(blocks, 1, to))
      done = to
    }
    yield* stands(yield* again(one, end), mainOf(blocks, 1, 12))
  })

const staysOnBranch = (end: End): Scenario =>
  Effect.fnUntraced(function*(bench, stands) {
    const { blocks } = bench
    const { branch } = blocks
    const one = yield* bench.make(blocks.base, none)
    yield* applies(one, mainOf(blocks, 1, 9), ok(9))
    yield* one.applier.rollback(refOf(blocks.main[5]!))
    yield* applies(one, branch.slice(0, 4), ok(4))
    const next = yield* again(one, end)
    yield* stands(next, [...mainOf(blocks, 1, 6), ...branch.slice(0, 4)])
    yield* goesOn(next, branch, 4)
    yield* stands(next, [...mainOf(blocks, 1, 6), ...branch])
  })

const staysUndone = (end: End): Scenario =>
  Effect.fnUntraced(function*(bench, stands) {
    const { blocks } = bench
    let one = yield* bench.make(blocks.base, none)
    yield* applies(one, mainOf(blocks, 1, 9), ok(9))
    yield* one.applier.rollback(refOf(blocks.main[5]!))
    one = yield* again(one, end)
    yield* stands(one, mainOf(blocks, 1, 6))
    yield* goesOn(one, mainOf(blocks, 1, 8), 6)
    yield* one.applier.rollback(blocks.base)
    one = yield* again(one, end)
    yield* stands(one, [])
    yield* goesOn(one, mainOf(blocks, 1, 2), 0)
    yield* stands(one, mainOf(blocks, 1, 2))
  })

/** What of a side branch was given before the end is given again: the store knows only what is applied on the head's chain. */
const movesItsHead = (end: End): Scenario =>
  Effect.fnUntraced(function*(bench, stands) {
    const { blocks } = bench
    const { branch } = blocks
    let one = yield* bench.make(blocks.base, none)
    yield* applies(one, mainOf(blocks, 1, 9), ok(9))
    yield* applies(one, branch.slice(0, 3), ok(3))
    one = yield* again(one, end)
    yield* stands(one, mainOf(blocks, 1, 9))
    yield* applies(one, branch.slice(0, 4), ok(4))
    yield* one.applier.moveHead(refOf(branch[3]!))
    one = yield* again(one, end)
    yield* stands(one, [...mainOf(blocks, 1, 6), ...branch.slice(0, 4)])
    yield* goesOn(one, branch, 4)
    yield* stands(one, [...mainOf(blocks, 1, 6), ...branch])
  })

/** Each of the first few steps; later ones farther apart, so that an applier behind a socket or a pipe is not ended hundreds of times. */
const fartherApart = (step: number): number => step < 4 ? step + 1 : 2 * step

/**
 * A call that is interrupted after `answered` blocks were applied, then the end: what was answered for is there, what is told is what is there, and the
 * rest of `whole` blocks can follow.
 */
const afterInterruption = (
  end: End,
  { answered, call, least, whole }: {
    readonly answered: number
    readonly call: (applier: BlockApplierService, blocks: ApplierBlocks) => Effect.Effect<unknown, ApplierFailed>
    /** Where its head may be: how far down at least when the call was interrupted, and when it was not. */
    readonly least: (isWhole: boolean) => number
    readonly whole: number
  }
): (bench: ApplierBenchService) => Run =>
  Effect.fnUntraced(function*(bench) {
    const { blocks } = bench
    const fresh = Effect.gen(function*() {
      const made = yield* bench.make(blocks.base, none)
      yield* applies(made, mainOf(blocks, 1, answered), ok(answered))
      return made
    })
    let one = yield* fresh
    const look = Effect.fnUntraced(function*(step: number, isWhole: boolean) {
      const next = yield* yield* held(one[end], end)
      const head = yield* next.applier.head
      const place = head === undefined ? answered : placeOf(blocks, head)
      if (place === undefined) return yield* expectTrue(`head on the chain after step ${step}`, false)
      yield* expectTrue(
        `head at level ${head?.level} after step ${step}: at or above level ${least(isWhole)}`,
        head === undefined || place >= least(isWhole)
      )
      if (next.chain !== undefined && head !== undefined) {
        const seen = yield* headAndChain(next, blocks.main.length)
        const expected = mainOf(blocks, 1, placeOf(blocks, seen.head) ?? 0).map(idOf)
        yield* expectSame(`chain after step ${step}, with the head at level ${seen.head?.level}`, seen.ids, expected)
      }
      const rest = mainOf(blocks, place + 1, whole)
      yield* applies(next, rest, ok(rest.length))
      if (head !== undefined) yield* expectSame("head", yield* next.applier.head, refOf(blocks.main[whole - 1]!))
      if (next.chain !== undefined) {
        yield* expectSame("chain", yield* next.chain, mainOf(blocks, 1, whole).map(idOf))
      }
      one = yield* fresh
    })
    yield* atEachStep(Effect.suspend(() => call(one.applier, blocks)), look, fartherApart)
  })

const applyCut = (end: End) =>
  afterInterruption(end, {
    answered: 2,
    call: (applier, blocks) => applier.apply(given(applier, mainOf(blocks, 3, 8))),
    least: (isWhole) => isWhole ? 8 : 2,
    whole: 8
  })

const rollbackCut = (end: End) =>
  afterInterruption(end, {
    answered: 8,
    call: (applier, { main }) => applier.rollback(refOf(main[1]!)),
    least: () => 2,
    whole: 9
  })

const kept = (end: End): ReadonlyArray<BlockApplierCheck> => [
  ...looked(`goes on after a ${end}`, [end], continues(end)),
  ...looked(`is on the branch that it went to after a ${end}`, [end], staysOnBranch(end)),
  ...looked(`has not what it undid after a ${end}`, [end, "undo"], staysUndone(end)),
  ...looked(`is where its head moved after a ${end}`, [end, "branches"], movesItsHead(end)),
  {
    name: `has what it answered for after an interruption of apply at any step and a ${end}, and goes on`,
    needs: [end],
    run: at(applyCut(end))
  }
]

/** Checks of appliers that can be ended and made again. */
export const restartChecks: ReadonlyArray<BlockApplierCheck> = [
  ...kept("restart"),
  ...kept("kill"),
  {
    name: "is on its chain after an interruption of rollback at any step and a restart, and goes on",
    needs: ["restart", "own-head", "visible-chain", "undo"],
    run: at(rollbackCut("restart"))
  },
  {
    name: "stands where a plain list ends, after any history with restarts",
    needs: ["restart", "own-head", "undo"],
    run: at(history((one, random) => random.oneIn(4) ? again(one, "restart") : Effect.succeed(one)))
  }
]
