/** Calls under way: a cancelled one is interrupted, and nothing of it is told, not even what waits in the queue already. */
import { assert, describe, it } from "@effect/vitest"
import { CallError } from "@peerstrap/m3db-wire"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import { RunningCalls } from "../src/adapter/RunningCalls.ts"
import type { CancelledCall, StreamEvent } from "../src/contract/StreamRun.ts"

const name: CancelledCall = { kind: "list", job: 0, peer: 1 }
const came: StreamEvent = { _tag: "page-failed", job: 0, peer: 1, reason: "closed", message: "", receivedBytes: 0 }

const make = Effect.gen(function*() {
  const told: Array<StreamEvent> = []
  const calls = new RunningCalls(yield* Scope.fork(yield* Effect.scope), (event) => void told.push(event))
  return { calls, told }
})

describe("a call under way", () => {
  it.effect("is told once, and forgotten when its event is taken", () =>
    Effect.gen(function*() {
      const { calls, told } = yield* make
      yield* calls.run(name, Effect.succeed(1), () => came, () => came)
      yield* Effect.yieldNow
      assert.deepStrictEqual(told, [came])
      assert.isFalse(calls.isStale(came))
      assert.isUndefined(calls.cancel(name))
    }).pipe(Effect.scoped))

  it.effect("is interrupted by a cancel, and tells nothing", () =>
    Effect.gen(function*() {
      const { calls, told } = yield* make
      const interrupted = yield* Deferred.make<void>()
      const hangs: Effect.Effect<never, CallError> = Effect.onInterrupt(
        Effect.never,
        () => Deferred.succeed(interrupted, undefined)
      )
      yield* calls.run(name, hangs, () => came, () => came)
      yield* Effect.yieldNow
      yield* calls.cancel(name)!
      yield* Fiber.join(yield* Effect.forkChild(Deferred.await(interrupted)))
      assert.isEmpty(told)
    }).pipe(Effect.scoped))

  it.effect("that had told already when it was cancelled: its event is stale, that of the next call is not", () =>
    Effect.gen(function*() {
      const { calls, told } = yield* make
      yield* calls.run(name, Effect.succeed(1), () => came, () => came)
      yield* Effect.yieldNow
      yield* calls.cancel(name) ?? Effect.void
      const next: StreamEvent = { ...came }
      yield* calls.run(name, Effect.succeed(2), () => next, () => next)
      yield* Effect.yieldNow
      assert.strictEqual(told.length, 2)
      assert.deepStrictEqual(told.map((event) => calls.isStale(event)), [true, false])
    }).pipe(Effect.scoped))
})
