import { assert, describe, it } from "@effect/vitest"
import { Random, Scheduler } from "@peerstrap/simulator"
import * as fc from "fast-check"

const make = (seed = 1, shuffle = true) => new Scheduler({ random: Random.make(seed), shuffle })

/** Runs ten events of one instant and tells their order. */
const orderOfTies = (seed: number, shuffle = true, chain?: number) => {
  const scheduler = make(seed, shuffle)
  const seen: Array<number> = []
  for (let i = 0; i < 10; i++) {
    scheduler.at(5, () => seen.push(i), { label: `e${i}`, ...(chain === undefined ? {} : { chain: i % chain }) })
  }
  scheduler.runUntilIdle()
  return { seen, hash: scheduler.hash }
}

const hashOf = (events: ReadonlyArray<readonly [number, string]>) => {
  const scheduler = make(1, false)
  for (const [at, label] of events) scheduler.at(at, () => {}, { label })
  scheduler.runUntilIdle()
  return scheduler.hash
}

describe("Scheduler", () => {
  it("runs events in the order of time, and time jumps", () => {
    const scheduler = make()
    const seen: Array<readonly [string, number]> = []
    scheduler.after(1_000_000, () => seen.push(["late", scheduler.now]))
    scheduler.after(1, () => {
      seen.push(["early", scheduler.now])
      scheduler.after(0.5, () => seen.push(["between", scheduler.now]))
      scheduler.at(0, () => seen.push(["past means now", scheduler.now]))
    })
    assert.strictEqual(scheduler.runUntilIdle(), "idle")
    assert.deepStrictEqual(seen, [["early", 1], ["past means now", 1], ["between", 1.5], ["late", 1_000_000]])
    assert.strictEqual(scheduler.events, 4)
  })

  it("shuffles ties by the seed, and keeps insertion order when told so", () => {
    assert.deepStrictEqual(orderOfTies(1), orderOfTies(1))
    assert.isAbove(new Set([1, 2, 3, 4, 5].map((seed) => orderOfTies(seed).seen.join())).size, 3)
    assert.deepStrictEqual(orderOfTies(1, false).seen, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  })

  it("keeps the order within a chain", () => {
    for (let seed = 1; seed <= 20; seed++) {
      const { seen } = orderOfTies(seed, true, 3)
      for (const chain of [0, 1, 2]) {
        const own = seen.filter((i) => i % 3 === chain)
        assert.deepStrictEqual(own, own.toSorted((a, b) => a - b))
      }
    }
  })

  it("has a hash that tells different orders, labels and times apart", () => {
    const runs = [
      [[1, "a"], [2, "b"]],
      [[1, "b"], [2, "a"]],
      [[1, "a"], [3, "b"]],
      [[1, "a"]],
      [[1, "a"], [1, "b"]],
      [[1, "ab"]],
      []
    ] as const
    assert.strictEqual(new Set(runs.map(hashOf)).size, runs.length)
    assert.match(hashOf(runs[0]), /^[0-9a-f]{13}$/)
    assert.strictEqual(hashOf(runs[0]), hashOf(runs[0]))
  })

  it("forgets cancelled events, which do not move time either", () => {
    const scheduler = make()
    const seen: Array<string> = []
    const timeout = scheduler.after(10_000, () => seen.push("timeout"))
    scheduler.after(1, () => {
      seen.push("answer")
      timeout.cancel()
      timeout.cancel()
    })
    assert.strictEqual(scheduler.pending, 2)
    scheduler.runUntilIdle()
    assert.deepStrictEqual([seen, scheduler.now, scheduler.pending], [["answer"], 1, 0])
  })

  it("cancels among the events of the same instant", () => {
    for (let seed = 1; seed <= 10; seed++) {
      const scheduler = make(seed)
      let ran = 0
      const handles = [0, 1].map((i) =>
        scheduler.at(3, () => {
          ran++
          handles[1 - i]!.cancel()
        })
      )
      scheduler.runUntilIdle()
      assert.deepStrictEqual([ran, scheduler.pending], [1, 0])
    }
  })

  it("stops at a time or at a condition", () => {
    const scheduler = make()
    let count = 0
    const tick = () => {
      count++
      scheduler.after(10, tick)
    }
    tick()
    assert.strictEqual(scheduler.runUntil(95), "time")
    assert.deepStrictEqual([count, scheduler.now], [10, 95])
    assert.strictEqual(scheduler.runUntilCondition(() => count === 15), "condition")
    assert.strictEqual(scheduler.now, 140)
    assert.strictEqual(scheduler.runUntilCondition(() => false, 200), "time")
    assert.strictEqual(make().runUntilCondition(() => false), "idle")
  })

  it("ends a livelock with an error that names the last event", () => {
    const scheduler = new Scheduler({ random: Random.make(1), maxEvents: 100 })
    const spin = () => void scheduler.after(0, spin, { label: "spin" })
    spin()
    assert.throws(() => scheduler.runUntilIdle(), /more than 100 events.*spin/)
  })

  it("agrees with a sorted list, whatever is added when", () => {
    const event = fc.record({ at: fc.nat(20), later: fc.option(fc.nat(10), { nil: undefined }) })
    fc.assert(
      fc.property(fc.array(event, { maxLength: 30 }), (events) => {
        const scheduler = make(1, false)
        const seen: Array<string> = []
        for (const [i, { at, later }] of events.entries()) {
          scheduler.at(at, () => {
            seen.push(`${at}:${i}`)
            if (later !== undefined) scheduler.after(later, () => seen.push(`${at + later}:${i}+`))
          })
        }
        scheduler.runUntilIdle()
        const model = events.flatMap(({ at, later }, i) => [
          `${at}:${i}`,
          ...(later === undefined ? [] : [`${at + later}:${i}+`])
        ])
        assert.deepStrictEqual(seen.toSorted(), model.toSorted())
        const times = seen.map((entry) => Number(entry.split(":")[0]))
        assert.deepStrictEqual(times, times.toSorted((a, b) => a - b))
        const first = seen.filter((entry) => !entry.endsWith("+"))
        const stable = events.map(({ at }, i) => ({ at, i })).toSorted((a, b) => a.at - b.at || a.i - b.i)
        assert.deepStrictEqual(first, stable.map(({ at, i }) => `${at}:${i}`))
      }),
      { seed: 5_150, numRuns: 300 }
    )
  })
})
