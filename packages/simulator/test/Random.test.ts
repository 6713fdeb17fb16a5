import { assert, describe, it } from "@effect/vitest"
import { Random } from "@peerstrap/simulator"

const draw = (seed: number | string) => Array.from({ length: 8 }, ((random) => () => random.bits())(Random.make(seed)))

describe("Random", () => {
  it("repeats itself for a seed, and differs between seeds that differ in any bit", () => {
    assert.deepStrictEqual(draw(42), draw(42))
    const firsts = [0, 1, 2, 42, 2 ** 32, 2 ** 32 + 42, -1, 0.5, "42", "a", "b"].map((seed) => draw(seed).join())
    assert.strictEqual(new Set(firsts).size, firsts.length)
  })

  it("forks by label alone, whatever was drawn before", () => {
    const a = Random.make(7)
    const before = a.fork("peer").bits()
    for (let i = 0; i < 100; i++) a.bits()
    assert.strictEqual(a.fork("peer").bits(), before)
    assert.notStrictEqual(a.fork("peer 2").bits(), before)
    assert.notStrictEqual(Random.make(8).fork("peer").bits(), before)
    assert.notStrictEqual(a.fork("x").fork("y").bits(), a.fork("y").fork("x").bits())
  })

  it("spreads evenly: each of ten values comes up about a tenth of the time, ends included", () => {
    const random = Random.make(1)
    const counts = Array.from({ length: 10 }, () => 0)
    for (let i = 0; i < 100_000; i++) counts[random.int(0, 9)]!++
    for (const count of counts) assert.approximately(count, 10_000, 500)
    let heads = 0
    for (let i = 0; i < 100_000; i++) if (random.chance(0.25)) heads++
    assert.approximately(heads, 25_000, 700)
  })

  it("shuffles without loss, into every order", () => {
    const random = Random.make(2)
    const orders = new Set<string>()
    for (let i = 0; i < 500; i++) {
      const shuffled = random.shuffle([1, 2, 3, 4])
      assert.deepStrictEqual(shuffled.toSorted(), [1, 2, 3, 4])
      orders.add(shuffled.join())
    }
    assert.strictEqual(orders.size, 24)
  })

  it("refuses empty ranges and lists", () => {
    assert.throws(() => Random.make(1).int(2, 1), RangeError)
    assert.throws(() => Random.make(1).pick([]), RangeError)
    assert.throws(() => Random.make(Number.NaN), RangeError)
  })
})
