/**
 * Who must be asked for a shard. Every host that a placement names for it, in any state, is a peer: what a node answers depends on
 * its own state, not on the placement's (specs: peer streaming 4.2, 4.3).
 */
import { Limits } from "../contract/Limits.ts"
import type { Placement, ShardAssignment, ShardOwner, ShardOwners } from "../contract/Topology.ts"
import { type TopologyError, topologyError } from "../contract/TopologyError.ts"
import { addTo, formatShards } from "./ShardList.ts"

const ascending = (a: number, b: number): number => a - b

const ownersByShard = (placement: Placement): Map<number, Array<ShardOwner>> => {
  const byShard = new Map<number, Array<ShardOwner>>()
  for (const { endpoint, id, shards } of placement.instances) {
    for (const { shard, source, state } of shards) {
      if (byShard.get(shard)?.at(-1)?.host !== id) addTo(byShard, shard, { host: id, endpoint, state, source })
    }
  }
  return byShard
}

const mapProblems = (placement: Placement, byShard: ReadonlyMap<number, ReadonlyArray<ShardOwner>>): Array<string> => {
  const { numShards, replicaFactor } = placement
  if (numShards === 0) return ["there are no shards; is this the placement of an M3DB service?"]
  if (numShards > Limits.shards) return [`${numShards} shards, at most ${Limits.shards} are supported`]
  const problems: Array<string> = []
  const missing: Array<number> = []
  const short = new Map<number, Array<number>>()
  for (let shard = 0; shard < numShards; shard++) {
    const hosts = byShard.get(shard)?.length ?? 0
    if (hosts === 0) missing.push(shard)
    else if (hosts < replicaFactor) addTo(short, hosts, shard)
  }
  if (missing.length > 0) problems.push(`no host has shards ${formatShards(missing)}`)
  for (const [hosts, shards] of short) {
    problems.push(`shards ${formatShards(shards)} are on ${hosts} hosts, the replica factor is ${replicaFactor}`)
  }
  const unexpected = [...byShard.keys()].filter((shard) => shard >= numShards).toSorted(ascending)
  if (unexpected.length > 0) {
    problems.push(`shards ${formatShards(unexpected)} do not exist: there are ${numShards}, 0 to ${numShards - 1}`)
  }
  for (const instance of placement.instances) {
    if (instance.shards.length === 0) problems.push(`instance "${instance.id}" has no shards`)
  }
  return problems
}

/** What M3's client checks before it routes by a map; empty when it would take it (specs: peer streaming 4.2; bootstrappers 6.3). */
export const validateShardMap = (placement: Placement): ReadonlyArray<string> =>
  mapProblems(placement, ownersByShard(placement))

/** The owners of every shard, or all that is wrong with the map. */
export const shardOwners = (placement: Placement): ShardOwners | TopologyError => {
  const byShard = ownersByShard(placement)
  const problems = mapProblems(placement, byShard)
  if (problems.length > 0) return topologyError("invalid", "placement", problems)
  return {
    numShards: placement.numShards,
    replicaFactor: placement.replicaFactor,
    byShard: Array.from({ length: placement.numShards }, (_, shard) => byShard.get(shard)!)
  }
}

/** Every host of a shard, in any state, but the origin: the node that catches up does not ask itself. */
export const peersOf = (owners: ShardOwners, shard: number, origin?: string): ReadonlyArray<ShardOwner> =>
  (owners.byShard[shard] ?? []).filter((each) => each.host !== origin)

/** All hosts that some of these shards need, each once, sorted by host; `state` is that of the first such shard. */
export const peersOfShards = (
  owners: ShardOwners,
  shards: ReadonlyArray<number>,
  origin?: string
): ReadonlyArray<ShardOwner> => {
  const byHost = new Map<string, ShardOwner>()
  for (const shard of shards) {
    for (const owner of peersOf(owners, shard, origin)) if (!byHost.has(owner.host)) byHost.set(owner.host, owner)
  }
  return [...byHost.values()].toSorted((a, b) => (a.host < b.host ? -1 : 1))
}

/** The shards of one host; empty for a host that the placement does not name (it may run, idle, until it is added). */
export const shardsOf = (placement: Placement, host: string): ReadonlyArray<ShardAssignment> =>
  placement.instances.find((each) => each.id === host)?.shards ?? []
