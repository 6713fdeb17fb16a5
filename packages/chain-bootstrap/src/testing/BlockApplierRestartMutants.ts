/** Appliers that are right until they end: what each does wrong happens at a restart or a kill, or comes to light there. */
import type { Mutant } from "@peerstrap/conformance"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Block, BlockId, BlockRef } from "../contract/Block.ts"
import type { ApplierFailed, BlockApplierService } from "../contract/BlockApplier.ts"
import {
  ApplierBench,
  type ApplierUnderTest,
  restartable,
  simulatorBench,
  syntheticApplierBlocks
} from "./ApplierBench.ts"
import { blockByBlock, changed, tooDeep } from "./BlockApplierMutants.ts"

type End = "restart" | "kill"
type Opened = Effect.Effect<Partial<ApplierUnderTest>, ApplierFailed>

/**
 * Opens one over what is kept, which is a right applier, for the `nth` time (0: the first), after the given end: answers what is other about it. It may
 * change what is kept, too.
 */
type Opens = (kept: ApplierUnderTest, nth: number, end: End) => Opened

const { base, branch, main } = syntheticApplierBlocks
const nothing: Partial<ApplierUnderTest> = {}

/** `makeOpens`: once for each applier that a check makes, so that what it remembers is of that one alone. */
const mutant = (
  name: string,
  rejectedBy: string,
  because: RegExp,
  makeOpens: () => Opens,
  branches: BlockApplierService["branches"] = "one"
): Mutant<ApplierBench> => ({
  name,
  rejectedBy,
  because,
  layer: Layer.effect(
    ApplierBench,
    Effect.map(ApplierBench, (bench): ApplierBench["Service"] => ({
      ...bench,
      make: Effect.fnUntraced(function*(base, verdicts) {
        const kept = yield* bench.make(base, verdicts)
        const opens = makeOpens()
        let nth = 0
        let end: End = "restart"
        const open = Effect.suspend(() => Effect.map(opens(kept, nth++, end), (other) => ({ ...kept, ...other })))
        const ended = (one: ApplierUnderTest): ApplierUnderTest => ({
          ...one,
          restart: Effect.suspend(() => {
            end = "restart"
            return Effect.map(one.restart!, ended)
          }),
          kill: Effect.suspend(() => {
            end = "kill"
            return Effect.map(one.kill!, ended)
          })
        })
        return ended(yield* restartable(open, () => Effect.void))
      })
    }))
  ).pipe(Layer.provide(simulatorBench(branches)))
})

/** Once for each end: changes what is kept, with nothing else wrong. */
const spoils =
  (spoil: (applier: BlockApplierService, nth: number, end: End) => Effect.Effect<void, ApplierFailed>) =>
  () =>
  (kept: ApplierUnderTest, nth: number, end: End): Opened =>
    nth === 0 ? Effect.succeed(nothing) : Effect.as(spoil(kept.applier, nth, end), nothing)

/** The block below its head is its head, unless it has none but the base. */
const losesLast = (applier: BlockApplierService): Effect.Effect<void, ApplierFailed> =>
  Effect.flatMap(applier.head, (head) => head!.id === base.id ? Effect.void : tooDeep(applier)(head!))

const told = (head: BlockRef | undefined): Partial<BlockApplierService> => ({ head: Effect.succeed(head) })
const refOf = ({ header: { id, level } }: Block): BlockRef => ({ id, level })

/** Tells its former head until it applies something. */
const boasting = (applier: BlockApplierService, former: BlockRef): BlockApplierService => {
  let isFresh = true
  return changed(applier, (one) => ({
    head: Effect.suspend(() => isFresh ? Effect.succeed(former) : one.head),
    apply: (blocks) =>
      Effect.tap(one.apply(blocks), ({ applied }) => Effect.sync(() => void (isFresh &&= applied === 0)))
  }))
}

