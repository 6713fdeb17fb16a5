/** From the listed jobs to the answer: work of each peer, time, memory, disk, what stands in the way, what may go wrong. Pure. */
import { defaultStreamLimits } from "@peerstrap/m3db-bootstrap"
import { formatBytes, formatCount, formatDuration } from "@peerstrap/progress"
import type { BlockForecast, JobForecast } from "./JobForecast.ts"
import { type JobsListed, pageReserveBytes } from "./ListJobs.ts"
import { usageObstacles } from "./UsageObstacles.ts"

export interface ForecastSettings {
  readonly level: string
  readonly peers: ReadonlyArray<{ readonly id: string; readonly address: string }>
  readonly memoryBytes: number
  readonly jobsInFlight: number
  readonly window: number
  readonly batchBytes: number
  /** Of each peer; the limit that was given when there is one and it is lower. */
  readonly assumedBytesPerSecond: number
  readonly assumedBlocksPerSecond: number
  readonly deadlineMillis: number | undefined
  /** Where `--out` lies; undefined without `--out`. */
  readonly freeBytes: number | undefined
  /** Why the output directory cannot take the run as it is. */
  readonly refusal: { readonly message: string; readonly remedy: string } | undefined
  /** Blocks of a run that `--resume` keeps. */
  readonly kept: number
  readonly numShards: number
  readonly hashSeed: number
}

export interface PeerForecast {
  readonly id: string
  readonly address: string
  /** Jobs whose listing it finished, of those whose shards it holds. */
  readonly listedJobs: number
  readonly series: number
  readonly heldBlocks: number
  readonly heldBytes: number
  readonly askedBlocks: number
  readonly askedBytes: number
  /** Measured, undefined when it listed nothing. */
  readonly listedPerSecond: number | undefined
  readonly failure: { readonly reason: string; readonly message: string } | undefined
}

/** `usage`, `holders`, `peers`, `local`: with the exit codes 2, 1, 3, 4. */
export interface Obstacle {
  readonly fault: "usage" | "holders" | "peers" | "local"
  readonly message: string
  readonly remedy: string
}

export interface Forecast {
  readonly peers: ReadonlyArray<PeerForecast>
  readonly total: {
    readonly series: number
    readonly seriesBlocks: number
    readonly bytes: number
    /** What all peers together would send. */
    readonly askedBlocks: number
    readonly askedBytes: number
    readonly fanOut: number
    readonly absentOnSome: number
  }
  readonly blocks: {
    readonly total: number
    readonly empty: number
    readonly kept: number
    readonly belowLevel: number
  }
  readonly timeMillis: {
    readonly listing: number
    readonly data: number
    readonly readingAgain: number
    readonly total: number
  }
  readonly memory: { readonly capacity: number; readonly peak: number; readonly largestJob: number }
  readonly disk: { readonly needed: number; readonly atMost: number; readonly free: number | undefined }
  readonly obstacles: ReadonlyArray<Obstacle>
  readonly risks: ReadonlyArray<string>
}

/** What is written is read again once: a cautious rate of one disk with checksums. */
export const readAgainBytesPerSecond = 200_000_000

const diskBlock = 4096
const roundUp = (bytes: number): number => Math.ceil(bytes / diskBlock) * diskBlock

/** Index entry beside id and tags; summaries are every 33rd of them; bloom filter 8.15 bits an entry. */
const indexEntryBytes = 40

/** Space of the seven files of one fileset. */
const filesetBytes = ({ nameBytes, seriesBlocks }: BlockForecast, dataBytes: number): number => {
  const index = nameBytes + seriesBlocks * indexEntryBytes
  return roundUp(dataBytes) + roundUp(index) + roundUp(index / 33) + roundUp(seriesBlocks * 8.15 / 8) + 3 * diskBlock
}

const sum = <A>(all: Iterable<A>, of: (one: A) => number): number => {
  let total = 0
  for (const one of all) total += of(one)
  return total
}

/** Series of a shard are listed in each of its jobs: the largest one counts. */
const seriesOf = (jobs: Iterable<readonly [shard: number, series: number]>): number => {
  const most = new Map<number, number>()
  for (const [shard, series] of jobs) most.set(shard, Math.max(series, most.get(shard) ?? 0))
  return sum(most.values(), (series) => series)
}

