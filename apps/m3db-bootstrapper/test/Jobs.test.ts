import { assert, describe, it } from "@effect/vitest"
import { Limits } from "@peerstrap/m3db-files"
import { type BootstrapPlan, planJobs } from "../src/bootstrap/BootstrapPlan.ts"

const plan = (shards: number, blocks: number) =>
  ({
    shards: Array.from({ length: shards }, (_, shard) => shard),
    starts: Array.from({ length: blocks }, (_, block) => BigInt(block)),
    peersOfShard: new Map(Array.from({ length: shards }, (_, shard) => [shard, [0]]))
  }) as unknown as BootstrapPlan

describe("jobs", () => {
  for (const jobsInFlight of [1, 8, 32, 33, 64, 256]) {
    it(`${jobsInFlight} in flight stay within the filesets that a sink holds open`, () => {
      const jobs = planJobs(plan(300, 40), () => false, jobsInFlight)
      const most = Math.max(...jobs.map((job) => job.blockStarts.length))
      assert.isAtMost(most * jobsInFlight, Math.max(Limits.maxOpenBlocks, 16 * 8))
      assert.isAtMost(most, 16)
      assert.strictEqual(jobs.reduce((sum, job) => sum + job.blockStarts.length, 0), 300 * 40)
    })
  }

  it("leave out what is there already", () => {
    const jobs = planJobs(plan(2, 4), (shard, start) => shard === 0 || start < 3n)
    assert.deepStrictEqual(jobs, [{ shard: 1, peers: [0], blockStarts: [3n] }])
  })
})
