/** Each behaviour alone, on one of three replicas at level majority: what is stored, who is blamed for what, in what simulated time. */
import { assert, describe, it } from "@effect/vitest"
import { seedsFor } from "@peerstrap/simulator"
import { faultRows } from "./Behaviours.ts"
import { fullSize, makeTruth, playFaults, problemsOf } from "./FaultRun.ts"

const truths = seedsFor("fault-singles", 1).map((seed) => makeTruth(seed, fullSize))

const again = (seed: number, name: string): string =>
  `; again: PEERSTRAP_SEED=${seed} vitest run test/faults/Singles.sim.test.ts -t "${name}"`

describe("three healthy replicas", { timeout: 60_000 }, () => {
  it("deliver everything in about the time that the bytes need", () => {
    for (const truth of truths) {
      const played = playFaults(truth, [])
      assert.deepStrictEqual(problemsOf(truth, played, { blame: [], mayBlame: [], bar: { ratio: 1 } }), [])
      const { peers } = played.simulation.run.report()
      const bytes = peers.reduce((sum, one) => sum + one.bytes, 0)
      // Several batches of each peer, or the times below mean nothing.
      for (const { calls, id } of played.simulation.replicas) assert.isAbove(calls.fetch, 8, id)
      assert.isAbove(played.tookMillis, bytes / 150)
      assert.isBelow(played.tookMillis, 3 * bytes / 150 + 1000)
    }
  })
})

describe("one faulty replica of three", { timeout: 60_000 }, () => {
  for (const row of faultRows) {
    it(row.name, () => {
      for (const truth of truths) {
        const { bar, blame, mayBlame = [], unclear = [] } = row
        const problems = problemsOf(truth, playFaults(truth, [row]), { bar, blame, mayBlame, unclear })
        assert.deepStrictEqual(problems, [], `${row.name}: ${row.does}${again(truth.seed, row.name)}`)
      }
    })
  }
})
