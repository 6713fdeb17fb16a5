/** A limit of memory that changes in mid-run: who waits goes on, who does not fit starts over later, and who cannot ends the run. */
import { assert, describe, it } from "@effect/vitest"
import { ByteLedger } from "@peerstrap/transport"
import {
  expectedOf,
  firstBlock,
  makeDataset,
  makeReplica,
  replicaOf,
  Simulation,
  type SimulationSpec,
  writtenOf
} from "./support/SimulatedCluster.ts"

const kib = 1024

const cluster = (given: Partial<SimulationSpec> & { readonly seriesPerShard: number; readonly bytes: number }) => {
  const { bytes, seriesPerShard, ...spec } = { numShards: 1, blocks: 1, ...given }
  const { blocks, numShards } = spec
  const held = makeDataset({ seed: 7, series: seriesPerShard * numShards, blocks, numShards })
  const replicas = ["A", "B", "C"].map((id) => makeReplica(id, replicaOf(held)))
  const ledger = new ByteLedger(bytes)
  const simulation = new Simulation({ seed: 1, replicas, ledger, level: "all", ...spec, numShards, blocks })
  ledger.onResized(() => simulation.send({ _tag: "tick" }))
  return { held, ledger, replicas, simulation }
}

/** The run comes so far, and no further for the time being. */
const playUntil = (simulation: Simulation, isReached: () => boolean): void => {
  for (let moment = 0; moment < 5_000 && !isReached(); moment++) simulation.play(1)
  assert.isTrue(isReached(), JSON.stringify([simulation.run.outcome, simulation.run.waits()]))
}

/** All jobs are listed, and most of their series-blocks are still to be fetched: four at a time, slowly. */
const listed = (given: Partial<SimulationSpec> & { readonly seriesPerShard: number; readonly bytes: number }) => {
  const made = cluster({ ...given, queueLimits: { maxBatchItems: 4, windowBatches: 1 } })
  for (const replica of made.replicas) replica.delay = (kind) => kind === "list" ? 1 : 400
  const { run } = made.simulation
  playUntil(
    made.simulation,
    () => run.active.size === given.numShards && [...run.active.values()].every(({ listing }) => listing.isOver)
  )
  return made
}

describe("a limit of memory that is raised", () => {
  it("lets a run go on at once that waits for memory; `why` says what the limit is and how to raise it", () => {
    const { held, ledger, replicas, simulation } = cluster({ seriesPerShard: 60, bytes: 256 * kib })
    for (const replica of replicas) replica.delay = () => 5_000
    simulation.play(1_000)
    const [wait] = simulation.run.waits()
    // A page of each peer: two of three fit into the share of metadata.
    assert.strictEqual(wait!.waitingFor, "memory for metadata")
    assert.strictEqual(wait!.cause, "131072 of 262144 bytes are in use")
    assert.strictEqual(
      wait!.remedy,
      "lower --jobs-in-flight at the next start, or raise the limit of memory"
    )
    assert.deepStrictEqual(wait!.change, { setting: "memory", value: "1MiB" })
    assert.strictEqual(simulation.trace.length, 2)
    ledger.resize(4_000 * kib)
    assert.deepStrictEqual(simulation.trace, ["list A", "list B", "list C"])
    assert.notInclude(JSON.stringify(simulation.run.waits()), "memory")
    assert.strictEqual(simulation.play(60_000).run.outcome?._tag, "complete")
    assert.deepStrictEqual(writtenOf(simulation), expectedOf(held))
    const { memory } = simulation.run.report()
    assert.deepStrictEqual([memory.capacity, simulation.run.snapshot().memory.capacity], [4_000 * kib, 4_000 * kib])
  })

  it("lets the metadata of a job that is at work grow beyond the share it began with", () => {
    const { held, ledger, replicas, simulation } = cluster({ seriesPerShard: 900, bytes: 400 * kib })
    for (const replica of replicas) replica.pageSize = 32
    playUntil(simulation, () => ledger.usedBy("listing") > 100 * kib)
    ledger.resize(4_000 * kib)
    assert.strictEqual(simulation.play().run.outcome?._tag, "complete")
    assert.isAbove(ledger.peak, 600 * kib)
    assert.deepStrictEqual(writtenOf(simulation), expectedOf(held))
  })
})

