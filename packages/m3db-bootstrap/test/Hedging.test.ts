/** Batches that are overdue: second requests at the tail, silent peers, copies that merges do not wait for, breakers, clocks that jump. */
import { assert, describe, it } from "@effect/vitest"
import { EngineClock } from "../src/engine/EngineClock.ts"
import {
  expectedOf,
  firstBlock,
  makeDataset,
  makeReplica,
  makeStream,
  type Replica,
  replicaOf,
  Simulation,
  type SimulationSpec,
  writtenOf
} from "./support/SimulatedCluster.ts"

const held = makeDataset({ seed: 9, series: 400, blocks: 1, numShards: 1 })

const cluster = (change: (c: Replica) => void, spec: Partial<SimulationSpec> = {}) => {
  const replicas = ["A", "B", "C"].map((id) => makeReplica(id, replicaOf(held)))
  change(replicas[2]!)
  const queueLimits = { initialBatchBytes: 1024, minBatchBytes: 512 }
  return { replicas, simulation: new Simulation({ seed: 1, replicas, numShards: 1, blocks: 1, queueLimits, ...spec }) }
}

const isComplete = (simulation: Simulation) => {
  assert.strictEqual(simulation.run.outcome?._tag, "complete")
  assert.deepStrictEqual(writtenOf(simulation), expectedOf(held))
  assert.strictEqual(simulation.ledger.used, 0)
}

const silentFetches = (c: Replica) => {
  c.fault = (kind) => (kind === "fetch" ? { reason: "timeout", afterMillis: 15_000 } : undefined)
}

describe("an overdue batch", () => {
  it("is asked of others at the tail: the first good answer counts, the late one blames nobody, the report counts it", () => {
    const { simulation } = cluster((c) => {
      c.delay = (kind) => (kind === "fetch" ? 1_400 : 5)
    })
    simulation.play()
    isComplete(simulation)
    assert.isBelow(simulation.now - simulation.started, 1_000)
    const { evidenceCounts, hedged } = simulation.run.report()
    assert.isAbove(hedged.items, 0)
    assert.isAbove(hedged.bytes, 0)
    assert.deepStrictEqual(evidenceCounts, {})
  })

  it("of a silent peer costs far less than its timeout", () => {
    const { simulation } = cluster(silentFetches)
    simulation.play()
    isComplete(simulation)
    assert.isBelow(simulation.now - simulation.started, 3_000)
  })

  it("is asked of one other peer only, and not where nobody else has it", () => {
    const { replicas, simulation } = cluster((c) => {
      c.delay = (kind) => (kind === "fetch" ? 4_000 : 5)
    })
    for (const other of replicas.slice(0, 2)) other.held.set(0, [])
    simulation.play()
    isComplete(simulation)
    assert.strictEqual(simulation.run.report().hedged.items, 0)
  })

  it("makes its peer suspect: no more work goes there until it has ended", () => {
    const { replicas, simulation } = cluster(silentFetches, { queueLimits: { maxBatchItems: 3 } })
    for (const other of replicas.slice(0, 2)) other.delay = (kind) => (kind === "fetch" ? 400 : 5)
    simulation.play()
    assert.include(simulation.notes, "peer-suspect")
    assert.strictEqual(replicas[2]!.calls.fetch, 1)
  })
})

const differing = (level: "majority" | "all") => {
  const { replicas, simulation } = cluster(silentFetches, { level })
  const list = replicas[1]!.held.get(0)!
  list[3] = { ...list[3]!, streams: [makeStream(5, firstBlock, 9)] }
  return simulation
}

describe("a merge", () => {
  it("does not wait for the copy of a silent peer when there are enough others", () => {
    const simulation = differing("majority").play()
    assert.strictEqual(simulation.run.outcome?._tag, "complete")
    assert.isBelow(simulation.now - simulation.started, 5_000)
  })

  it("waits for it at level all", () => {
    const simulation = differing("all").play(60_000)
    assert.isUndefined(simulation.run.outcome)
    assert.include(simulation.run.waits().flatMap(({ peers }) => peers), "C")
  })
})

describe("the breaker", () => {
  it("opens, half-opens and closes with notes, over listings and batches, and others do the work", () => {
    const { replicas, simulation } = cluster((c) => {
      c.fault = (kind, nth) => (kind === "fetch" && nth <= 3 ? { reason: "closed", message: "reset" } : undefined)
    })
    // Some blocks are to be had from it alone.
    for (const other of replicas.slice(0, 2)) other.held.set(0, other.held.get(0)!.slice(5))
    simulation.play()
    isComplete(simulation)
    for (const name of ["breaker-opened", "breaker-half-open", "breaker-closed"]) assert.include(simulation.notes, name)
  })

  it("lets one call at a time probe a peer that was cut off, and the run completes", () => {
    const flying = new Set<number>()
    let most = 0
    const { simulation } = cluster((c) => {
      c.fault = (
        kind
      ) => (kind === "fetch" ? { reason: "closed", message: "cut after 150 kB", afterMillis: 20 } : undefined)
    })
    simulation.onAction = (action) => {
      if (action._tag !== "fetch" || action.peer !== 2) return
      flying.add(action.batch)
      most = Math.max(most, flying.size)
    }
    simulation.onEvent = (event) => {
      if (event._tag === "answer-failed") flying.delete(event.batch)
    }
    simulation.play()
    isComplete(simulation)
    assert.strictEqual(most, 1)
    assert.isBelow(simulation.now - simulation.started, 3_000)
  })
})

describe("a clock that jumps", () => {
  it("by an hour, either way, moves engine time not at all; the wall clock follows", () => {
    const clock = new EngineClock(1_000_000)
    assert.strictEqual(clock.advance(1_000_500, () => 1_002_000), 0)
    assert.strictEqual(clock.advance(4_600_500, () => 1_002_000), 3_600_000)
    assert.deepStrictEqual([clock.now, clock.wall, clock.offset], [1_000_500, 4_600_500, 3_600_000])
    assert.strictEqual(clock.advance(1_000_500, () => Number.POSITIVE_INFINITY), -3_600_000)
    assert.deepStrictEqual([clock.now, clock.offset], [1_000_500, 0])
    // Late, but explained by a timer or by a slow answer.
    assert.strictEqual(clock.advance(1_040_500, () => 1_002_000), 0)
    assert.strictEqual(clock.advance(1_340_500, () => Number.POSITIVE_INFINITY), 0)
  })

  it("ends no patience, opens no breaker, gives nobody up", () => {
    const { simulation } = cluster((c) => {
      c.delay = (kind) => (kind === "list" ? 150 : 5)
    })
    simulation.onStepped = () => {
      simulation.onStepped = () => {}
      simulation.now += 3_600_000
    }
    simulation.play(7_200_000)
    isComplete(simulation)
    const report = simulation.run.report()
    assert.strictEqual(report.unlisted.total, 0)
    assert.deepStrictEqual(report.evidenceCounts, {})
    assert.notInclude(simulation.notes, "breaker-opened")
    assert.include(simulation.notes, "clock-jumped")
  })
})
