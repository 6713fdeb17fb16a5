import { assert, describe, it } from "@effect/vitest"
import { makeThrottle } from "../src/engine/connections/Throttle.ts"
import { workerIntervalMillis } from "../src/engine/standing/WorkerRhythm.ts"

describe("throttle (1.10, 5.12.12)", () => {
  it("5.12.12: two of one kind keep their interval, other kinds do not wait for it", () => {
    const throttle = makeThrottle({ "get-branch": 5000, branch: 4000 })
    assert.strictEqual(throttle.mayAt("get-branch", 0), 0)
    throttle.sent("get-branch", 0)
    assert.strictEqual(throttle.mayAt("get-branch", 1), 5000)
    assert.strictEqual(throttle.mayAt("branch", 1), 1)
    throttle.sent("branch", 1)
    assert.strictEqual(throttle.mayAt("branch", 4000), 4001)
    assert.strictEqual(throttle.mayAt("branch", 9000), 9000)
  })

  it("1.10: kinds without an interval are free", () => {
    const throttle = makeThrottle({ branch: 4000 })
    throttle.sent("get-headers", 10)
    throttle.sent("constructor", 10)
    assert.deepStrictEqual([throttle.mayAt("get-headers", 10), throttle.mayAt("constructor", 10)], [10, 10])
  })

  it("an interval below 0 is refused", () => {
    assert.throws(() => makeThrottle({ branch: -1 }), /branch/)
    assert.throws(() => makeThrottle({ branch: Number.NaN }), /branch/)
  })
})

describe("rhythm of workers (R79, A25)", () => {
  it("A25: base × maximum / score, at most the longest; never at 0", () => {
    assert.strictEqual(workerIntervalMillis(100, 100, 250, 5000), 250)
    assert.strictEqual(workerIntervalMillis(50, 100, 250, 5000), 500)
    assert.strictEqual(workerIntervalMillis(5, 100, 250, 5000), 5000)
    assert.strictEqual(workerIntervalMillis(1, 100, 250, 5000), 5000)
    assert.strictEqual(workerIntervalMillis(0, 100, 250, 5000), Infinity)
  })
})
