import { assert, describe, it } from "@effect/vitest"
import { expectedOf, makeDataset, makeReplica, replicaOf, Simulation, writtenOf } from "./support/SimulatedCluster.ts"

describe("the rate asked of each peer", () => {
  it("raised in mid-run lets the rest through", () => {
    const held = makeDataset({ seed: 1, series: 60, blocks: 2, numShards: 2 })
    const replicas = ["A", "B", "C"].map((id) => makeReplica(id, replicaOf(held)))
    const queueLimits = { bytesPerSecond: 1 }
    const simulation = new Simulation({ seed: 1, replicas, numShards: 2, blocks: 2, queueLimits }).play(60_000)
    assert.isFalse(simulation.run.isFinished)
    simulation.send({ _tag: "rate", bytesPerSecond: 0, origin: "control socket" })
    simulation.play(10_000)
    assert.strictEqual(simulation.run.outcome?._tag, "complete")
    assert.deepStrictEqual(writtenOf(simulation), expectedOf(held))
  })
})
