/** Synced, following the chain, and falling back (5.9). */
import { assert, describe, it } from "@effect/vitest"
import { World } from "./driver.ts"

const follow = { sync: { until: undefined } } as const

describe("synced", () => {
  it("R17: a run begins unsynced", () => {
    assert.strictEqual(new World().snapshot.status, "unsynced")
  })

  it("R6, 5.9: synced is a young head, with the peers level with it; not before", () => {
    const world = new World({ levels: 200, ...follow })
    world.run(() => world.snapshot.status === "synced")
    const { head, headTimeSeconds, peersLevel } = world.snapshot
    assert.isAtMost(world.now / 1000 - headTimeSeconds!, world.options.syncedWithinSeconds)
    assert.isAtMost(peersLevel! - head.level, 2)
    const old = new World({ levels: 200, ageSeconds: 10_000, ...follow }).runFor(5000)
    assert.strictEqual(old.head.level, 200)
    assert.notStrictEqual(old.snapshot.status, "synced")
  })

  it("5.9: a new head on ours is taken at once, and applied when a quorum claims it", () => {
    const world = new World(follow).runFor(5000)
    const next = world.chain.growMain(1)[0]!.header
    world.say(world.peers[0]!, { kind: "head", header: next })
    world.say(world.peers[1]!, { kind: "head", header: next })
    world.runFor(100)
    assert.strictEqual(world.head.level, 60)
    world.say(world.peers[2]!, { kind: "head", header: next })
    world.runFor(100)
    assert.strictEqual(world.head.id, next.id)
    assert.strictEqual(world.asked("get-branch", world.peers[0]).length, 1)
  })

  it("5.9: a head whose predecessor is unknown makes us ask its sender for the branch", () => {
    const world = new World({ ageSeconds: 60, sync: { until: undefined, syncedWithinSeconds: 200 } }).runFor(6000)
    const top = world.chain.growMain(8).at(-1)!.header
    const asked = world.asked("get-branch", world.peers[1]).length
    world.say(world.peers[1]!, { kind: "head", header: top })
    world.runFor(100)
    assert.strictEqual(world.asked("get-branch", world.peers[1]).length, asked + 1)
    for (const peer of world.peers) world.say(peer, { kind: "head", header: top })
    world.runFor(6000)
    assert.strictEqual(world.head.id, top.id)
  })

  it("5.9: it follows for as long as the chain grows", () => {
    const world = new World(follow).runFor(5000)
    for (let block = 0; block < 30; block++) {
      const next = world.chain.growMain(1)[0]!.header
      for (const peer of world.peers) world.say(peer, { kind: "head", header: next })
      world.runFor(6000)
      assert.strictEqual(world.head.id, next.id)
      assert.strictEqual(world.snapshot.status, "synced")
    }
    assert.deepStrictEqual(world.blamed, [])
  })

  it("5.9: an old head is unsynced again, or the chain has halted, and that is said", () => {
    const world = new World(follow).runFor(5000)
    assert.strictEqual(world.snapshot.status, "synced")
    world.runFor(300_000)
    assert.strictEqual(world.snapshot.status, "stuck")
    assert.match(world.snapshot.statusReason, /halted/)
    const last = world.noticed("status").map(({ status }) => status)
    assert.strictEqual(last[0], "synced")
  })
})
