/** Faults that simulated worlds have found in this engine, each in its smallest form. */
import { assert, describe, it } from "@effect/vitest"
import {
  expectedOf,
  firstBlock,
  makeDataset,
  makeReplica,
  makeStream,
  replicaOf,
  Simulation,
  type SimulationSpec,
  writtenOf
} from "./support/SimulatedCluster.ts"

const cluster = (given: Partial<SimulationSpec> & { readonly series?: number } = {}) => {
  const numShards = given.numShards ?? 1
  const held = makeDataset({ seed: 6, series: given.series ?? 12, blocks: 1, numShards })
  const replicas = ["A", "B", "C"].map((id) => makeReplica(id, replicaOf(held)))
  return { held, replicas, start: () => new Simulation({ seed: 1, replicas, numShards, blocks: 1, ...given }) }
}

describe("a run goes on by itself", () => {
  it("with the next job when the last one at work has ended", () => {
    const { held, start } = cluster({ numShards: 6, limits: { jobsInFlight: 1 } })
    const simulation = start().play()
    assert.strictEqual(simulation.run.outcome?._tag, "complete")
    assert.deepStrictEqual(writtenOf(simulation), expectedOf(held))
  })

  it("without asking to be woken while it ends and only the sink is at work", () => {
    const { replicas, start } = cluster({ sinkDelay: 5_000, numShards: 2 })
    for (const replica of replicas) replica.tamper = (elements) => elements.slice(1)
    const simulation = start().play(2_000)
    simulation.send({ _tag: "stop", why: "stopped" })
    assert.strictEqual(simulation.run.wakeAt(), Number.POSITIVE_INFINITY)
    assert.strictEqual(simulation.play().run.outcome?._tag, "stopped")
  })
})

describe("nothing is published below the level", () => {
  it("when listings that the level needs turn out to be made up: they are listed again", () => {
    const { held, replicas, start } = cluster()
    let loops = true
    for (const liar of replicas.slice(1)) liar.nextToken = (next, asked) => (loops ? asked : next)
    const simulation = start().play(60_000)
    assert.isUndefined(simulation.run.outcome)
    assert.strictEqual(simulation.committed.size, 0)
    const [wait] = simulation.run.waits()
    assert.sameMembers([...wait!.peers], ["B", "C"])
    assert.include(wait!.cause, "brought nothing new")
    loops = false
    assert.strictEqual(simulation.play().run.outcome?._tag, "complete")
    assert.deepStrictEqual(writtenOf(simulation), expectedOf(held))
  })

  it("`none` names the blocks of which it published what came before every listing broke off", () => {
    const { replicas, start } = cluster({ level: "none" })
    for (const replica of replicas) {
      replica.pageSize = 6
      replica.fault = (kind, nth) => (kind === "list" && nth > 1 ? { reason: "closed" } : undefined)
    }
    const simulation = start().play()
    assert.strictEqual(simulation.run.outcome?._tag, "incomplete")
    assert.strictEqual(simulation.run.report().seriesBlocks.stored, 6)
    const [entry] = simulation.run.report().missing.entries
    assert.include(entry!.reason, "listed by 0 of 3 peers")
  })

  it("a level that rises calls peers back that were given up", () => {
    const { held, replicas, start } = cluster({ level: "one" })
    let broken = true
    replicas[0]!.delay = (kind) => (kind === "fetch" ? 20_000 : 5)
    for (const one of replicas.slice(1)) {
      one.fault = () => (broken ? { reason: "internal", afterMillis: 50 } : undefined)
    }
    const simulation = start().play(10_000)
    assert.strictEqual(simulation.run.active.get(0)!.listing.listings[1]!.state, "GIVEN_UP")
    simulation.send({ _tag: "level", level: "all", origin: "test" })
    assert.isUndefined(simulation.play(60_000).run.outcome)
    assert.sameMembers([...simulation.run.waits()[0]!.peers], ["B", "C"])
    broken = false
    assert.strictEqual(simulation.play().run.outcome?._tag, "complete")
    assert.strictEqual(simulation.run.report().unlisted.total, 0)
    assert.deepStrictEqual(writtenOf(simulation), expectedOf(held))
  })
})

