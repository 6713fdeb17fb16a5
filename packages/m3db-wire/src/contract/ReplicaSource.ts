/** What a node server serves: the data of one replica, asked for by page and by batch. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/**
 * An error that the node declares to its caller (Thrift `Error`, result field 1, call code 1).
 * `flags` is a bit set: 1 resource exhausted, 2 server timeout. (specs: peer streaming 2.1)
 */
export class DeclaredError extends Schema.TaggedError<DeclaredError>()("DeclaredError", {
  type: Schema.Literals(["INTERNAL_ERROR", "BAD_REQUEST"]),
  message: Schema.String,
  flags: Schema.Finite
}) {}

/** A request for one page of a listing, as it came: a `pageToken` of length 0 counts as absent (K6). */
export interface ListingRequest {
  readonly namespace: Uint8Array
  /** int32, may be negative. */
  readonly shard: number
  /** ns, inclusive. */
  readonly rangeStart: bigint
  /** ns, exclusive. */
  readonly rangeEnd: bigint
  /** Series (memory phase) or elements (disk phase); 0 or less gives an empty result struct. */
  readonly limit: number
  readonly pageToken: Uint8Array | undefined
  readonly includeSizes: boolean
  readonly includeChecksums: boolean
  readonly includeLastRead: boolean
}

/** One (series, block start) of a listing. Absent values are left out on the wire. */
export interface ListingElement {
  readonly id: Uint8Array
  /** ns. */
  readonly start: bigint
  readonly error: DeclaredError | undefined
  /** Bytes of all streams. */
  readonly size: bigint | undefined
  /** Adler-32 of the stream, unsigned; absent for a block held as several streams. */
  readonly checksum: number | undefined
  /** ns. */
  readonly lastRead: bigint | undefined
  /** Absent for a series without tags. */
  readonly encodedTags: Uint8Array | undefined
}

/** One page of a shard's listing and the token of the next one; no token ends the listing. */
export interface ListingPage {
  /** Absent together with the token: the result struct without any field that `limit` ≤ 0 is answered with. */
  readonly elements: ReadonlyArray<ListingElement> | undefined
  readonly nextPageToken: Uint8Array | undefined
}

/** The blocks asked of one series. */
export interface SeriesBlocksRequest {
  readonly id: Uint8Array
  /** ns; a start that is asked twice is answered twice (K7). */
  readonly starts: ReadonlyArray<bigint>
}

/** One `fetchBlocksRaw` request: blocks of several series of one shard. */
export interface BlocksBatchRequest {
  readonly namespace: Uint8Array
  /** int32, may be negative. */
  readonly shard: number
  readonly elements: ReadonlyArray<SeriesBlocksRequest>
}

/** One M3TSZ stream; head and tail are one continuous bit stream cut at a byte. */
export interface SegmentBytes {
  readonly head: Uint8Array
  readonly tail: Uint8Array
  /** ns. */
  readonly startTime: bigint | undefined
  /** ns. */
  readonly blockSize: bigint | undefined
  /** Adler-32 over head then tail, unsigned. */
  readonly checksum: number | undefined
}

/** One block of an answer: `merged` or a non-empty `unmerged`, or an error. */
export interface BlockBytes {
  /** ns. */
  readonly start: bigint
  readonly merged: SegmentBytes | undefined
  readonly unmerged: ReadonlyArray<SegmentBytes> | undefined
  readonly error: DeclaredError | undefined
  /** Only beside `merged`. */
  readonly checksum: number | undefined
}

/** The blocks of one series, in the order in which their starts were asked. */
export interface SeriesBlocks {
  readonly id: Uint8Array
  readonly blocks: ReadonlyArray<BlockBytes>
}

/**
 * The data of one replica. Errors carry M3's own texts; the order of the checks is M3's too: limit, namespace, shard owned, shard
 * bootstrapped, page token (K4, K5).
 */
export interface ReplicaSourceShape {
  /** Bootstrapped and durable, as `health` tells it. */
  readonly bootstrapped: Effect.Effect<boolean>
  readonly listMetadata: (request: ListingRequest) => Effect.Effect<ListingPage, DeclaredError>
  /** One element for each element asked, in order, with the id echoed. */
  readonly fetchBlocks: (request: BlocksBatchRequest) => Effect.Effect<ReadonlyArray<SeriesBlocks>, DeclaredError>
}

/** Service: the data of one replica, which a node server serves. */
export class ReplicaSource extends Context.Service<ReplicaSource, ReplicaSourceShape>()(
  "@peerstrap/m3db-wire/ReplicaSource"
) {}

/** M3's texts of the errors a source declares. (specs: peer streaming 4.3, 5.1, 5.2, K4, K5) */
export const DeclaredErrors = {
  unknownNamespaceOfListing: (namespace: string) => badRequest(`unknown namespace: ${namespace}`),
  unknownNamespaceOfBlocks: (namespace: string) => badRequest(`unable to find specified namespace: ${namespace}`),
  /** Go prints the int32 as unsigned. */
  notResponsible: (shard: number) => internal(`not responsible for shard ${shard >>> 0}`),
  shardNotBootstrapped: () => internal("shard is not yet bootstrapped to read"),
  nodeNotBootstrapped: () => internal("node is not bootstrapped"),
  notInitialized: () => internal("database is not yet initialized"),
  overloaded: () => internal("server is overloaded"),
  badPageToken: () => badRequest("shard could not unmarshal page token")
} as const

const internal = (message: string): DeclaredError => new DeclaredError({ type: "INTERNAL_ERROR", message, flags: 0 })

const badRequest = (message: string): DeclaredError => new DeclaredError({ type: "BAD_REQUEST", message, flags: 0 })
