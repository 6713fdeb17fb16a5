// A client of one peer, in messages: what tests of peers need.
import {
  decodePeerMessage,
  encodePeerMessage,
  handshake,
  type HandshakeOptions,
  Malformed,
  type MessageName,
  type PeerMessage,
  type Session
} from "@peerstrap/tezos-wire"
import { identityFromSeed, type TestChain } from "@peerstrap/tezos-wire/testing"
import { type Address, Transport } from "@peerstrap/transport"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { crypto } from "./wire.ts"

export interface Client {
  readonly session: Session
  readonly received: ReadonlyArray<PeerMessage>
  readonly say: (...messages: ReadonlyArray<PeerMessage>) => Effect.Effect<void>
  /** The first `count` messages of a kind, once they are there. */
  readonly wait: <N extends MessageName>(
    name: N,
    count?: number
  ) => Effect.Effect<ReadonlyArray<Extract<PeerMessage, { _tag: N }>>>
  /** Forgets what has come. */
  readonly forget: () => void
}

export const clientOf = (session: Session): Client => {
  let received: Array<PeerMessage> = []
  let changed = Deferred.makeUnsafe<void>()
  session.receive((body) => {
    const message = decodePeerMessage(body)
    if (message instanceof Malformed) session.close(`undecodable: ${message.message}`)
    else received.push(message)
    const before = changed
    changed = Deferred.makeUnsafe<void>()
    Deferred.doneUnsafe(before, Effect.void)
    return true
  })
  const wait = <N extends MessageName>(name: N, count = 1) =>
    Effect.gen(function*() {
      while (true) {
        const found = received.filter((each): each is Extract<PeerMessage, { _tag: N }> => each._tag === name)
        if (found.length >= count) return found
        yield* Deferred.await(changed)
      }
    })
  return {
    session,
    get received() {
      return received
    },
    say: (...messages) => Effect.orDie(session.send(messages.map(encodePeerMessage))),
    wait,
    forget: () => {
      received = []
    }
  }
}

export const identity = identityFromSeed(crypto, "client")

/** Dials a peer and shakes hands. */
export const connect = Effect.fnUntraced(
  function*(address: Address, chain: TestChain, changes: Partial<HandshakeOptions> = {}) {
    const connection = yield* (yield* Transport).dial(address)
    const session = yield* handshake(connection, {
      crypto,
      identity,
      chainName: chain.chainName,
      side: "initiator",
      powDifficulty: 0,
      ...changes
    })
    return clientOf(session)
  }
)
