/** One connection with a peer after the handshake, as the rest of the adapter sees it: bounded in both directions. */
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import { ChainLimits } from "../contract/ChainLimits.ts"
import type { PeerSession } from "../contract/ChainProtocol.ts"
import type { Outgoing } from "../contract/PeerMessage.ts"
import { makeRequestQueue, type RequestQueue } from "./RequestQueue.ts"

export interface PeerLink {
  readonly peer: number
  readonly session: PeerSession
  /** Host of the other side, without a port. */
  readonly host: string
  /** What it asks of us. */
  readonly requests: RequestQueue
  /** It asked for our branch: from then on it listens to our heads. */
  active: boolean
  /** Answers of it that the engine has not yet taken. */
  untaken: number
  /** Whether it keeps up with what we send, so that news make sense. */
  readonly keepsUp: boolean
  /** Queues messages. A peer that lets too many wait does not read: the connection ends. */
  send(messages: ReadonlyArray<Outgoing>): void
  close(reason: string): void
  /** Writes what is queued for as long as the session lives. */
  readonly writes: Effect.Effect<void>
}

/** Messages of one write. */
const batchMessages = 64

export const makePeerLink = Effect.fnUntraced(function*(peer: number, session: PeerSession, host: string) {
  const outbox = yield* Queue.dropping<Outgoing>(ChainLimits.outboxMessages)
  const link: PeerLink = {
    peer,
    session,
    host,
    requests: yield* makeRequestQueue,
    active: false,
    untaken: 0,
    get keepsUp() {
      return Queue.sizeUnsafe(outbox) < batchMessages
    },
    send: (messages) => {
      for (const message of messages) {
        if (Queue.offerUnsafe(outbox, message)) continue
        return session.close(`it does not read: ${ChainLimits.outboxMessages} messages wait to be written`)
      }
    },
    close: (reason) => session.close(reason),
    writes: Effect.ignore(
      Effect.forever(Effect.flatMap(Queue.takeBetween(outbox, 1, batchMessages), (batch) => session.send(batch)))
    )
  }
  return link
})
