/**
 * Every two compatible behaviours together on one of three replicas. The record may hold what either of them leaves; what one does may hide
 * the other. Time: twice what both may cost, added, and a pause for each: pauses between tries do not shrink with the data, which are few here, and
 * what holds for any seed is that a pair ends in time of the same order.
 */
import { assert, describe, it } from "@effect/vitest"
import { seedsFor } from "@peerstrap/simulator"
import { faultPairs } from "./Behaviours.ts"
import type { FaultRow, TimeBar } from "./FaultRow.ts"
import {
  allowedMillis,
  blameOf,
  makeTruth,
  type Played,
  playFaults,
  problemsOf,
  smallSize,
  type Truth,
  wrongData
} from "./FaultRun.ts"

const truths = seedsFor("fault-pairs", 1).map((seed) => makeTruth(seed, smallSize))

/** `slow:2000+cut:1500` alone. */
const only = process.env["PEERSTRAP_PAIR"]

const pausesMillis = 2_000

const together = (a: FaultRow, b: FaultRow): TimeBar => ({
  ratio: 2 * (a.bar.ratio + b.bar.ratio - 1),
  plusMillis: 2 *
    [a, b].reduce((sum, { bar, pairMillis = 0 }) => sum + (bar.plusMillis ?? 0) + pairMillis, pausesMillis)
})

const evidenceOf = ({ blame, mayBlame = [] }: FaultRow): ReadonlyArray<string> => [...blame, ...mayBlame]

/** What is wrong with a run that waits for what only the faulty peer says it has: it may name nobody else, and ends with all the rest. */
const waitsInVain = (truth: Truth, played: Played): ReadonlyArray<string> => {
  const { faulty, honest, simulation } = played
  const named = simulation.run.waits().flatMap(({ peers }) => peers)
  simulation.send({ _tag: "level", level: "none", origin: "operator" })
  simulation.play(60_000)
  return [
    ...(named.includes(faulty) && named.every((peer) => peer === faulty) ? [] : [`waits for ${named}`]),
    ...(simulation.run.isFinished ? [] : ["does not end at level none"]),
    ...wrongData(truth, played),
    ...honest.flatMap((peer) => blameOf(played, peer).map((kind) => `the honest ${peer} is blamed for ${kind}`))
  ]
}

const groups = Map.groupBy(
  faultPairs().filter(([a, b]) => only === undefined || only === `${a.name}+${b.name}`),
  ([a]) => a
)

describe("two behaviours of one replica of three", { timeout: 60_000 }, () => {
  for (const [first, pairs] of groups) {
    it(`${first.name} and ${pairs.length} others`, () => {
      const failed: Array<string> = []
      for (const truth of truths) {
        for (const [a, b] of pairs) {
          const bar = together(a, b)
          // A run that is far over its time need not be played to its end.
          const played = playFaults(truth, [a, b], { maxMillis: 2 * allowedMillis(truth, bar) })
          if ([a, b].some(({ mayBeWaitedFor }) => mayBeWaitedFor) && !played.simulation.run.isFinished) {
            failed.push(...waitsInVain(truth, played).map((problem) => `${a.name}+${b.name}: ${problem}`))
            continue
          }
          const mayBlame = [...evidenceOf(a), ...evidenceOf(b)]
          const problems = problemsOf(truth, played, { blame: [], mayBlame, bar })
          if (problems.length === 0) continue
          const pair = `${a.name}+${b.name}`
          failed.push(
            `${pair}: ${problems.join("; ")}; again: ` +
              `PEERSTRAP_SEED=${truth.seed} PEERSTRAP_PAIR=${pair} vitest run test/faults/Pairs.sim.test.ts`
          )
        }
      }
      assert.deepStrictEqual(failed, [])
    })
  }

  it("are many", () => {
    assert.isAbove(faultPairs().length, 700)
  })
})
