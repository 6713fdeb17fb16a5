/**
 * A cluster's placement as plain values, whatever it was read from: which instance holds which shard, and in which state.
 * (specs: peer streaming 4.2, 4.3; bootstrappers 6.1)
 */

/** `unknown` is what a newer or damaged placement may hold; validation rejects it. */
export type ShardState = "initializing" | "available" | "leaving" | "unknown"

/** One shard of one instance. */
export interface ShardAssignment {
  readonly shard: number
  readonly state: ShardState
  /** The instance that hands the shard over; undefined in a brand-new placement and once the shard is available. */
  readonly source: string | undefined
  /** Nanoseconds since 1970; 0 is "since ever". Kept, not used: only the aggregator has real times here. */
  readonly cutoverNanos: bigint
  /** Nanoseconds since 1970; 0 is "for ever". Kept, not used. */
  readonly cutoffNanos: bigint
}

/** One node of a placement, with its shards. */
export interface Instance {
  /** The host ID of the node. */
  readonly id: string
  /** The address to dial, `host:port`. */
  readonly endpoint: string
  readonly isolationGroup: string
  readonly zone: string
  readonly weight: number
  readonly shardSetId: number
  /** Sorted by shard. */
  readonly shards: ReadonlyArray<ShardAssignment>
}

/** Which instance holds which shard. */
export interface Placement {
  /** Sorted by id. */
  readonly instances: ReadonlyArray<Instance>
  readonly replicaFactor: number
  readonly numShards: number
  readonly isSharded: boolean
  readonly isMirrored: boolean
  readonly isSubclustered: boolean
  /** The key's version in M3's store, for compare-and-set; undefined when the source does not tell. */
  readonly version: number | undefined
}

/** One host of one shard. */
export interface ShardOwner {
  readonly host: string
  readonly endpoint: string
  readonly state: ShardState
  readonly source: string | undefined
}

/** Who owns each shard; complete for all shards, because only a valid map is turned into one. */
export interface ShardOwners {
  readonly numShards: number
  readonly replicaFactor: number
  /** By shard; the owners sorted by host. */
  readonly byShard: ReadonlyArray<ReadonlyArray<ShardOwner>>
}
