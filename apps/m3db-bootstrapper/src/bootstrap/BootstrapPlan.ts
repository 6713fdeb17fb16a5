/** From valid flags to what will be done: peers, shards, blocks, jobs. Pure; tells every problem, also those between flags. */
import { type CheckContext, didYouMean, formatNanosDuration, type Problem, shown } from "@peerstrap/command-line"
import {
  blockStarts,
  defaultStreamLimits,
  immutableEnd,
  retentionStart,
  type StreamJob,
  truncate,
  widenToBlocks
} from "@peerstrap/m3db-bootstrap"
import { isNamespaceName, Limits as filesetLimits } from "@peerstrap/m3db-files"
import {
  isTopologyError,
  parsePeers,
  parseShards,
  peersOf,
  type Placement,
  readPlacement,
  shardOwners,
  shardsOf
} from "@peerstrap/m3db-topology"
import { formatNanos } from "@peerstrap/progress"
import type { Address } from "@peerstrap/transport"
import { resolve } from "node:path"
import type { BootstrapSettings } from "./BootstrapFlags.ts"

export interface PlannedPeer {
  readonly id: string
  readonly address: Address
}

export interface BootstrapPlan {
  readonly peers: ReadonlyArray<PlannedPeer>
  readonly numShards: number
  readonly replicationFactor: number
  readonly shards: ReadonlyArray<number>
  /** By shard: indices into `peers`. */
  readonly peersOfShard: ReadonlyMap<number, ReadonlyArray<number>>
  /** ns, aligned. */
  readonly from: bigint
  readonly to: bigint
  /** ns; blocks from here on still change. */
  readonly immutableEnd: bigint
  readonly starts: ReadonlyArray<bigint>
  readonly outPath: string
  readonly controlPath: string
  /** What the user should know before it begins, e.g. that the range was widened. */
  readonly notes: ReadonlyArray<string>
}

/** (shard, block) pairs of one run: each is a fileset of seven files and an entry in memory. */
const maxFilesets = 1_000_000

type Tell = (where: string, message: string) => void

interface Topology {
  readonly peers: ReadonlyArray<PlannedPeer>
  readonly numShards: number | undefined
  readonly replicationFactor: number
  /** Indices into `peers`. */
  readonly holders: (shard: number) => ReadonlyArray<number>
  readonly ownShards: ReadonlyArray<number> | undefined
}

const addressOf = (endpoint: string): Address | undefined => {
  const found = /^(?:\[([^\]]+)\]|([^\s:[\]]+)):(\d{1,5})$/.exec(endpoint)
  const port = Number(found?.[3])
  return found !== null && port >= 1 && port <= 65_535 ? { host: found[1] ?? found[2]!, port } : undefined
}

const staticTopology = (settings: Partial<BootstrapSettings>, tell: Tell): Topology | undefined => {
  const parsed = parsePeers(settings.peer ?? [])
  if (isTopologyError(parsed)) {
    for (const problem of parsed.problems) tell("--peer", problem)
    return undefined
  }
  const { origin } = settings
  if (origin !== undefined && !parsed.some(({ id }) => id === origin)) {
    const ids = parsed.map(({ id }) => id)
    tell(
      "--origin",
      `no --peer has the id ${shown(origin)}, so that nobody is left out${didYouMean(origin, ids)}; ` +
        "a node that is none of them needs no --origin"
    )
  }
  const peers = parsed.filter(({ id }) => id !== origin).map(({ endpoint, id }) => ({
    id,
    address: addressOf(endpoint)!
  }))
  if (peers.length === 0) tell("--peer", "the origin is the only one, and it is never asked; name a replica besides")
  const all = peers.map((_, at) => at)
  return {
    peers,
    numShards: settings.numShards,
    replicationFactor: Math.max(1, parsed.length),
    holders: () => all,
    ownShards: undefined
  }
}

const placementTopology = (placement: Placement, origin: string | undefined, tell: Tell): Topology | undefined => {
  const owners = shardOwners(placement)
  if (isTopologyError(owners)) {
    for (const problem of owners.problems) tell("--placement", problem)
    return undefined
  }
  const { instances } = placement
  if (origin !== undefined && !instances.some(({ id }) => id === origin)) {
    const ids = instances.map(({ id }) => id)
    tell(
      "--origin",
      `${shown(origin)} is no instance of the placement${didYouMean(origin, ids)}; ` +
        "for a node that is none of them leave --origin out, and name its --shards"
    )
  }
  const indexById = new Map<string, number>()
  const peers: Array<PlannedPeer> = []
  for (const { endpoint, id, shards } of instances) {
    if (id === origin || shards.length === 0) continue
    const address = addressOf(endpoint)
    if (address === undefined) {
      tell("--placement", `instance ${shown(id)}: ${shown(endpoint)} is no address with a port`)
    } else indexById.set(id, peers.push({ id, address }) - 1)
  }
  const own = origin === undefined ? [] : shardsOf(placement, origin).filter(({ state }) => state !== "leaving")
  return {
    peers,
    numShards: owners.numShards,
    replicationFactor: owners.replicaFactor,
    holders: (shard) => peersOf(owners, shard, origin).flatMap(({ host }) => indexById.get(host) ?? []),
    ownShards: own.length === 0 ? undefined : own.map(({ shard }) => shard)
  }
}