describe("nobody waits for the dead", () => {
  it("where another replica can deliver, though it used up its tries", () => {
    const { held, replicas, start } = cluster({ limits: { attemptsPerPeer: 1 } })
    for (const replica of replicas.slice(0, 2)) {
      replica.fault = (kind, nth) => (kind === "fetch" && nth <= 2 ? { reason: "closed" } : undefined)
    }
    replicas[2]!.fault = (kind) => (kind === "fetch" ? { reason: "unreachable" } : undefined)
    const simulation = start().play(120_000)
    assert.strictEqual(simulation.run.outcome?._tag, "complete")
    assert.deepStrictEqual(writtenOf(simulation), expectedOf(held))
  })

  it("where the other replicas were out of reach, too, and are back without anybody having asked", () => {
    const { held, replicas, start } = cluster({ limits: { attemptsPerPeer: 1 } })
    for (const replica of replicas.slice(0, 2)) {
      replica.fault = (kind, nth) => (kind === "fetch" && nth <= 6 ? { reason: "internal" } : undefined)
    }
    replicas[2]!.fault = (kind) => (kind === "fetch" ? { reason: "not-bootstrapped" } : undefined)
    const simulation = start().play(300_000)
    assert.strictEqual(simulation.run.outcome?._tag, "complete")
    assert.deepStrictEqual(writtenOf(simulation), expectedOf(held))
  })

  it("under `none`, though they were out of reach before the block was listed", () => {
    const { replicas, start } = cluster({ level: "none" })
    for (const replica of replicas.slice(0, 2)) replica.held.set(0, [])
    replicas[2]!.fault = (kind) => (kind === "fetch" ? { reason: "unreachable" } : undefined)
    const simulation = start().play(120_000)
    assert.strictEqual(simulation.run.outcome?._tag, "incomplete")
    assert.strictEqual(simulation.run.report().missing.total, 12)
  })

  it("nor for copies of a peer that is not believed any more", () => {
    const { replicas, start } = cluster()
    const liar = replicas[2]!
    liar.held.set(0, liar.held.get(0)!.map((one, i) => ({ ...one, streams: [makeStream(70 + i, firstBlock, 5)] })))
    liar.nextToken = (_next, asked) => asked
    liar.delay = (kind) => (kind === "list" ? 20 : 5)
    liar.tamper = (elements) => elements.map((element) => ({ ...element, blocks: [] }))
    const simulation = start().play(120_000)
    assert.strictEqual(simulation.run.outcome?._tag, "complete")
  })
})

describe("what peers announce is not taken for true", () => {
  it("a size beyond all memory costs neither the block nor the run", () => {
    const { held, replicas, start } = cluster({ memoryBytes: 1 << 20 })
    replicas[2]!.tamperPage = (elements) =>
      elements.map((element, i) => ({ ...element, size: 30n << 30n, checksum: i === 0 ? 5 : element.checksum }))
    const simulation = start().play(60_000)
    assert.strictEqual(simulation.run.outcome?._tag, "complete")
    assert.deepStrictEqual(writtenOf(simulation), expectedOf(held))
  })

  it("an honest peer with far more series than the others is not blamed, though memory keeps its pages small", () => {
    const { held, replicas, start } = cluster({ series: 3_200, memoryBytes: 4 << 20, limits: { idlePages: 4 } })
    for (const replica of replicas) replica.pageSize = 4096
    for (const replica of replicas.slice(0, 2)) replica.held.set(0, replica.held.get(0)!.slice(0, 3))
    const simulation = start().play(600_000)
    assert.deepStrictEqual(simulation.run.report().evidenceCounts, {})
    assert.strictEqual(simulation.run.outcome?._tag, "complete")
    assert.strictEqual(writtenOf(simulation).get(`0/${firstBlock}`)!.size, held.get(0)!.length)
  })
})
