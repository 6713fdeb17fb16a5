import { assert, describe, it } from "@effect/vitest"
import { totalmem } from "node:os"
import { machineBudgets } from "../src/index.ts"

describe("machineBudgets", () => {
  it("grants what the system says: memory at most that of the machine, descriptors at least those that are open", () => {
    const { descriptors, memoryBytes } = machineBudgets()
    assert.isAtMost(memoryBytes!, totalmem())
    assert.isAbove(memoryBytes!, process.memoryUsage.rss())
    assert.isAbove(descriptors ?? 256, 3)
  })
})
