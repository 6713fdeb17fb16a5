/** Mission 003, reorgs: both strategies, what is kept, and how deep is too deep (5.10). */
import { assert, describe, it } from "@effect/vitest"
import { makeSyntheticChain } from "../../src/testing/SyntheticChain.ts"
import { World, type WorldOptions } from "./driver.ts"

/** A heavier branch of `length` blocks that leaves the chain of 60 at `from`. */
const forked = (from: number, length: number) => {
  const chain = makeSyntheticChain({ seed: 31, levels: 60, forks: [{ from, length, extraWeight: 50 }] })
  return { chain, branch: [...chain.main.slice(0, from + 1), ...chain.forks[0]!] }
}

/** All peers move from the main chain to the branch, one after the other. */
const moveAll = (world: World, branch: World["chain"]["main"]) => {
  for (const peer of world.peers) {
    peer.blocks = branch
    world.say(peer, { kind: "head", header: branch.at(-1)!.header })
  }
}

const lazy: WorldOptions = { sync: { until: undefined } }
const eager: WorldOptions = { sync: { until: undefined, strategy: "applied-branches" }, branches: "many" }

describe("a quorum moves to another branch", () => {
  it("R120, R121, R122: cached-tail fetches what is missing of the branch only, goes back to the fork, and applies upward", () => {
    const { branch, chain } = forked(57, 5)
    const world = new World({ chain, ...lazy }).runFor(5000)
    assert.strictEqual(world.head.level, 60)
    const [headers, units] = [world.headersAsked().length, world.unitsAsked().length]
    moveAll(world, branch)
    world.runFor(10_000)
    assert.strictEqual(world.head.id, branch.at(-1)!.header.id)
    assert.deepStrictEqual(world.moves, ["rollback 57"])
    assert.deepStrictEqual(new Set(world.applied), new Set(branch.map(({ header }) => header.id)))
    // Five blocks with two units each, and no header twice.
    const fetched = world.unitsAsked().slice(units)
    assert.deepStrictEqual(new Set(fetched).size, 10)
    assert.isAtMost(world.headersAsked().slice(headers).filter((id) => chain.find(id)!.header.level <= 57).length, 0)
    assert.strictEqual(world.noticed("reorganised")[0]?.strategy, "cached-tail")
    assert.deepStrictEqual(world.blamed, [])
  })

  it("R123, R124: applied-branches has applied the branch when the quorum moves, and only switches", () => {
    const { branch, chain } = forked(57, 5)
    const world = new World({ chain, ...eager }).runFor(5000)
    const early = world.peers[0]!
    early.blocks = branch
    world.say(early, { kind: "head", header: branch.at(-1)!.header })
    world.runFor(10_000)
    assert.strictEqual(world.head.id, chain.head.header.id)
    const side = world.actions.flatMap((action) =>
      action.kind === "apply" && action.branch === "side" ? action.blocks : []
    )
    assert.deepStrictEqual(side.map(({ id }) => id), chain.forks[0]!.map(({ header }) => header.id))
    const asked = world.unitsAsked().length
    moveAll(world, branch)
    world.run(() => world.noticed("reorganised").length > 0, 10_000)
    assert.strictEqual(world.head.id, branch.at(-1)!.header.id)
    assert.strictEqual(world.unitsAsked().length, asked)
    assert.deepStrictEqual(world.moves, ["switch 57 62"])
    assert.strictEqual(world.noticed("reorganised")[0]?.strategy, "applied-branches")
  })

  it("R123: applied-branches needs an applier that can; else the tail is cached", () => {
    const { branch, chain } = forked(57, 5)
    const world = new World({ chain, ...eager, branches: "one" }).runFor(5000)
    moveAll(world, branch)
    world.runFor(10_000)
    assert.strictEqual(world.noticed("reorganised")[0]?.strategy, "cached-tail")
  })

  it("5.10: no more branches are applied than allowed", () => {
    const chain = makeSyntheticChain({ seed: 31, levels: 60 })
    const world = new World({
      chain,
      peers: 8,
      sync: { until: undefined, strategy: "applied-branches", maxBranches: 2 },
      branches: "many"
    }).runFor(5000)
    const sides = [0, 1, 2, 3].map((at) => chain.grow(chain.at(58).header.id, 3, `side ${at}`, 0))
    for (const [at, side] of sides.entries()) {
      for (const block of side) world.peers[at]!.also.set(block.header.id, block)
      world.say(world.peers[at]!, { kind: "head", header: side.at(-1)!.header })
    }
    world.runFor(20_000)
    const applied = world.actions.flatMap((action) =>
      action.kind === "apply" && action.branch === "side" ? action.blocks : []
    )
    const branches = new Set(applied.filter(({ level }) => level === 59).map(({ id }) => id))
    assert.isAbove(branches.size, 0)
    assert.isAtMost(branches.size, 2)
    assert.strictEqual(world.head.id, chain.head.header.id)
  })

  it("5.10: a lighter branch is not followed, nor one without a quorum", () => {
    const chain = makeSyntheticChain({ seed: 31, levels: 60 })
    const world = new World({ chain, ...lazy }).runFor(5000)
    const lighter = [...chain.main.slice(0, 59), ...chain.grow(chain.at(58).header.id, 1, "lighter", 0)]
    moveAll(world, lighter)
    for (const peer of world.peers) world.say(peer, peer.branch)
    world.runFor(10_000)
    assert.strictEqual(world.head.id, chain.head.header.id)
    const heavier = [...chain.main.slice(0, 59), ...chain.grow(chain.at(58).header.id, 3, "heavier", 40)]
    for (const peer of world.peers.slice(0, 2)) {
      peer.blocks = heavier
      world.say(peer, { kind: "head", header: heavier.at(-1)!.header })
    }
    world.runFor(10_000)
    assert.strictEqual(world.head.id, chain.head.header.id)
    assert.deepStrictEqual(world.moves, [])
  })

  it("5.10, PX: one that leaves our chain deeper than is allowed halts the run, for an operator to decide", () => {
    const { branch, chain } = forked(30, 31)
    const world = new World({ chain, head: 60, ...lazy })
    for (const peer of world.peers) peer.blocks = branch
    world.run()
    assert.strictEqual(world.finish?.outcome, "halted")
    assert.match(world.finish?.reason ?? "", /peers have another block|leaves ours/)
    assert.deepStrictEqual(world.moves, [])
  })
})

