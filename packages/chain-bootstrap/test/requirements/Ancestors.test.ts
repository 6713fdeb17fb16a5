/** GetPredecessorHeader (R91, R92; 5.11): splits long gaps beneath a chain with quorum; its answers are hints. */
import { assert, describe, it } from "@effect/vitest"
import { World, type WorldOptions } from "./driver.ts"

/** Peers whose locators leave a gap of 360 levels below the head. */
const gap: WorldOptions = {
  levels: 400,
  peers: Array.from({ length: 4 }, () => ({ locator: [399, 398, 397, 396, 395, 394, 393, 392, 391, 390, 380, 20, 0] })),
  rules: { spacingMillis: { branch: 0, head: 0, ancestor: 11_000, peers: 0, swap: 0 } },
  sync: { mode: "anchored" }
}

describe("predecessor headers by distance", () => {
  it("R92, 5.11: in anchored mode each peer is asked for one in the middle of the longest gap, and the way down starts there, too", () => {
    const world = new World(gap).run()
    const asked = world.asked("get-ancestor")
    assert.strictEqual(world.head.level, 400)
    assert.deepStrictEqual(world.blamed, [])
    assert.isAtLeast(asked.length, 4)
    const levels = asked.map(({ request }) => world.find(request.of).header.level - request.offset)
    assert.strictEqual(levels[0], 200)
    assert.strictEqual(new Set(levels).size, levels.length)
  })

  it("R92: the way down takes less time than with GetBlockHeaders alone", () => {
    const split = new World(gap).run().elapsed
    const silent = Array.from({ length: 4 }, () => ({ locator: [380, 20, 0], silentOn: ["get-ancestor" as const] }))
    const alone = new World({ ...gap, peers: silent })
    assert.isBelow(split * 2, alone.run().elapsed)
  })

  it("1.10, 5.12.12: one in 11 s a connection, and silence is no fault", () => {
    const world = new World(gap)
    for (const peer of world.peers) {
      peer.silentOn.add("get-ancestor")
      peer.latencyMillis = 200
    }
    world.run()
    assert.strictEqual(world.head.level, 400)
    assert.deepStrictEqual(world.blamed, [])
    for (const peer of world.peers) {
      const times = world.asked("get-ancestor", peer).map(({ atMillis }) => atMillis)
      for (let i = 1; i < times.length; i++) assert.isAtLeast(times[i]! - times[i - 1]!, 11_000)
    }
  })

  it("5.11: a header of another level than so far below is blamed, and not taken", () => {
    const world = new World(gap)
    const liar = world.peers[0]!
    const wrong = world.chain.at(7).header
    liar.alter = (answer) => answer.kind === "ancestor" ? { ...answer, header: wrong } : answer
    world.run()
    assert.deepStrictEqual(world.blamed.slice(0, 1), ["p0 bad-header"])
    assert.strictEqual(world.head.level, 400)
  })
})
