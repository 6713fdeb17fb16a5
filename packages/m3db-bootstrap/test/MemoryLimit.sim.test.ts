/** The limit of memory goes up and down while the engine is at work: what comes out is the truth, and nothing stands still. */
import { assert, describe, it } from "@effect/vitest"
import { assertSeeds, Random, runSeeds, scenario, seedsFor } from "@peerstrap/simulator"
import {
  expectedOf,
  makeDataset,
  makeReplica,
  makeStream,
  replicaOf,
  Simulation,
  writtenOf
} from "./support/SimulatedCluster.ts"

const kib = 1024

/** Three replicas of some shards of two blocks, of which the third has a few series-blocks that differ. */
const drawn = (seed: number) => {
  const random = Random.make(seed).fork("memory-limit")
  const numShards = random.int(4, 7)
  const held = makeDataset({ seed, series: numShards * random.int(90, 150), blocks: 2, numShards })
  const replicas = ["A", "B", "C"].map((id) => makeReplica(id, replicaOf(held)))
  const odd = replicas[2]!
  for (const [shard, list] of odd.held) {
    odd.held.set(
      shard,
      list.map((one) => random.chance(0.1) ? { ...one, streams: [makeStream(seed, one.start, 3)] } : one)
    )
  }
  for (const replica of replicas) {
    replica.pageSize = random.pick([16, 100, 4096])
    replica.millisPerByte = random.pick([0, 0.1])
  }
  return { held, numShards, random, replicas }
}

/** At first all jobs get in; each is enough for any one job, so that a run can finish with whichever is the last. */
const limits = (random: Random): ReadonlyArray<number> => [
  4_000 * kib,
  ...Array.from({ length: random.int(1, 8) }, () => random.pick([300, 300, 400, 700, 4_000]) * kib)
]

interface Told {
  lowered: number
  waited: number
}

const play = (seed: number, told: Told) => {
  const { held, numShards, random, replicas } = drawn(seed)
  const changes = limits(random)
  const spec = {
    seed,
    replicas,
    numShards,
    blocks: 2,
    level: "all",
    sinkDelay: random.pick([0, 20]),
    queueLimits: { maxBatchItems: random.pick([4, 4_096]) }
  } as const
  // As with more memory than there could be use for: every series-block that any replica lists.
  const truth = writtenOf(new Simulation(spec).play())
  for (const [block, series] of expectedOf(held)) assert.sameMembers([...truth.get(block)!.keys()], [...series.keys()])
  const simulation = new Simulation({ ...spec, memoryBytes: changes[0]! })
  const { ledger, run } = simulation
  let above = 0
  ledger.onResized(() => simulation.send({ _tag: "tick" }))
  let at = 0
  for (const capacity of changes.slice(1)) {
    at += random.int(10, 80)
    simulation.after(at, () => {
      ledger.resize(capacity)
      if (ledger.used > capacity) told.lowered++
    })
  }
  simulation.onStepped = () => {
    // What is above a lowered limit only shrinks.
    if (ledger.used > ledger.capacity) assert.isAtMost(ledger.used, above || Number.POSITIVE_INFINITY)
    above = ledger.used > ledger.capacity ? ledger.used : 0
    if (run.waits().some(({ waitingFor }) => waitingFor.startsWith("memory"))) told.waited++
  }
  simulation.play(60_000)
  assert.strictEqual(run.outcome?._tag, "complete", JSON.stringify([run.outcome, run.waits()]))
  assert.deepStrictEqual(writtenOf(simulation), truth)
  assert.strictEqual(ledger.used, 0)
  assert.isAtMost(ledger.peak, Math.max(...changes))
  return { hash: `${simulation.trace.length} ${run.report().seriesBlocks.stored}`, events: simulation.trace.length }
}

describe("a limit of memory that changes", () => {
  it("leaves the result as it is, the ledger empty, and no run standing", { timeout: 3_600_000 }, async () => {
    const told: Told = { lowered: 0, waited: 0 }
    const limited = scenario({ name: "memory-limit", run: (seed) => play(seed, told) })
    const seeds = seedsFor("memory-limit", 8)
    assertSeeds(await runSeeds({ scenario: limited, seeds }))
    // The seeds do come to where it matters.
    if (seeds.length > 1) assert.isTrue(told.lowered > 0 && told.waited > 10, JSON.stringify(told))
  })
})
