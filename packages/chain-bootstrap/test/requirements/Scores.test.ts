/** Scores as a run moves them; the table is tested in `test/Standing.test.ts`. */
import { assert, describe, it } from "@effect/vitest"
import { World } from "./driver.ts"

describe("scores", () => {
  it("R18, R19: a peer begins with the highest score, and with no head above ours", () => {
    const world = new World({ peers: [{}, {}, {}, { silentOn: ["get-branch"] }] }).runFor(15)
    for (const { claimedLevel, score } of world.snapshot.peers) {
      assert.deepStrictEqual([score, claimedLevel], [100, undefined])
    }
    world.run()
    const mute = world.peers[3]
    assert.deepStrictEqual([world.headersAsked(mute), world.unitsAsked(mute)], [[], []])
  })

  it("R12, R13, R119: a valid answer to a request raises a score that is below the highest, a repeated one does not", () => {
    const world = new World({ levels: 200, peers: [{ locator: [120, 0] }, {}, {}, {}], sync: { until: undefined } })
    world.run(() => world.score(world.peers[0]!) !== undefined)
    const peer = world.peers[0]!
    const nothing = new Uint8Array()
    for (let times = 0; times < 4; times++) {
      world.say(peer, { kind: "unit", block: "00", unit: times, body: nothing, proof: nothing })
    }
    assert.strictEqual(world.score(peer), 60)
    const scores = [60]
    world.run(() => {
      const score = world.score(peer) ?? 0
      if (score !== scores.at(-1)) scores.push(score)
      return score === 100
    }, 5000)
    assert.deepStrictEqual(scores, scores.toSorted((a, b) => a - b))
    // The branch gives ten, a header or unit one.
    assert.strictEqual(scores[1], 70)
    assert.include(scores, 71)
    world.say(peer, { kind: "unit", block: "00", unit: 9, body: nothing, proof: nothing })
    const header = world.chain.find(world.headersAsked(peer)[0]!)!.header
    world.say(peer, { kind: "header", header })
    world.say(peer, { kind: "header", header })
    assert.isAtMost(world.score(peer)!, 90)
  })

  it("R84: a penalty is points, and at zero or for proof of a protocol error the greylist", () => {
    const world = new World({ peers: 6, connections: { minPeers: 4 }, sync: { until: undefined } }).runFor(3000)
    const [worn, broken] = [world.peers[0]!, world.peers[1]!]
    const nothing = new Uint8Array()
    for (let times = 0; times < 10; times++) {
      assert.strictEqual(world.score(worn), 100 - 10 * times)
      world.say(worn, { kind: "unit", block: "00", unit: times, body: nothing, proof: nothing })
    }
    world.say(broken, { kind: "bogus", what: "head", detail: "does not hash" })
    for (const peer of [worn, broken]) {
      assert.isUndefined(peer.number)
      assert.strictEqual(world.snapshot.known.find(({ id }) => id === peer.id)?.status, "greylisted")
    }
  })

  it("R118, never blame without proof: every fall of a score has its record, and honest peers have none", () => {
    const world = new World({ levels: 300, peers: [{}, {}, { latencyMillis: 1800 }, { silentOn: ["get-units"] }] })
      .run()
    assert.strictEqual(world.head.level, 300)
    assert.deepStrictEqual(world.snapshot.evidence, [])
    assert.isTrue(world.snapshot.peers.every(({ score }) => score === 100))
  })
})
