import { assert, describe, it } from "@effect/vitest"
import { FixedLevel, LevelSource, SettableLevel } from "@peerstrap/consistency-policy"
import {
  controlSubject,
  levelControlSuite,
  levelSourceMutants,
  levelSourceSuite,
  runLevelCheck
} from "@peerstrap/consistency-policy/testing"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as References from "effect/References"
import * as Stream from "effect/Stream"

const checks = [
  ...levelSourceSuite.map((check) => ({ name: check.name, run: check.run(controlSubject) })),
  ...levelControlSuite
]

const quietly = Effect.provideService(References.MinimumLogLevel, "None")

describe("SettableLevel keeps both contracts", () => {
  for (const check of checks) {
    it.effect(check.name, () => quietly(runLevelCheck(check.run, SettableLevel.layer("majority"))))
  }
})

describe("FixedLevel", () => {
  it.effect("says its level, in changes as the first element, and stays open", () =>
    Effect.gen(function*() {
      const source = yield* LevelSource
      const expected = { level: "unstrict_all", origin: "flag" } as const
      assert.deepStrictEqual(yield* source.current, expected)
      assert.deepStrictEqual(yield* Stream.runHead(source.changes), Option.some(expected))
      const open = yield* Effect.forkScoped(Stream.runDrain(source.changes))
      for (let turn = 0; turn < 50; turn++) yield* Effect.yieldNow
      assert.isUndefined(open.pollUnsafe())
    }).pipe(Effect.provide(FixedLevel.layer("unstrict_all"))))
})

/** Whether the check fails, or waits for what never comes: judged by turns of the scheduler, not by time. */
const rejects = Effect.fnUntraced(function*(check: Effect.Effect<void, unknown>) {
  const fiber = yield* Effect.forkChild(Effect.exit(check))
  for (let turn = 0; turn < 20_000 && fiber.pollUnsafe() === undefined; turn++) yield* Effect.yieldNow
  if (fiber.pollUnsafe() === undefined) {
    fiber.interruptUnsafe()
    return true
  }
  return Exit.isFailure(yield* Fiber.join(fiber))
})

describe("the kit rejects each mutant that", () => {
  for (const mutant of levelSourceMutants) {
    it.effect(mutant.name, () =>
      Effect.gen(function*() {
        const rejected = yield* Effect.filter(checks, (check) => rejects(runLevelCheck(check.run, mutant.layer)))
        assert.isNotEmpty(rejected, `the kit accepts a source that ${mutant.name}`)
      }).pipe(quietly))
  }

  it.effect("and would accept the real one by the same judgement", () =>
    Effect.gen(function*() {
      const rejected = yield* Effect.filter(
        checks,
        (check) => rejects(runLevelCheck(check.run, SettableLevel.layer("majority")))
      )
      assert.deepStrictEqual(rejected, [])
    }).pipe(quietly))
})
