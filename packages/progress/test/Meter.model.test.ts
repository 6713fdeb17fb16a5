import { assert, describe, it } from "@effect/vitest"
import { Meter } from "@peerstrap/progress"
import * as fc from "fast-check"

const options = { windowMillis: 1000, slots: 10, averageMillis: 3000 }

describe("Meter against a list of all amounts", () => {
  it("counts exactly, and its window is the last nine slots and the begun one", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 700 }), fc.integer({ min: 0, max: 5000 })), { maxLength: 60 }),
        (steps) => {
          const meter = new Meter(5000, options)
          const added: Array<{ readonly at: number; readonly amount: number }> = []
          let now = 5000
          for (const [wait, amount] of steps) {
            now += wait
            meter.add(amount, now)
            added.push({ at: now, amount })
            const from = 5000 + (Math.floor((now - 5000) / 100) - 9) * 100
            const sum = added.filter((of) => of.at >= from).reduce((total, of) => total + of.amount, 0)
            const covered = now - Math.max(5000, from)
            assert.strictEqual(meter.ratePerSecond(now), covered > 0 ? (sum * 1000) / covered : 0)
            assert.strictEqual(meter.total, added.reduce((total, of) => total + of.amount, 0))
          }
          assert.strictEqual(meter.lastProgressMillis, added.findLast((of) => of.amount > 0)?.at)
        }
      ),
      { seed: 11, numRuns: 300 }
    )
  })
  it("averages a steady rate exactly and forgets an old one", () => {
    const meter = new Meter(0, options)
    for (let now = 50; now < 20_000; now += 100) meter.add(10, now)
    assert.closeTo(meter.averagePerSecond(20_000), 100, 1e-9)
    assert.closeTo(meter.averagePerSecond(23_000), 100 / Math.E, 0.5)
    assert.strictEqual(meter.ratePerSecond(23_000), 0)
  })
  it("stands a clock that goes back and a wait of years", () => {
    const meter = new Meter(1000, options)
    meter.add(5, 500)
    assert.strictEqual(meter.ratePerSecond(400), 0)
    meter.add(5, 1e12)
    assert.strictEqual(meter.total, 10)
    assert.isAtMost(meter.ratePerSecond(1e12), 10)
  })
  it("refuses what is no amount", () => {
    assert.throws(() => new Meter(0).add(-1, 0), /from 0/)
    assert.throws(() => new Meter(0, { slots: 0 }), /slots/)
  })
})
