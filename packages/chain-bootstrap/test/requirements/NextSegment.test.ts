/** Mission 003, step 6 and the run as a whole: segment after segment, from genesis or a snapshot, until synced. */
import { assert, describe, it } from "@effect/vitest"
import type { SyncOptions } from "../../src/contract/ChainSync.ts"
import { World } from "./driver.ts"

/** What is left of mission 003's three variables. */
const left = ({ snapshot }: World) => [snapshot.targets, snapshot.pendingHeaders, snapshot.blocksInFlight]

describe("from segment to segment", () => {
  it("R2, R6, R55, R58: each segment extends the last one, until the head is synced", () => {
    const world = new World({ levels: 300 }).run()
    assert.isAbove(world.segments.length, 3)
    let below = 0
    for (const { fromLevel, toLevel } of world.noticed("segment")) {
      assert.strictEqual(fromLevel, below + 1)
      below = toLevel
    }
    assert.strictEqual(below, 300)
    assert.strictEqual(world.finish?.outcome, "synced")
    assert.deepStrictEqual(world.applied, [...world.chain.ids(0, 300)])
  })

  it("R24, R56, 5.12.10: applied blocks leave nothing behind but the tip", () => {
    const world = new World({ levels: 300, sync: { until: undefined } }).runFor(5000)
    const [targets, headers, bodies] = left(world)
    assert.strictEqual(world.head.level, 300)
    assert.deepStrictEqual([targets, bodies], [0, 0])
    assert.isAtMost(headers ?? 0, world.options.maxReorgDepth + world.rules.finality)
  })

  it("R57: the next targets come from the branches that are there; nobody is asked for a new one", () => {
    const world = new World({ levels: 300, sync: { pipelining: false } }).run()
    assert.isAbove(world.segments.length, 3)
    for (const peer of world.peers) assert.strictEqual(world.asked("get-branch", peer).length, 1)
  })

  it("R57, 5.5.7: a peer whose branch is used up, and whose head is above us, is asked for a new one", () => {
    const world = new World({ levels: 20, ageSeconds: 400, sync: { until: undefined, syncedWithinSeconds: 30 } })
    world.runFor(3000)
    assert.strictEqual(world.head.level, 20)
    world.chain.growMain(40)
    world.runFor(200_000)
    assert.strictEqual(world.head.level, 60)
    assert.isAbove(world.asked("get-branch", world.peers[0]).length, 1)
  })

  it("5.12.14: a segment raises the head, and nothing spins: no work without news", () => {
    const world = new World({ levels: 60, peers: 4, sync: { minQuorumPeers: 5 } }).runFor(60_000)
    const before = world.log.length
    world.runFor(40_000)
    assert.isBelow(world.log.length - before, 40)
  })
})

describe("where a run begins", () => {
  it("R15: at genesis", () => {
    const world = new World()
    assert.deepStrictEqual(world.head, world.ref(0))
    assert.strictEqual(world.run().head.level, 60)
  })

  it("R15, A17: at the block of a snapshot, below which nothing is known or asked for", () => {
    const world = new World({ levels: 120, base: 50, head: 50 }).run()
    assert.strictEqual(world.head.level, 120)
    for (const id of world.headersAsked()) assert.isAbove(world.chain.find(id)!.header.level, 50)
  })

  it("R15: with blocks that were chosen before a restart: they are not chosen again, and come first", () => {
    const fresh = new World({ levels: 60 })
    const world = new World({ chain: fresh.chain, head: 20, chosen: fresh.chain.ids(21, 30) }).run()
    assert.strictEqual(world.head.level, 60)
    assert.isAbove(world.noticed("segment")[0]?.fromLevel ?? 0, 30)
  })
})

describe("peers that do not hold old blocks (A9)", () => {
  it("A9, A10: with too few peers that hold our chain the run is anchored: a quorum of all at a final block, then downward", () => {
    const rolling = { lowest: 250 }
    const world = new World({ levels: 300, peers: [{}, rolling, rolling, rolling, {}] }).run()
    assert.strictEqual(world.noticed("mode")[0]?.mode, "anchored")
    assert.strictEqual(world.head.level, 300)
    for (const peer of world.peers.slice(1, 4)) {
      const levels = world.unitsAsked(peer).map((key) => world.chain.find(key.slice(0, 64))!.header.level)
      assert.isTrue(levels.every((level) => level >= 250), `${peer.id}: ${levels.join()}`)
    }
    assert.deepStrictEqual(world.blamed, [])
  })

  it("A9: a few of them do not stop a segmented run", () => {
    const world = new World({ levels: 300, peers: [{}, {}, {}, {}, { lowest: 250 }] }).run()
    assert.strictEqual(world.noticed("mode")[0]?.mode, "segmented")
    assert.strictEqual(world.head.level, 300)
    assert.deepStrictEqual(world.blamed, [])
  })
})

describe("optimisations", () => {
  it("R9: each can be switched off, and the chain is the same", () => {
    const settings: ReadonlyArray<Partial<SyncOptions>> = [
      { pipelining: false },
      { headerPolicy: "all" },
      { headerPolicy: "own" },
      { mode: "segmented" },
      { mode: "anchored" },
      { applyWindow: 1, applyBatch: 1 },
      { segmentHeaders: 10, mode: "segmented" }
    ]
    for (const sync of settings) {
      const world = new World({ levels: 150, sync }).run()
      assert.deepStrictEqual(world.applied, [...world.chain.ids(0, 150)], JSON.stringify(sync))
      assert.deepStrictEqual(world.blamed, [], JSON.stringify(sync))
    }
  })
})
