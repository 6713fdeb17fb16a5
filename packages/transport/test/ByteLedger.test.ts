import { assert, describe, it } from "@effect/vitest"
import { ByteLedger } from "@peerstrap/transport"
import * as fc from "fast-check"

describe("ByteLedger", () => {
  it("refuses instead of growing, and remembers its peak", () => {
    const ledger = new ByteLedger(100)
    assert.isTrue(ledger.tryReserve("index", 60))
    assert.isFalse(ledger.tryReserve("answers", 41))
    assert.isTrue(ledger.tryReserve("answers", 40))
    assert.strictEqual(ledger.free, 0)
    ledger.release("index", 60)
    assert.deepStrictEqual(ledger.snapshot(), {
      capacity: 100,
      used: 40,
      peak: 100,
      accounts: { index: 0, answers: 40 }
    })
  })

  it("throws when more is given back than was drawn, from another account's bytes or from nothing", () => {
    const ledger = new ByteLedger(100)
    ledger.tryReserve("a", 10)
    assert.throws(() => ledger.release("a", 11), /holds 10 bytes/)
    assert.throws(() => ledger.release("b", 1), /holds 0 bytes/)
    assert.throws(() => ledger.tryReserve("a", -1))
    assert.throws(() => ledger.tryReserve("a", Number.NaN))
    assert.strictEqual(ledger.used, 10)
  })

  it("refuses a capacity that is no positive integer", () => {
    for (const capacity of [0, -1, 1.5, Number.NaN, Infinity]) assert.throws(() => new ByteLedger(capacity), RangeError)
  })

  it("never exceeds its capacity and always adds up, whatever is asked", () => {
    const step = fc.record({ account: fc.constantFrom("a", "b", "c"), bytes: fc.nat(60), give: fc.boolean() })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const ledger = new ByteLedger(100)
        const model = new Map<string, number>()
        for (const { account, bytes, give } of steps) {
          const held = model.get(account) ?? 0
          const total = [...model.values()].reduce((sum, n) => sum + n, 0)
          if (give) {
            if (bytes > held) assert.throws(() => ledger.release(account, bytes))
            else {
              ledger.release(account, bytes)
              model.set(account, held - bytes)
            }
          } else {
            assert.strictEqual(ledger.tryReserve(account, bytes), total + bytes <= 100)
            if (total + bytes <= 100) model.set(account, held + bytes)
          }
          assert.strictEqual(ledger.used, [...model.values()].reduce((sum, n) => sum + n, 0))
          for (const [name, n] of model) assert.strictEqual(ledger.usedBy(name), n)
          assert.isAtMost(ledger.peak, 100)
        }
      }),
      { seed: 20_260_101, numRuns: 300 }
    )
  })
})
