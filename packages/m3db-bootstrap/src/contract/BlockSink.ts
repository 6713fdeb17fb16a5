/** Where verified blocks go. A sink takes batches; nothing is visible before `commit`, nothing is left after `abort`. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/**
 * A local or downstream fault: what failed, where, what to do. `undecodable`: a sink that decodes cannot read a stream; `refused`: a system
 * behind the sink said no; `io`: whatever else its disk or network says.
 */
export class SinkError extends Schema.TaggedError<SinkError>()("SinkError", {
  subject: Schema.String,
  reason: Schema.Literals([
    "no-space",
    "read-only",
    "permission",
    "exists",
    "duplicate-id",
    "undecodable",
    "refused",
    "io"
  ]),
  message: Schema.String,
  remedy: Schema.String
}) {}

/** One (shard, block start). */
export interface BlockKey {
  readonly shard: number
  /** ns. */
  readonly blockStart: bigint
}

/**
 * Series of one (shard, block). Read its members, do not spread it: they may be made when they are looked at.
 * `data[i]` is the stream as one or more pieces (head, tail); the buffers are the sink's until the write completes. Then they are
 * used for other answers, and every view of them is detached: whoever kept one sees no bytes, never those of others.
 */
export interface BlockBatch {
  readonly key: BlockKey
  readonly count: number
  readonly ids: ReadonlyArray<Uint8Array>
  /** M3's encoded tags; zero length when the series has none. */
  readonly tags: ReadonlyArray<Uint8Array>
  readonly data: ReadonlyArray<ReadonlyArray<Uint8Array>>
  /** Adler-32 over the pieces of `data[i]`, verified by the caller. */
  readonly checksums: Uint32Array
  /** Sum of all pieces. */
  readonly bytes: number
}

/** Service: where verified blocks go; every method fails with `SinkError`. */
export class BlockSink extends Context.Service<BlockSink, {
  /** The first write or `commit` for a key opens it. */
  write(batch: BlockBatch): Effect.Effect<void, SinkError>
  /** Publishes the block, atomically and durably. A key that was never written becomes an empty block. */
  commit(key: BlockKey): Effect.Effect<void, SinkError>
  /** Drops everything written for the key. */
  abort(key: BlockKey): Effect.Effect<void>
}>()("@peerstrap/m3db-bootstrap/BlockSink") {}
