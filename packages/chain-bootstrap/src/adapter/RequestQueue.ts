/** Requests of one peer that wait for their turn: bounded, because a peer can ask faster than a disk reads. */
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import { ChainLimits } from "../contract/ChainLimits.ts"
import type { Request } from "../contract/PeerMessage.ts"

export interface RequestQueue {
  /** Takes it, or drops it when too many wait: silence is tolerated by every node. */
  offer(request: Request): void
  readonly next: Effect.Effect<Request>
}

export const makeRequestQueue: Effect.Effect<RequestQueue> = Effect.map(
  Queue.dropping<Request>(ChainLimits.servedRequestsWaiting),
  (queue) => ({
    offer: (request) => void Queue.offerUnsafe(queue, request),
    next: Queue.take(queue)
  })
)