const peerForecasts = (listed: JobsListed, { peers }: ForecastSettings): ReadonlyArray<PeerForecast> => {
  const jobs = peers.map((): Array<readonly [JobForecast, JobForecast["listed"][number]]> => [])
  for (const job of listed.forecasts) for (const share of job.listed) jobs[share.peer]!.push([job, share])
  return peers.map(({ address, id }, peer) => {
    const shares = jobs[peer]!
    const rate = listed.rates[peer]!
    const failure = listed.failures[peer]
    return {
      id,
      address,
      listedJobs: shares.length,
      series: seriesOf(shares.map(([job, share]) => [job.shard, share.series] as const)),
      heldBlocks: sum(shares, ([, share]) => share.heldBlocks),
      heldBytes: sum(shares, ([, share]) => share.heldBytes),
      askedBlocks: sum(shares, ([, share]) => share.askedBlocks),
      askedBytes: sum(shares, ([, share]) => share.askedBytes),
      listedPerSecond: rate.pages === 0 ? undefined : rate.elements * 1000 / Math.max(1, rate.busyMillis),
      failure: failure === undefined ? undefined : { reason: failure.reason, message: failure.message }
    }
  })
}

/** Peers deliver at the same time: the slowest one decides. */
const dataMillis = (peers: ReadonlyArray<PeerForecast>, settings: ForecastSettings): number =>
  peers.reduce((most, { askedBlocks, askedBytes }) =>
    Math.max(
      most,
      askedBytes * 1000 / settings.assumedBytesPerSecond,
      askedBlocks * 1000 / settings.assumedBlocksPerSecond
    ), 0)

const memoryOf = ({ forecasts }: JobsListed, peers: ReadonlyArray<PeerForecast>, settings: ForecastSettings) => {
  const { batchBytes, jobsInFlight, memoryBytes, window } = settings
  const metadata = forecasts.map(({ metadataBytes }) => metadataBytes).toSorted((a, b) => b - a)
  const atOnce = Math.min(jobsInFlight, forecasts.length)
  const listing = sum(metadata.slice(0, atOnce), (bytes) => bytes) +
    peers.length * atOnce * pageReserveBytes(memoryBytes)
  // An answer is drawn for with what surrounds the streams: about as much again for small ones.
  const answers = sum(peers, ({ askedBytes }) => Math.min(window * batchBytes, 2 * askedBytes + (64 << 10)))
  const copies = Math.min(memoryBytes * defaultStreamLimits.copiesShare, sum(forecasts, (job) => job.fanOutBytes))
  const capped = Math.min(listing, memoryBytes * defaultStreamLimits.listingShare)
  return {
    capacity: memoryBytes,
    peak: Math.min(memoryBytes, Math.ceil(capped + answers + copies)),
    largestJob: metadata[0] ?? 0
  }
}

const shardsText = (jobs: ReadonlyArray<JobForecast>): string => {
  const shards = [...new Set(jobs.map(({ shard }) => shard))].toSorted((a, b) => a - b)
  return `${shards.length === 1 ? "shard" : "shards"} ${shards.slice(0, 8).join(", ")}${
    shards.length > 8 ? ` and ${shards.length - 8} more` : ""
  }`
}

const levelObstacles = ({ forecasts }: JobsListed, { level }: ForecastSettings): Array<Obstacle> => {
  const unmet = forecasts.filter(({ levelMet }) => !levelMet)
  const few = unmet.filter(({ holders, required }) => required > holders)
  const silent = unmet.filter(({ holders, required }) => required <= holders)
  const needs = (jobs: ReadonlyArray<JobForecast>): string => {
    const { holders, listed, required } = jobs[0]!
    return `level ${level} needs ${Math.max(1, required)} of ${holders} peers, ${listed.length} listed`
  }
  return [
    ...(few.length === 0 ? [] : [{
      fault: "holders" as const,
      message: `too few peers hold ${shardsText(few)}: ${needs(few)}`,
      remedy: "name more peers, or lower --level"
    }]),
    ...(silent.length === 0 ? [] : [{
      fault: "peers" as const,
      message: `too few peers listed ${shardsText(silent)}: ${needs(silent)}`,
      remedy: "bring back those that fail, or lower --level; a run would wait for them"
    }])
  ]
}

const localObstacles = (
  { tooLarge }: JobsListed,
  { disk, memory }: Pick<Forecast, "disk" | "memory">,
  { refusal }: ForecastSettings
): Array<Obstacle> => {
  const listingBytes = memory.capacity * defaultStreamLimits.listingShare
  const large = tooLarge !== undefined
    ? `the metadata of shard ${tooLarge.shard} do not fit: ${formatCount(tooLarge.rows)} series-blocks need ${
      formatBytes(tooLarge.bytes)
    } so far`
    : memory.largestJob > listingBytes
    ? `the metadata of one shard need ${formatBytes(memory.largestJob)}, ${
      formatBytes(listingBytes)
    } of --memory are for them`
    : undefined
  return [
    ...(large === undefined
      ? []
      : [{ fault: "local" as const, message: large, remedy: "raise --memory, or take a shorter range at a time" }]),
    ...(refusal === undefined ? [] : [{ fault: "local" as const, ...refusal }]),
    ...(disk.free === undefined || disk.needed <= disk.free ? [] : [{
      fault: "local" as const,
      message: `the disk has ${formatBytes(disk.free)} free, about ${formatBytes(disk.needed)} are needed`,
      remedy: "free space, take fewer --shards or a shorter range, or write elsewhere with --out"
    }])
  ]
}

