/** What a streaming run is given and what it tells: options, events in, actions out. */
import type { Level } from "@peerstrap/consistency-policy"
import type { BlocksAnswer, BlocksRequest, CallErrorReason, MetadataPage, MetadataRequest } from "@peerstrap/m3db-wire"
import type { BlockBatch, BlockKey } from "./BlockSink.ts"

/** One unit of work: the given blocks of one shard, listed together. */
export interface StreamJob {
  readonly shard: number
  /** Indices into `StreamOptions.peers` of those that hold the shard. */
  readonly peers: ReadonlyArray<number>
  /** ns, ascending, multiples of the block size. */
  readonly blockStarts: ReadonlyArray<bigint>
}

/** `002` (default): metadata and data are retried until the level is met. `000`: a metadata error fails the run, data is best effort. */
export type ErrorPolicy = "002" | "000"

/** How the blocks are encoded. Protobuf streams are copied as bytes; merging differing copies of them is refused. */
export type Encoding = "m3tsz" | "protobuf"

/** What is streamed: namespace, block size (ns), replicas. */
export interface StreamOptions {
  readonly namespace: string
  /** Ids of all peers; the origin is never among them. */
  readonly peers: ReadonlyArray<string>
  readonly blockSizeNanos: bigint
  /** Majorities are counted from it, not from the number of peers. */
  readonly replicationFactor: number
  /** To check that listed series belong to their shard. */
  readonly numShards: number
  readonly hashSeed: number
  readonly errorPolicy: ErrorPolicy
  readonly encoding: Encoding
  /** Blocks that fall out of it during the run are dropped. Absent: nothing is dropped. */
  readonly retentionNanos?: bigint | undefined
  /** Blocks from here on (ns) still change: a copy that differs from its listing is newer, not wrong. Absent: all are immutable. */
  readonly immutableEnd?: bigint | undefined
}

/** What the adapter tells the engine. */
export type StreamEvent =
  | { readonly _tag: "page"; readonly job: number; readonly peer: number; readonly page: MetadataPage }
  | CallFailure & { readonly _tag: "page-failed"; readonly job: number; readonly peer: number }
  | { readonly _tag: "answer"; readonly batch: number; readonly answer: BlocksAnswer }
  | CallFailure & { readonly _tag: "answer-failed"; readonly batch: number }
  /** The sink took a delivery. */
  | { readonly _tag: "written"; readonly delivery: number }
  | { readonly _tag: "committed"; readonly job: number; readonly block: number }
  | { readonly _tag: "commit-failed"; readonly job: number; readonly block: number }
  /** The sink cannot go on: the run ends; later deliveries are acknowledged unwritten, commits fail. */
  | { readonly _tag: "sink-failed"; readonly message: string; readonly remedy: string }
  | { readonly _tag: "level"; readonly level: Level; readonly origin: string }
  /** Bytes per second that are asked of each peer at most; 0: no limit. */
  | { readonly _tag: "rate"; readonly bytesPerSecond: number; readonly origin: string }
  /** Time passed, or there is work left over (`hasWork`). */
  | { readonly _tag: "tick" }
  /** End in order: nothing more is asked; blocks that are whole are published, the rest is dropped. */
  | { readonly _tag: "stop"; readonly why: "stopped" | "deadline" }

/** How a call to a peer failed, and the bytes of its answer that had come. */
export interface CallFailure {
  readonly reason: CallErrorReason
  readonly message: string
  readonly receivedBytes: number
}

/** What the engine wants done. */
export type StreamAction =
  | {
    readonly _tag: "list"
    readonly job: number
    readonly peer: number
    readonly request: MetadataRequest
    readonly maxAnswerBytes: number
  }
  | {
    readonly _tag: "fetch"
    readonly batch: number
    readonly peer: number
    readonly request: BlocksRequest
    readonly maxAnswerBytes: number
  }
  /** Nobody wants the answer any more: the call is ended, its memory is free. Nothing of it may be told afterwards. */
  | { readonly _tag: "cancel"; readonly call: CancelledCall }
  | { readonly _tag: "deliver"; readonly delivery: number; readonly batch: BlockBatch }
  | { readonly _tag: "commit"; readonly job: number; readonly block: number; readonly key: BlockKey }
  | { readonly _tag: "abort"; readonly key: BlockKey }
  /** Something an operator or a log wants to know; names are stable. */
  | { readonly _tag: "note"; readonly name: string; readonly fields: Readonly<Record<string, unknown>> }
  | { readonly _tag: "finished"; readonly outcome: Outcome }

/** A call whose answer nobody waits for any more. */
export type CancelledCall =
  | { readonly kind: "list"; readonly job: number; readonly peer: number }
  | { readonly kind: "fetch"; readonly batch: number }

/**
 * `complete`: everything that the level asks for is stored · `incomplete`: something is missing, the report lists it ·
 * `deadline`, `stopped`: ended from outside · `failed`: cannot go on.
 */
export type Outcome =
  | { readonly _tag: "complete" | "incomplete" | "deadline" | "stopped" }
  | {
    readonly _tag: "failed"
    readonly fault: "usage" | "peers" | "self"
    readonly message: string
    readonly remedy: string
  }
