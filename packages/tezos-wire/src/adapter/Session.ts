/**
 * A session over a connection of `Transport`: runs the handshake, then carries frames both ways. The codec of messages stays outside. No Effect
 * operation a frame: frames are handed over synchronously from the connection's own callback.
 */
import type { ByteLedger, Connection } from "@peerstrap/transport"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { messageNonceBytes } from "../codec/handshake/ConnectionMessage.ts"
import type { Metadata } from "../codec/handshake/Metadata.ts"
import { proofOfWorkTarget } from "../codec/identity/ProofOfWork.ts"
import type { CryptoFunctions } from "../contract/Crypto.ts"
import type { Identity } from "../contract/Identity.ts"
import {
  currentVersions,
  type HandshakeError,
  type Refusal,
  type RemotePeer,
  type Session,
  type Side,
  type SupportedVersions
} from "../contract/Session.ts"
import { SessionLimits } from "../contract/SessionLimits.ts"
import { LiveSession } from "./LiveSession.ts"

/** Who we are, what we speak, and what we ask of the peer. */
export interface HandshakeOptions {
  readonly crypto: CryptoFunctions
  readonly identity: Identity
  readonly chainName: string
  readonly side: Side
  /** The difficulty that the peer's identity has to prove; 26 on public networks, 0 or 1 in sandboxes. */
  readonly powDifficulty: number
  /** Default: what Octez supports today. */
  readonly versions?: SupportedVersions
  /** Where this node listens. Default 0: nowhere. */
  readonly port?: number
  /** Default: no mempool, not private. */
  readonly metadata?: Metadata
  /** Bans, limits, one connection a peer: a refusal sends a Nack. Default: accepts. */
  readonly accept?: (remote: RemotePeer) => Refusal | undefined
  /** Default `SessionLimits.handshakeTimeoutMillis`. */
  readonly timeoutMillis?: number
  /** Large frames draw from it, under the account `frames`; while it refuses, nothing more is read from the connection. */
  readonly ledger?: ByteLedger
  /** Default `SessionLimits.maxQueuedBytes`. */
  readonly maxQueuedBytes?: number
}

/**
 * Shakes hands on a fresh connection, as its opener or its acceptor. The session, and the connection, end with the scope or when the handshake
 * fails; a peer that we refuse is given `nackLingerMillis` to read our Nack. Source: specs: p2p 1.3–1.7.
 */
export const handshake: (
  connection: Connection,
  options: HandshakeOptions
) => Effect.Effect<Session, HandshakeError, Scope.Scope> = Effect.fnUntraced(
  function*(connection, options) {
    const fork = Effect.runForkWith(yield* Effect.context<never>())
    const { crypto } = options
    const live = new LiveSession(connection, {
      crypto,
      identity: options.identity,
      side: options.side,
      chainName: options.chainName,
      versions: options.versions ?? currentVersions,
      port: options.port ?? 0,
      metadata: options.metadata ?? { disableMempool: true, privateNode: false },
      messageNonce: crypto.randomBytes(messageNonceBytes),
      powTarget: proofOfWorkTarget(options.powDifficulty),
      accept: options.accept ?? (() => undefined)
    }, {
      fork,
      ledger: options.ledger,
      maxQueuedBytes: options.maxQueuedBytes ?? SessionLimits.maxQueuedBytes
    })
    yield* Effect.addFinalizer(() => Effect.sync(() => live.close("the scope of the session has ended")))
    live.start()
    return yield* live.established(options.timeoutMillis ?? SessionLimits.handshakeTimeoutMillis)
  }
)
