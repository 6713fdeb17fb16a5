/** The state of a run as a plain value, for progress displays: latest wins. */
import type { Level } from "@peerstrap/consistency-policy"
import type { BreakerState } from "@peerstrap/peer-selection"
import { isHopeless } from "./RunScope.ts"
import { SeriesState, seriesStateNames } from "./SeriesBlock.ts"
import type { ShardStream } from "./ShardStream.ts"
import type { StreamRun } from "./StreamRun.ts"

/** One (shard, block range) that is being worked on. */
export interface JobSnapshot {
  readonly shard: number
  readonly state: "listing" | "fetching" | "writing" | "blocked"
  readonly listed: number
  readonly stored: number
  readonly bytes: number
  readonly blocks: { readonly total: number; readonly committed: number }
  /** Counts by name of the state machine's states, only those above 0. */
  readonly states: Readonly<Record<string, number>>
}

/** One peer as the run sees it. */
export interface PeerSnapshot {
  readonly id: string
  readonly state: "idle" | "active" | "resting" | "out-of-reach"
  readonly breaker: BreakerState
  readonly bytesPerSecond: number
  readonly inFlightBatches: number
  readonly queuedItems: number
  readonly completedBytes: number
  readonly pages: number
  readonly seriesBlocks: number
  readonly failures: number
  readonly lastError: string | undefined
}

/** The state of a run at one moment; times in ms. */
export interface RunSnapshot {
  readonly level: Level
  readonly startedMillis: number
  readonly nowMillis: number
  readonly finished: boolean
  readonly jobs: { readonly total: number; readonly done: number; readonly active: ReadonlyArray<JobSnapshot> }
  /** `listed` grows until every job has listed. */
  readonly seriesBlocks: {
    readonly listed: number
    readonly stored: number
    readonly missing: number
    readonly merged: number
  }
  readonly blocksCommitted: number
  readonly bytes: number
  readonly retries: number
  readonly peers: ReadonlyArray<PeerSnapshot>
  /** Bytes; `used` is above `capacity` for a while after that was lowered. */
  readonly memory: { readonly capacity: number; readonly used: number; readonly peak: number }
}

const jobState = (job: ShardStream): JobSnapshot["state"] => {
  if (job.series.inState[SeriesState.BLOCKED]! > 0) return "blocked"
  if (!job.listing.isOver) return "listing"
  return job.deliveries.open.some((open) => open > 0) ? "fetching" : "writing"
}

const jobSnapshot = (job: ShardStream): JobSnapshot => ({
  shard: job.shard,
  state: jobState(job),
  listed: job.series.count,
  stored: job.series.inState[SeriesState.STORED]!,
  bytes: job.deliveries.bytes,
  blocks: {
    total: job.deliveries.blocks.length,
    committed: job.deliveries.blocks.filter((state) => state === "committed").length
  },
  states: Object.fromEntries(
    seriesStateNames.map((name, state) => [name, job.series.inState[state]!] as const).filter(([, count]) => count > 0)
  )
})

export const runSnapshot = (run: StreamRun): RunSnapshot => {
  const { ledger, now, options, queues, tally } = run.scope
  const peers = options.peers.map((id, peer): PeerSnapshot => {
    const state = queues.state(peer)
    return {
      id,
      state: isHopeless(run.scope, peer)
        ? "out-of-reach"
        : state.restUntilMillis > now
        ? "resting"
        : state.inFlightBatches > 0
        ? "active"
        : "idle",
      breaker: queues.breaker(peer, now),
      bytesPerSecond: state.bytesPerSecond,
      inFlightBatches: state.inFlightBatches,
      queuedItems: state.queuedItems,
      completedBytes: tally.peerBytes[peer]!,
      pages: tally.peerPages[peer]!,
      seriesBlocks: tally.peerSeriesBlocks[peer]!,
      failures: tally.peerFailures[peer]!,
      lastError: state.failuresInRow > 0 ? state.lastFailureMessage : undefined
    }
  })
  return {
    level: run.scope.level,
    startedMillis: run.startedMillis,
    nowMillis: run.scope.wall,
    finished: run.isFinished,
    jobs: { total: run.jobs.length, done: run.jobsDone, active: [...run.active.values()].map(jobSnapshot) },
    seriesBlocks: { listed: tally.listed, stored: tally.stored, missing: tally.missing.total, merged: tally.merged },
    blocksCommitted: tally.blocksCommitted,
    bytes: tally.bytes,
    retries: tally.retries,
    peers,
    memory: { capacity: ledger.capacity, used: ledger.used, peak: ledger.peak }
  }
}
