/**
 * Lists every job on every peer that holds its shard, as a bootstrap does, and keeps of each nothing but its forecast. No block data
 * is asked for. A peer that fails for the whole patience is not asked again.
 */
import { defaultStreamLimits, type StreamJob } from "@peerstrap/m3db-bootstrap"
import type { CallError, NodeClient } from "@peerstrap/m3db-wire"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Misfit } from "../bootstrap/BlockSizeWatch.ts"
import type { PeerFailure } from "../diff/AskPeer.ts"
import { listShard } from "../diff/ListShard.ts"
import { ReplicaTable } from "../diff/ReplicaTable.ts"
import { forecastJob, type JobForecast, type JobSettings } from "./JobForecast.ts"

export interface ListJobsOptions extends JobSettings {
  readonly namespace: string
  /** ns. */
  readonly blockSize: bigint
  readonly jobs: ReadonlyArray<StreamJob>
  /** By index in the plan. */
  readonly clients: ReadonlyArray<NodeClient>
  readonly jobsInFlight: number
  readonly memoryBytes: number
  /** A peer that fails for so long is given up. */
  readonly patienceMillis: number
  readonly onRetry: (error: CallError) => Effect.Effect<void>
  readonly onJob: (done: number) => Effect.Effect<void>
}

/** How a peer listed. */
export interface ListingRate {
  pages: number
  elements: number
  /** Sum over all calls. */
  busyMillis: number
}

export interface JobsListed {
  readonly forecasts: ReadonlyArray<JobForecast>
  /** By peer of the plan; undefined: it answered everything. */
  readonly failures: ReadonlyArray<PeerFailure | undefined>
  /** Jobs that a peer refused because it does not hold their shard. */
  readonly notOwned: ReadonlyArray<number>
  readonly rates: ReadonlyArray<ListingRate>
  /** A job whose metadata do not fit into the memory, alone. */
  readonly tooLarge: { readonly shard: number; readonly rows: number; readonly bytes: number } | undefined
  readonly millis: number
  /** What else shows that the settings are not the cluster's. */
  readonly misfit?: Misfit | undefined
}

/** The same client with a count of what its listings brought. */
const counted = (client: NodeClient, rate: ListingRate): NodeClient => ({
  ...client,
  peer: client.peer,
  address: client.address,
  fetchBlocksMetadata: (request, options) =>
    Effect.gen(function*() {
      const began = yield* Clock.currentTimeMillis
      const page = yield* client.fetchBlocksMetadata(request, options)
      rate.pages++
      rate.elements += page.count
      rate.busyMillis += (yield* Clock.currentTimeMillis) - began
      return page
    })
})

/** A refusal that concerns one shard, not the peer. */
const isOfShard = ({ reason }: PeerFailure): boolean => reason === "not-owned"

interface Listing {
  readonly options: ListJobsOptions
  readonly clients: ReadonlyArray<NodeClient>
  readonly failures: Array<PeerFailure | undefined>
  readonly notOwned: Array<number>
  readonly namespace: Uint8Array
}

/** The forecast, or what did not fit into `maxBytes`. */
const listJob = Effect.fnUntraced(function*(listing: Listing, job: StreamJob, maxBytes: number) {
  const { clients, failures, options } = listing
  const asked = job.peers.filter((peer) => failures[peer] === undefined)
  const table = new ReplicaTable(asked.length, job.blockStarts, maxBytes)
  const request = {
    namespace: listing.namespace,
    shard: job.shard,
    rangeStart: job.blockStarts[0]!,
    rangeEnd: job.blockStarts.at(-1)! + options.blockSize
  }
  const failed = yield* listShard({
    replicas: asked.map((peer) => clients[peer]!),
    table,
    request,
    deadlineMillis: options.patienceMillis,
    onRetry: options.onRetry
  }).pipe(Effect.catchTag("TableFull", () => Effect.undefined))
  if (failed === undefined) return { shard: job.shard, rows: table.rows, bytes: table.bytes }
  const peerOf = asked.map((peer) => {
    const failure = failed.find((one) => one.peer === clients[peer]!.peer)
    if (failure === undefined) return peer
    if (isOfShard(failure)) listing.notOwned[peer]!++
    else failures[peer] = failure
    return undefined
  })
  return forecastJob({ job, table, peerOf }, options)
})

const isForecast = (result: JobForecast | { readonly rows: number }): result is JobForecast => "blocks" in result

export const listJobs = Effect.fnUntraced(function*(options: ListJobsOptions) {
  const began = yield* Clock.currentTimeMillis
  const rates = options.clients.map((): ListingRate => ({ pages: 0, elements: 0, busyMillis: 0 }))
  const listing: Listing = {
    options,
    clients: options.clients.map((client, peer) => counted(client, rates[peer]!)),
    failures: options.clients.map(() => undefined),
    notOwned: options.clients.map(() => 0),
    namespace: new TextEncoder().encode(options.namespace)
  }
  let done = 0
  const share = Math.floor(options.memoryBytes / options.jobsInFlight)
  const first = yield* Effect.forEach(
    options.jobs,
    (job) => Effect.tap(listJob(listing, job, share), () => options.onJob(++done)),
    { concurrency: options.jobsInFlight }
  )
  let tooLarge: JobsListed["tooLarge"]
  const forecasts: Array<JobForecast> = []
  for (const [at, result] of first.entries()) {
    if (isForecast(result)) {
      forecasts.push(result)
      continue
    }
    // More than its share: again, alone, with all of the memory.
    const alone = yield* listJob(listing, options.jobs[at]!, options.memoryBytes)
    if (isForecast(alone)) forecasts.push(alone)
    else tooLarge ??= alone
  }
  const millis = (yield* Clock.currentTimeMillis) - began
  const { failures, notOwned } = listing
  return { forecasts, failures, notOwned, rates, tooLarge, millis } satisfies JobsListed as JobsListed
})

/** Bytes of one page that the ledger gives out at once. */
export const pageReserveBytes = (memoryBytes: number): number =>
  Math.min(defaultStreamLimits.maxPageBytes, Math.max(64 << 10, Math.floor(memoryBytes / 64)))
