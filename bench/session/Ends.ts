/** Two ends of one connection in this process, over the memory transport: no sockets, no kernel. */
import { type CryptoFunctions, handshake, type HandshakeOptions } from "@peerstrap/tezos-wire"
import { identityFromSeed } from "@peerstrap/tezos-wire/testing"
import { type Connection, Transport } from "@peerstrap/transport"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"

const address = { host: "10.0.0.1", port: 9_732 }

/** Shakes hands on a fresh connection, both ends at once; gives both sessions, which end with the scope. */
export const makeShaking = Effect.fnUntraced(function*(crypto: CryptoFunctions) {
  const transport = yield* Transport
  const accepted = yield* Queue.unbounded<{ readonly connection: Connection; readonly done: Deferred.Deferred<void> }>()
  yield* transport.listen(address, (connection) =>
    Effect.gen(function*() {
      const done = yield* Deferred.make<void>()
      yield* Queue.offer(accepted, { connection, done })
      yield* Deferred.await(done)
    }))
  const optionsOf = (seed: string, side: HandshakeOptions["side"]): HandshakeOptions => ({
    crypto,
    identity: identityFromSeed(crypto, seed),
    chainName: "TEZOS_BENCH",
    side,
    powDifficulty: 0
  })
  const [nearOptions, farOptions] = [optionsOf("near", "initiator"), optionsOf("far", "responder")]
  const shake = Effect.gen(function*() {
    const near = yield* transport.dial(address)
    const { connection, done } = yield* Queue.take(accepted)
    yield* Effect.addFinalizer(() => Deferred.succeed(done, undefined))
    return yield* Effect.all([handshake(near, nearOptions), handshake(connection, farOptions)], { concurrency: 2 })
  })
  return { shake }
})
