import { assert, describe, it } from "@effect/vitest"
import { isTerminal, SeriesBlocks, SeriesState, seriesStateNames } from "../src/engine/SeriesBlock.ts"

const S = SeriesState

describe("states of a series-block", () => {
  it("counts what is in each state and refuses moves that are no edges", () => {
    const blocks = new SeriesBlocks(3)
    blocks.add(0, 0)
    blocks.add(1, 5)
    blocks.move(0, S.READY)
    assert.throws(() => blocks.move(0, S.STORED), /READY → STORED/)
    blocks.move(0, S.FETCH_ONE)
    blocks.move(0, S.STORED)
    assert.throws(() => blocks.move(0, S.READY), /STORED → READY/)
    assert.strictEqual(blocks.inState[S.STORED], 1)
    assert.strictEqual(blocks.inState[S.COLLECTING], 1)
    assert.strictEqual(blocks.block(1), 5)
  })

  it("STORED, FAILED, DROPPED and CANCELLED are final, nothing else is", () => {
    const final = seriesStateNames.filter((_, state) => isTerminal(state as SeriesState))
    assert.deepStrictEqual(final, ["STORED", "FAILED", "DROPPED", "CANCELLED"])
  })

  it("keeps tries, requests and held copies of each peer apart over growth", () => {
    const blocks = new SeriesBlocks(3)
    for (let i = 0; i < 3000; i++) blocks.add(i, 0)
    blocks.addTry(2500, 1)
    blocks.addTry(2500, 1)
    blocks.setAsked(2500, 1, true)
    blocks.setHeld(2500, 2, true)
    for (let i = 3000; i < 9000; i++) blocks.add(i, 0)
    assert.strictEqual(blocks.tries(2500, 1), 2)
    assert.strictEqual(blocks.tries(2500, 0), 0)
    assert.isTrue(blocks.asked(2500, 1))
    assert.isTrue(blocks.held(2500, 2))
    blocks.clearTries(2500)
    assert.strictEqual(blocks.tries(2500, 1), 0)
    assert.isTrue(blocks.held(2500, 2))
    for (let i = 0; i < 40; i++) blocks.addTry(7, 0)
    assert.strictEqual(blocks.tries(7, 0), 15)
    assert.isFalse(blocks.asked(7, 0))
  })
})
