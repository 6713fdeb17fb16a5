/** Mission 003, `earliest_hashes`: where the next segment may end, and who names it. */
import { assert, describe, it } from "@effect/vitest"
import { defaultSyncTimers } from "../../src/engine/SyncDefaults.ts"
import { World } from "./driver.ts"

/** Nobody can reach a quorum, so that the header phase does not end. */
const open = { minQuorumPeers: 9 }

describe("targets", () => {
  it("R20, R21, R22: a run begins without targets, pending headers and pending bodies", () => {
    const { snapshot } = new World()
    assert.deepStrictEqual([snapshot.targets, snapshot.pendingHeaders, snapshot.blocksInFlight], [0, 0, 0])
  })

  it("R23, R71: a hash that several peers name is one target", () => {
    const script = { locator: [30, 0] }
    const world = new World({ peers: [script, script, script, { locator: [31, 0] }], sync: open }).runFor(30)
    // Levels 30 and 31, and the head.
    assert.strictEqual(world.snapshot.targets, 3)
  })

  it("R35, R36, R37, R38, R76: a new hash is asked of its sender at once, and of everybody not yet asked", () => {
    const slow = { locator: [41, 0], latencyMillis: 510 }
    const world = new World({
      peers: [{ locator: [30, 0] }, { locator: [31, 0] }, slow, { locator: [30, 0] }],
      sync: { ...open, headerPolicy: "all" }
    })
    const at = (level: number) => world.chain.at(level).header.id
    const targets = [30, 31, 41, 60].map(at)
    const asked = (peer: number) => world.headersAsked(world.peers[peer]).filter((id) => targets.includes(id))
    // Nobody serves: support stays as told, and every target is of use.
    for (const peer of world.peers) peer.silentOn.add("get-headers")
    world.runFor(400)
    // What was known then: nothing waits for the slow one.
    assert.deepStrictEqual(new Set(asked(0)), new Set([30, 31, 60].map(at)))
    assert.deepStrictEqual(asked(2), [])
    world.run(() => asked(2).length > 0)
    assert.strictEqual(world.elapsed, 520)
    assert.include(world.headersAsked(world.peers[2]), at(41))
    world.runFor(260)
    for (const peer of [0, 1, 2, 3]) assert.deepStrictEqual(asked(peer).toSorted(), targets.toSorted())
  })

  it("R39, R80: all are asked for all targets as long as support is short, and nobody once it is there", () => {
    const scripts = [30, 33, 36, 39].map((level) => ({ locator: [level, 0] }))
    const short = new World({ peers: scripts, sync: { ...open, headerPolicy: "all" } })
    for (const peer of short.peers) peer.silentOn.add("get-headers")
    short.runFor(1000)
    for (const peer of short.peers) {
      const levels = new Set(short.headersAsked(peer).map((id) => short.chain.find(id)!.header.level))
      for (const level of [30, 33, 36, 39]) assert.isTrue(levels.has(level), `${peer.id} ${level}`)
    }
    // Three of four name the same: a quorum, as soon as its header is there. The fourth, which comes later, is not asked.
    const same = { locator: [30, 0] }
    const enough = new World({
      peers: [same, same, same, { locator: [57, 0], latencyMillis: 60 }],
      sync: { until: { level: 30 }, headerPolicy: "all" }
    }).run()
    assert.strictEqual(enough.head.level, 30)
    assert.notInclude(enough.headersAsked(enough.peers[3]), enough.chain.at(30).header.id)
  })

  it("R95: policy `all` asks everybody for everything at once; R96: policy `own` only what the peer itself named", () => {
    const scripts = [30, 33, 36, 39].map((level) => ({ locator: [level, 0] }))
    const levelsOf = (headerPolicy: "all" | "own" | "adaptive") => {
      const world = new World({ peers: scripts, sync: { ...open, headerPolicy } })
      for (const peer of world.peers) peer.silentOn.add("get-headers")
      world.runFor(290)
      const targets = new Set([30, 33, 36, 39].map((level) => world.chain.at(level).header.id))
      return world.peers.map((peer) =>
        world.headersAsked(peer).filter((id) => targets.has(id)).map((id) => world.chain.find(id)!.header.level)
          .toSorted()
      )
    }
    for (const levels of levelsOf("all")) assert.deepStrictEqual(levels, [30, 33, 36, 39])
    assert.deepStrictEqual(levelsOf("own"), [[30], [33], [36], [39]])
  })

  it("R96, 5.7.3: policy `adaptive` begins with the peers that name a hash, and widens while no quorum is in reach", () => {
    const scripts = [30, 33, 36, 39].map((level) => ({ locator: [level, 0] }))
    const world = new World({ peers: scripts, sync: { ...open, headerPolicy: "adaptive" } })
    for (const peer of world.peers) peer.silentOn.add("get-headers")
    world.runFor(25)
    for (const [at, peer] of world.peers.entries()) {
      assert.include(world.headersAsked(peer), world.chain.at(30 + 3 * at).header.id)
      for (const other of [1, 2, 3]) {
        assert.notInclude(world.headersAsked(peer), world.chain.at(30 + 3 * ((at + other) % 4)).header.id)
      }
    }
    world.runFor(4000)
    for (const peer of world.peers) {
      for (const level of [30, 33, 36, 39]) assert.include(world.headersAsked(peer), world.chain.at(level).header.id)
    }
  })

  it("5.12.9: with the last peer that names it a target goes", () => {
    const same = { locator: [30, 0] }
    const world = new World({ peers: [same, same, same, { locator: [41, 0] }], sync: open }).runFor(500)
    assert.strictEqual(world.snapshot.targets, 3)
    world.lose(world.peers[3]!)
    assert.strictEqual(world.snapshot.targets, 2)
  })

  it("A34: one branch brings no more targets than one request names", () => {
    const world = new World({ levels: 500, peers: 1, sync: open }).runFor(500)
    assert.strictEqual(world.snapshot.targets, 10)
  })

  it("A18: a target that gains no support for its lifetime goes, and its source is asked for its branch again", () => {
    const timers = { ...defaultSyncTimers, stuck: 3_600_000, branchRefresh: 3_600_000 }
    const world = new World({ peers: [{ locator: [30, 0] }, {}, {}, {}], sync: { ...open, timers } })
    world.runFor(590_000)
    assert.isAbove(world.snapshot.targets, 0)
    for (const peer of world.peers) assert.strictEqual(world.asked("get-branch", peer).length, 1)
    world.runFor(20_000)
    assert.strictEqual(world.snapshot.targets, 0)
    for (const peer of world.peers) assert.isAbove(world.asked("get-branch", peer).length, 1)
    assert.deepStrictEqual(world.blamed, [])
  })
})