const readTopology = (
  settings: Partial<BootstrapSettings>,
  context: CheckContext,
  tell: Tell
): Topology | undefined => {
  const { numShards, origin, peer, placement: path } = settings
  const named = (peer?.length ?? 0) > 0
  if (path === undefined) {
    // A flag that was given wrongly is no key of the settings, and told already.
    if ("numShards" in settings && numShards === undefined) {
      tell(
        "--num-shards",
        "is missing: without a placement nothing else says how many shards there are, e.g. --num-shards 64"
      )
    }
    if (named) return staticTopology(settings, tell)
    if (peer !== undefined) {
      tell("--peer", "is missing; name each replica, e.g. --peer a=10.0.0.1:9000, or give --placement FILE")
    }
    return undefined
  }
  if (named) tell("--placement", "and --peer exclude each other: give one of them")
  const bytes = context.read(path)
  if ("problem" in bytes) {
    tell("--placement", bytes.problem)
    return undefined
  }
  const placement = readPlacement(bytes)
  if (isTopologyError(placement)) {
    for (const problem of placement.problems) tell("--placement", problem)
    return undefined
  }
  if (numShards !== undefined && numShards !== placement.numShards) {
    tell("--num-shards", `${numShards}, but the placement has ${placement.numShards} shards; leave it out`)
  }
  return placementTopology(placement, origin, tell)
}

const chooseShards = (topology: Topology, given: string | undefined, tell: Tell): ReadonlyArray<number> => {
  const { numShards, ownShards } = topology
  if (numShards === undefined) return []
  if (given !== undefined) {
    const parsed = parseShards(given, numShards)
    if (!isTopologyError(parsed)) return parsed
    for (const problem of parsed.problems) tell("--shards", problem)
    return []
  }
  return ownShards ?? Array.from({ length: numShards }, (_, shard) => shard)
}

interface Range {
  readonly from: bigint
  readonly to: bigint
  readonly immutableEnd: bigint
  readonly notes: ReadonlyArray<string>
}

/** Where the range begins, before widening; undefined (and told) when nothing says so. */
const chooseFrom = (settings: Partial<BootstrapSettings>, nowNanos: bigint, tell: Tell): bigint | undefined => {
  const { blockSize, from, retention } = settings
  if (from !== undefined) return from
  if (!("from" in settings) || !("retention" in settings)) return undefined
  if (retention !== undefined) return retentionStart(nowNanos, { retention, blockSize: blockSize! })
  tell(
    "--from",
    "is missing: give a begin, e.g. --from 2026-11-21T10:00:00Z, or --retention 48h for all that is in retention"
  )
  return undefined
}

const chooseRange = (settings: Partial<BootstrapSettings>, nowNanos: bigint, tell: Tell): Range | undefined => {
  const { blockSize, bufferPast, includeMutable, retention } = settings
  if (blockSize === undefined || bufferPast === undefined || !("to" in settings)) return undefined
  if (bufferPast >= blockSize) {
    tell(
      "--buffer-past",
      `${formatNanosDuration(bufferPast)} is not shorter than the block size ${formatNanosDuration(blockSize)}`
    )
  }
  if (retention !== undefined && retention < blockSize) {
    tell(
      "--retention",
      `${formatNanosDuration(retention)} is shorter than the block size ${formatNanosDuration(blockSize)}`
    )
  }
  const end = immutableEnd(nowNanos, { blockSize, bufferPast })
  const givenFrom = chooseFrom(settings, nowNanos, tell)
  if (givenFrom === undefined) return undefined
  const givenTo = settings.to ?? end
  const notes: Array<string> = []
  let { from, to } = widenToBlocks({ from: givenFrom, to: givenTo }, blockSize)
  if (from !== givenFrom || to !== givenTo) {
    notes.push(`range ${formatNanos(givenFrom)} to ${formatNanos(givenTo)} widened to whole blocks`)
  }
  if (to > end) {
    if (includeMutable === true) {
      notes.push(
        `blocks from ${formatNanos(end)} on are still written to: their files do not replace a node's own bootstrap`
      )
    } else {
      tell(
        "--to",
        `${formatNanos(to)} is behind the end of the immutable range, ${
          formatNanos(end)
        }: leave --to out, or add --include-mutable (such files do not replace a node's own bootstrap)`
      )
    }
  }
  const oldest = retention === undefined ? from : retentionStart(nowNanos, { retention, blockSize })
  if (from < oldest && oldest < to) {
    notes.push(`blocks before ${formatNanos(oldest)} are out of retention and left out`)
    from = oldest
  }
  if (givenFrom >= givenTo) {
    tell("--from", `${formatNanos(givenFrom)} is not before the end of the range, ${formatNanos(givenTo)}`)
  } else if (oldest >= to) tell("--to", `the whole range is out of retention, which begins at ${formatNanos(oldest)}`)
  return { from: truncate(from, blockSize), to, immutableEnd: end, notes }
}

