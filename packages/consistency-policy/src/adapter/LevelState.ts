/** One level with many subscribers: what all sources that change are made of. */
import * as Effect from "effect/Effect"
import * as PubSub from "effect/PubSub"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import type { Level } from "../contract/Level.ts"
import { LevelControl } from "../contract/LevelControl.ts"
import { type LevelChange, LevelSource } from "../contract/LevelSource.ts"
import { Limits } from "../contract/Limits.ts"

export interface LevelState {
  readonly source: LevelSource["Service"]
  readonly control: LevelControl["Service"]
}

/** Makes a state that begins with `initial`; withdrawing returns to it. */
export const makeLevelState = Effect.fnUntraced(function*(initial: LevelChange): Effect.fn.Return<LevelState> {
  let now = initial
  const published = yield* PubSub.sliding<LevelChange>({ capacity: Limits.bufferedChanges, replay: 1 })
  yield* PubSub.publish(published, initial)
  // One change at a time, so that `current` and the last element of `changes` cannot disagree.
  const turn = yield* Semaphore.make(1)
  const inTurn = (change: Effect.Effect<void>): Effect.Effect<void> =>
    Effect.uninterruptible(turn.withPermits(1)(change))

  const move = Effect.fnUntraced(function*(next: LevelChange) {
    const before = now
    now = next
    const same = before.level === next.level
    if (!same || before.origin !== next.origin) yield* PubSub.publish(published, next)
    const was = same ? "as before" : `was ${before.level} by ${before.origin}`
    yield* Effect.logInfo(`consistency level ${next.level}, set by ${next.origin} (${was})`)
  })

  return {
    source: LevelSource.of({ current: Effect.sync(() => now), changes: Stream.fromPubSub(published) }),
    control: LevelControl.of({
      set: (level: Level, origin: string) => inTurn(move({ level, origin })),
      withdraw: (origin: string) =>
        inTurn(Effect.suspend(() => now.origin === origin && now !== initial ? move(initial) : Effect.void))
    })
  }
})
