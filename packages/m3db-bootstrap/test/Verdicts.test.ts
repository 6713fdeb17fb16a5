/** Who is at fault for a failed call or a wrong block, what that rests on, and where the report says so. */
import { assert, describe, it } from "@effect/vitest"
import { CallErrorReason } from "@peerstrap/m3db-wire"
import { adler32 } from "@peerstrap/m3tsz"
import { verdictOf } from "../src/engine/CallFailures.ts"
import { firstBlock, makeDataset, makeReplica, makeStream, replicaOf, Simulation } from "./support/SimulatedCluster.ts"

const held = makeDataset({ seed: 2, series: 20, blocks: 1, numShards: 1 })
const cluster = () => ["A", "B", "C"].map((id) => makeReplica(id, replicaOf(held)))
const play = (replicas: ReturnType<typeof cluster>) =>
  new Simulation({ seed: 1, replicas, numShards: 1, blocks: 1 }).play().run

describe("a failed call", () => {
  for (const reason of CallErrorReason.literals) {
    const isSelf = reason === "local" || reason === "too-large"
    const verdict = isSelf ? "self" : reason === "bad-answer" ? "peer" : "unknown"
    it(`${reason}: ${verdict}, with what that rests on`, () => {
      const found = verdictOf(reason)
      assert.strictEqual(found.verdict, verdict)
      assert.isAbove(found.because.length, 10)
    })
  }

  it("is held against the peer only when a whole answer, under checksums that held, is wrong", () => {
    const held = CallErrorReason.literals.filter((reason) => verdictOf(reason).verdict === "peer")
    assert.deepStrictEqual(held, ["bad-answer"])
  })

  it("is in the report of its peer by reason, verdict and first words, and is no evidence", () => {
    const replicas = cluster()
    replicas[2]!.fault = (_kind, nth) => (nth <= 2 ? { reason: "closed", message: "reset by peer" } : undefined)
    const report = play(replicas).report()
    const [calls, ...others] = report.peers[2]!.failedCalls
    assert.isEmpty(others)
    assert.strictEqual(calls!.reason, "closed")
    assert.strictEqual(calls!.verdict, "unknown")
    assert.isAtLeast(calls!.times, 2)
    assert.include(calls!.first, "shard 0: reset by peer")
    assert.deepStrictEqual(report.evidenceCounts, {})
    assert.doesNotThrow(() => JSON.stringify(report))
  })
})

describe("a block that is not what it should be", () => {
  it("is listed as damaged at its peer, with series, block and both checksums", () => {
    const replicas = cluster()
    const lie = makeStream(700, firstBlock, 8)
    replicas[0]!.tamper = (elements) =>
      elements.map((element) => ({
        ...element,
        blocks: [{ start: firstBlock, merged: { head: lie, tail: new Uint8Array(0) }, checksum: adler32(lie) }]
      }))
    const report = play(replicas).report()
    const { damaged } = report.peers[0]!
    assert.isAbove(damaged.total, 0)
    const [one] = damaged.entries
    assert.strictEqual(one!.kind, "delivered-differs-from-advertised")
    assert.strictEqual(one!.blockStart, String(firstBlock))
    assert.match(one!.advertised ?? "", /^[0-9a-f]{8}$/)
    assert.include(one!.delivered, adler32(lie).toString(16).padStart(8, "0"))
    assert.strictEqual(report.peers[1]!.damaged.total, 0)
    // A cold write changes an old block between its listing and its delivery: nobody's fault.
    assert.isTrue(report.evidence.every(({ verdict }) => verdict === "unknown"))
  })

  it("is one entry, however often it was asked for", () => {
    const replicas = cluster().slice(0, 1)
    replicas[0]!.tamper = (elements) => elements.map((element) => ({ ...element, blocks: [] }))
    const simulation = new Simulation({ seed: 1, replicas, numShards: 1, blocks: 1 }).play(20_000)
    simulation.send({ _tag: "stop", why: "deadline" })
    const report = simulation.run.report()
    const { damaged } = report.peers[0]!
    assert.strictEqual(damaged.total, 20)
    assert.strictEqual(new Set(damaged.entries.map(({ id }) => id)).size, 20)
    const asked = damaged.entries.reduce((sum, { times }) => sum + times, 0)
    assert.isAbove(asked, 20)
    assert.strictEqual(asked, report.evidenceCounts["A"]!["advertised-not-delivered"])
  })

  it("several segments where one checksum was advertised say nothing against anybody", () => {
    const replicas = cluster()
    replicas[0]!.tamper = (elements) =>
      elements.map(({ blocks, id }) => ({ id, blocks: blocks.flatMap((block) => [block, block]) }))
    const report = play(replicas).report()
    assert.deepStrictEqual(report.evidenceCounts, {})
    assert.strictEqual(report.peers[0]!.damaged.total, 0)
    assert.strictEqual(report.outcome, "complete")
  })

  it("what was advertised and not delivered is damage with proof", () => {
    const replicas = cluster()
    replicas[0]!.tamper = (elements) => elements.map((element) => ({ ...element, blocks: [] }))
    const report = play(replicas).report()
    assert.isAbove(report.evidenceCounts["A"]!["advertised-not-delivered"]!, 0)
    assert.strictEqual(report.peers[0]!.damaged.entries[0]!.kind, "advertised-not-delivered")
  })
})
