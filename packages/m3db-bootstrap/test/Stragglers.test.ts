/** How long a run waits for listings that others have overtaken, and when it does not. */
import { assert, describe, it } from "@effect/vitest"
import type { Level } from "@peerstrap/consistency-policy"
import { adler32 } from "@peerstrap/m3tsz"
import {
  expectedOf,
  firstBlock,
  makeDataset,
  makeReplica,
  makeStream,
  type Replica,
  replicaOf,
  Simulation,
  writtenOf
} from "./support/SimulatedCluster.ts"

const held = makeDataset({ seed: 4, series: 60, blocks: 1, numShards: 4 })

const cluster = (change: (c: Replica, all: ReadonlyArray<Replica>) => void, level: Level = "majority") => {
  const replicas = ["A", "B", "C"].map((id) => makeReplica(id, replicaOf(held)))
  change(replicas[2]!, replicas)
  return { replicas, simulation: new Simulation({ seed: 1, replicas, numShards: 4, blocks: 1, level }) }
}

const slowListing = (millis: number) => (c: Replica) => {
  c.delay = (kind) => (kind === "list" ? millis : 5)
}

const isComplete = (simulation: Simulation) => {
  assert.strictEqual(simulation.run.outcome?._tag, "complete")
  assert.deepStrictEqual(writtenOf(simulation), expectedOf(held))
  assert.strictEqual(simulation.ledger.used, 0)
}

const differing = (delay: number) => {
  const { simulation } = cluster((c, [, b]) => {
    const list = b!.held.get(0)!
    list[2] = { ...list[2]!, streams: [makeStream(78, firstBlock, 9)] }
    c.delay = (kind) => (kind === "list" ? delay : 5)
  })
  return simulation.play().run.report().unlisted.entries.map(({ shard }) => shard)
}

describe("a listing that others have overtaken", () => {
  it("holds no group up, is given up when all else is done, and is told with the reason in numbers", () => {
    const { simulation } = cluster(slowListing(60_000))
    simulation.play()
    isComplete(simulation)
    assert.isBelow(simulation.now - simulation.started, 1_500)
    const { unlisted } = simulation.run.report()
    assert.strictEqual(unlisted.total, 4)
    assert.match(
      unlisted.entries[0]!.reason,
      /^listed 0 records in 0 pages in .*; the others were done in .* with \d+ records/
    )
    assert.deepStrictEqual(simulation.run.report().evidenceCounts, {})
  })

  it("costs the same when it never answers, though every job asks it", () => {
    const { simulation } = cluster((c) => c.fault = () => ({ reason: "timeout", afterMillis: 15_000 }))
    simulation.play()
    isComplete(simulation)
    assert.isBelow(simulation.now - simulation.started, 1_500)
  })

  it("costs the same when it only says that it is busy", () => {
    const { simulation } = cluster((c) => c.fault = () => ({ reason: "overloaded", message: "busy" }))
    simulation.play()
    isComplete(simulation)
    assert.isBelow(simulation.now - simulation.started, 3_000)
    assert.strictEqual(simulation.run.report().unlisted.total, 4)
  })

  it("is waited for a little longer when it is nearly done", () => {
    const { simulation } = cluster((c, all) => {
      for (const one of all) one.pageSize = 4
      c.delay = (kind) => (kind === "list" ? 100 : 5)
    })
    simulation.play()
    isComplete(simulation)
    assert.strictEqual(simulation.run.report().unlisted.total, 0)
  })

  for (const level of ["all", "unstrict_all"] as const) {
    it(`is waited for at level ${level}`, () => {
      const { simulation } = cluster(slowListing(20_000), level)
      simulation.play()
      isComplete(simulation)
      assert.strictEqual(simulation.run.report().unlisted.total, 0)
      assert.isAtLeast(simulation.now - simulation.started, 20_000)
    })
  }

  for (const level of ["none", "one", "unstrict_majority", "majority"] as const) {
    it(`is waited for at level ${level} when those that finished are no majority, or have nothing`, () => {
      const { simulation } = cluster((empty, [a, b]) => {
        empty.held.clear()
        for (const slow of [a!, b!]) slow.delay = (kind) => (kind === "list" ? 3_000 : 5)
      }, level)
      simulation.play()
      isComplete(simulation)
    })
  }

  it("lets the next jobs start meanwhile", () => {
    const { replicas, simulation } = cluster(slowListing(60_000))
    const one = new Simulation({ seed: 1, replicas, numShards: 4, blocks: 1, limits: { jobsInFlight: 1 } }).play()
    isComplete(one)
    assert.isBelow(one.now - one.started, 2_500)
    assert.isFalse(simulation.run.isFinished)
  })

  it("adds what only it has, and tells when it contradicts", () => {
    const { replicas, simulation } = cluster((c, [a, b]) => {
      for (const other of [a!, b!]) {
        for (const [shard, list] of other.held) other.held.set(shard, list.slice(1))
        other.delay = (kind) => (kind === "fetch" ? 3_000 : 5)
      }
      const list = c.held.get(0)!
      list[2] = { ...list[2]!, streams: [makeStream(77, firstBlock, 9)] }
      c.delay = (kind) => (kind === "list" ? 900 : 5)
    })
    simulation.play()
    assert.strictEqual(simulation.run.outcome?._tag, "complete")
    const report = simulation.run.report()
    assert.strictEqual(report.seriesBlocks.stored, 60)
    assert.strictEqual(report.divergences.counts.different, 1)
    const entry = report.divergences.entries.find(({ kind }) => kind === "different")
    assert.strictEqual(new Set(Object.values(entry!.checksums)).size, 2)
    assert.strictEqual(replicas[2]!.calls.list, 4)
  })

  it("gets more patience where the others disagree", () => {
    assert.notInclude(differing(700), 0)
    assert.include(differing(60_000), 0)
  })
})

