/** Entries of the checklists that no other file shows by name. (specs: peer streaming 12) */
import { assert, describe, it } from "@effect/vitest"
import { RemoteError } from "@peerstrap/m3db-wire"
import { pointsOf, splitPoints } from "@peerstrap/m3db-wire/testing"
import {
  blockSize,
  expectedOf,
  firstBlock,
  makeDataset,
  makeReplica,
  replicaOf,
  Simulation,
  writtenOf
} from "./support/SimulatedCluster.ts"

const held = makeDataset({ seed: 3, series: 40, blocks: 1, numShards: 1 })
const replicas = (of = held) => ["A", "B", "C"].map((id) => makeReplica(id, replicaOf(of)))
const simulate = (list: ReturnType<typeof replicas>, options: object = {}) =>
  new Simulation({ seed: 2, replicas: list, numShards: 1, blocks: 1, options })
const isComplete = (simulation: Simulation) => {
  assert.strictEqual(simulation.run.outcome?._tag, "complete")
  assert.deepStrictEqual(writtenOf(simulation), expectedOf(held))
}
const noTail = new Uint8Array(0)
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex")

describe("checklist", () => {
  it("no fixed waiting floor: an empty shard takes one page of each peer and one commit, nothing else", () => {
    const simulation = simulate(["A", "B", "C"].map((id) => makeReplica(id))).play()
    assert.strictEqual(simulation.run.outcome?._tag, "complete")
    assert.strictEqual(simulation.now - simulation.started, 5 + 1)
  })

  it("no fixed waiting floor: a shard with data takes its calls and its writes, nothing else", () => {
    const simulation = simulate(replicas()).play()
    isComplete(simulation)
    // A page, a batch, a write, a commit. Each peer's first batch is small, so some take a second one.
    assert.isAtMost(simulation.now - simulation.started, 5 + 2 * 5 + 1 + 1)
  })

  it("a block on which all agree is stored without being decoded", () => {
    const opaque = new Map([[0, held.get(0)!.map((one, i) => ({ ...one, streams: [Uint8Array.of(0xff, i)] }))]])
    const simulation = simulate(replicas(opaque)).play()
    assert.strictEqual(simulation.run.outcome?._tag, "complete")
    assert.deepStrictEqual(writtenOf(simulation), expectedOf(opaque))
  })

  it("the page token resumes after an error of a call", () => {
    const list = replicas()
    list[0]!.pageSize = 10
    const asked: Array<number> = []
    list[0]!.fault = (kind, nth) => (kind === "list" && nth === 3 ? { reason: "internal" } : undefined)
    list[0]!.tamperPage = (elements, request) => {
      asked.push(request.pageToken === undefined ? 0 : new DataView(request.pageToken.slice().buffer).getUint32(0))
      return elements
    }
    const simulation = simulate(list).play()
    isComplete(simulation)
    assert.deepStrictEqual(asked, [0, 10, 20, 30])
  })

  it("an element with err is fetched from every peer, like one without a checksum", () => {
    const list = replicas()
    list[1]!.tamperPage = (elements) =>
      elements.map((one, i) => (i === 0 ? { id: one.id, start: one.start, error: new RemoteError(0, "disk") } : one))
    const simulation = simulate(list).play()
    isComplete(simulation)
    assert.strictEqual(simulation.run.report().divergences.counts.unknown, 1)
    assert.strictEqual(simulation.run.report().peers.reduce((sum, peer) => sum + peer.seriesBlocks, 0), 42)
  })

  it("a block with err is fetched from another peer and recorded", () => {
    const list = replicas()
    list[1]!.tamper = (elements) =>
      elements.map((one) => ({ ...one, blocks: [{ start: firstBlock, error: new RemoteError(0, "read failed") }] }))
    const simulation = simulate(list).play()
    isComplete(simulation)
    assert.isAbove(simulation.run.report().evidenceCounts["B"]!["block-error"]!, 0)
  })

  it("a block that leaves retention in mid-run is dropped: no error, nobody blamed", () => {
    const list = replicas()
    for (const replica of list) replica.tamper = (elements) => elements.map((one) => ({ ...one, blocks: [] }))
    const simulation = simulate(list, { retentionNanos: blockSize })
    simulation.play()
    assert.strictEqual(simulation.run.outcome?._tag, "complete")
    assert.strictEqual(simulation.run.report().seriesBlocks.dropped, 40)
    assert.deepStrictEqual(simulation.run.report().evidenceCounts, {})
  })

  it("all peers are not bootstrapped: nothing ends, why names all of them, and the run goes on when they are", () => {
    const list = replicas()
    let ready = false
    for (const replica of list) {
      replica.fault = () =>
        ready ? undefined : { reason: "not-bootstrapped", message: "shard is not yet bootstrapped to read" }
    }
    const simulation = simulate(list).play(60_000)
    assert.isUndefined(simulation.run.outcome)
    const [wait] = simulation.run.waits()
    assert.sameMembers([...wait!.peers], ["A", "B", "C"])
    assert.include(wait!.cause, "not yet bootstrapped")
    ready = true
    isComplete(simulation.play())
    assert.deepStrictEqual(simulation.run.report().evidenceCounts, {})
  })

  it("none ends even where a peer answers every block request with overloaded for ever", () => {
    const list = replicas()
    for (const replica of list.slice(1)) replica.held.set(0, [])
    list[0]!.fault = (
      kind
    ) => (kind === "fetch" ? { reason: "overloaded", message: "server is overloaded" } : undefined)
    const simulation = simulate(list).play(60_000)
    assert.isFalse(simulation.run.isFinished)
    simulation.send({ _tag: "level", level: "none", origin: "control socket" })
    simulation.play(600_000)
    assert.strictEqual(simulation.run.outcome?._tag, "incomplete")
    assert.strictEqual(simulation.run.report().missing.total, 40)
    assert.deepStrictEqual(simulation.run.report().evidenceCounts, {})
  })

  it("merge peer blocks: two peers that hold the odd and the even points yield all of them", () => {
    const list = replicas().slice(0, 2)
    for (const [half, replica] of list.entries()) {
      replica.held.set(
        0,
        replica.held.get(0)!.map((one) => {
          const { head, tail } = splitPoints(pointsOf({ head: one.streams[0]!, tail: noTail }), one.start, false)[half]!
          return { ...one, streams: [Buffer.concat([head, tail])] }
        })
      )
    }
    const simulation = simulate(list).play()
    assert.strictEqual(simulation.run.outcome?._tag, "complete")
    const written = simulation.written.get(`0/${firstBlock}`)!
    for (const one of held.get(0)!) {
      const merged = pointsOf({ head: written.get(hex(one.id))!, tail: noTail })
      const whole = pointsOf({ head: one.streams[0]!, tail: noTail })
      assert.deepStrictEqual([...merged.timestamps.subarray(0, merged.count)], [
        ...whole.timestamps.subarray(0, whole.count)
      ])
      assert.deepStrictEqual([...merged.values.subarray(0, merged.count)], [...whole.values.subarray(0, whole.count)])
    }
  })
})
