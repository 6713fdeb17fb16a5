/** Short ways to write placements in tests. */
import type { Instance, Placement, ShardAssignment, ShardState } from "@peerstrap/m3db-topology"

export const shard = (number: number, state: ShardState = "available", source?: string): ShardAssignment => ({
  shard: number,
  state,
  source,
  cutoverNanos: 0n,
  cutoffNanos: 0n
})

export const instance = (
  id: string,
  shards: ReadonlyArray<ShardAssignment>,
  more: Partial<Instance> = {}
): Instance => ({
  id,
  endpoint: `${id}:9000`,
  isolationGroup: `rack-${id}`,
  zone: "zone",
  weight: 1,
  shardSetId: 0,
  shards,
  ...more
})

export const placement = (instances: ReadonlyArray<Instance>, more: Partial<Placement> = {}): Placement => ({
  instances,
  replicaFactor: 2,
  numShards: 2,
  isSharded: true,
  isMirrored: false,
  isSubclustered: false,
  version: undefined,
  ...more
})

/** Two hosts, two shards, two copies, all available. */
export const settled = placement([instance("a", [shard(0), shard(1)]), instance("b", [shard(0), shard(1)])])

export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)
