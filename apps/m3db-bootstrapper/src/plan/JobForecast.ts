/**
 * What one job (a shard and up to 16 blocks) would do, from what its peers listed. The rules are those of the run itself: copies that agree are
 * fetched once, copies that differ or have no checksum from every peer that has one. Pure.
 */
import { type Level, majority, readConsistencyAchieved, requiredSuccesses } from "@peerstrap/consistency-policy"
import type { StreamJob } from "@peerstrap/m3db-bootstrap"
import { shardOf } from "@peerstrap/m3db-wire"
import { Presence, type ReplicaTable } from "../diff/ReplicaTable.ts"

/** One fileset that would be written. */
export interface BlockForecast {
  /** ns. */
  readonly blockStart: bigint
  seriesBlocks: number
  /** Of streams: the largest copy of each; and at most, when differing copies add up. */
  bytes: number
  atMostBytes: number
  /** Ids and tags. */
  nameBytes: number
}

export interface PeerShare {
  /** Index into the peers of the plan. */
  readonly peer: number
  readonly series: number
  /** Advertised. */
  readonly heldBlocks: number
  readonly heldBytes: number
  /** That it would be asked for. */
  readonly askedBlocks: number
  readonly askedBytes: number
  /** Series-blocks that it lists although their ids hash to other shards. */
  readonly foreignBlocks: number
  /** Listed blocks that begin between two block starts. */
  readonly unaligned: number
}

/** A series-block that may be looked at to tell whether the block size is right. */
export interface Sample {
  /** Index into the peers of the plan. */
  readonly peer: number
  readonly shard: number
  readonly id: Uint8Array
  /** ns. */
  readonly blockStart: bigint
}

export interface JobForecast {
  readonly shard: number
  readonly holders: number
  /** Peers that finished their listing. */
  readonly listed: ReadonlyArray<PeerShare>
  readonly required: number
  /** Peers that must agree before what they say is no single one's lie: a majority, or all there are. */
  readonly agreeing: number
  readonly levelMet: boolean
  readonly series: number
  readonly blocks: ReadonlyArray<BlockForecast>
  /** Series-blocks that are fetched from every peer that has them, and the bytes of all these copies. */
  readonly fanOut: number
  readonly fanOutBytes: number
  /** Series-blocks that some peer does not have. */
  readonly absentOnSome: number
  /** Estimate of what the listing holds of the ledger. */
  readonly metadataBytes: number
  /** Rows whose ids hash to other shards: nothing of them is fetched. */
  readonly foreign: number
  /** Of them those that at least `agreeing` peers list. */
  readonly foreignAgreed: number
  /** The first series-block that somebody has. */
  readonly sample: Sample | undefined
}

export interface JobListing {
  readonly job: StreamJob
  readonly table: ReplicaTable
  /** By column of the table: the peer of the plan, undefined when its listing did not finish. */
  readonly peerOf: ReadonlyArray<number | undefined>
}

export interface JobSettings {
  readonly level: Level
  readonly replicationFactor: number
  readonly numShards: number
  readonly hashSeed: number
}

/** Columns of a grouping and of the states beside it: by group and by (group, peer). Columns double when they are full. */
const groupBytes = 21
const cellBytes = 10
const seriesBytes = 50
/** An index entry that a sink holds until its block is published, beside id and tags. */
const entryBytes = 48

const doubled = (rows: number): number => 2 ** Math.ceil(Math.log2(Math.max(1024, rows)))

class Shares {
  readonly series: Array<Set<Uint8Array>>
  readonly heldBlocks: Float64Array
  readonly heldBytes: Float64Array
  readonly askedBlocks: Float64Array
  readonly askedBytes: Float64Array
  readonly foreignBlocks: Float64Array

  constructor(columns: number) {
    this.series = Array.from({ length: columns }, () => new Set())
    this.heldBlocks = new Float64Array(columns)
    this.heldBytes = new Float64Array(columns)
    this.askedBlocks = new Float64Array(columns)
    this.askedBytes = new Float64Array(columns)
    this.foreignBlocks = new Float64Array(columns)
  }

  ask(column: number, size: number): void {
    this.askedBlocks[column]!++
    this.askedBytes[column]! += size
  }

  leastLoaded(columns: ReadonlyArray<number>): number {
    return columns.reduce((best, column) => this.askedBytes[column]! < this.askedBytes[best]! ? column : best)
  }

  value(column: number, peer: number, unaligned: number): PeerShare {
    return {
      peer,
      series: this.series[column]!.size,
      heldBlocks: this.heldBlocks[column]!,
      heldBytes: this.heldBytes[column]!,
      askedBlocks: this.askedBlocks[column]!,
      askedBytes: this.askedBytes[column]!,
      foreignBlocks: this.foreignBlocks[column]!,
      unaligned
    }
  }
}

