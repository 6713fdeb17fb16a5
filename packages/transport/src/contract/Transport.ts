/**
 * Duplex byte connections. `Tcp`, `Memory` and `Faulty` implement this one contract and pass one kit
 * (`@peerstrap/transport/testing`).
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"

/** Where to dial or listen. `port` 0 on `listen` lets the implementation choose. */
export interface Address {
  readonly host: string
  readonly port: number
}

/** An address as text: `host:port`, with brackets around IPv6. */
export const formatAddress = (address: Address): string =>
  address.host.includes(":") ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`

/** Why a connection could not be made. */
export type DialReason = "refused" | "timeout" | "unreachable" | "unknown-host" | "other"

/** A dial that failed. `fault` is `self` when the cause is local (no descriptors left), else `unknown`. */
export class DialError extends Schema.TaggedError<DialError>()("DialError", {
  address: Schema.String,
  reason: Schema.Literals(["refused", "timeout", "unreachable", "unknown-host", "other"]),
  fault: Schema.Literals(["self", "unknown"]),
  message: Schema.String
}) {}

/** A listener that could not be opened. Always a local fault. */
export class ListenError extends Schema.TaggedError<ListenError>()("ListenError", {
  address: Schema.String,
  message: Schema.String
}) {}

/** A write on a connection that has ended, with what ended it. */
export class ConnectionClosed extends Schema.TaggedError<ConnectionClosed>()("ConnectionClosed", {
  remote: Schema.String,
  reason: Schema.String
}) {}

/** How a connection ended. `end`: the other side finished in order; `error`: reset or I/O error; `local`: we closed it. */
export interface CloseReason {
  readonly kind: "end" | "error" | "local"
  readonly message: string
}

/** One connection: bytes both ways, with back-pressure, until its scope closes. */
export interface Connection {
  /** `host:port` of the other side. */
  readonly remote: string
  /**
   * Installs the one consumer; a second call throws. `chunk` is valid only during the call: copy what must live longer.
   * Returning `false` pauses reading until `resume`. Bytes that arrive before `receive` wait.
   */
  receive(consumer: (chunk: Uint8Array) => boolean): void
  resume(): void
  /** Queues the chunks in order and completes when they have been handed to the operating system (drained). */
  write(chunks: ReadonlyArray<Uint8Array>): Effect.Effect<void, ConnectionClosed>
  /** Ends the connection at once; unsent bytes may be lost. Idempotent. */
  close(reason: string): void
  /** Completes when the connection has ended, whichever side ended it; everything received has been consumed by then. */
  readonly closed: Effect.Effect<CloseReason>
}

/** Where is listened. */
export interface Listener {
  readonly address: Address
}

/** Bounds of a dial. */
export interface DialOptions {
  /** Time for the connection to be made. Default `Limits.dialTimeoutMillis`. */
  readonly timeoutMillis?: number
}

/** Service: dials and listens. */
export class Transport extends Context.Service<Transport, {
  /** The connection ends with the scope. */
  dial(address: Address, options?: DialOptions): Effect.Effect<Connection, DialError, Scope.Scope>
  /** `onConnection` runs for each accepted connection, in a fiber of the listener's scope; the connection ends with it. */
  listen(
    address: Address,
    onConnection: (connection: Connection) => Effect.Effect<void>
  ): Effect.Effect<Listener, ListenError, Scope.Scope>
}>()("@peerstrap/transport/Transport") {}
