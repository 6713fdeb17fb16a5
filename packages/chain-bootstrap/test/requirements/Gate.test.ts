/** Mission 003, end of step 4: when a quorum supports a segment, what is pruned, and who is told. */
import { assert, describe, it } from "@effect/vitest"
import { makeSyntheticChain } from "../../src/testing/SyntheticChain.ts"
import { World } from "./driver.ts"

/** The worked example of 5.14: our head at 100, theirs at 500; earliest hashes 108, 103, 108 and 105. */
const example = (earliest = [108, 103, 108, 105]) =>
  new World({
    levels: 500,
    head: 100,
    peers: earliest.map((level) => ({ locator: [level, 0] })),
    sync: { headerPolicy: "all", until: { level: 108 } }
  })

const side = (from: number, length: number) => {
  const chain = makeSyntheticChain({ seed: 21, levels: 80, forks: [{ from, length }] })
  return { chain, blocks: [...chain.main.slice(0, from + 1), ...chain.forks[0]!] }
}

describe("quorum", () => {
  it("R14: two thirds are no quorum, more are", () => {
    const silent = { silentOn: ["get-branch"] as const }
    const settings = { sync: { minQuorumPeers: 1 }, connections: { minPeers: 6 } }
    const none = new World({ ...settings, peers: [{}, {}, {}, {}, silent, silent] }).runFor(14_000)
    assert.deepStrictEqual(none.segments, [])
    const some = new World({ ...settings, peers: [{}, {}, {}, {}, {}, silent] }).runFor(14_000)
    assert.strictEqual(some.head.level, 60)
  })

  it("A16: fewer than minQuorumPeers are none, and the run says so", () => {
    const world = new World({ peers: 2 }).runFor(60_000)
    assert.strictEqual(world.head.level, 0)
    assert.deepStrictEqual(world.unitsAsked(), [])
    assert.match(world.engine.waits(world.now).map(({ remedy }) => remedy).join(), /--min-quorum-peers 2/)
    assert.strictEqual(new World({ peers: 2, sync: { minQuorumPeers: 2 } }).run().head.level, 60)
  })

  it("R44, R45, R49: without a quorum it goes on requesting, with one it stops", () => {
    const peers = [30, 33, 36, 39].map((level) => ({ locator: [level, 0] }))
    const world = new World({ peers, sync: { until: { level: 30 } } })
    for (const peer of world.peers.slice(1)) peer.silentOn.add("get-branch")
    world.runFor(3000)
    assert.deepStrictEqual(world.segments, [])
    for (const peer of world.peers) peer.silentOn.delete("get-branch")
    world.run()
    assert.strictEqual(world.head.level, 30)
    assert.isAbove(world.noticed("segment").length, 0)
  })

  it("A14: a peer that left counts on neither side", () => {
    const world = new World({ peers: 6, sync: { until: undefined }, connections: { minPeers: 3 } })
    for (const peer of world.peers.slice(3)) peer.silentOn.add("get-branch")
    world.runFor(5000)
    assert.deepStrictEqual(world.segments, [])
    for (const peer of world.peers.slice(3)) world.lose(peer)
    for (const peer of world.peers.slice(3)) peer.unreachable = true
    world.runFor(5000)
    assert.strictEqual(world.head.level, 60)
    assert.isTrue(world.noticed("segment").every(({ electorate }) => electorate === 3))
  })

  it("A15: who joins later does not undo a segment that was chosen", () => {
    const world = new World({ peers: 4, connections: { minPeers: 3 }, sync: { until: { level: 60 } } })
    world.applier = () => undefined
    world.run(() => world.segments.length > 0)
    const top = world.snapshot.chosen.level
    for (let at = 0; at < 4; at++) world.connect(world.meet({ silentOn: ["get-branch"], unreachable: true }))
    world.runFor(2000)
    assert.isAtLeast(world.snapshot.chosen.level, top)
    assert.isAbove(world.unitsAsked().length, 0)
  })

  it("R8, 5.12.3: a minority that agrees on another chain never gets a block applied", () => {
    const { blocks, chain } = side(10, 68)
    const liar = { blocks }
    const world = new World({ chain, peers: [{}, {}, {}, {}, {}, liar, liar], sync: { headerPolicy: "all" } }).run()
    assert.strictEqual(world.head.id, chain.head.header.id)
    const ours = new Set(chain.ids(0, 80))
    for (const id of world.applied) assert.isTrue(id !== undefined && ours.has(id))
  })
})

