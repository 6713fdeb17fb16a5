/** Side blocks that the applier cannot take for now: tried again with a pause, and nothing else is held back by them (A35, R123; 5.10). */
import { assert, describe, it } from "@effect/vitest"
import type { BlockId } from "../../src/contract/Block.ts"
import { makeSyntheticChain, type SyntheticBlock } from "../../src/testing/SyntheticChain.ts"
import { World } from "./driver.ts"

const makeWorld = (chain = makeSyntheticChain({ seed: 31, levels: 60 })) =>
  new World({
    chain,
    peers: 6,
    ageSeconds: 120,
    sync: { until: undefined, strategy: "applied-branches", syncedWithinSeconds: 86_400 },
    branches: "many"
  }).runFor(2000)

/** One peer tells a branch beside our chain, whose blocks all hold. */
const tell = (world: World, at: number, side: ReadonlyArray<SyntheticBlock>) => {
  for (const peer of world.peers) for (const block of side) peer.also.set(block.header.id, block)
  world.say(world.peers[at]!, { kind: "head", header: side.at(-1)!.header })
}

const moveAll = (world: World, blocks: ReadonlyArray<SyntheticBlock>) => {
  for (const peer of world.peers) {
    peer.blocks = blocks
    world.say(peer, peer.branch)
  }
}

/** When the applier was given a block, in ms since the start. */
const recordTries = (world: World, answer: (id: BlockId) => "ok" | "invalid" | "transient") => {
  const tries: Array<{ readonly id: BlockId; readonly at: number }> = []
  world.applier = (ids) => {
    for (const id of ids) tries.push({ id, at: world.elapsed })
    const at = ids.findIndex((id) => answer(id) !== "ok")
    return at < 0 ? { applied: ids.length, outcome: "ok" } : { applied: at, outcome: answer(ids[at]!) as "transient" }
  }
  return (block: SyntheticBlock) => tries.filter(({ id }) => id === block.header.id).map(({ at }) => at)
}

const gaps = (times: ReadonlyArray<number>) => times.slice(1).map((at, n) => at - times[n]!)

describe("a side block that the applier cannot take for now", () => {
  it("A35: is tried again after 1 s, then twice as long each time, 60 s at most, and each time it is told", () => {
    const world = makeWorld()
    const side = world.chain.grow(world.chain.at(59).header.id, 2, "side", 0)
    const tries = recordTries(world, () => "transient")
    tell(world, 0, side)
    world.runFor(300_000)
    const waited = gaps(tries(side[0]!))
    assert.deepStrictEqual(waited.map((gap) => Math.round(gap / 1000)).slice(0, 8), [1, 2, 4, 8, 16, 32, 60, 60])
    const notices = world.noticed("apply-retry").slice(0, 7).map(({ delayMillis, level }) => [level, delayMillis])
    assert.deepStrictEqual(notices, [1, 2, 4, 8, 16, 32, 60].map((seconds) => [60, seconds * 1000]))
    assert.strictEqual(world.head.level, 60)
    assert.deepStrictEqual(world.blamed, [])
  })

  it("stands in `why`, with the applier's words and the time that is left", () => {
    const world = makeWorld()
    const side = world.chain.grow(world.chain.at(59).header.id, 2, "side", 0)
    let busy = true
    recordTries(world, () => busy ? "transient" : "ok")
    tell(world, 0, side)
    world.run(() => world.noticed("apply-retry").length === 3, 10_000)
    const wait = world.engine.waits(world.now).at(-1)
    assert.match(wait?.subject ?? "", /level 60 beside our chain/)
    assert.strictEqual(wait?.waitingFor, "the applier")
    assert.match(wait?.cause ?? "", /says the applier \(3 tries, next in 4\.0 s\)/)
    busy = false
    world.runFor(10_000)
    assert.deepStrictEqual(world.engine.waits(world.now).filter(({ subject }) => subject.includes("beside")), [])
  })

  it("holds back neither our chain nor other branches: an applier that holds no more branches", () => {
    const world = makeWorld()
    const [first, second] = ["first", "second"].map((name) =>
      world.chain.grow(world.chain.at(59).header.id, 4, name, 0)
    ) as [ReadonlyArray<SyntheticBlock>, ReadonlyArray<SyntheticBlock>]
    const ofSecond = new Set(second.map(({ header }) => header.id))
    // One side branch fits: a block of the second is never taken.
    const tries = recordTries(world, (id) => ofSecond.has(id) ? "transient" : "ok")
    tell(world, 0, first.slice(0, 2))
    tell(world, 1, second.slice(0, 2))
    world.run(() => tries(second[0]!).length === 5, 40_000)
    tell(world, 0, first)
    const grown = world.chain.growMain(2)
    for (const peer of world.peers.slice(2)) {
      peer.blocks = world.chain.main
      world.say(peer, peer.branch)
    }
    const at = world.elapsed
    world.run(() => world.head.level === 62 && tries(first[3]!).length === 1, 10_000)
    assert.strictEqual(world.head.id, grown[1]!.header.id)
    assert.strictEqual(tries(first[3]!).length, 1)
    // The second branch is not tried again for 16 s.
    assert.isBelow(world.elapsed - at, 5000)
  })

  it("an applier that takes nothing at all is not tried with one block after the other", () => {
    const world = makeWorld()
    const sides = Array.from(
      { length: 30 },
      (_, n) => world.chain.grow(world.chain.at(59).header.id, 2, `side ${n}`, 0)
    )
    let given = 0
    world.applier = (ids) => {
      given += ids.length
      return { applied: 0, outcome: "transient" }
    }
    for (const [n, side] of sides.entries()) tell(world, n % 2, side)
    world.runFor(10_000)
    assert.isAtLeast(given, 5)
    assert.isAtMost(given, 12)
  })

  it("gets through when a quorum prefers it and the applier recovers, before what else waits", () => {
    const world = makeWorld()
    const others = Array.from({ length: 12 }, (_, n) => world.chain.grow(world.chain.at(58).header.id, 3, `o ${n}`, 0))
    const rival = world.chain.grow(world.chain.at(58).header.id, 4, "rival", 40)
    let busy = true
    const tries = recordTries(world, () => busy ? "transient" : "ok")
    for (const [n, side] of others.entries()) tell(world, n % 2, side)
    tell(world, 2, rival)
    world.runFor(30_000)
    moveAll(world, [...world.chain.main.slice(0, 59), ...rival])
    world.run(() => world.engine.waits(world.now)[0]?.subject.startsWith("reorganisation") ?? false, 10_000)
    world.run(() => tries(rival[0]!).length > 3, 60_000)
    const subjects = world.engine.waits(world.now).map(({ subject }) => subject)
    assert.match(subjects[0]!, /^reorganisation to block/)
    assert.include(subjects[1]!, world.rules.displayId(rival[0]!.header.id))
    busy = false
    world.run(() => world.noticed("reorganised").length === 1, 61_000)
    assert.strictEqual(world.head.id, rival.at(-1)!.header.id)
    assert.deepStrictEqual(world.moves, ["switch 58 62"])
  })
})
