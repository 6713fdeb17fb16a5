/**
 * `ChainProtocol` on the Tezos wire:
 *
 *     connection ─► handshake ─► session ─► frames ⇄ Incoming, Outgoing ─► engine
 *                   identity, proof of work, chain name, versions, Ack or Nack
 */
import { ChainProtocol, HandshakeFailed, type OpenOptions, type PeerSession } from "@peerstrap/chain-bootstrap"
import {
  Crypto,
  currentVersions,
  encodeHash,
  handshake,
  type HandshakeError,
  type Identity,
  isPoint,
  NackMotive,
  type Refusal
} from "@peerstrap/tezos-wire"
import type { ByteLedger, Connection } from "@peerstrap/transport"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type { Network } from "../contract/Network.ts"
import type { PeerContext } from "../engine/PeerContext.ts"
import { makeTezosRules } from "../engine/TezosRules.ts"
import { TezosSession } from "./TezosSession.ts"

/** Whose sessions, on which network. */
export interface TezosProtocolOptions {
  readonly network: Network
  readonly identity: Identity
  /** Where this node listens, told to peers. Default 0: nowhere. */
  readonly ownPort?: number
  /** Difficulty that peers must prove. Default: the network's. */
  readonly powDifficulty?: number
  /** Time of a whole handshake. Default: that of the wire. */
  readonly handshakeTimeoutMillis?: number
  /** Large frames draw from it. */
  readonly ledger?: ByteLedger
}

/** Octez answers get-ancestor from this version of the distributed db on. */
const ancestorsSince = 1

const motives = {
  "too-many": NackMotive.tooManyConnections,
  "already-connected": NackMotive.alreadyConnected,
  banned: NackMotive.none
} as const

const reasons = {
  malformed: "malformed",
  "proof-of-work": "malformed",
  "public-key": "malformed",
  self: "self",
  refused: "refused",
  nacked: "nacked",
  timeout: "timeout",
  closed: "closed"
} as const satisfies Record<HandshakeError["reason"], HandshakeFailed["reason"]>

const failureOf = (error: HandshakeError, id: string | undefined): HandshakeFailed =>
  new HandshakeFailed({
    remote: error.remote,
    reason: reasons[error.reason],
    id,
    points: error.points.filter(isPoint),
    message: error.proof === "" ? error.message : `${error.message} (bytes ${error.proof.slice(0, 128)})`
  })

const make = Effect.fnUntraced(function*(options: TezosProtocolOptions) {
  const crypto = yield* Crypto
  const { identity, network } = options
  const rules = makeTezosRules(crypto, network)
  const ownId = encodeHash("peer", identity.peerId)

  const open = Effect.fnUntraced(function*(
    connection: Connection,
    opening: OpenOptions
  ): Effect.fn.Return<PeerSession, HandshakeFailed, Scope.Scope> {
    let told: string | undefined
    const accept = (peerId: Uint8Array): Refusal | undefined => {
      told = encodeHash("peer", peerId)
      const refusal = opening.accept(told)
      return refusal === undefined ? undefined : { motive: motives[refusal.reason], points: refusal.points }
    }
    const session = yield* Effect.mapError(
      handshake(connection, {
        crypto,
        identity,
        chainName: network.chainName,
        side: opening.side === "outgoing" ? "initiator" : "responder",
        powDifficulty: options.powDifficulty ?? network.proofOfWork,
        versions: currentVersions,
        port: options.ownPort ?? 0,
        metadata: { disableMempool: true, privateNode: false },
        accept: ({ peerId }) => accept(peerId),
        ...(options.handshakeTimeoutMillis === undefined ? {} : { timeoutMillis: options.handshakeTimeoutMillis }),
        ...(options.ledger === undefined ? {} : { ledger: options.ledger })
      }),
      (error) => failureOf(error, error.reason === "self" ? ownId : told)
    )
    const context: PeerContext = {
      digests: crypto,
      rules,
      chainId: network.chainIdBytes,
      ownId: identity.peerId,
      peerId: session.remote.peerId,
      ancestors: session.remote.effective.distributedDb >= ancestorsSince
    }
    return new TezosSession(session, context, opening, Effect.runForkWith(yield* Effect.context<never>()))
  })

  return ChainProtocol.of({
    name: `tezos ${network.chainName}`,
    chainId: network.chainId,
    ownId,
    rules,
    open
  })
})

/** The protocol of one network under one identity. Every `open` is a handshake; whoever fails it is told why where the wire can say so. */
export const tezosProtocol = (options: TezosProtocolOptions): Layer.Layer<ChainProtocol, never, Crypto> =>
  Layer.effect(ChainProtocol, make(options))