const risksOf = (
  listed: JobsListed,
  forecast: Pick<Forecast, "disk" | "memory" | "timeMillis" | "total">,
  settings: ForecastSettings
): Array<string> => {
  const { disk, memory, timeMillis, total } = forecast
  const risks: Array<string> = []
  listed.failures.forEach((failure, peer) => {
    if (failure === undefined) return
    risks.push(`${settings.peers[peer]!.id} does not list: ${failure.reason}: ${failure.message}`)
  })
  listed.notOwned.forEach((jobs, peer) => {
    if (jobs > 0) {
      risks.push(
        `${settings.peers[peer]!.id} does not hold the shards of ${formatCount(jobs)} jobs that it was asked for`
      )
    }
  })
  const tight = listed.forecasts.filter((job) => job.levelMet && job.required > 0 && job.listed.length === job.required)
  if (tight.length > 0) {
    risks.push(`none of the peers that listed ${shardsText(tight)} may fail: level ${settings.level} needs all of them`)
  }
  if (total.fanOut > 0) {
    risks.push(`${formatCount(total.fanOut)} series-blocks differ: all of their copies are fetched and merged`)
  }
  if (settings.deadlineMillis !== undefined && timeMillis.total > settings.deadlineMillis) {
    risks.push(`--deadline ${formatDuration(settings.deadlineMillis)} comes before the end`)
  }
  if (disk.free !== undefined && disk.needed <= disk.free && disk.atMost > disk.free) {
    risks.push(`merged blocks may need up to ${formatBytes(disk.atMost)} of disk, ${formatBytes(disk.free)} are free`)
  }
  if (memory.peak >= memory.capacity) {
    risks.push("memory is short: jobs wait for each other; more --memory makes it faster")
  }
  const foreign = sum(listed.forecasts, (job) => job.foreign)
  if (foreign > 0) risks.push(`${formatCount(foreign)} listed series-blocks belong to other shards and are left out`)
  return risks
}

export const makeForecast = (listed: JobsListed, settings: ForecastSettings): Forecast => {
  const { forecasts, millis } = listed
  const blocks = forecasts.flatMap((job) => job.blocks)
  const peers = peerForecasts(listed, settings)
  const bytes = sum(blocks, (block) => block.bytes)
  const total = {
    series: seriesOf(forecasts.map(({ series, shard }) => [shard, series] as const)),
    seriesBlocks: sum(blocks, (block) => block.seriesBlocks),
    bytes,
    askedBlocks: sum(peers, (peer) => peer.askedBlocks),
    askedBytes: sum(peers, (peer) => peer.askedBytes),
    fanOut: sum(forecasts, (job) => job.fanOut),
    absentOnSome: sum(forecasts, (job) => job.absentOnSome)
  }
  const memory = memoryOf(listed, peers, settings)
  const disk = {
    needed: sum(blocks, (block) => filesetBytes(block, block.bytes)),
    atMost: sum(blocks, (block) => filesetBytes(block, block.atMostBytes)),
    free: settings.freeBytes
  }
  const data = Math.ceil(dataMillis(peers, settings))
  const readingAgain = Math.ceil(disk.needed * 1000 / readAgainBytesPerSecond)
  const timeMillis = { listing: millis, data, readingAgain, total: millis + data + readingAgain }
  const belowLevel = sum(forecasts, (job) => job.levelMet ? 0 : job.blocks.length)
  return {
    peers,
    total,
    blocks: {
      total: blocks.length,
      empty: forecasts.reduce(
        (count, job) =>
          job.levelMet ? count + job.blocks.filter(({ seriesBlocks }) => seriesBlocks === 0).length : count,
        0
      ),
      kept: settings.kept,
      belowLevel
    },
    timeMillis,
    memory,
    disk,
    obstacles: [
      ...usageObstacles(listed, settings),
      ...levelObstacles(listed, settings),
      ...localObstacles(listed, { disk, memory }, settings)
    ],
    risks: risksOf(listed, { disk, memory, timeMillis, total }, settings)
  }
}
