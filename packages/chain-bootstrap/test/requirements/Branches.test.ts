/** Mission 003, steps 1 and 2: current branches and heads. */
import { assert, describe, it } from "@effect/vitest"
import { makeSyntheticChain } from "../../src/testing/SyntheticChain.ts"
import { World } from "./driver.ts"

const forked = (from: number, length: number, levels = 60) =>
  makeSyntheticChain({ seed: 3, levels, forks: [{ from, length }] })

describe("asking for branches", () => {
  it("R1, R27, R59, R60: every peer is asked for its branch as it connects, whatever the others have said", () => {
    const world = new World({
      peers: [{}, { silentOn: ["get-branch"] }, { latencyMillis: 900 }, { latencyMillis: 400 }]
    })
    world.runFor(100)
    for (const peer of world.peers) {
      assert.deepStrictEqual(world.asked("get-branch", peer).map(({ atMillis }) => atMillis - world.started), [10])
    }
    const late = world.meet()
    world.connect(late)
    assert.strictEqual(world.asked("get-branch", late).length, 1)
  })

  it("R28: a peer that has told its branch by itself meanwhile is not asked for it", () => {
    const world = new World({ ageSeconds: 300, sync: { until: undefined, syncedWithinSeconds: 1000 } }).runFor(1500)
    const [told, waits] = [world.peers[0]!, world.peers[1]!]
    assert.strictEqual(world.snapshot.status, "synced")
    const before = world.log.length
    const grown = world.chain.growMain(30)
    for (const peer of [told, waits]) world.say(peer, { kind: "head", header: grown.at(-1)!.header })
    world.say(told, told.branch)
    world.runFor(5000)
    const asked = world.log.slice(before).filter(({ request }) => request.kind === "get-branch")
    assert.isFalse(asked.some(({ peer }) => peer === told))
    assert.isTrue(asked.some(({ peer }) => peer === waits))
  })

  it("A6: a branch is kept over segments, and asked for again when it is old", () => {
    const world = new World({ levels: 300, sync: { until: undefined } }).runFor(590_000)
    assert.isAbove(world.segments.length, 5)
    for (const peer of world.peers) assert.strictEqual(world.asked("get-branch", peer).length, 1)
    world.runFor(20_000)
    for (const peer of world.peers) {
      const [first, second, ...more] = world.asked("get-branch", peer).map(({ atMillis }) => atMillis)
      assert.deepStrictEqual(more, [])
      assert.approximately(second! - first!, 600_000, 100)
    }
  })
})

