/** Mission 003, steps 3 and 4: requesting headers, and what a header that comes in does. */
import { assert, describe, it } from "@effect/vitest"
import { defaultScoreTable } from "../../src/engine/standing/ScoreTables.ts"
import { forgeBlock, makeSyntheticChain } from "../../src/testing/SyntheticChain.ts"
import { World } from "./driver.ts"

const open = { minQuorumPeers: 9 }

describe("requests for headers", () => {
  it("R34, R75, R77: the responsive peers are asked at the same time, by GetBlockHeaders, at most ten at a time", () => {
    const world = new World({ levels: 400, peers: 4, sync: { ...open, headerPolicy: "all" } })
    world.runFor(3000)
    const start = world.asked("get-headers")[0]!.atMillis
    const first = world.asked("get-headers").filter(({ atMillis }) => atMillis === start)
    assert.deepStrictEqual(new Set(first.map(({ peer }) => peer)), new Set(world.peers))
    for (const { request } of world.asked("get-headers")) assert.isAtMost(request.ids.length, 10)
  })

  it("R34: a peer that has not told its branch is asked for no header", () => {
    const world = new World({ peers: [{}, {}, {}, { silentOn: ["get-branch"] }] }).run()
    assert.deepStrictEqual(world.headersAsked(world.peers[3]), [])
    assert.strictEqual(world.head.level, 60)
  })

  it("R74, R86: answers in any order lead to the same segment", () => {
    const ends = [[10, 10, 10, 10], [300, 20, 80, 500], [40, 700, 1, 90]].map((latencies) => {
      const peers = latencies.map((latencyMillis) => ({ latencyMillis, locator: [30, 12, 0] }))
      return new World({ peers, sync: { until: { level: 30 } } }).run().head.id
    })
    assert.deepStrictEqual(new Set(ends).size, 1)
  })

  it("R78, R79, A25: the worker of a peer looks for new targets as often as its score is high", () => {
    const scores = { ...defaultScoreTable, credits: { branch: 0, head: 0, header: 0, unit: 0 } }
    const looksIn3Seconds = (score: number) => {
      const world = new World({ scores, peers: 2, sync: { ...open, headerPolicy: "all" } }).runFor(100)
      const [peer, other] = [world.peers[0]!, world.peers[1]!]
      const body = new Uint8Array()
      for (let at = 100; at > score; at -= 10) {
        world.say(peer, { kind: "unit", block: "00", unit: 0, body, proof: body })
      }
      assert.strictEqual(world.score(peer), score)
      world.runFor(6000)
      // The other one names a new target every 10 ms: each look of the worker finds what came meanwhile.
      const before = world.log.length
      for (let at = 0; at < 300; at++) {
        const block = world.chain.grow(world.chain.at(30).header.id, 1, `side ${at}`, 0)[0]!
        peer.also.set(block.header.id, block)
        const entries = [{ id: block.header.id, level: 31, exact: true }, {
          id: world.chain.base.id,
          level: 0,
          exact: false
        }]
        world.say(other, { kind: "branch", head: world.chain.head.header, entries })
        world.runFor(10)
      }
      const asked = world.log.slice(before).filter((one) => one.peer === peer && one.request.kind === "get-headers")
      return new Set(asked.map(({ atMillis }) => atMillis)).size
    }
    assert.approximately(looksIn3Seconds(100), 12, 1)
    assert.approximately(looksIn3Seconds(50), 6, 1)
    assert.approximately(looksIn3Seconds(10), 1, 1)
  })

  it("R91: in a segmented run headers are asked for by hash alone", () => {
    const world = new World({ levels: 300 }).run()
    assert.deepStrictEqual(world.asked("get-ancestor"), [])
    assert.isAbove(world.asked("get-headers").length, 0)
  })

  it("A21: the headers between our head and a target are found by going down from parent to parent", () => {
    const peers = Array.from({ length: 4 }, () => ({ locator: [20, 0] }))
    const world = new World({ peers, sync: { until: { level: 20 } } }).run()
    const asked = new Set(world.headersAsked())
    for (let level = 1; level <= 20; level++) assert.isTrue(asked.has(world.chain.at(level).header.id), `${level}`)
    // A hash proves its header: on the way down one peer is enough.
    const descents = world.headersAsked().filter((id) => world.chain.find(id)!.header.level < 20)
    assert.strictEqual(descents.length, 19)
  })
})