const checkHolders = (topology: Topology, shards: ReadonlyArray<number>, tell: Tell) => {
  const { maxPeersPerShard } = defaultStreamLimits
  const peersOfShard = new Map<number, ReadonlyArray<number>>()
  for (const shard of shards) {
    const holders = topology.holders(shard)
    peersOfShard.set(shard, holders)
    if (holders.length === 0) tell("--shards", `nobody but the origin holds shard ${shard}`)
    if (holders.length > maxPeersPerShard) {
      tell(
        topology.ownShards === undefined ? "--peer" : "--placement",
        `shard ${shard} has ${holders.length} peers, at most ${maxPeersPerShard} can be asked`
      )
      break
    }
  }
  return peersOfShard
}

/** Checks everything and plans the run; `undefined` when something is missing, which was told then. */
export const planBootstrap = (
  settings: Partial<BootstrapSettings>,
  _operands: ReadonlyArray<string>,
  context: CheckContext,
  problem: (problem: Problem) => void
): BootstrapPlan | undefined => {
  const tell: Tell = (where, message) => problem({ where, message })
  const topology = readTopology(settings, context, tell)
  const range = chooseRange(settings, context.nowNanos, tell)
  const shards = topology === undefined ? [] : chooseShards(topology, settings.shards, tell)
  const peersOfShard = topology === undefined
    ? new Map<number, ReadonlyArray<number>>()
    : checkHolders(topology, shards, tell)
  if (settings.namespace !== undefined && !isNamespaceName(settings.namespace)) {
    tell("--namespace", `${shown(settings.namespace)} cannot be a directory's name`)
  }
  if (settings.resume === true && settings.overwrite === true) {
    tell("--resume", "and --overwrite exclude each other: the one keeps what is there, the other replaces it")
  }
  const { blockSize, out } = settings
  if (range !== undefined && blockSize !== undefined && shards.length > 0) {
    const filesets = (range.to - range.from) / blockSize * BigInt(shards.length)
    if (filesets > BigInt(maxFilesets)) {
      tell(
        "--from",
        `${filesets} filesets (${shards.length} shards × blocks of ${
          formatNanosDuration(blockSize)
        }), at most ${maxFilesets} in one run: take a shorter range or fewer --shards`
      )
      return undefined
    }
  }
  if (topology?.numShards === undefined || range === undefined || blockSize === undefined || out === undefined) {
    return undefined
  }
  const outPath = resolve(out)
  return {
    peers: topology.peers,
    numShards: topology.numShards,
    replicationFactor: settings.replicationFactor ?? topology.replicationFactor,
    shards,
    peersOfShard,
    from: range.from,
    to: range.to,
    immutableEnd: range.immutableEnd,
    starts: blockStarts(range, blockSize),
    outPath,
    controlPath: settings.control === undefined ? `${outPath}/control.sock` : resolve(settings.control),
    notes: range.notes
  }
}

/** Blocks of one job, so that the jobs in flight together stay within what a sink may hold open. */
const blocksPerJob = (jobsInFlight: number): number =>
  Math.max(1, Math.min(defaultStreamLimits.maxBlocksPerJob, Math.floor(filesetLimits.maxOpenBlocks / jobsInFlight)))

/** One job for each shard and up to 16 blocks; blocks that `skip` names are left out. */
export const planJobs = (
  plan: BootstrapPlan,
  skip: (shard: number, blockStart: bigint) => boolean,
  jobsInFlight: number = defaultStreamLimits.jobsInFlight
): Array<StreamJob> => {
  const most = blocksPerJob(jobsInFlight)
  return plan.shards.flatMap((shard) => {
    const wanted = plan.starts.filter((start) => !skip(shard, start))
    const peers = plan.peersOfShard.get(shard)!
    const jobs: Array<StreamJob> = []
    for (let at = 0; at < wanted.length; at += most) {
      jobs.push({ shard, peers, blockStarts: wanted.slice(at, at + most) })
    }
    return jobs
  })
}
