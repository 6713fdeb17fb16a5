/** Bytes per second that are asked of each peer at most, on average; it may change while a run goes on. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Stream from "effect/Stream"

/** A rate and who set it. */
export interface PeerRate {
  /** 0: no limit. */
  readonly bytesPerSecond: number
  /** Who said so, for the audit line: `flag`, `control socket`. */
  readonly origin: string
}

/** Service: the rate at which each peer is asked, now and from now on. */
export class PeerRateSource extends Context.Service<PeerRateSource, {
  readonly current: Effect.Effect<PeerRate>
  /** The current rate first, then each change. Never fails and never ends by itself. */
  readonly changes: Stream.Stream<PeerRate>
}>()("@peerstrap/peer-selection/PeerRateSource") {}