describe("headers that come in", () => {
  it("R40, R41, A23: a header never asked for is blamed and dropped, a late or repeated one is not", () => {
    const world = new World({ peers: [{ locator: [30, 0] }, {}, {}, {}], sync: open }).runFor(6000)
    const peer = world.peers[0]!
    const pending = world.snapshot.pendingHeaders
    const asked = world.chain.at(30).header
    assert.include(world.headersAsked(peer), asked.id)
    world.say(peer, { kind: "header", header: asked })
    assert.deepStrictEqual([world.blamed, world.score(peer)], [[], 100])
    const stranger = world.chain.grow(world.chain.head.header.id, 1, "nobody asked", 0)[0]!.header
    world.say(peer, { kind: "header", header: stranger })
    assert.deepStrictEqual([world.blamed, world.score(peer)], [["p0 never-asked"], 90])
    assert.strictEqual(world.snapshot.pendingHeaders, pending)
  })

  it("A23: an answer after its time is not unexpected", () => {
    const world = new World({ peers: [{ locator: [30, 0] }], sync: { minQuorumPeers: 1 } })
    const peer = world.peers[0]!
    peer.silentOn.add("get-headers")
    world.run(() => world.snapshot.counters.requestsTimedOut > 0)
    world.say(peer, { kind: "header", header: world.chain.at(30).header })
    assert.deepStrictEqual(world.blamed, [])
  })

  it("R42: a header that was asked for joins the pending ones", () => {
    const world = new World({ peers: [{ locator: [30, 0] }], sync: open })
    world.run(() => world.headersAsked().length > 0)
    const before = world.snapshot.pendingHeaders
    world.runFor(15)
    assert.isAbove(world.snapshot.pendingHeaders, before)
    assert.isAbove(world.snapshot.counters.headersReceived, 0)
  })

  it("R92, 5.11: a predecessor header that was never asked for is blamed", () => {
    const world = new World({ sync: open }).runFor(500)
    const { header } = world.chain.at(7)
    world.say(world.peers[0]!, { kind: "ancestor", of: world.chain.at(9).header.id, offset: 2, header })
    assert.deepStrictEqual(world.blamed, ["p0 never-asked"])
  })

  it("A5: a target of another level than its locator says proves the locator wrong, not the one who sent the header", () => {
    const world = new World({ peers: [{ locator: [30, 0] }, {}, {}, {}, {}], sync: { headerPolicy: "all" } })
    const liar = world.peers[0]!
    liar.silentOn.add("get-headers")
    liar.alter = (answer) =>
      answer.kind === "branch"
        ? { ...answer, entries: answer.entries.map((one) => one.level === 30 ? { ...one, level: 29 } : one) }
        : answer
    world.run()
    assert.deepStrictEqual(world.blamed, ["p0 bogus-branch"])
    assert.strictEqual(world.head.level, 60)
  })

  it("2.7: a header that breaks a rule towards its parent costs those who claim it, and is never asked for again", () => {
    const chain = makeSyntheticChain({ seed: 11, levels: 60 })
    const parent = chain.at(9).header
    const light = forgeBlock({
      parent: parent.id,
      level: 10,
      timeSeconds: parent.timeSeconds + 6,
      weight: 0,
      salt: "not heavier than its parent"
    }, [])
    const bad = [...chain.main.slice(0, 10), light]
    const world = new World({ chain, peers: [{}, {}, {}, {}, { blocks: bad, locator: [9, 0] }] }).run()
    assert.deepStrictEqual(world.blamed, ["p4 bad-header"])
    assert.strictEqual(world.score(world.peers[4]!), 50)
    assert.strictEqual(world.head.id, chain.head.header.id)
  })
})
