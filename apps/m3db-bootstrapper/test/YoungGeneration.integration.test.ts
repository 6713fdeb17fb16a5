/** The bound on V8's young generation, in processes of their own: flags are of the whole process. */
import { assert, describe, it } from "@effect/vitest"
import { execFileSync } from "node:child_process"

const source = new URL("../src/bootstrap/YoungGeneration.ts", import.meta.url).href

/**
 * Allocates so that much survives for a while, in turns of the event loop, and prints how many times its size after the first collections
 * the young generation is at most. The old generation is marked at one go: during incremental marking V8 puts pages beyond the
 * capacity, which is not what is bounded.
 */
const growthOf = (program: string): number => {
  const script = `
    import * as Effect from "effect/Effect"
    import { getHeapSpaceStatistics } from "node:v8"
    import { boundYoungGeneration } from ${JSON.stringify(source)}
    const turn = () => new Promise((resolve) => setImmediate(resolve))
    const bytes = () => getHeapSpaceStatistics().find((one) => one.space_name === "new_space").space_size
    const growth = async () => {
      const kept = []
      let first
      let largest = 0
      for (let turns = 0; turns < 300; turns++) {
        for (let i = 0; i < 20_000; i++) kept[(turns * 20_000 + i) % 1_500_000] = [turns, i]
        await turn()
        first ??= bytes()
        largest = Math.max(largest, bytes())
      }
      return largest / first
    }
    console.log(await Effect.runPromise(${program}))
  `
  const flags = ["--conditions=@peerstrap/source", "--no-incremental-marking", "--input-type=module", "--eval", script]
  return Number(execFileSync(process.execPath, flags, { cwd: import.meta.dirname, encoding: "utf8" }))
}

const bounded = "Effect.scoped(Effect.andThen(boundYoungGeneration, Effect.promise(growth)))"
const free = "Effect.promise(growth)"

describe("young generation", { timeout: 60_000 }, () => {
  it("stays as it is where it would grow", () => {
    assert.isAbove(growthOf(free), 4)
    assert.strictEqual(growthOf(bounded), 1)
  })

  it("grows again after the scope", () => {
    assert.isAbove(growthOf(`Effect.andThen(${bounded}, ${free})`), 4)
  })
})