describe("a limit of memory that is lowered", () => {
  it("below what listed jobs hold: the youngest start over later, and everything comes", () => {
    const { held, ledger, simulation } = listed({ seriesPerShard: 250, bytes: 4_000 * kib, numShards: 6 })
    assert.isAbove(ledger.usedBy("listing"), 300 * kib)
    ledger.resize(300 * kib)
    playUntil(simulation, () => simulation.run.waitsForMemory)
    const wait = simulation.run.waits().find(({ subject }) => subject === "fetching")
    assert.match(wait!.cause, /^\d+ of 307200 bytes are in use: the limit was lowered, and more is asked for when/)
    assert.strictEqual(simulation.play(3_600_000).run.outcome?._tag, "complete")
    assert.isAbove(simulation.notes.filter((note) => note === "job-sent-back").length, 1)
    assert.deepStrictEqual(writtenOf(simulation), expectedOf(held))
    assert.strictEqual(ledger.used, 0)
    assert.strictEqual(simulation.run.report().seriesBlocks.stored, [...held.values()].flat().length)
  })

  it("below what one job needs: the run ends with the arithmetic and the option", () => {
    const { ledger, simulation } = listed({ seriesPerShard: 400, bytes: 4_000 * kib, numShards: 1 })
    ledger.resize(120 * kib)
    simulation.play(60_000)
    const outcome = simulation.run.outcome as {
      readonly message: string
      readonly remedy: string
      readonly fault: string
    }
    assert.strictEqual(outcome.fault, "self")
    assert.match(
      outcome.message,
      /^shard 0 does not fit into memory: its metadata and copies take \d+ bytes, what is fetched next needs \d+ more, the limit is 122880$/
    )
    assert.include(outcome.remedy, "--memory")
    assert.strictEqual(ledger.used, 0)
  })

  it("in the middle of a listing: the same", () => {
    const { ledger, replicas, simulation } = cluster({ seriesPerShard: 900, bytes: 4_000 * kib })
    for (const replica of replicas) replica.pageSize = 32
    playUntil(simulation, () => ledger.usedBy("listing") > 100 * kib)
    ledger.resize(150 * kib)
    simulation.play(60_000)
    const outcome = simulation.run.outcome as { readonly message: string }
    assert.match(
      outcome.message,
      /^the metadata of shard 0 does not fit into memory: .* take \d{6} bytes, a page 65536 more, and the share .* 92160 of 153600$/
    )
    assert.strictEqual(ledger.used, 0)
  })

  it("and nothing is lost of jobs that have published: where they do not fit together the run ends, and says so", () => {
    const { ledger, replicas, simulation } = cluster({
      seriesPerShard: 120,
      bytes: 4_000 * kib,
      numShards: 4,
      blocks: 2
    })
    const { run } = simulation
    for (const replica of replicas) {
      replica.tamper = (elements) =>
        elements.map((one) => ({ ...one, blocks: one.blocks.filter(({ start }) => start === firstBlock) }))
    }
    playUntil(simulation, () => run.active.size > 1 && [...run.active.values()].every(({ isSealed }) => isSealed))
    const published = simulation.committed.size
    ledger.resize(100 * kib)
    simulation.play(600_000)
    const outcome = run.outcome as { readonly message: string; readonly remedy: string }
    assert.match(
      outcome.message,
      /^shards of which blocks are published do not fit .* take \d+ \(shard \d\) \+ .* 102400$/
    )
    assert.include(outcome.remedy, "--resume")
    assert.isAtLeast(simulation.committed.size, published)
    assert.strictEqual(ledger.used, 0)
  })

  it("asks for fewer series-blocks at a time where a whole batch finds no room", () => {
    const { held, ledger, simulation } = listed({ seriesPerShard: 100, bytes: 4_000 * kib, numShards: 1 })
    const most = ledger.usedBy("listing") + 66 * kib
    ledger.resize(most)
    assert.strictEqual(simulation.play(3_600_000).run.outcome?._tag, "complete")
    assert.deepStrictEqual(writtenOf(simulation), expectedOf(held))
  })
})
