/**
 * A chain's wire behind one contract: how a connection becomes a session with an identified peer, and how messages are said there.
 * `@peerstrap/tezos-bootstrap` implements it; tests have one in memory.
 */
import type { CloseReason, Connection } from "@peerstrap/transport"
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type { ChainRules } from "./ChainRules.ts"
import type { Incoming, Outgoing } from "./PeerMessage.ts"

/** Who opened the connection: we (`outgoing`) or the peer (`incoming`). */
export type Side = "outgoing" | "incoming"

/** A connection that did not become a session. `points`: other peers that the refusing one named. */
export class HandshakeFailed extends Schema.TaggedError<HandshakeFailed>()("HandshakeFailed", {
  remote: Schema.String,
  /** `nacked`: refused by them, no fault; `refused`: refused by us; `malformed`: bytes that are no handshake; `closed` and `timeout`: as said. */
  reason: Schema.Literals(["nacked", "refused", "malformed", "closed", "timeout", "self"]),
  /** What the other side is called, as far as it was told. */
  id: Schema.UndefinedOr(Schema.String),
  points: Schema.Array(Schema.String),
  message: Schema.String
}) {}

/**
 * How a session ended. `malformed`: the peer sent what no correct node sends, with the proof in `message`. `farewell`: the peer said in words of the
 * protocol that it leaves; a mere `end` of its bytes may be a crash or a restart.
 */
export interface SessionEnd {
  readonly kind: CloseReason["kind"] | "malformed" | "farewell"
  readonly message: string
}

/** A session with an identified peer: what is known of it, and messages both ways. */
export interface PeerSession {
  /** The peer's identity, proved by the handshake. */
  readonly id: string
  /** Where the peer can be dialled, when it said so or we dialled it. */
  readonly point: string | undefined
  /** Whether the peer understands `get-ancestor`. */
  readonly ancestors: boolean
  /** Sends all or fails; completes when drained. */
  send(messages: ReadonlyArray<Outgoing>): Effect.Effect<void, SessionEndError>
  /** Installs the one consumer. False pauses reading until `resume`. Messages are complete, checked for form, and owned by the consumer. */
  receive(consumer: (message: Incoming) => boolean): void
  resume(): void
  /** Says farewell where the protocol has words for it, and ends as soon as that is written, at the latest a moment later. Nothing more is consumed. Idempotent. */
  close(reason: string): void
  readonly closed: Effect.Effect<SessionEnd>
}

/** A send on a session that has ended. */
export class SessionEndError
  extends Schema.TaggedError<SessionEndError>()("SessionEndError", { message: Schema.String })
{}

/** How a session is opened on a fresh connection, and who may refuse it. */
export interface OpenOptions {
  readonly side: Side
  /** Where we dialled (outgoing). */
  readonly dialled: string | undefined
  /** Asked once the identity is known: undefined = welcome, else why not and which other points to name. */
  readonly accept: (
    id: string
  ) => undefined | {
    readonly reason: "too-many" | "already-connected" | "banned"
    readonly points: ReadonlyArray<string>
  }
}

/** Service: a chain's wire: its name, its rules, and how a connection becomes a `PeerSession`. */
export class ChainProtocol extends Context.Service<ChainProtocol, {
  /** E.g. `tezos TEZOS_MAINNET`. */
  readonly name: string
  /** Names the chain in a store, e.g. `NetXdQprcVkpaWU`. */
  readonly chainId: string
  /** Our own identity's text, to recognise ourselves. */
  readonly ownId: string
  readonly rules: ChainRules
  /** The handshake. The session ends with the scope. */
  open(connection: Connection, options: OpenOptions): Effect.Effect<PeerSession, HandshakeFailed, Scope.Scope>
}>()("@peerstrap/chain-bootstrap/ChainProtocol") {}
