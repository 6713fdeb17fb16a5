/** What the scenarios of appliers are made of, and how one becomes several checks. */
import { type Check, type CheckFailed, expectSame, expectTrue, SeededRandom } from "@peerstrap/conformance"
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

/** What an applier, or the bench that makes it, may lack. */
export const blockApplierCapabilities = {
  verdicts: "gives the verdicts that it is told to give",
  branches: "holds several branches",
  undo: "a rollback takes effect at once, not only with the next blocks",
  "own-head": "keeps a head of its own",
  "visible-chain": "what is applied can be looked at",
  "counted-units": "the units that it got can be counted",
  "counted-resources": "what it holds of the system can be counted",
  interruptible: "goes on after an interrupted call; without it an interrupted applier is gone for good",
  restart: "can be stopped, and made again over what it keeps",
  kill: "can be ended as a kill does it, with nothing done at its end, and made again over what it keeps"
} as const

/** What an applier can show to the kit, by name. */
export type BlockApplierCapability = keyof typeof blockApplierCapabilities

type Failure = CheckFailed | ApplierFailed
export type Run<A = void> = Effect.Effect<A, Failure, Scope.Scope>

/** The applier must stand where these blocks end, as far as the scenario looks. */
export type Stands = (one: ApplierUnderTest, blocks: ReadonlyArray<Block>) => Effect.Effect<void, Failure>
export type Scenario = (bench: ApplierBenchService, stands: Stands) => Run

export const none: ScriptedVerdicts = { invalid: [], retries: new Map() }
export const idOf = ({ header }: Block): BlockId => header.id
export const refOf = ({ header }: Block): BlockRef => ({ id: header.id, level: header.level })

/** Blocks of the main chain from one place above the base to another, both included. */
export const mainOf = ({ main }: ApplierBlocks, from: number, to: number): ReadonlyArray<Block> =>
  main.slice(from - 1, to)

export const given = (applier: BlockApplierService, blocks: ReadonlyArray<Block>): ReadonlyArray<Block> =>
  blocks.map(({ header, units }) => ({ header, units: applier.needsBodies ? units : [] }))

export const applies = Effect.fnUntraced(function*(
  { applier }: ApplierUnderTest,
  blocks: ReadonlyArray<Block>,
  expected: Omit<ApplyResult, "reason">
) {
  const result = yield* applier.apply(given(applier, blocks))
  yield* expectSame("result", { applied: result.applied, outcome: result.outcome }, expected)
  if (result.outcome !== "ok") yield* expectTrue(`${result.outcome} comes with a reason`, result.reason !== "")
})

export const ok = (count: number): Omit<ApplyResult, "reason"> => ({ applied: count, outcome: "ok" })

export const held = <A>(value: A | undefined, capability: BlockApplierCapability): Effect.Effect<A> =>
  value === undefined
    ? Effect.die(new TypeError(`the bench declares ${capability} and does not have it`))
    : Effect.succeed(value)

export const headStands = (bench: ApplierBenchService): Stands =>
  Effect.fnUntraced(function*({ applier }, blocks) {
    const { base } = bench.blocks
    const last = blocks.at(-1)
    yield* expectSame(
      "head",
      yield* applier.head,
      last === undefined ? { id: base.id, level: base.level } : refOf(last)
    )
  })

export const chainStands: Stands = Effect.fnUntraced(function*({ chain }, blocks) {
  yield* expectSame("chain", yield* (yield* held(chain, "visible-chain")), blocks.map(idOf))
})

export type BlockApplierCheck = Check<ApplierBench, BlockApplierCapability>
export type Needs = ReadonlyArray<BlockApplierCapability>

export const at = (run: (bench: ApplierBenchService) => Run): BlockApplierCheck["run"] =>
  Effect.flatMap(ApplierBench, run)

/** One scenario as three checks, or two where an applier that keeps nothing of its own, and so shows nothing, cannot be asked. */
export const looked = (
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
export const placeOf = ({ base, main }: ApplierBlocks, head: BlockRef | undefined): number | undefined => {
  if (head === undefined) return undefined
  const place = head.id === base.id ? 0 : main.findIndex(({ header }) => header.id === head.id) + 1
  return place === 0 && head.id !== base.id ? undefined : place
}

/** Head and chain of one moment: what an interrupted call still ends in its own time must not come between the two looks. */
export const headAndChain = Effect.fnUntraced(function*({ applier, chain }: ApplierUnderTest, maxLooks: number) {
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

/** Blocks on and off by seed, along the main chain and the branch, as on a plain list; after each step the applier may be renewed. */
export const history = (
  renewed: (one: ApplierUnderTest, random: SeededRandom) => Run<ApplierUnderTest> = Effect.succeed
) =>
  Effect.fnUntraced(function*(bench: ApplierBenchService) {
    const { blocks } = bench
    const random = new SeededRandom(7)
    const ways = [blocks.main, [...mainOf(blocks, 1, 6), ...blocks.branch]]
    let one = yield* bench.make(blocks.base, none)
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
      one = yield* renewed(one, random)
      yield* headStands(bench)(one, held)
    }
  })