describe("the top of a segment", () => {
  it("R3, R81, R82, 5.14: it begins above our head and ends at the highest of the earliest hashes", () => {
    const world = example().run()
    assert.strictEqual(world.segments[0], "101-108")
    assert.strictEqual(world.noticed("segment")[0]?.supporters, 4)
  })

  it("A20, 5.14: without that one's quorum it ends below, and the rest is kept for later", () => {
    const world = example()
    world.peers[3]!.silentOn.add("get-headers")
    world.peers[1]!.silentOn.add("get-headers")
    world.runFor(4000)
    assert.strictEqual(world.snapshot.chosen.level, 105)
    assert.isAbove(world.snapshot.targets, 0)
  })

  it("A20: no segment is longer than its cap", () => {
    const world = new World({ levels: 300, sync: { segmentHeaders: 25, mode: "segmented" } }).run()
    assert.strictEqual(world.head.level, 300)
    for (const { fromLevel, toLevel } of world.noticed("segment")) assert.isAtMost(toLevel - fromLevel + 1, 25)
  })

  it("A8, A20: a head that one peer claims far above the others holds nobody up", () => {
    const chain = makeSyntheticChain({ seed: 8, levels: 400 })
    const honest = { blocks: 60 }
    const world = new World({
      chain,
      peers: [honest, honest, honest, { locator: [390, 300] }],
      ageSeconds: -2000,
      sync: { until: { level: 60 }, syncedWithinSeconds: 1e6 },
      rules: { checkAlone: () => undefined }
    }).run()
    assert.strictEqual(world.head.level, 60)
    assert.deepStrictEqual(world.blamed, [])
  })

  it("R4, R5, R50, A19: no body is asked for before a linked segment is chosen, then those of the segment alone", () => {
    const world = example([108, 103, 108, 103])
    for (const peer of world.peers) peer.lacks.add(world.chain.at(104).header.id)
    world.runFor(4000)
    assert.deepStrictEqual(world.segments, ["101-103"])
    const levels = new Set(world.unitsAsked().map((key) => world.chain.find(key.split("/")[0]!)!.header.level))
    assert.deepStrictEqual([...levels].toSorted(), [101, 102, 103])
  })
})

describe("pruning", () => {
  it("R46, R48, A13: what stands beside a chosen block goes; who claims it below what is final for it is blamed once", () => {
    const { blocks, chain } = side(10, 68)
    const world = new World({ chain, peers: [{}, {}, {}, {}, { blocks }], sync: { until: undefined } })
    world.run(() => world.blamed.length > 0)
    assert.deepStrictEqual(world.blamed, ["p4 pruned-support"])
    assert.strictEqual(world.score(world.peers[4]!), 80)
    // It says the same again: that is no other opinion of the tip, but another chain.
    world.runFor(20_000)
    assert.include(world.blamed, "p4 base-mismatch")
    assert.deepStrictEqual(world.blamed.filter((one) => !one.startsWith("p4")), [])
    assert.strictEqual(world.head.id, chain.head.header.id)
  })

  it("R48, A13: near the tip nobody is blamed, also when the chain has long gone on without that block", () => {
    const { blocks, chain } = side(78, 3)
    const world = new World({ chain, peers: [{}, {}, {}, {}, { blocks }], sync: { until: undefined } }).runFor(5000)
    const [late] = world.peers.slice(4)
    for (let grown = 0; grown < 20; grown++) {
      const next = chain.growMain(1)[0]!.header
      for (const peer of world.peers.slice(0, 4)) world.say(peer, { kind: "head", header: next })
      late!.silentOn.add("get-branch")
      world.runFor(6000)
    }
    assert.strictEqual(world.head.id, chain.head.header.id)
    // Its block is gone for good, and it is still there.
    assert.isAbove(world.head.level, 79 + world.options.maxReorgDepth + world.rules.finality)
    assert.deepStrictEqual(world.blamed.filter((one) => !one.endsWith("branch-unanswered")), [])
    assert.isDefined(late!.number)
  })

  it("R48, A11: who only served a header on request is not blamed for it", () => {
    const { blocks, chain } = side(10, 68)
    const world = new World({ chain, peers: [{}, {}, {}, {}, { blocks }], sync: { headerPolicy: "all" } })
    for (const peer of world.peers.slice(0, 4)) {
      for (const block of chain.forks[0]!) peer.also.set(block.header.id, block)
    }
    world.run()
    assert.deepStrictEqual(world.blamed.filter((one) => !one.startsWith("p4")), [])
  })

  it("R88, A11: a reply supports a block, but replies alone choose none: honest nodes serve lost blocks, too", () => {
    const { blocks, chain } = side(10, 68)
    const world = new World({
      chain,
      peers: [{}, {}, {}, { blocks, locator: [15, 0] }],
      sync: { headerPolicy: "all", until: undefined }
    })
    // Before they tell their own opinion they all send what the fourth one names.
    for (const peer of world.peers.slice(0, 3)) {
      for (const block of chain.forks[0]!) peer.also.set(block.header.id, block)
      peer.locator = [0]
      for (const { header } of chain.main.slice(11)) peer.lacks.add(header.id)
    }
    world.runFor(20_000)
    assert.deepStrictEqual([world.segments, world.unitsAsked()], [[], []])
    for (const peer of world.peers.slice(0, 3)) assert.include(world.headersAsked(peer), blocks[15]!.header.id)
  })

  it("A12: who claims two blocks of one level supports neither", () => {
    const { blocks, chain } = side(10, 68)
    const world = new World({ chain, peers: 5, sync: { headerPolicy: "all" } })
    const twoFaced = world.peers[4]!
    for (const block of chain.forks[0]!) twoFaced.also.set(block.header.id, block)
    twoFaced.alter = (answer) => {
      if (answer.kind !== "branch") return answer
      const other = blocks[20]!.header
      const entries = answer.entries.filter(({ level }) => level !== 20)
      const at = entries.findIndex(({ level }) => (level ?? 0) < 20)
      return { ...answer, entries: entries.toSpliced(at, 0, { id: other.id, level: 20, exact: true }) }
    }
    world.run()
    assert.strictEqual(world.head.id, chain.head.header.id)
    assert.isTrue(world.blamed.length > 0 && world.blamed.every((one) => one.startsWith("p4")), world.blamed.join())
  })
})
