import { assert, describe, it } from "@effect/vitest"
import {
  type Check,
  CheckFailed,
  conformanceLimits,
  examineKit,
  expectFailure,
  expectSame,
  expectTrue,
  judge,
  type Kit,
  suiteOf
} from "@peerstrap/conformance"
import { atEachStep, isDone, mutantSuiteOf, turns } from "@peerstrap/conformance"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"

class Counter extends Context.Service<Counter, {
  readonly add: (by: number) => Effect.Effect<number>
  readonly reset: Effect.Effect<void>
}>()("test/Counter") {}

const counter = (change: (by: number) => number = (by) => by, reset: "works" | "hangs" = "works") =>
  Layer.sync(Counter, () => {
    let sum = 0
    return Counter.of({
      add: (by) => Effect.sync(() => sum += change(by)),
      reset: reset === "hangs" ? Effect.never : Effect.sync(() => void (sum = 0))
    })
  })

const adds: Check<Counter> = {
  name: "adds",
  run: Effect.gen(function*() {
    const { add } = yield* Counter
    yield* add(2)
    yield* expectSame("sum of 2 and 3", yield* add(3), 5)
  })
}

const resets: Check<Counter, "reset"> = {
  name: "resets",
  needs: ["reset"],
  run: Effect.gen(function*() {
    const { add, reset } = yield* Counter
    yield* add(2)
    yield* reset
    yield* expectSame("sum after reset", yield* add(0), 0)
  })
}

const kit: Kit<Counter, "reset"> = {
  contract: "Counter",
  capabilities: { reset: "can be set back to zero" },
  checks: [adds, resets],
  mutants: [
    {
      name: "takes 3 for 2",
      rejectedBy: "adds",
      because: /saw 4, expected 5/,
      layer: counter((by) => by === 3 ? 2 : by)
    },
    { name: "never resets", rejectedBy: "resets", because: "hangs", layer: counter(undefined, "hangs") }
  ]
}

const declare = (capabilities: object) => () =>
  suiteOf(kit)("Counter", counter(), { capabilities: capabilities as { reset: boolean }, test: () => {} })

describe("a kit", () => {
  suiteOf(kit)("Counter", counter(), { capabilities: { reset: true }, test: it })
  mutantSuiteOf(kit, it)

  it("leaves out what needs a capability that was declared as lacking, and says so", () => {
    const registered: Array<string> = []
    const plan = suiteOf(kit)("Counter", counter(), {
      capabilities: { reset: false },
      test: (name) => registered.push(name)
    })
    assert.deepEqual(plan, { asked: ["adds"], leftOut: [{ check: "resets", lacks: "reset" }] })
    assert.deepEqual(registered, ["Counter adds"])
  })

  it("refuses a declaration that leaves one out or names one that it does not know", () => {
    assert.throws(declare({}), /not declared: reset/)
    assert.throws(declare({ reset: true, speed: true }), /not known: speed/)
  })
})

const make = (of: typeof kit, capabilities = { reset: true }) => () =>
  suiteOf(of)("Counter", counter(), { capabilities, test: () => {} })

describe("a kit that proves nothing", () => {
  it.effect("is refused: one without checks, with two of one name, or with none that can be asked", () =>
    Effect.gen(function*() {
      const empty = { ...kit, checks: [] }
      const doubled = { ...kit, checks: [adds, resets, { ...resets, name: "adds" }] }
      assert.throws(make(empty), /the kit Counter has no checks/)
      assert.throws(() => mutantSuiteOf(empty, () => {}), /has no checks/)
      assert.throws(make(doubled), /the kit Counter has several checks of one name: adds/)
      assert.throws(() => mutantSuiteOf(doubled, () => {}), /several checks of one name/)
      for (const wrong of [empty, doubled]) assert.isTrue(Exit.isFailure(yield* Effect.exit(examineKit(wrong))))
      assert.throws(make({ ...kit, checks: [resets] }, { reset: false }), /nothing is left to ask of the kit Counter/)
    }))
})

describe("the proof of a kit", () => {
  it.effect("takes what a check says each time anew, whatever the flags of a pattern", () =>
    Effect.gen(function*() {
      const because = /saw 4/g
      const mutants = [1, 2, 3].map((number) => ({ ...kit.mutants[0]!, name: `takes 3 for 2 (${number})`, because }))
      assert.deepEqual(yield* examineKit({ ...kit, mutants: [...mutants, kit.mutants[1]!] }), [])
    }))

  it.effect("finds a mutant that is accepted, one rejected for another reason, one that nothing works with, and an idle check", () =>
    Effect.gen(function*() {
      const problems = yield* examineKit({
        ...kit,
        mutants: [
          { name: "is right", rejectedBy: "adds", because: /./, layer: counter() },
          { name: "doubles", rejectedBy: "adds", because: /saw 4/, layer: counter((by) => by * 2) },
          { name: "is against an unknown check", rejectedBy: "divides", because: /./, layer: counter() }
        ]
      })
      assert.deepEqual(problems, [
        "a mutant that is right: \"adds\" accepts it",
        "a mutant that doubles: \"adds\" says \"sum of 2 and 3: saw 10, expected 5\"; expected /saw 4/",
        "a mutant that is against an unknown check: there is no check \"divides\"",
        "\"resets\" rejects no mutant"
      ])
      const broken = yield* examineKit({
        ...kit,
        mutants: [{
          name: "hangs and miscounts",
          rejectedBy: "adds",
          because: /saw 3/,
          layer: counter((by) => by - 1, "hangs")
        }]
      })
      assert.deepEqual(broken, [
        "a mutant that hangs and miscounts: every check rejects it: nothing works with it, which proves no single check"
      ])
    }))

  it.effect("tells what passes, what fails and with which words, and what hangs", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* judge(adds, counter()), "passed")
      assert.deepEqual(yield* judge(adds, counter((by) => -by)), { failed: "sum of 2 and 3: saw -5, expected 5" })
      assert.strictEqual(yield* judge(resets, counter(undefined, "hangs"), 200), "hung")
      const stuck = { name: "is stuck", run: Effect.uninterruptible(Effect.never) }
      assert.strictEqual(yield* judge(stuck, counter(), 200), "hung")
    }))
})

