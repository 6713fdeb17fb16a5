/** A topology from flags: every named peer has every shard. For clusters without etcd, and for a first try. */
import { Limits } from "../contract/Limits.ts"
import type { Placement, ShardAssignment } from "../contract/Topology.ts"
import { isTopologyError, type TopologyError, topologyError } from "../contract/TopologyError.ts"

/** One `--peer ID=HOST:PORT`. */
export interface StaticPeer {
  readonly id: string
  readonly endpoint: string
}

const shape = "write ID=HOST:PORT, for instance a=10.0.0.1:9000 or a=[::1]:9000"

/** Reads `ID=HOST:PORT`; an IPv6 address stands in brackets. */
export const parsePeer = (text: string): StaticPeer | TopologyError => {
  const wrong = (what: string) => topologyError("usage", "--peer", [`"${text}": ${what}; ${shape}`])
  const at = text.indexOf("=")
  if (at <= 0) return wrong("has no host ID before an equals sign")
  const endpoint = text.slice(at + 1)
  const found = /^(?:\[[0-9a-fA-F:.%\w]+\]|[^\s:[\]]+):(\d{1,5})$/.exec(endpoint)
  if (found === null) return wrong(`"${endpoint}" is not an address with a port`)
  const port = Number(found[1])
  if (port < 1 || port > 65_535) return wrong(`port ${port} is not between 1 and 65535`)
  return { id: text.slice(0, at), endpoint }
}

/** Reads all `--peer` flags; tells all problems at once, two peers with one ID included. */
export const parsePeers = (texts: ReadonlyArray<string>): ReadonlyArray<StaticPeer> | TopologyError => {
  const peers: Array<StaticPeer> = []
  const problems: Array<string> = []
  for (const text of texts) {
    const peer = parsePeer(text)
    if (isTopologyError(peer)) problems.push(...peer.problems)
    else if (peers.some((each) => each.id === peer.id)) problems.push(`host ID "${peer.id}" is given twice`)
    else if (peers.some((each) => each.endpoint === peer.endpoint)) problems.push(`"${peer.endpoint}" is given twice`)
    else peers.push(peer)
  }
  if (texts.length === 0) problems.push(`there is no peer; ${shape}`)
  return problems.length === 0 ? peers : topologyError("usage", "--peer", problems)
}

/**
 * The placement in which each peer has all `numShards` shards, available. Name every replica, the node that catches up included:
 * `peersOf` leaves it out by its host ID. `replicaFactor` is the number of peers unless it is given.
 */
export const staticPlacement = (
  peers: ReadonlyArray<StaticPeer>,
  numShards: number,
  replicaFactor: number = peers.length
): Placement | TopologyError => {
  const problems: Array<string> = []
  const whole = Number.isInteger(numShards) && numShards >= 1
  if (!whole) problems.push(`the number of shards must be a whole number from 1 on, not ${numShards}`)
  if (numShards > Limits.shards) problems.push(`${numShards} shards, at most ${Limits.shards} are supported`)
  if (peers.length === 0) problems.push("there is no peer")
  if (peers.length > Limits.instances) problems.push(`${peers.length} peers, at most ${Limits.instances} are supported`)
  if (!Number.isInteger(replicaFactor) || replicaFactor < 1) {
    problems.push(`the replica factor must be a whole number from 1 on, not ${replicaFactor}`)
  }
  if (replicaFactor > peers.length) {
    problems.push(`${peers.length} peers cannot hold ${replicaFactor} replicas; name each replica with --peer`)
  }
  if (problems.length > 0) return topologyError("usage", "static topology", problems)
  // One array for all instances: they have the same shards.
  const shards = Array.from({ length: numShards }, (_, shard): ShardAssignment => ({
    shard,
    state: "available",
    source: undefined,
    cutoverNanos: 0n,
    cutoffNanos: 0n
  }))
  return {
    instances: [...peers].toSorted((a, b) => (a.id < b.id ? -1 : 1)).map(({ endpoint, id }) => ({
      id,
      endpoint,
      isolationGroup: "",
      zone: "",
      weight: 1,
      shardSetId: 0,
      shards
    })),
    replicaFactor,
    numShards,
    isSharded: true,
    isMirrored: false,
    isSubclustered: false,
    version: undefined
  }
}
