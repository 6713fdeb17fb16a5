/** Defaults and checks of a run's options (specs: chain bootstrap 5.7.2, 5.13). */
import type { SyncOptions, SyncTimers } from "../contract/ChainSync.ts"
import { connectionOptions } from "./connections/ConnectionDefaults.ts"

/** Waiting times of a run, ms (specs: chain bootstrap 5.13). */
export const defaultSyncTimers: SyncTimers = {
  branch: 15_000,
  branchSpacing: 5_000,
  branchRefresh: 600_000,
  head: 15_000,
  silence: 120_000,
  header: 5_000,
  headerLongest: 30_000,
  ancestor: 25_000,
  unit: 10_000,
  unitLongest: 60_000,
  doNotAsk: 600_000,
  targetLifetime: 600_000,
  workerBase: 250,
  workerLongest: 5_000,
  widenHeaders: 1_000,
  stuck: 120_000,
  applyRetry: 1_000,
  applyRetryLongest: 60_000
}

/** What of a chain decides defaults. */
export interface ChainPace {
  readonly finality: number
  readonly blocksPerCycle: number
  readonly blockTimeSeconds: number
}

/** The options with defaults for what is not given. Throws a RangeError that names the option when one cannot work. */
export const syncOptions = (pace: ChainPace, given: Partial<SyncOptions> = {}): SyncOptions => {
  const segmentHeaders = given.segmentHeaders ?? 8192
  const options: SyncOptions = {
    connections: connectionOptions(),
    mode: "auto",
    headerPolicy: "adaptive",
    strategy: "cached-tail",
    minQuorumPeers: 3,
    until: undefined,
    segmentHeaders,
    maxPendingHeaders: 4_000_000,
    maxUnprovenPerPeer: 4 * segmentHeaders,
    applyWindow: 128,
    applyBatch: 64,
    pipelining: true,
    maxReorgDepth: pace.finality + 3,
    retentionBlocks: 8 * pace.blocksPerCycle,
    maxBranches: 4,
    syncedWithinSeconds: Math.max(60, 10 * pace.blockTimeSeconds),
    syncedPeers: 4,
    timers: defaultSyncTimers,
    doNotAskAfter: 3,
    seed: 0,
    ...given
  }
  for (
    const name of [
      "minQuorumPeers",
      "segmentHeaders",
      "maxPendingHeaders",
      "applyWindow",
      "applyBatch",
      "doNotAskAfter"
    ] as const
  ) {
    if (!Number.isSafeInteger(options[name]) || options[name] < 1) {
      throw new RangeError(`${name} must be an integer from 1, got ${options[name]}`)
    }
  }
  if (options.maxReorgDepth < pace.finality) {
    throw new RangeError(
      `maxReorgDepth ${options.maxReorgDepth} is below the chain's finality of ${pace.finality} blocks`
    )
  }
  return options
}