/** All peers follow a heavier branch that leaves the chain there. */
const movedFrom = (from: number) => {
  const { branch, chain } = forked(from, 62 - from)
  const world = new World({ chain, ...lazy }).runFor(5000)
  moveAll(world, branch)
  for (const peer of world.peers) world.say(peer, peer.branch)
  return world.runFor(20_000)
}

describe("how deep", () => {
  it("5.10, PX: a block deeper than is allowed, though not yet final, halts the run, too", () => {
    const deepest = movedFrom(55)
    assert.deepStrictEqual(deepest.moves, ["rollback 55"])
    assert.strictEqual(deepest.head.level, 62)
    const tooDeep = movedFrom(54)
    assert.strictEqual(tooDeep.finish?.outcome, "halted")
    assert.match(tooDeep.finish?.reason ?? "", /6 blocks below our head; at most 5/)
    assert.deepStrictEqual(tooDeep.moves, [])
  })
})

describe("what is kept", () => {
  it("R7, R121, R126, A26: headers of a branch that lost near the tip stay, so that it is not fetched again when it comes back", () => {
    const { branch, chain } = forked(57, 5)
    const world = new World({ chain, ...lazy }).runFor(5000)
    moveAll(world, branch)
    world.runFor(10_000)
    const [headers, units] = [world.headersAsked().length, world.unitsAsked().length]
    // The first chain again, longer and heavier than the branch.
    const back = [...chain.main, ...chain.grow(chain.head.header.id, 4, "main again", 100)]
    moveAll(world, back)
    world.runFor(20_000)
    assert.strictEqual(world.head.id, back.at(-1)!.header.id)
    const again = world.headersAsked().slice(headers).map((id) => world.chain.find(id)!.header.level)
    assert.isTrue(again.every((level) => level > 60), again.join())
    const bodies = world.unitsAsked().slice(units).map((key) => world.chain.find(key.slice(0, 64))!.header.level)
    assert.isTrue(bodies.every((level) => level > 60), bodies.join())
  })

  it("R125, A26: eight cycles of blocks unless told otherwise", () => {
    assert.strictEqual(new World().options.retentionBlocks, 800)
  })
})
