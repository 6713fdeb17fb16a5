/** A subscriber of a `LevelSource`, for the checks. */
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import { type LevelChange, LevelSource } from "../contract/LevelSource.ts"

/** Subscribes to `changes`; returns once the first element is there. */
export const subscribe = Effect.gen(function*() {
  const source = yield* LevelSource
  const seen = yield* Queue.unbounded<LevelChange>()
  const fiber = yield* Effect.forkScoped(Stream.runForEach(source.changes, (change) => Queue.offer(seen, change)))
  const first = yield* Queue.take(seen)
  return { first, fiber, next: Queue.take(seen), waiting: Queue.size(seen) }
})