describe("reading a branch", () => {
  it("R29, A4: the lowest entry above our head is wanted first, and nothing at or below it", () => {
    const world = new World({ head: 20, peers: [{ locator: [50, 33, 27, 20, 11, 0] }], sync: { minQuorumPeers: 1 } })
    world.run(() => world.headersAsked().length > 0)
    assert.strictEqual(world.headersAsked()[0], world.chain.at(27).header.id)
    for (const id of world.headersAsked()) assert.isAbove(world.chain.find(id)!.header.level, 20)
  })

  it("A4: with an empty history the claimed head is the goal, of a rolling peer its last entry", () => {
    const heads = new World({ head: 50, levels: 55, peers: [{ locator: [] }], sync: { minQuorumPeers: 1 } }).run()
    assert.strictEqual(heads.head.level, 55)
    const rolling = new World({ levels: 70, peers: [{ lowest: 30 }], sync: { minQuorumPeers: 1, mode: "segmented" } })
    rolling.peers[0]!.alter = (answer) =>
      answer.kind === "branch" ? { ...answer, entries: answer.entries.slice(-1) } : answer
    rolling.runFor(200)
    assert.include(rolling.headersAsked(), rolling.chain.at(30).header.id)
  })

  it("R30, R31, A17: a branch with another block at a level that is final for us ends the connection", () => {
    const chain = forked(20, 41)
    const fork = [...chain.main.slice(0, 21), ...chain.forks[0]!]
    const world = new World({ chain, head: 40, peers: [{}, {}, {}, { blocks: fork }] }).run()
    assert.deepStrictEqual(world.blamed, ["p3 base-mismatch"])
    assert.isUndefined(world.peers[3]!.number)
    assert.strictEqual(world.snapshot.known.find(({ id }) => id === "p3")?.status, "greylisted")
    assert.strictEqual(world.head.id, chain.head.header.id)
  })

  it("R30, A17: levels below our base are not compared", () => {
    const world = new World({ head: 40, base: 40 }).run()
    assert.deepStrictEqual(world.blamed, [])
    assert.strictEqual(world.head.level, 60)
  })

  it("A13, A32: another block near the tip is no fault", () => {
    const chain = forked(57, 4)
    const fork = [...chain.main.slice(0, 58), ...chain.forks[0]!]
    const world = new World({ chain, head: 59, peers: [{}, {}, {}, { blocks: fork }], sync: { until: undefined } })
    world.runFor(30_000)
    assert.deepStrictEqual(world.blamed, [])
    assert.isDefined(world.peers[3]!.number)
  })

  it("R62, R63: branches that come at any time and in any order lead to the same chain", () => {
    for (const latencies of [[5, 5, 5, 5], [900, 300, 40, 5], [5, 700, 30, 1500]]) {
      const world = new World({ peers: latencies.map((latencyMillis) => ({ latencyMillis })) }).run()
      assert.strictEqual(world.head.id, world.chain.head.header.id)
      assert.deepStrictEqual(world.blamed, [])
    }
  })

  it("R72, R83: one owner of all state: the same events give the same actions", () => {
    const actions = [1, 2].map(() =>
      new World({ peers: [{}, { latencyMillis: 70 }, { latencyMillis: 33 }, {}] }).run().actions
    )
    assert.deepStrictEqual(actions[0], actions[1])
  })

  it("R61, A33: what concerns another chain, or is of no use, changes nothing", () => {
    const world = new World({ peers: 4, sync: { until: undefined } }).runFor(2000)
    const peer = world.peers[0]!
    const before = [world.log.length, world.blamed.length, world.snapshot.targets, world.score(peer)]
    world.say(peer, { kind: "other-chain" })
    world.say(peer, { kind: "ignored", what: "an operation" })
    assert.deepStrictEqual([world.log.length, world.blamed.length, world.snapshot.targets, world.score(peer)], before)
  })

  it("5.7.1: a branch that cannot be, by itself, is a protocol error", () => {
    const world = new World({ sync: { until: undefined } }).runFor(5000)
    world.say(world.peers[1]!, { kind: "bogus", what: "branch", detail: "the head does not hash to its id" })
    assert.deepStrictEqual(world.blamed, ["p1 bogus-branch"])
    assert.isUndefined(world.peers[1]!.number)
  })

  it("never blame without proof: a branch from the future is left aside, and asked for again", () => {
    const chain = makeSyntheticChain({ seed: 7, levels: 60 })
    const world = new World({ chain, ageSeconds: -40, sync: { until: undefined } }).runFor(20_000)
    assert.strictEqual(world.snapshot.segments, 0)
    assert.match(world.engine.waits(world.now)[0]?.remedy ?? "", /clock/)
    world.runFor(30_000)
    assert.strictEqual(world.head.level, 60)
    assert.deepStrictEqual(world.blamed, [])
  })
})

describe("claimed heads", () => {
  it("R32, A24: a head is raised by its weight; a higher level that is lighter changes nothing", () => {
    const chain = makeSyntheticChain({ seed: 5, levels: 60, forks: [{ from: 40, length: 10, extraWeight: 500 }] })
    const world = new World({ chain, sync: { minQuorumPeers: 5 } }).runFor(1000)
    const peer = world.peers[0]!
    const claimed = () => world.snapshot.peers.find(({ id }) => id === peer.id)?.claimedLevel
    assert.strictEqual(claimed(), 60)
    const heavier = chain.forks[0]!.at(-1)!.header
    world.say(peer, { kind: "head", header: heavier })
    assert.strictEqual(claimed(), 50)
    world.say(peer, { kind: "head", header: chain.head.header })
    assert.strictEqual(claimed(), 50)
  })

  it("A24: how far the peers are is what more than 2/3 of them reach, never what one claims", () => {
    const chain = makeSyntheticChain({ seed: 5, levels: 400 })
    const honest = { blocks: 60 }
    const world = new World({ chain, peers: [honest, honest, honest, {}], sync: { minQuorumPeers: 5 } }).runFor(1000)
    assert.strictEqual(world.snapshot.peersLevel, 60)
  })

  it("R33, R73: while unsynced a head raises the claim and does nothing else", () => {
    const world = new World({ levels: 80, peers: Array.from({ length: 4 }, () => ({ blocks: 60 })) })
    world.applier = () => undefined
    world.run(() => world.snapshot.segments > 0)
    const [peer, before] = [world.peers[0]!, { ...world.snapshot, peers: 0, evidence: 0 }]
    const [asks, actions] = [world.log.length, world.actions.length]
    world.say(peer, { kind: "head", header: world.chain.head.header })
    assert.strictEqual(world.snapshot.peers[0]?.claimedLevel, 80)
    assert.deepStrictEqual({ ...world.snapshot, peers: 0, evidence: 0 }, before)
    assert.deepStrictEqual([world.log.length, world.actions.length], [asks, actions])
  })
})