const endless = (delivers: boolean, level: Level = "majority") => {
  const one = makeDataset({ seed: 4, series: 60, blocks: 1, numShards: 1 })
  const replicas = ["A", "B", "C"].map((id) => makeReplica(id, replicaOf(one)))
  let made = 0
  replicas[2]!.nextToken = () => 1
  replicas[2]!.tamperPage = () =>
    Array.from({ length: 100 }, () => ({
      id: new TextEncoder().encode(`made-up-${made++}`),
      start: firstBlock,
      size: 10n,
      checksum: 7
    }))
  if (!delivers) replicas[2]!.tamper = (elements) => elements.map((element) => ({ ...element, blocks: [] }))
  return { one, simulation: new Simulation({ seed: 1, replicas, numShards: 1, blocks: 1, level }) }
}

describe("endless listings", () => {
  it("full pages of what is never delivered prove that they are made up, and are dropped", () => {
    const { one, simulation } = endless(false)
    simulation.play(60_000)
    assert.strictEqual(simulation.run.outcome?._tag, "complete")
    assert.deepStrictEqual(writtenOf(simulation), expectedOf(one))
    const proof = simulation.run.book.records("C").find(({ kind }) => kind === "endless-listing")
    assert.strictEqual(proof!.verdict, "peer")
    assert.include(proof!.detail, "none was delivered")
  })

  it("are known as such at level all, too, where nothing ends without them", () => {
    const { simulation } = endless(false, "all")
    simulation.play(20_000)
    assert.isUndefined(simulation.run.outcome)
    assert.isAbove(simulation.run.report().evidenceCounts["C"]!["endless-listing"]!, 0)
    assert.deepStrictEqual(simulation.run.waits()[0]!.peers, ["C"])
  })

  it("of blocks that are really delivered end with memory: put aside by name, what it listed is kept, the rest is told as missing", () => {
    const one = makeDataset({ seed: 4, series: 60, blocks: 1, numShards: 1 })
    const replicas = ["A", "B", "C"].map((id) => makeReplica(id, replicaOf(one)))
    const stream = makeStream(1, firstBlock, 3)
    let made = 0
    replicas[2]!.nextToken = () => 1
    replicas[2]!.tamperPage = () =>
      Array.from({ length: 100 }, () => ({
        id: new TextEncoder().encode(`endless-${made++}`),
        start: firstBlock,
        size: BigInt(stream.length),
        checksum: adler32(stream)
      }))
    replicas[2]!.tamper = (elements) =>
      elements.map(({ id }) => ({
        id,
        blocks: [{ start: firstBlock, merged: { head: stream, tail: new Uint8Array(0) }, checksum: adler32(stream) }]
      }))
    const simulation = new Simulation({ seed: 1, replicas, numShards: 1, blocks: 1, memoryBytes: 4 << 20 })
    simulation.play(120_000)
    assert.strictEqual(simulation.run.outcome?._tag, "incomplete")
    const report = simulation.run.report()
    assert.isAbove(report.seriesBlocks.stored, 60)
    assert.deepStrictEqual(report.missing.entries.map(({ peers }) => peers), [["C"]])
    assert.include(report.missing.entries[0]!.reason, "memory for metadata is full")
    assert.deepStrictEqual(report.evidenceCounts, {})
    assert.strictEqual(simulation.ledger.used, 0)
  })
})
