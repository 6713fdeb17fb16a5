/** Mission 003, step 5: operations (bodies) of chosen blocks, and applying them in order. */
import { assert, describe, it } from "@effect/vitest"
import { makeSyntheticChain } from "../../src/testing/SyntheticChain.ts"
import { World } from "./driver.ts"

describe("requests for operations", () => {
  it("R51, R93, R94: spread over the peers that hold the blocks, each unit asked once when all answer", () => {
    const world = new World({ levels: 200 }).run()
    const asked = world.unitsAsked()
    assert.strictEqual(new Set(asked).size, asked.length)
    assert.strictEqual(asked.length, 400)
    for (const peer of world.peers) assert.isAtLeast(world.unitsAsked(peer).length, 20, peer.id)
  })

  it("R26, A22: what is asked for is a unit of a block, and no unit that the block has not", () => {
    const chain = makeSyntheticChain({ seed: 7, levels: 60, unitsPerBlock: 4 })
    const world = new World({ chain }).run()
    for (const { request } of world.asked("get-units")) {
      for (const { block, unit } of request.items) assert.isBelow(unit, chain.find(block)!.header.units)
    }
    assert.strictEqual(new Set(world.unitsAsked()).size, 240)
  })

  it("5.5.6: blocks without units need no request", () => {
    const chain = makeSyntheticChain({ seed: 7, levels: 60, unitsPerBlock: 0 })
    const world = new World({ chain, sync: { until: { level: 60 } } }).run()
    assert.deepStrictEqual([world.head.level, world.unitsAsked()], [60, []])
  })

  it("5.5.6: bodies are fetched no further ahead of the applier than the window", () => {
    const world = new World({ levels: 200, sync: { applyWindow: 16 } })
    let most = 0
    world.applier = (blocks) => {
      most = Math.max(most, ...world.unitsAsked().map((key) => world.chain.find(key.slice(0, 64))!.header.level))
      assert.isAtMost(most, world.head.level + 16)
      return { applied: blocks.length, outcome: "ok" }
    }
    assert.strictEqual(world.run().head.level, 200)
  })

  it("R116: a unit that one peer leaves unanswered is asked of others", () => {
    const world = new World({ levels: 100 })
    const silent = world.peers[0]!
    silent.silentOn.add("get-units")
    world.run()
    assert.strictEqual(world.head.level, 100)
    const unanswered = world.unitsAsked(silent)
    assert.isAbove(unanswered.length, 0)
    for (const key of unanswered) {
      assert.isTrue(world.peers.slice(1).some((peer) => world.unitsAsked(peer).includes(key)))
    }
    assert.deepStrictEqual(world.blamed, [])
  })
})

describe("operations that come in", () => {
  it("5.7.1: a body that its proof does not lead to the header is blamed, and asked of another peer", () => {
    const world = new World({ levels: 100 })
    const liar = world.peers[0]!
    let lies = 1
    liar.alter = (answer) =>
      answer.kind === "unit" && lies-- > 0 ? { ...answer, body: new Uint8Array([1, 2, 3]) } : answer
    world.run()
    assert.deepStrictEqual(world.blamed, ["p0 bad-body-proof"])
    assert.strictEqual(world.head.level, 100)
  })

  it("A39: a second false body ends the connection, whatever the score", () => {
    const world = new World({ levels: 300 })
    const liar = world.peers[0]!
    let count = 0
    liar.alter = (answer) =>
      answer.kind === "unit" && count++ % 60 === 30 ? { ...answer, body: new Uint8Array([1, 2, 3]) } : answer
    world.run()
    assert.deepStrictEqual(world.blamed, ["p0 bad-body-proof", "p0 bad-body-proof"])
    assert.isUndefined(liar.number)
    assert.strictEqual(world.head.level, 300)
  })

  it("R40, R118: operations never asked for are blamed", () => {
    const world = new World({ sync: { until: undefined } }).runFor(3000)
    const asked = world.unitsAsked(world.peers[0])
    const block = world.chain.main.slice(1).find(({ header }) => !asked.includes(`${header.id}/0`))!
    world.say(world.peers[0]!, world.peers[0]!.unit(block, 0))
    assert.deepStrictEqual(world.blamed, ["p0 never-asked"])
  })
})

describe("applying", () => {
  it("R52, R53, R54, R55: blocks are stored as they come, and applied strictly in order as soon as the lowest is whole", () => {
    const world = new World({ levels: 40, sync: { applyBatch: 1 } })
    const lowest = world.chain.at(1).header.id
    // The lowest block comes late: its neighbours are there before it, and wait.
    const held = (answer: { readonly kind: string; readonly block?: string }) =>
      answer.kind === "unit" && answer.block === lowest
    for (const peer of world.peers) peer.alter = (answer) => held(answer) ? undefined : answer
    world.run(() => (world.held.get(world.chain.at(2).header.id) ?? 0) === 3)
    world.runFor(200)
    assert.deepStrictEqual([world.head.level, world.actions.filter(({ kind }) => kind === "apply")], [0, []])
    for (const peer of world.peers) peer.alter = (answer) => answer
    world.run()
    const applied = world.actions.flatMap((action) => action.kind === "apply" ? action.blocks : [])
    assert.deepStrictEqual(applied.map(({ level }) => level), Array.from({ length: 40 }, (_, at) => at + 1))
    assert.strictEqual(world.head.level, 40)
  })

  it("R53: the first block is applied while the segment is still being fetched", () => {
    const world = new World({ levels: 400, sync: { minQuorumPeers: 1, applyBatch: 8 }, peers: [{ locator: [300, 0] }] })
    world.run(() => world.head.level > 0)
    assert.isAbove(world.snapshot.blocksInFlight, 50)
  })

  it("A35: a transient fault of the applier is tried again, later each time, and no peer is touched", () => {
    const world = new World({ sync: { until: { level: 60 } } })
    let faults = 4
    world.applier = (blocks) =>
      faults-- > 0 ? { applied: 0, outcome: "transient" } : {
        applied: blocks.length,
        outcome: "ok"
      }
    world.run()
    assert.strictEqual(world.head.level, 60)
    const delays = world.noticed("apply-retry").map(({ delayMillis }) => delayMillis)
    assert.isAtLeast(delays.length, 2)
    delays.slice(1).forEach((delay, at) => assert.isAbove(delay, delays[at]!))
    assert.deepStrictEqual(world.blamed, [])
    assert.isTrue(world.snapshot.peers.every(({ score }) => score === 100))
  })

  it("A35: an invalid block that a quorum supports halts the run, with what came before it applied; nobody is blamed", () => {
    const world = new World({ sync: { until: { level: 60 } } })
    const bad = world.chain.at(17).header.id
    world.applier = (blocks) => {
      const at = blocks.indexOf(bad)
      return at < 0 ? { applied: blocks.length, outcome: "ok" } : { applied: at, outcome: "invalid" }
    }
    world.run()
    assert.strictEqual(world.finish?.outcome, "halted")
    assert.match(world.finish?.reason ?? "", /level 17/)
    assert.strictEqual(world.head.level, 16)
    assert.deepStrictEqual(world.blamed, [])
  })
})