describe("probes", () => {
  it.effect("atEachStep interrupts at every turn until the run ends by itself", () =>
    Effect.gen(function*() {
      let begun = 0
      let ended = 0
      const run = Effect.gen(function*() {
        begun++
        yield* Effect.yieldNow
        yield* Effect.yieldNow
        ended++
      })
      const seen: Array<boolean> = []
      const steps = yield* atEachStep(run, (_, isWhole) => Effect.sync(() => void seen.push(isWhole)))
      // At step 0 it is interrupted before its first turn.
      assert.deepEqual([begun, ended], [steps, 1])
      assert.deepEqual(seen, [...Array.from({ length: steps }, () => false), true])
      assert.isAbove(steps, 1)
    }))

  it.effect("atEachStep leaves out the steps that it is told to", () =>
    Effect.gen(function*() {
      const steps: Array<number> = []
      const note = (step: number, isWhole: boolean) => Effect.sync(() => void steps.push(isWhole ? -step : step))
      const last = yield* atEachStep(turns(150), note, (step) => step === 0 ? 1 : 10 * step)
      // The next step is beyond the limit: it runs to its end.
      assert.deepEqual(steps.slice(0, 5), [0, 1, 10, 100, -1000])
      assert.strictEqual(last, 1000 + conformanceLimits.spreadSteps)
    }))

  it.live("atEachStep reaches the end of a run of more turns than it has steps, at steps spread over it", () =>
    Effect.gen(function*() {
      let parts = 0
      const reached = new Set<number>()
      const run = Effect.gen(function*() {
        parts = 0
        for (; parts < 10; parts++) yield* turns(conformanceLimits.maxSteps / 5)
      })
      const wholes: Array<boolean> = []
      const after = (step: number, isWhole: boolean) =>
        Effect.sync(() => {
          if (step > conformanceLimits.maxSteps + 1) reached.add(parts)
          wholes.push(isWhole)
        })
      assert.isAbove(yield* atEachStep(run, after), conformanceLimits.maxSteps)
      assert.isTrue(wholes.includes(true))
      assert.deepEqual([...reached], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    }))

  it.effect("atEachStep reaches the end of a run in virtual time, which turns do not move", () =>
    Effect.gen(function*() {
      let parts = 0
      const run = Effect.gen(function*() {
        parts = 0
        for (; parts < 4; parts++) yield* Effect.sleep(10)
      })
      const reached: Array<number> = []
      const after = () => Effect.sync(() => void reached.push(parts))
      const fiber = yield* Effect.forkChild(atEachStep(run, after))
      while (reached.length <= conformanceLimits.maxSteps) yield* turns(100)
      yield* turns(2 * conformanceLimits.maxSteps)
      while (!isDone(fiber)) {
        yield* TestClock.adjust(1)
        yield* turns(20)
      }
      yield* Fiber.join(fiber)
      const spread = reached.slice(-conformanceLimits.spreadSteps)
      assert.deepEqual(new Set(spread), new Set([0, 1, 2, 3]))
      assert.strictEqual(reached.at(-spread.length - 1), 4)
    }))

  it.live("atEachStep fails when the run never ends, and as the run does, also after many turns", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(atEachStep(Effect.never, () => Effect.void, (step) => step + 100))
      assert.instanceOf(error, CheckFailed)
      assert.match(error.message, /never ends by itself/)
      for (const length of [3, 2 * conformanceLimits.maxSteps]) {
        const failing = Effect.andThen(turns(length), Effect.fail("broken"))
        assert.strictEqual(yield* Effect.flip(atEachStep(failing, () => Effect.void)), "broken")
      }
    }))

  it.effect("comparisons say what was seen, with bytes and big integers readable", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(expectSame("answer", { b: Uint8Array.of(1, 255), a: 2n }, { a: 2n }))
      assert.instanceOf(error, CheckFailed)
      assert.strictEqual(error.message, "answer: saw {\"a\":2n,\"b\":0x01ff}, expected {\"a\":2n}")
      yield* expectSame("bytes of whatever class", Buffer.from([1, 2]), Uint8Array.of(1, 2))
      yield* expectSame("order of keys", { a: 1, b: 2 }, { b: 2, a: 1 })
      assert.strictEqual((yield* Effect.flip(expectTrue("it holds", false))).message, "not so: it holds")
      assert.strictEqual(
        (yield* Effect.flip(expectFailure("dial", Effect.succeed(1)))).message,
        "dial: succeeded, expected it to fail"
      )
      assert.strictEqual(
        yield* expectFailure("dial", Effect.fail("refused"), (error) => error === "refused"),
        "refused"
      )
    }))
})
