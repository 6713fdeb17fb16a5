// The ledger against a naive reference, which keeps every draw in a list, while its capacity goes up and down.
import { assert, describe, it } from "@effect/vitest"
import { ByteLedger } from "@peerstrap/transport"
import * as fc from "fast-check"

class NaiveLedger {
  draws: Array<{ readonly account: string; readonly bytes: number }> = []
  capacity: number
  peak = 0

  constructor(capacity: number) {
    this.capacity = capacity
  }

  sum(account?: string): number {
    return this.draws.filter((draw) => account === undefined || draw.account === account)
      .reduce((total, { bytes }) => total + bytes, 0)
  }

  reserve(account: string, bytes: number): boolean {
    if (bytes !== 0 && this.sum() + bytes > this.capacity) return false
    this.draws.push({ account, bytes })
    this.peak = Math.max(this.peak, this.sum())
    return true
  }
}

const account = fc.constantFrom("a", "b", "c")
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("draw" as const), account, bytes: fc.nat(60) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("give" as const), account, bytes: fc.nat(60) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("resize" as const), account, bytes: fc.integer({ min: 1, max: 200 }) })
  }
)

describe("ByteLedger", () => {
  it("grants what the reference grants, whatever is drawn, given back and changed", () => {
    let lowered = 0
    fc.assert(
      fc.property(fc.array(step, { minLength: 40, maxLength: 80 }), (steps) => {
        const ledger = new ByteLedger(100)
        const naive = new NaiveLedger(100)
        let largest = 100
        for (const { account, bytes, kind } of steps) {
          if (kind === "resize") {
            ledger.resize(bytes)
            naive.capacity = bytes
            largest = Math.max(largest, bytes)
            if (bytes < naive.sum()) lowered++
          } else if (kind === "draw") {
            assert.strictEqual(ledger.tryReserve(account, bytes), naive.reserve(account, bytes))
          } else if (bytes > naive.sum(account)) assert.throws(() => ledger.release(account, bytes), RangeError)
          else {
            ledger.release(account, bytes)
            naive.draws.push({ account, bytes: -bytes })
          }
          const used = naive.sum()
          assert.deepStrictEqual(
            [ledger.capacity, ledger.used, ledger.free, ledger.peak],
            [naive.capacity, used, Math.max(0, naive.capacity - used), naive.peak]
          )
          for (const name of ["a", "b", "c"]) assert.strictEqual(ledger.usedBy(name), naive.sum(name))
          assert.isAtMost(ledger.peak, largest)
        }
      }),
      { seed: 20_260_101, numRuns: 150 }
    )
    assert.isAbove(lowered, 50)
  })
})