const appliers: ReadonlyArray<Mutant<ApplierBench>> = [
  mutant(
    "forgets its last block over a restart",
    "goes on after a restart, and tells its head",
    /head: saw .*"level":3.* expected .*"level":4/,
    spoils(losesLast)
  ),
  mutant(
    "begins at the base again after a restart",
    "goes on after a restart, and holds just that",
    /chain: saw \[\], expected \["/,
    spoils((applier) => applier.rollback(base))
  ),
  mutant(
    "tells a head that it does not have, after a restart",
    "goes on after a restart",
    /result: saw {"applied":0,"outcome":"transient"}/,
    () => (kept, nth) =>
      nth === 0 ? Effect.succeed(nothing) : Effect.gen(function*() {
        const former = (yield* kept.applier.head)!
        yield* losesLast(kept.applier)
        return { applier: boasting(kept.applier, former) }
      })
  ),
  mutant(
    "has no head of its own any more after a restart",
    "goes on after a restart",
    /has a head of its own after a restart: saw false, expected true/,
    () => (kept, nth) => Effect.succeed(nth === 0 ? nothing : { applier: changed(kept.applier, () => told(undefined)) })
  ),
  mutant(
    "applies its last block twice over a restart",
    "goes on after a restart, and holds just that",
    /chain: saw .*"([0-9a-f]+)","\1"/,
    () => (kept, nth) =>
      nth === 0 ? Effect.succeed(nothing) : Effect.map(kept.applier.head, (last) => ({
        chain: Effect.map(kept.chain!, (ids) => ids.flatMap((id) => id === last!.id ? [id, id] : [id]))
      }))
  ),
  mutant(
    "goes back one too deep at its fourth restart",
    "stands where a plain list ends, after any history with restarts",
    /head: saw/,
    spoils((applier, nth) => nth === 4 ? losesLast(applier) : Effect.void)
  ),
  mutant(
    "writes what it has done at its end only",
    "goes on after a kill, and tells its head",
    /head: saw .*"level":0.* expected .*"level":4/,
    () => {
      let written: BlockRef = base
      return Effect.fnUntraced(function*({ applier }, nth, end) {
        if (nth > 0 && end === "kill") {
          yield* applier.rollback(written)
        } else written = (yield* applier.head)!
        return nothing
      })
    }
  ),
  mutant(
    "loses a move of its head when it is killed",
    "is where its head moved after a kill, and tells its head",
    /head: saw .*"level":9.* expected .*"level":10/,
    () => keepsTheFirst("kill"),
    "many"
  )
]

/** A move of the head lasts until the given end. */
const keepsTheFirst = (lasting: End): Opens => {
  let before: BlockRef | undefined
  return Effect.fnUntraced(function*({ applier }, _, end) {
    if (before !== undefined && end === lasting) yield* applier.moveHead(before)
    return {
      applier: changed(applier, (one) => ({
        moveHead: (to) =>
          Effect.gen(function*() {
            before = yield* one.head
            yield* one.moveHead(to)
          })
      }))
    }
  })
}

/** Undoes at once in what it tells, and in what it keeps with the next blocks. */
const undoesLate = (): Opens => ({ applier, chain }) => {
  let to: BlockRef | undefined
  const undone = Effect.suspend(() => to === undefined ? Effect.void : applier.rollback(to))
  return Effect.succeed({
    applier: changed(applier, (one) => ({
      head: Effect.suspend(() => to === undefined ? one.head : Effect.succeed(to)),
      rollback: (place) => Effect.sync(() => void (to = place)),
      apply: (blocks) =>
        Effect.andThen(
          undone,
          Effect.suspend(() => {
            to = undefined
            return one.apply(blocks)
          })
        )
    })),
    chain: Effect.map(chain!, (ids) => to === undefined ? ids : ids.slice(0, to.level - base.level))
  })
}

/** Reads what it was given first at each level, as a log that is never cut. */
const replaysTheFirst = (): Opens => {
  const first = new Map<number, Block>()
  return Effect.fnUntraced(function*({ applier }, nth) {
    const head = (yield* applier.head)!
    const lost = branch.findIndex(({ header }) => header.id === head.id)
    if (nth > 0 && lost >= 0) {
      yield* applier.rollback(refOf(main[5]!))
      yield* applier.apply([...first.values()].filter(({ header: { level } }) => level > main[5]!.header.level))
    }
    return {
      applier: changed(applier, (one) => ({
        apply: (blocks) =>
          Effect.suspend(() => {
            for (const block of blocks) {
              if (!first.has(block.header.level) && !branch.includes(block)) first.set(block.header.level, block)
            }
            return one.apply(blocks)
          })
      }))
    }
  })
}

const moves: ReadonlyArray<Mutant<ApplierBench>> = [
  mutant(
    "loses a move of its head over a restart",
    "is where its head moved after a restart, and tells its head",
    /head: saw .*"level":9.* expected .*"level":10/,
    () => keepsTheFirst("restart"),
    "many"
  ),
  mutant(
    "has again after a restart what it undid",
    "has not what it undid after a restart, and holds just that",
    /chain: saw/,
    undoesLate
  ),
  mutant(
    "is on its old chain again after a restart",
    "is on the branch that it went to after a restart, and tells its head",
    /head: saw .*"level":9.* expected .*"level":10/,
    replaysTheFirst
  )
]

/** Keeps nothing of its own: tells no head, and takes a block twice. */
const headless = (kept: ApplierUnderTest): BlockApplierService => changed(kept.applier, () => told(undefined))

const withoutHead: ReadonlyArray<Mutant<ApplierBench>> = [
  mutant(
    "has no head of its own, and after a restart refuses what it got before",
    "goes on after a restart",
    /result: saw {"applied":0,"outcome":"transient"}, expected {"applied":3/,
    () => (kept, nth) => {
      const applier = headless(kept)
      return nth === 0 ? Effect.succeed({ applier }) : Effect.map(kept.chain!, (before) => ({
        applier: changed(applier, (one) => ({
          apply: (blocks) =>
            blocks.some(({ header }) => before.includes(header.id))
              ? Effect.succeed({ applied: 0, outcome: "transient", reason: "it has been here before" })
              : one.apply(blocks)
        }))
      }))
    }
  ),
  mutant(
    "has no head of its own, and applies again after a restart what it got before",
    "goes on after a restart, and holds just that",
    /chain: saw .*"([0-9a-f]+)","\1"/,
    () => {
      const applied: Array<BlockId> = []
      return (kept) =>
        Effect.succeed({
          applier: changed(headless(kept), (one) => ({
            apply: (blocks) => {
              applied.push(...blocks.map(({ header }) => header.id))
              return one.apply(blocks)
            }
          })),
          chain: Effect.sync(() => applied.toSorted((a, b) => levelOf(a) - levelOf(b)))
        })
    }
  ),
  mutant(
    "has no head of its own, and tells one after a restart",
    "goes on after a restart",
    /has a head of its own after a restart: saw true, expected false/,
    () => (kept, nth) => Effect.succeed({ applier: nth === 0 ? headless(kept) : kept.applier })
  )
]

const levelOf = (id: BlockId): number => [...main, ...branch].find(({ header }) => header.id === id)?.header.level ?? 0

/** Writes down where it will be, then goes there; after its end it believes what is written. */
const intends = (): Opens => {
  let written: BlockRef | undefined
  return ({ applier }) => {
    const intended = written
    written = undefined
    return Effect.succeed({
      applier: changed(intended === undefined ? applier : boasting(applier, intended), (one) => {
        const apply = blockByBlock(one, () => undefined)
        return {
          apply: (blocks) =>
            Effect.suspend(() => {
              written = blocks.length === 0 ? undefined : refOf(blocks.at(-1)!)
              return Effect.tap(apply(blocks), () => Effect.sync(() => void (written = undefined)))
            })
        }
      })
    })
  }
}

/** All since it was opened is one transaction, which ends with a call that is not interrupted. */
const oneTransaction = (): Opens => {
  let isUnderWay = false
  return Effect.fnUntraced(function*({ applier }) {
    if (isUnderWay) yield* applier.rollback(base)
    isUnderWay = false
    return {
      applier: changed(applier, (one) => {
        const apply = blockByBlock(one, () => undefined)
        return {
          apply: (blocks) =>
            Effect.suspend(() => {
              isUnderWay = true
              return Effect.tap(apply(blocks), () => Effect.sync(() => void (isUnderWay = false)))
            })
        }
      })
    }
  })
}

/** Knows where it is while it lives; what is written of it comes a turn after what it undid. */
const writesLate = (): Opens => {
  let written: BlockRef | undefined
  return ({ applier }) => {
    const stale = written
    return Effect.succeed({
      applier: changed(stale === undefined ? applier : boasting(applier, stale), (one) => ({
        rollback: (to) =>
          Effect.gen(function*() {
            written = yield* one.head
            yield* one.rollback(to)
            yield* Effect.yieldNow
            written = undefined
          })
      }))
    })
  }
}

const interrupted: ReadonlyArray<Mutant<ApplierBench>> = [
  mutant(
    "takes an interrupted batch for done after a restart",
    "has what it answered for after an interruption of apply at any step and a restart, and goes on",
    /chain after step \d+, with the head at level 8: saw /,
    intends
  ),
  mutant(
    "loses with an interrupted batch the one before",
    "has what it answered for after an interruption of apply at any step and a kill, and goes on",
    /head at level 0 after step \d+: at or above level 2/,
    oneTransaction
  ),
  mutant(
    "notes after what it undid where it is",
    "is on its chain after an interruption of rollback at any step and a restart, and goes on",
    /chain after step \d+, with the head at level 8: saw /,
    writesLate
  )
]

/** Appliers that come out of a restart or a kill with a fault. */
export const blockApplierRestartMutants: ReadonlyArray<Mutant<ApplierBench>> = [
  ...appliers,
  ...moves,
  ...withoutHead,
  ...interrupted
]
