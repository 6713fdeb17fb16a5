/**
 * The kit of `ReorganisationStrategy`: histories by seed in a small engine, in which a strategy must keep every law. Each law is a check, so that a
 * mutant is told by what it breaks.
 */
import { type Check, type CheckFailed, expectSame, expectTrue, fail, type Kit, suiteOf } from "@peerstrap/conformance"
import * as Effect from "effect/Effect"
import { ReorganisationStrategy, type ReorganisationStrategyService } from "../../contract/Reorganisation.ts"
import { reorganisationMutants } from "./ReorganisationMutants.ts"
import { playHistory, ReorganisationWorld } from "./ReorganisationWorld.ts"
import { type Law, LawBroken } from "./WorldState.ts"

/** What a strategy can do, by name. */
export type ReorganisationCapability = "branches"

/** As many as it takes for each mutant to be found in one of them. */
const seeds = Array.from({ length: 32 }, (_, at) => at + 33)

/** What the histories of a strategy came to. */
interface Played {
  readonly broken: ReadonlyMap<Law, string>
  readonly moves: number
  readonly halts: number
}

const playAll = (service: ReorganisationStrategyService, deep: boolean): Played => {
  const broken = new Map<Law, string>()
  let [moves, halts] = [0, 0]
  for (const seed of seeds) {
    try {
      const world = playHistory(service, { seed, deep })
      moves += world.moves
      if (world.halted !== undefined) halts++
    } catch (problem) {
      if (!(problem instanceof LawBroken)) throw problem
      if (!broken.has(problem.law)) broken.set(problem.law, `seed ${seed}: ${problem.message}`)
    }
  }
  return { broken, moves, halts }
}

/** The laws are all watched in the same histories, so these are played once for a strategy. */
const histories = { deep: new WeakMap<object, Played>(), shallow: new WeakMap<object, Played>() }

const played = (
  service: ReorganisationStrategyService,
  law: Law,
  deep: boolean
): Effect.Effect<Played, CheckFailed> =>
  Effect.suspend(() => {
    const known = deep ? histories.deep : histories.shallow
    const all = known.get(service) ?? playAll(service, deep)
    known.set(service, all)
    const problem = all.broken.get(law)
    return problem === undefined ? Effect.succeed(all) : fail(problem)
  })

const using = (run: (service: ReorganisationStrategyService) => Effect.Effect<unknown, CheckFailed>) =>
  Effect.asVoid(Effect.flatMap(ReorganisationStrategy, run))

const keeps = (
  name: string,
  law: Law,
  needs: ReadonlyArray<ReorganisationCapability> = []
): Check<ReorganisationStrategy, ReorganisationCapability> => ({
  name,
  needs,
  run: using((service) => played(service, law, false))
})

/** The log of a history; when a law is broken, up to there. */
const logOf = (service: ReorganisationStrategyService, seed: number): string => {
  const world = new ReorganisationWorld(service, { seed, deep: false })
  advance(world)
  return world.log.join("; ")
}

const advance = (world: ReorganisationWorld): void => {
  for (let step = 0; step < 60; step++) takeStep(world)
}

/** Laws have checks of their own. */
const takeStep = (world: ReorganisationWorld): void => {
  try {
    world.step()
  } catch (problem) {
    if (!(problem instanceof LawBroken)) throw problem
  }
}

const repeats = Effect.fnUntraced(function*(service: ReorganisationStrategyService) {
  for (const seed of seeds.slice(0, 10)) {
    yield* expectSame(
      `what the history of seed ${seed} led to, the second time`,
      logOf(service, seed),
      logOf(service, seed)
    )
  }
})

/** One run beside another does what it does alone. */
const apart = Effect.fnUntraced(function*(service: ReorganisationStrategyService) {
  for (const seed of seeds.slice(0, 10)) {
    const alone = logOf(service, seed)
    const [one, other] = [seed, seed + 100].map((each) => new ReorganisationWorld(service, { seed: each, deep: false }))
    for (let step = 0; step < 60; step++) {
      takeStep(one!)
      takeStep(other!)
    }
    yield* expectSame(`what the history of seed ${seed} led to, beside another run`, one!.log.join("; "), alone)
  }
})

const moves = Effect.fnUntraced(function*(service: ReorganisationStrategyService) {
  const { moves } = yield* played(service, "end", false)
  yield* expectTrue(`${seeds.length} histories led to more than ${seeds.length} moves (${moves})`, moves > seeds.length)
})

const halts = Effect.fnUntraced(function*(service: ReorganisationStrategyService) {
  const { halts } = yield* played(service, "depth", true)
  yield* expectTrue("some history is halted, as it leaves our chain too deep", halts > 0)
})

const needsBranches = Effect.fnUntraced(function*(service: ReorganisationStrategyService) {
  yield* expectSame("needsBranches", service.needsBranches, true)
})

const checks: ReadonlyArray<Check<ReorganisationStrategy, ReorganisationCapability>> = [
  keeps("leaves our chain at the highest block that the new one has", "fork"),
  keeps("goes the whole way to the new head, each block once, in order", "path"),
  keeps("moves only when every block of the new chain is there", "ready"),
  keeps("moves only while a quorum stands behind the new chain", "quorum"),
  keeps("moves only when the applier has nothing in hand", "idle"),
  { name: "halts before it goes deeper than is allowed", run: using(halts) },
  keeps("gives the applier nothing new while it prepares, and lets it go on afterwards", "pause"),
  keeps("tells each move once, from where, to where", "notice"),
  keeps("says what it waits for, and only then", "waits"),
  { name: "ends where the quorum is", run: using(moves) },
  keeps("keeps nothing of branches that have lost for good", "retention"),
  keeps("says truly whether it needs an applier of several branches", "declared"),
  { name: "does the same for the same events", run: using(repeats) },
  { name: "knows nothing of another run", run: using(apart) },
  { name: "says that it needs an applier of several branches", needs: ["branches"], run: using(needsBranches) },
  keeps("applies each side block once, on what is applied", "applier", ["branches"]),
  keeps("has no more side branches applied than allowed", "branches", ["branches"]),
  keeps("tries what the applier could not take again, later each time", "retry", ["branches"])
]

/** The kit of `ReorganisationStrategy`. */
export const reorganisationKit: Kit<ReorganisationStrategy, ReorganisationCapability> = {
  contract: "ReorganisationStrategy",
  capabilities: { branches: "has side branches applied before they win, and switches between them" },
  checks,
  mutants: reorganisationMutants
}

/** `reorganisationSuite("cached-tail", Layer.succeed(ReorganisationStrategy)(cachedTail), { capabilities: { branches: false }, test: it })`. */
export const reorganisationSuite = suiteOf(reorganisationKit)
