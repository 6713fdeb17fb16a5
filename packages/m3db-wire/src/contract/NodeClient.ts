/** What one M3DB peer can be asked. A client of one peer owns its connections; a call never outlives its scope. */
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { AnswerBuffers } from "./AnswerBuffers.ts"
import type { BlocksAnswer, MetadataPage } from "./Columns.ts"

/**
 * Why a call failed.
 * `unreachable`: no connection could be made · `closed`: the connection ended in mid-call · `timeout`: our idle or total timer ·
 * `overloaded`: busy or declined frames, "server is overloaded", resource exhausted: back-pressure, not a fault ·
 * `not-bootstrapped`: the peer or the shard is not ready yet · `not-owned`: the peer does not hold the shard ·
 * `unknown-namespace`, `bad-request`: asking again cannot help · `internal`: any other error that the peer declared ·
 * `protocol`: what came is not TChannel as specified, its checksums do not hold, or it is over a limit: the peer, or the path that broke it ·
 * `bad-answer`: a whole answer under checksums that held, and its contents are not what the protocol allows: the peer sent it so ·
 * `other-protocol`: not a TChannel server at all ·
 * `local`: our own resources (descriptors, memory) · `too-large`: the answer passed `maxAnswerBytes` and was dropped; ask for less.
 */
export const CallErrorReason = Schema.Literals([
  "unreachable",
  "closed",
  "timeout",
  "overloaded",
  "not-bootstrapped",
  "not-owned",
  "unknown-namespace",
  "bad-request",
  "internal",
  "protocol",
  "bad-answer",
  "other-protocol",
  "local",
  "too-large"
])
export type CallErrorReason = typeof CallErrorReason.Type

/** A call failed: which peer, which method, why (`reason`), and the peer's own words where there are any. */
export class CallError extends Schema.TaggedError<CallError>()("CallError", {
  peer: Schema.String,
  address: Schema.String,
  method: Schema.String,
  reason: CallErrorReason,
  /** What the peer said, or what we saw; at most 1 KiB. */
  message: Schema.String,
  /** Bytes of the answer that had arrived. */
  receivedBytes: Schema.Finite
}) {}

/** One page of a shard's listing: which range of block starts, from which token on. */
export interface MetadataRequest {
  readonly namespace: Uint8Array
  readonly shard: number
  /** ns, inclusive. */
  readonly rangeStart: bigint
  /** ns, exclusive. */
  readonly rangeEnd: bigint
  /** Series (memory phase) or elements (disk phase) a page; at most 4096 is kind to peers. */
  readonly limit: number
  readonly pageToken?: Uint8Array | undefined
}

/**
 * Items of one batch as columns; each becomes one element with one start. Read its members, do not spread it: columns may be made
 * when they are looked at.
 */
export interface BlocksRequest {
  readonly namespace: Uint8Array
  readonly shard: number
  readonly ids: ReadonlyArray<Uint8Array>
  readonly startHi: Int32Array
  readonly startLo: Int32Array
  /** The same as it goes over the wire, when its maker has written it already (`BlocksRequestWriter`): sent as it is. */
  readonly arg3?: Uint8Array | undefined
}

/** Bounds of one call; each has its default in `Limits`. */
export interface CallOptions {
  /** Ends the call when no byte of the answer has come for so long. Default `Limits.idleTimeoutMillis`. */
  readonly idleTimeoutMillis?: number
  /** Ends the call whatever comes; also the TTL on the wire. Default `Limits.callTimeoutMillis`. */
  readonly totalTimeoutMillis?: number
  /** An answer above this fails with `too-large` before it is held. Default `Limits.maxAnswerBytes`. */
  readonly maxAnswerBytes?: number
  /** Called with each number of bytes of this answer as they arrive; may be used for rates. Must not throw. */
  readonly onBytes?: (bytes: number) => void
}

/** Bounds of one block call, and where its answer is held. */
export interface BlocksOptions extends CallOptions {
  /** Where the answer's buffer comes from; `BlocksAnswer.release` gives it back. Absent: fresh memory. */
  readonly buffers?: AnswerBuffers | undefined
}

/** What a node says about itself. */
export interface Health {
  readonly ok: boolean
  readonly status: string
  readonly bootstrapped: boolean
}

/** The calls that a bootstrap needs from one peer. Each is interruptible and fails with `CallError`. */
export interface NodeClient {
  readonly peer: string
  readonly address: string
  health(options?: CallOptions): Effect.Effect<Health, CallError>
  fetchBlocksMetadata(request: MetadataRequest, options?: CallOptions): Effect.Effect<MetadataPage, CallError>
  fetchBlocks(request: BlocksRequest, options?: BlocksOptions): Effect.Effect<BlocksAnswer, CallError>
}
