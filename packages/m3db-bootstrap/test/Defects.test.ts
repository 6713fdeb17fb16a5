/** One test for each defect of M3's own client that this engine could share. (specs: peer streaming 10) */
import { assert, describe, it } from "@effect/vitest"
import type { BlocksElement } from "@peerstrap/m3db-wire"
import {
  expectedOf,
  firstBlock,
  makeDataset,
  makeReplica,
  makeStream,
  replicaOf,
  Simulation,
  writtenOf
} from "./support/SimulatedCluster.ts"

const held = makeDataset({ seed: 1, series: 40, blocks: 1, numShards: 1 })
const replicas = () => ["A", "B", "C"].map((id) => makeReplica(id, replicaOf(held)))
const simulate = (list: ReturnType<typeof replicas>) =>
  new Simulation({ seed: 5, replicas: list, numShards: 1, blocks: 1 })
const isComplete = (simulation: Simulation) => {
  assert.strictEqual(simulation.run.outcome?._tag, "complete")
  assert.deepStrictEqual(writtenOf(simulation), expectedOf(held))
}

describe("where M3's client goes wrong", () => {
  it("D1: a peer that keeps failing in a fan-out does not block it once a majority has answered", () => {
    const list = replicas()
    const conflicted = list[1]!.held.get(0)!
    conflicted[0] = { ...conflicted[0]!, streams: [makeStream(555, firstBlock, 8)] }
    list[2]!.tamper = (elements) => elements.map((element) => ({ ...element, blocks: [] }))
    const simulation = simulate(list).play()
    assert.strictEqual(simulation.run.outcome?._tag, "complete")
    assert.strictEqual(simulation.run.report().seriesBlocks.stored, 40)
  })

  it("D2: successes of a fan-out count towards its outcome", () => {
    const list = replicas()
    const conflicted = list[1]!.held.get(0)!
    conflicted[0] = { ...conflicted[0]!, streams: [makeStream(555, firstBlock, 8)] }
    let asked = 0
    list[0]!.fault = (kind) => (kind === "fetch" && asked++ < 1 ? { reason: "closed" } : undefined)
    const simulation = simulate(list).play()
    assert.strictEqual(simulation.run.outcome?._tag, "complete")
    assert.isAtMost(list.reduce((sum, replica) => sum + replica.calls.fetch, 0), 12)
  })

  it("D3: a retried series keeps its tags", () => {
    const list = replicas()
    for (const replica of list) {
      replica.fault = (kind, nth) => (kind === "fetch" && nth === 1 ? { reason: "closed" } : undefined)
    }
    const simulation = simulate(list).play()
    isComplete(simulation)
    for (const one of held.get(0)!) {
      assert.strictEqual(
        simulation.tagsOf.get(Buffer.from(one.id).toString("hex")),
        Buffer.from(one.tags).toString("hex")
      )
    }
  })

  it("D4: a read error that looks like absence is not taken for absence: another replica is asked", () => {
    const list = replicas()
    list[0]!.tamper = (elements) => elements.map((element) => ({ ...element, blocks: [] }))
    const simulation = simulate(list).play()
    isComplete(simulation)
    assert.isAbove(simulation.run.report().evidenceCounts["A"]!["advertised-not-delivered"]!, 0)
  })

  it("D5: the missing tail of a short answer is fetched", () => {
    const list = replicas()
    for (const replica of list) {
      let first = true
      replica.tamper = (elements) => {
        const cut = first ? elements.slice(0, Math.ceil(elements.length / 2)) : elements
        first = false
        return cut
      }
    }
    isComplete(simulate(list).play())
  })

  it("D6: an answer with more elements than asked does no harm and is recorded", () => {
    const list = replicas()
    const extra: BlocksElement = {
      id: new TextEncoder().encode("nobody asked"),
      blocks: [{ start: firstBlock, merged: { head: new Uint8Array([1]), tail: new Uint8Array(0) } }]
    }
    for (const replica of list) replica.tamper = (elements) => [extra, ...elements, extra]
    const simulation = simulate(list).play()
    isComplete(simulation)
    const counts = simulation.run.report().evidenceCounts["A"]!
    assert.isAbove(counts["unrequested-block"]!, 0)
    assert.isAbove(counts["surplus-element"]!, 0)
  })

  it("D7: items that are left out or reordered shift nothing onto another series", () => {
    const list = replicas()
    for (const replica of list) replica.tamper = (elements) => elements.toReversed()
    const simulation = simulate(list).play()
    isComplete(simulation)
    assert.strictEqual(simulation.run.report().retries, 0)
  })

  it("D8: level all can be satisfied", () => {
    const simulation = new Simulation({ seed: 1, replicas: replicas(), numShards: 1, blocks: 1, level: "all" }).play()
    isComplete(simulation)
  })

  it("D10: a listing that comes up short is completed by the other replicas", () => {
    const list = replicas()
    list[0]!.held.set(0, list[0]!.held.get(0)!.slice(0, 5))
    const simulation = simulate(list).play()
    isComplete(simulation)
    assert.strictEqual(simulation.run.report().divergences.counts["absent-on-some"], 35)
  })

  it("D11: a good copy that is held is not lost to a bad newcomer", () => {
    const list = replicas()
    for (const [index, replica] of list.entries()) {
      const series = replica.held.get(0)!
      series[0] = {
        ...series[0]!,
        streams: index === 2 ? [new Uint8Array([0xff, 0xff])] : [makeStream(index, firstBlock, 8)]
      }
      replica.delay = () => 5 + index * 50
    }
    const simulation = simulate(list).play()
    assert.strictEqual(simulation.run.outcome?._tag, "complete")
    assert.isAbove(simulation.run.report().evidenceCounts["C"]!["undecodable-block"]!, 0)
    assert.isAbove(
      simulation.written.get(`0/${firstBlock}`)!.get(Buffer.from(held.get(0)![0]!.id).toString("hex"))!.length,
      8
    )
  })

  it("two blocks for one start are merged, not rejected (issues 1640, 1707 of m3)", () => {
    const list = replicas()
    for (const replica of list) {
      replica.tamper = (elements) =>
        elements.map((element) => ({ ...element, blocks: [...element.blocks, ...element.blocks] }))
    }
    isComplete(simulate(list).play())
  })
})
