/** From the generated message to the contract's plain values; both wire forms end here. */
import type { Instance, Placement, ShardAssignment, ShardState } from "../contract/Topology.ts"
import type * as Wire from "./generated/placement_pb.ts"

// On the wire INITIALIZING is 0, so it is left out there; M3's memory counts from Unknown = 0 (specs: bootstrappers T14).
const states: ReadonlyArray<ShardState> = ["initializing", "available", "leaving"]

const shardOf = (shard: Wire.Shard): ShardAssignment => ({
  shard: shard.id,
  state: states[shard.state] ?? "unknown",
  source: shard.sourceId === "" ? undefined : shard.sourceId,
  cutoverNanos: shard.cutoverNanos,
  cutoffNanos: shard.cutoffNanos
})

const instanceOf = (key: string, instance: Wire.Instance): Instance => ({
  id: instance.id === "" ? key : instance.id,
  endpoint: instance.endpoint,
  isolationGroup: instance.isolationGroup,
  zone: instance.zone,
  weight: instance.weight,
  shardSetId: instance.shardSetId,
  shards: instance.shards.map(shardOf).toSorted((a, b) => a.shard - b.shard)
})

export const placementOf = (message: Wire.Placement, version: number | undefined): Placement => ({
  instances: Object.entries(message.instances)
    .map(([key, instance]) => instanceOf(key, instance))
    .toSorted((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)),
  replicaFactor: message.replicaFactor,
  numShards: message.numShards,
  isSharded: message.isSharded,
  isMirrored: message.isMirrored,
  isSubclustered: message.isSubclustered,
  version
})
