import { assert, describe, it } from "@effect/vitest"
import { forgeBlock, makeSyntheticChain, makeSyntheticRules, syntheticRules } from "@peerstrap/chain-bootstrap/testing"

const chain = makeSyntheticChain({
  seed: 7,
  levels: 20,
  unitsPerBlock: 3,
  forks: [{ from: 10, length: 4 }, { from: 18, length: 3, extraWeight: 2 }]
})

describe("SyntheticChain", () => {
  it("follows from its seed alone", () => {
    const again = makeSyntheticChain({ seed: 7, levels: 20, unitsPerBlock: 3 })
    assert.deepStrictEqual(again.ids(0, 20), chain.ids(0, 20))
    assert.notStrictEqual(makeSyntheticChain({ seed: 8, levels: 1 }).head.header.id, chain.at(1).header.id)
  })

  it("keeps the rules on every branch", () => {
    const branches = [chain.main, [chain.at(10), ...chain.forks[0]!], [chain.at(18), ...chain.forks[1]!]]
    for (const branch of branches) {
      for (const [i, block] of branch.entries()) {
        assert.deepStrictEqual(syntheticRules.decodeHeader(block.header.bytes), block.header)
        assert.strictEqual(syntheticRules.verifyBody(block.header, block.units), undefined)
        if (i > 0) assert.strictEqual(syntheticRules.checkLink(block.header, branch[i - 1]!.header), undefined)
        const proof = chain.proof(block)
        for (const [unit, body] of block.units.entries()) {
          assert.strictEqual(syntheticRules.verifyUnit(block.header, unit, body, proof), undefined)
        }
      }
    }
  })

  it("notices what is wrong", () => {
    const [low, block] = [chain.at(4), chain.at(5)]
    const proof = chain.proof(block)
    assert.isString(syntheticRules.verifyUnit(block.header, 1, block.units[0]!, proof))
    assert.isString(syntheticRules.verifyUnit(block.header, 3, block.units[0]!, proof))
    assert.isString(syntheticRules.verifyUnit(low.header, 0, block.units[0]!, proof))
    assert.isString(syntheticRules.verifyBody(block.header, block.units.toReversed()))
    assert.isString(syntheticRules.checkLink(block.header, chain.at(3).header))
    assert.isString(syntheticRules.checkAlone(block.header, block.header.timeSeconds - 16))
    assert.strictEqual(syntheticRules.checkAlone(block.header, block.header.timeSeconds - 15), undefined)
    assert.isString(syntheticRules.decodeHeader(block.header.bytes.subarray(1)))
    const early = forgeBlock(
      { parent: low.header.id, level: 5, timeSeconds: low.header.timeSeconds, weight: 99, salt: "early" },
      []
    )
    assert.strictEqual(syntheticRules.checkLink(early.header, low.header), "not later than its parent")
  })

  it("weighs branches and grows", () => {
    const heavier = chain.forks[1]![0]!.header
    assert.isAbove(syntheticRules.compareWeight(heavier.weight, chain.at(19).header.weight), 0)
    const growing = makeSyntheticChain({ seed: 1, levels: 3 })
    growing.growMain(2)
    assert.deepStrictEqual(growing.ids(0, 5), makeSyntheticChain({ seed: 1, levels: 5 }).ids(0, 5))
    assert.strictEqual(growing.ancestor(growing.head.header.id, 5)!.header.id, growing.base.id)
    assert.strictEqual(growing.ancestry(growing.head.header.id).length, 6)
    assert.strictEqual(makeSyntheticRules({ finality: 5 }).finality, 5)
  })
})
