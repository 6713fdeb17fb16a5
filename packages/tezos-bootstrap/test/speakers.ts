// Two nodes of one network in one process: a session of each side over the memory transport.
import {
  ChainProtocol,
  type HandshakeFailed,
  type Incoming,
  type OpenOptions,
  type PeerSession
} from "@peerstrap/chain-bootstrap"
import { type Network, tezosProtocol, type TezosProtocolOptions } from "@peerstrap/tezos-bootstrap"
import { Crypto, type Identity, peerIdOf } from "@peerstrap/tezos-wire"
import { type Address, type Connection, Memory, Transport } from "@peerstrap/transport"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import { crypto } from "./chains.ts"

/** An identity of no work, the same for the same number. */
export const identityOf = (number: number): Identity => {
  const { publicKey, secretKey } = crypto.keyPair(new Uint8Array(32).fill(number))
  return { peerId: peerIdOf(crypto, publicKey), publicKey, secretKey, proofOfWorkStamp: new Uint8Array(24) }
}

export const protocolOf = (options: TezosProtocolOptions) =>
  Layer.build(tezosProtocol({ powDifficulty: 0, ...options })).pipe(
    Effect.provideService(Crypto, crypto),
    Effect.map((context) => Context.get(context, ChainProtocol))
  )

export const welcome: Pick<OpenOptions, "accept"> = { accept: () => undefined }

/** A session with all that came in, in order. */
export interface Speaker {
  readonly session: PeerSession
  readonly heard: Queue.Queue<Incoming>
  readonly protocol: ChainProtocol["Service"]
}

export const listenTo = (session: PeerSession): Effect.Effect<Queue.Queue<Incoming>> =>
  Effect.map(Queue.unbounded<Incoming>(), (heard) => {
    session.receive((message) => Queue.offerUnsafe(heard, message))
    return heard
  })

export interface PairOptions {
  readonly network: Network
  readonly farNetwork?: Network
  readonly near?: Partial<TezosProtocolOptions>
  readonly far?: Partial<TezosProtocolOptions>
  readonly acceptNear?: OpenOptions["accept"]
  readonly acceptFar?: OpenOptions["accept"]
}

export type Opened = PeerSession | HandshakeFailed

export const address: Address = { host: "10.0.0.9", port: 9732 }
export const dialled = `${address.host}:${address.port}`

/** A connection: the end that dials and the one that is dialled. */
export const connect = Effect.gen(function*() {
  const transport = yield* Transport
  const accepted = yield* Deferred.make<Connection>()
  yield* transport.listen(
    address,
    (connection) => Effect.andThen(Deferred.succeed(accepted, connection), Effect.asVoid(connection.closed))
  )
  const near = yield* transport.dial(address)
  return { near, far: yield* Deferred.await(accepted) }
}).pipe(Effect.provide(Memory.layer))

/** Both sides shake hands at once. Far has the dialled side. */
export const openPair = Effect.fnUntraced(function*(options: PairOptions) {
  const { far, near } = yield* connect
  const nearProtocol = yield* protocolOf({ network: options.network, identity: identityOf(1), ...options.near })
  const farProtocol = yield* protocolOf({
    network: options.farNetwork ?? options.network,
    identity: identityOf(2),
    ...options.far
  })
  const opened = yield* Effect.all([
    Effect.result(nearProtocol.open(near, { side: "outgoing", dialled, accept: options.acceptNear ?? welcome.accept })),
    Effect.result(
      farProtocol.open(far, { side: "incoming", dialled: undefined, accept: options.acceptFar ?? welcome.accept })
    )
  ], { concurrency: 2 })
  return { nearProtocol, farProtocol, near: opened[0], far: opened[1], connections: { near, far } }
})

/** Two speakers that have each other. */
export const speakers = Effect.fnUntraced(function*(options: PairOptions) {
  const { far, farProtocol, near, nearProtocol } = yield* openPair(options)
  const nearSession = yield* Effect.fromResult(near)
  const farSession = yield* Effect.fromResult(far)
  const [a, b]: [Speaker, Speaker] = [
    { session: nearSession, heard: yield* listenTo(nearSession), protocol: nearProtocol },
    { session: farSession, heard: yield* listenTo(farSession), protocol: farProtocol }
  ]
  return [a, b] as const
})
