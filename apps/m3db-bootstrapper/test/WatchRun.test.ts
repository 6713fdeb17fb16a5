/** A run that does not move says why, and one that moves is quiet. */
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { watchRun } from "../src/bootstrap/Reporter.ts"
import type { RunState } from "../src/bootstrap/RunState.ts"

describe("a run that does not move", () => {
  it.effect("says why after 10 s and then every 10 s, and is quiet while it moves", () =>
    Effect.gen(function*() {
      const clock = yield* Clock.Clock
      let moved = 0
      const wait = {
        subject: "shard 3",
        waitingFor: "metadata from b",
        cause: "b: connection refused (7 tries, next in 2.0 s)",
        peers: ["b"],
        level: "majority",
        remedy: "bring back b",
        sinceMillis: 0
      }
      const state = {
        startedMillis: clock.currentTimeMillisUnsafe(),
        observe: () => moved,
        waits: () => [wait],
        snapshot: () => ({ nowMillis: clock.currentTimeMillisUnsafe() })
      } as unknown as RunState
      const said: Array<string> = []
      const reporter = { say: (text: string) => void said.push(text), event: () => undefined }
      const terminal = {
        out: () => Effect.void,
        error: () => undefined,
        isLive: false,
        color: false,
        size: () => ({ columns: 80, rows: 24 })
      }
      yield* Effect.forkScoped(watchRun(reporter, { terminal, json: false, state }))
      for (let second = 0; second < 12; second++) {
        moved++
        yield* TestClock.adjust("1 second")
      }
      assert.deepStrictEqual(said, [])
      yield* TestClock.adjust("32 seconds")
      assert.strictEqual(said.length, 3)
      assert.match(said[0]!, /^no progress for 10\.\d s\nshard 3 waits for metadata from b/)
      assert.include(said[0]!, "because: b: connection refused\n")
      assert.include(said[0]!, "what to do: bring back b")
    }))
})
