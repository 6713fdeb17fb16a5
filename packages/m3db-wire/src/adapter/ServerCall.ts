/** One call as the node server sees it, and what can become of it. */
import type * as Effect from "effect/Effect"
import type { TransportHeaders } from "../codec/CallHead.ts"
import type { ChecksumType } from "../codec/Checksum.ts"
import type { BlocksBatchRequest, ListingRequest } from "../contract/ReplicaSource.ts"

/** The decoded request of a method that the server knows. */
export type NodeRequest =
  | { readonly kind: "health" }
  | { readonly kind: "bootstrapped" }
  | { readonly kind: "listing"; readonly request: ListingRequest }
  | { readonly kind: "blocks"; readonly request: BlocksBatchRequest }

/** One call as the server received it, before it is answered. */
export interface ServerCall {
  /** Number of the connection, counted from 1. */
  readonly connection: number
  /** Number of the call on this server, counted from 1 in the order of arrival. */
  readonly sequence: number
  /** The message id. */
  readonly id: number
  /** Without the service, such as `fetchBlocksRaw`. */
  readonly method: string
  readonly ttlMillis: number
  readonly headers: TransportHeaders
  readonly checksumType: ChecksumType
  /** Bytes of arg3. */
  readonly requestBytes: number
  readonly request: NodeRequest
}

/**
 * What becomes of a call. `result`: code 0 with field 0 of the result struct, or code 1 with a declared error in field 1 ·
 * `error-frame`: code and text; code FF also closes the connection · `frames`: bytes as they are · `silence`: no answer, ever.
 */
export type CallOutcome =
  | { readonly kind: "result"; readonly code: 0 | 1; readonly arg3: Uint8Array }
  | { readonly kind: "error-frame"; readonly code: number; readonly message: string }
  | { readonly kind: "frames"; readonly frames: ReadonlyArray<Uint8Array>; readonly close: boolean }
  | { readonly kind: "silence" }

/** Stands between a call and its answer: admission, measurements, faults on purpose. */
export type Intercept = (call: ServerCall, proceed: Effect.Effect<CallOutcome>) => Effect.Effect<CallOutcome>

/** What happens on the server, told synchronously. An observer must not throw. */
export type ServerEvent =
  | { readonly kind: "opened"; readonly connection: number; readonly remote: string }
  | { readonly kind: "refused"; readonly remote: string; readonly message: string }
  | { readonly kind: "closed"; readonly connection: number; readonly message: string }
  | { readonly kind: "received"; readonly connection: number; readonly bytes: number }
  | { readonly kind: "call"; readonly call: ServerCall }
  | { readonly kind: "outcome"; readonly call: ServerCall; readonly outcome: CallOutcome }
  /** The answer has been handed to the operating system, or the call has ended without one. */
  | { readonly kind: "answered"; readonly call: ServerCall; readonly bytes: number }
  /** A frame or message that broke a rule, and what was done about it. */
  | { readonly kind: "rejected"; readonly connection: number; readonly id: number; readonly message: string }
