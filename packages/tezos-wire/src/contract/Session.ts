/** An encrypted session with one peer: what is known of it after the handshake, and frames in both directions. */
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/** Who opened the connection. The nonces depend on it. */
export type Side = "initiator" | "responder"

/** Versions that a node speaks; it announces the greatest of each. */
export interface SupportedVersions {
  readonly distributedDb: ReadonlyArray<number>
  readonly p2p: ReadonlyArray<number>
}

/** What Octez supports today: distributed db 0, 1, 2 and p2p 0, 1. */
export const currentVersions: SupportedVersions = { distributedDb: [0, 1, 2], p2p: [0, 1] }

/** The versions that both sides agreed on. */
export interface Versions {
  readonly distributedDb: number
  readonly p2p: number
}

/** What a peer has said of itself and proved: it holds the secret of `publicKey`. */
export interface RemotePeer {
  /** 16 bytes. */
  readonly peerId: Uint8Array
  /** 32 bytes. */
  readonly publicKey: Uint8Array
  /** Where it says it listens; 0: nowhere. With the address of the connection this is its point, when we accepted the connection. */
  readonly port: number
  readonly chainName: string
  readonly announced: Versions
  /** What both speak. Messages from 0x70 on need `distributedDb` ≥ 1. */
  readonly effective: Versions
  /** It wants no mempool: never send it a CurrentHead with a non-empty one. */
  readonly disableMempool: boolean
  readonly privateNode: boolean
}

/** Why we do not want this peer, which is told so. `motive` as in `NackMotive`; `points`: others that it may try. */
export interface Refusal {
  readonly motive: number
  readonly points: ReadonlyArray<string>
}

/** What is wrong with the bytes of a peer, and where: proof enough to end the session. */
export interface SessionFault {
  readonly what: "chunk length" | "authentication" | "frame size" | "memory budget"
  /** The number of the chunk in its direction, from 0. */
  readonly chunk: number
  /** The byte of the connection where that chunk begins. */
  readonly offset: number
  readonly message: string
}

/**
 * Why there is no session. `malformed`, `proof-of-work` and `public-key` are the peer's fault, with `proof`; `self` is a connection to this very node;
 * `refused`: we sent a Nack; `nacked`: the peer sent one, which is no misbehaviour: wait before dialling it again, and keep its points.
 */
export class HandshakeError extends Schema.TaggedError<HandshakeError>()("HandshakeError", {
  remote: Schema.String,
  reason: Schema.Literals([
    "malformed",
    "proof-of-work",
    "public-key",
    "self",
    "refused",
    "nacked",
    "timeout",
    "closed"
  ]),
  fault: Schema.Literals(["peer", "self", "unknown"]),
  message: Schema.String,
  /** Of a Nack, either way; undefined also where an old Nack gives none. */
  motive: Schema.UndefinedOr(Schema.Finite),
  /** Other peers that the Nack names, as texts that nobody has checked. */
  points: Schema.Array(Schema.String),
  /** The bytes at fault, hexadecimal, where they are few. */
  proof: Schema.String
}) {}

/** A session that has ended. */
export class SessionClosed extends Schema.TaggedError<SessionClosed>()("SessionClosed", {
  remote: Schema.String,
  reason: Schema.String
}) {}

/** How a session ended. `end`, `error` and `local` as of a connection; `malformed`: we ended it, for the peer's fault, with proof. */
export interface SessionEnd {
  readonly kind: "end" | "error" | "local" | "malformed"
  readonly message: string
  readonly proof?: SessionFault
}

/** Plain numbers that only grow. Bytes are those of the connection, encrypted. */
export interface SessionCounters {
  readonly bytesIn: number
  readonly bytesOut: number
  readonly framesIn: number
  /** Of those, the ones that did not begin a chunk: legal to read, wrong to write. */
  readonly framesInsideChunks: number
  readonly framesOut: number
}

/** An encrypted session: who the peer is, frames both ways, pauses, and how it ended. */
export interface Session {
  /** `host:port` of the other end of the connection. */
  readonly address: string
  readonly remote: RemotePeer
  /** The raw bytes of both connection messages, for records. */
  readonly connectionMessages: { readonly sent: Uint8Array; readonly received: Uint8Array }
  readonly counters: SessionCounters
  /** Bytes that wait to be written. */
  readonly queuedBytes: number
  /**
   * Queues frames (bodies without their size: u16 tag, then the message) in order and completes at once while less than `maxQueuedBytes` wait; above
   * that it waits its turn. Bodies have 1 to `Limits.maxFrameBytes` bytes; others are a defect of the caller and throw.
   */
  send(bodies: ReadonlyArray<Uint8Array>): Effect.Effect<void, SessionClosed>
  /** `send` without waiting: false, and nothing queued, when the queue is full or the session has ended. */
  offer(bodies: ReadonlyArray<Uint8Array>): boolean
  /** Completes when everything queued has been handed to the operating system, or never will be. */
  readonly drained: Effect.Effect<void>
  /** Installs the one consumer of frames, called synchronously; a second call throws. A body stays valid. False pauses until `resume`. */
  receive(onFrame: (body: Uint8Array) => boolean): void
  resume(): void
  /** Ends it at once; what is queued may be lost. Idempotent. */
  close(reason: string): void
  /** Completes when it has ended, whichever side ended it; every frame received has been consumed by then, unless it ended here. */
  readonly closed: Effect.Effect<SessionEnd>
}