/** Counts of one job while its rows are walked. */
class Tally {
  readonly shares: Shares
  readonly blocks: ReadonlyMap<bigint, BlockForecast>
  readonly series = new Set<Uint8Array>()
  fanOut = 0
  fanOutBytes = 0
  absentOnSome = 0
  foreign = 0
  foreignAgreed = 0
  first: { readonly row: number; readonly column: number } | undefined
  rows = 0
  nameBytes = 0
  seriesNameBytes = 0
  private readonly table: ReplicaTable
  private readonly columns: ReadonlyArray<number>

  constructor({ job, peerOf, table }: JobListing) {
    this.table = table
    this.columns = peerOf.flatMap((peer, column) => (peer === undefined ? [] : [column]))
    this.shares = new Shares(peerOf.length)
    this.blocks = new Map(
      job.blockStarts.map((blockStart) => [
        blockStart,
        { blockStart, seriesBlocks: 0, bytes: 0, atMostBytes: 0, nameBytes: 0 }
      ])
    )
  }

  /** A series-block of this shard. */
  add(row: number): void {
    const { shares, table } = this
    const offers = this.columns.filter((column) => table.presence(row, column) !== Presence.absent)
    if (offers.length === 0) return
    this.rows++
    this.first ??= { row, column: offers[0]! }
    const id = table.id(row)
    let [largest, sum, agree] = [0, 0, true]
    for (const column of offers) {
      const size = table.size(row, column)
      shares.series[column]!.add(id)
      shares.heldBlocks[column]!++
      shares.heldBytes[column]! += size
      largest = Math.max(largest, size)
      sum += size
      agree &&= table.presence(row, column) === Presence.withChecksum &&
        table.checksum(row, column) === table.checksum(row, offers[0]!)
    }
    if (offers.length < this.columns.length) this.absentOnSome++
    if (agree) shares.ask(shares.leastLoaded(offers), largest)
    else {
      this.fanOut++
      this.fanOutBytes += sum
      for (const column of offers) shares.ask(column, table.size(row, column))
    }
    const names = id.length + table.tags(row).length
    if (!this.series.has(id)) this.seriesNameBytes += names
    this.series.add(id)
    this.nameBytes += names
    const block = this.blocks.get(table.blockStart(row))!
    block.seriesBlocks++
    block.bytes += largest
    block.atMostBytes += agree ? largest : sum
    block.nameBytes += names
  }

  /** A series-block of another shard. */
  addForeign(row: number, agreeing: number): void {
    const offers = this.columns.filter((column) => this.table.presence(row, column) !== Presence.absent)
    for (const column of offers) this.shares.foreignBlocks[column]!++
    this.foreign++
    if (offers.length >= agreeing) this.foreignAgreed++
  }

  metadataBytes(peers: number): number {
    const columns = this.rows === 0 ? 0 : doubled(this.rows) * (groupBytes + cellBytes * peers)
    return columns + this.series.size * seriesBytes + this.seriesNameBytes + this.nameBytes + this.rows * entryBytes
  }
}

export const forecastJob = (listing: JobListing, settings: JobSettings): JobForecast => {
  const { job, peerOf, table } = listing
  const tally = new Tally(listing)
  const shards = new Map<Uint8Array, number>()
  const holders = job.peers.length
  const needed = majority(settings.replicationFactor)
  const agreeing = Math.min(needed, holders)
  for (let row = 0; row < table.rows; row++) {
    const id = table.id(row)
    let shard = shards.get(id)
    if (shard === undefined) shards.set(id, shard = shardOf(id, settings.hashSeed, settings.numShards))
    if (shard === job.shard) tally.add(row)
    else tally.addForeign(row, agreeing)
  }
  const listed = peerOf.flatMap((peer, column) =>
    peer === undefined ? [] : [tally.shares.value(column, peer, table.unalignedOf[column]!)]
  )
  const { absentOnSome, fanOut, fanOutBytes, first, foreign, foreignAgreed } = tally
  return {
    shard: job.shard,
    holders,
    listed,
    agreeing,
    required: requiredSuccesses(settings.level, { majority: needed, peers: holders }),
    // What nobody listed is unknown at every level.
    levelMet: listed.length > 0 && readConsistencyAchieved(settings.level, needed, holders, listed.length),
    series: tally.series.size,
    blocks: [...tally.blocks.values()],
    fanOut,
    fanOutBytes,
    absentOnSome,
    metadataBytes: tally.metadataBytes(holders),
    foreign,
    foreignAgreed,
    sample: first === undefined ? undefined : {
      peer: peerOf[first.column]!,
      shard: job.shard,
      id: table.id(first.row),
      blockStart: table.blockStart(first.row)
    }
  }
}
