import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { blockSinkSuite, failedChecks } from "../src/testing/BlockSinkSuite.ts"
import { blockSinkFaults, makeMemoryBlockSink } from "../src/testing/MemoryBlockSink.ts"

describe("the sink in memory", () => {
  for (const check of blockSinkSuite) {
    it.effect(check.name, () => check.run(makeMemoryBlockSink()))
  }
})

describe("the kit rejects a sink that", () => {
  for (const fault of blockSinkFaults) {
    it.effect(fault, () =>
      Effect.gen(function*() {
        const failed = yield* failedChecks(Effect.sync(() => makeMemoryBlockSink(fault)))
        assert.isNotEmpty(failed)
        assert.isBelow(failed.length, blockSinkSuite.length, "a mutant that nothing works with proves nothing")
      }))
  }

  it.effect("no check is idle: each rejects some mutant", () =>
    Effect.gen(function*() {
      const caught = new Set<string>()
      for (const fault of blockSinkFaults) {
        for (const name of yield* failedChecks(Effect.sync(() => makeMemoryBlockSink(fault)))) caught.add(name)
      }
      const idle = blockSinkSuite.map(({ name }) => name).filter((name) => !caught.has(name))
      assert.deepStrictEqual(idle, [])
    }))
})
