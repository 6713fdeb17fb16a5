import { assert, describe, it } from "@effect/vitest"
import { ByteLedger } from "@peerstrap/transport"

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

  it("a capacity that is lowered takes nothing away: nothing is granted until enough came back", () => {
    const ledger = new ByteLedger(100)
    assert.isTrue(ledger.tryReserve("a", 80))
    ledger.resize(50)
    assert.deepStrictEqual([ledger.capacity, ledger.used, ledger.free, ledger.peak], [50, 80, 0, 80])
    assert.isFalse(ledger.tryReserve("a", 1))
    assert.isTrue(ledger.tryReserve("a", 0))
    ledger.release("a", 40)
    assert.strictEqual(ledger.free, 10)
    assert.isFalse(ledger.tryReserve("b", 11))
    assert.isTrue(ledger.tryReserve("b", 10))
    ledger.resize(200)
    assert.deepStrictEqual([ledger.free, ledger.peak, ledger.snapshot().capacity], [150, 80, 200])
    for (const capacity of [0, -1, 1.5, Number.NaN, Infinity]) {
      assert.throws(() => ledger.resize(capacity), RangeError)
    }
    assert.strictEqual(ledger.capacity, 200)
  })

  it("tells who listens of each change, when it is in force, until that ends", () => {
    const ledger = new ByteLedger(100)
    const seen: Array<string> = []
    const listener = () => void seen.push(`${ledger.capacity}`)
    const ends = [ledger.onResized(listener), ledger.onResized(listener)]
    ledger.resize(200)
    ledger.resize(200)
    ends[0]!()
    ends[0]!()
    ledger.resize(50)
    // One that leaves while it is told does not keep the news from others.
    const leave = ledger.onResized(() => leave())
    ledger.onResized(() => void seen.push("last"))
    ledger.resize(60)
    ends[1]!()
    ledger.resize(70)
    assert.deepStrictEqual(seen, ["200", "200", "50", "60", "last", "last"])
  })
})
