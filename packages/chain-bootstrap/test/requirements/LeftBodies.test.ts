/** Bodies of blocks that are not wanted for a while, because a quorum went elsewhere and came back: none of their work is lost (R51, R54; 5.10). */
import { assert, describe, it } from "@effect/vitest"
import { makeSyntheticChain, type SyntheticBlock } from "../../src/testing/SyntheticChain.ts"
import { World, type WorldOptions } from "./driver.ts"

/** All peers follow another chain from now on, and we have chosen it. */
const moveAll = (world: World, blocks: ReadonlyArray<SyntheticBlock>) => {
  for (const peer of world.peers) {
    peer.blocks = blocks
    world.say(peer, peer.branch)
  }
  const top = blocks.at(-1)!.header.id
  world.run(() => world.snapshot.chosen.id === top, 500)
  assert.strictEqual(world.snapshot.chosen.id, top)
}

/** A chain of 60, of which 57 blocks are applied, and two heavier ones that leave it there. */
const makeChains = () => {
  const chain = makeSyntheticChain({ seed: 31, levels: 60 })
  const fork = chain.at(57).header.id
  const rival = [...chain.main.slice(0, 58), ...chain.grow(fork, 4, "rival", 40)]
  const back = [...chain.main, ...chain.grow(chain.head.header.id, 4, "back", 100)]
  return { chain, rival, back }
}

const strategies: ReadonlyArray<readonly [string, WorldOptions]> = [
  ["cached-tail", { sync: { until: undefined } }],
  ["applied-branches", { sync: { until: undefined, strategy: "applied-branches" }, branches: "many" }]
]

/** Every unit that was asked for more than once, as `level/unit`. */
const askedTwice = (world: World): ReadonlyArray<string> => {
  const seen = new Set<string>()
  return world.unitsAsked().flatMap((key) => {
    if (!seen.has(key)) {
      seen.add(key)
      return []
    }
    return [`${world.chain.find(key.slice(0, 64))!.header.level}${key.slice(64)}`]
  })
}

for (const [strategy, options] of strategies) {
  describe(`${strategy}: a chain that is left before it is applied, and chosen again`, () => {
    it("R94: units that arrived and are not durable yet are not fetched again", () => {
      const { back, chain, rival } = makeChains()
      const world = new World({ chain, head: 57, ageSeconds: 60, ...options })
      world.storeMillis = 1500
      world.run(() => world.snapshot.counters.unitsReceived === 6)
      assert.strictEqual(world.head.level, 57)
      moveAll(world, rival)
      moveAll(world, back)
      assert.deepStrictEqual([...world.held], [])
      world.runFor(10_000)
      assert.strictEqual(world.head.id, back.at(-1)!.header.id)
      assert.deepStrictEqual(askedTwice(world), [])
      assert.deepStrictEqual(world.blamed, [])
    })

    it("units that became durable meanwhile are found in the store", () => {
      const { back, chain, rival } = makeChains()
      const world = new World({ chain, head: 57, ageSeconds: 60, ...options })
      // The lowest block stays open, so that nothing is applied.
      const lowest = chain.at(58).header.id
      for (const peer of world.peers) {
        peer.alter = (answer) => answer.kind === "unit" && answer.block === lowest ? undefined : answer
      }
      world.storeMillis = 20
      world.run(() => world.snapshot.counters.unitsReceived === 4)
      world.storeMillis = 2
      for (const peer of world.peers) peer.alter = (answer) => answer.kind === "unit" ? undefined : answer
      moveAll(world, rival)
      world.runFor(30)
      assert.deepStrictEqual([world.held.size, world.head.level], [2, 57])
      moveAll(world, back)
      for (const peer of world.peers) peer.alter = (answer) => answer
      world.runFor(10_000)
      assert.strictEqual(world.head.id, back.at(-1)!.header.id)
      assert.deepStrictEqual(askedTwice(world).filter((unit) => unit.startsWith("59") || unit.startsWith("60")), [])
    })

    it("units that are on their way are waited for, as if nothing had been", () => {
      const { back, chain, rival } = makeChains()
      const world = new World({ chain, head: 57, ageSeconds: 60, ...options })
      const slow: Array<() => void> = []
      for (const peer of world.peers) {
        peer.alter = (answer) => {
          if (answer.kind === "unit") slow.push(() => world.say(peer, answer))
          return answer.kind === "unit" ? undefined : answer
        }
      }
      world.run(() => slow.length === 6)
      moveAll(world, rival)
      moveAll(world, back)
      for (const peer of world.peers) peer.alter = (answer) => answer
      for (const say of slow.splice(0)) say()
      world.runFor(10_000)
      assert.strictEqual(world.head.id, back.at(-1)!.header.id)
      assert.deepStrictEqual(askedTwice(world).filter((unit) => Number.parseInt(unit, 10) <= 60), [])
      assert.deepStrictEqual(world.blamed, [])
    })

    it("answers that come while nobody wants them are kept, too", () => {
      const { back, chain, rival } = makeChains()
      const world = new World({ chain, head: 57, ageSeconds: 60, ...options })
      const slow: Array<() => void> = []
      for (const peer of world.peers) {
        peer.alter = (answer) => {
          if (answer.kind === "unit") slow.push(() => world.say(peer, answer))
          return answer.kind === "unit" ? undefined : answer
        }
      }
      world.run(() => slow.length === 6)
      world.applier = () => undefined
      moveAll(world, rival)
      for (const say of slow.splice(0, 6)) say()
      for (const peer of world.peers) peer.alter = (answer) => answer
      moveAll(world, back)
      world.applier = (blocks) => ({ applied: blocks.length, outcome: "ok" })
      world.runFor(10_000)
      assert.strictEqual(world.head.id, back.at(-1)!.header.id)
      assert.deepStrictEqual(askedTwice(world).filter((unit) => Number.parseInt(unit, 10) <= 60), [])
    })
  })
}
