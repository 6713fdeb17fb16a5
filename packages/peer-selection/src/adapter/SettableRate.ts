/** A rate that is set while a run goes on: the latest `set` wins, each is logged. */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { type PeerRate, PeerRateSource } from "../contract/PeerRateSource.ts"

/** A rate with the hand on it. */
export interface SettableRate {
  readonly source: PeerRateSource["Service"]
  readonly now: () => PeerRate
  readonly set: (rate: PeerRate) => Effect.Effect<void>
}

/** Begins with `initial`. */
export const makeSettableRate: (initial: PeerRate) => Effect.Effect<SettableRate> = Effect.fnUntraced(
  function*(initial: PeerRate) {
    const ref = yield* SubscriptionRef.make(initial)
    return {
      source: PeerRateSource.of({
        current: SubscriptionRef.get(ref),
        changes: Stream.suspend(() => SubscriptionRef.changes(ref))
      }),
      now: () => SubscriptionRef.getUnsafe(ref),
      set: Effect.fnUntraced(function*(rate: PeerRate) {
        const before = SubscriptionRef.getUnsafe(ref)
        yield* SubscriptionRef.set(ref, rate)
        yield* Effect.logInfo(
          `bytes per second a peer: ${rate.bytesPerSecond}, set by ${rate.origin} (was ${before.bytesPerSecond} by ${before.origin})`
        )
      })
    }
  }
)
