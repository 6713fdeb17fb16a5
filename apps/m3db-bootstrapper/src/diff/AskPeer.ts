/**
 * Asks a peer again while asking again can help: until it answers, or has failed for the whole deadline. A failure is a value that says
 * who it was and what was tried.
 */
import type { CallError, CallErrorReason } from "@peerstrap/m3db-wire"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"

export interface PeerFailure {
  readonly _tag: "PeerFailure"
  readonly peer: string
  readonly address: string
  readonly reason: CallErrorReason
  readonly message: string
}

export const isPeerFailure = (value: unknown): value is PeerFailure =>
  typeof value === "object" && value !== null && "_tag" in value && value._tag === "PeerFailure"

/** What asking again does not change. `too-large` is answered by asking for less, by the caller. */
const final: ReadonlySet<CallErrorReason> = new Set([
  "unknown-namespace",
  "bad-request",
  "not-owned",
  "other-protocol",
  "local",
  "too-large"
])

const firstPauseMillis = 100
const longestPauseMillis = 5_000

/** The answer, or the failure that was left when the deadline came; `onRetry` tells what is waited for. */
export const askPeer = <A>(
  call: Effect.Effect<A, CallError>,
  deadlineMillis: number,
  onRetry: (error: CallError) => Effect.Effect<void>
): Effect.Effect<A, PeerFailure> => {
  const attempt = (beganMillis: number, pauseMillis: number): Effect.Effect<A, PeerFailure> =>
    Effect.catch(call, (error) =>
      Effect.gen(function*() {
        const { address, message, peer, reason } = error
        const leftMillis = beganMillis + deadlineMillis - (yield* Clock.currentTimeMillis)
        if (final.has(reason) || leftMillis <= 0) {
          return yield* Effect.fail<PeerFailure>({ _tag: "PeerFailure", peer, address, reason, message })
        }
        yield* onRetry(error)
        yield* Effect.sleep(Math.min(pauseMillis, leftMillis))
        return yield* attempt(beganMillis, Math.min(longestPauseMillis, pauseMillis * 2))
      }))
  return Effect.flatMap(Clock.currentTimeMillis, (nowMillis) => attempt(nowMillis, firstPauseMillis))
}
