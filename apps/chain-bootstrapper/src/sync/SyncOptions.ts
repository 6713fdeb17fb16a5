/** From flags and network to the engine's settings, with every default of one table (specs: chain bootstrap 5.7.2, 5.13). Pure. */
import type { SyncOptions, SyncTimers } from "@peerstrap/chain-bootstrap"
import type { SyncSettings } from "./SyncFlags.ts"

/** What of a network the settings depend on. */
export interface NetworkFacts {
  readonly finality: number
  readonly blocksPerCycle: number
  readonly blockTimeSeconds: number
}

/** What is known of peers when the run starts. */
export interface PeerFacts {
  /** Addresses that the operator or the network named. */
  readonly addresses: number
  /** Names that stand for further addresses which are not known yet. */
  readonly unresolved: boolean
}

/** Below this many connections a run on a public network does not begin, unless fewer are known. */
const usualMinPeers = 10
const leastSyncedSeconds = 60
const syncedBlocks = 10
const reorgMargin = 3
/** Cap on headers above the last chosen block while a descent from an anchor is under way: mainnet's last 9 months. */
const anchoredHeaders = 4_000_000
const hour = 3_600_000

type EngineSettings = Omit<
  SyncSettings,
  | "network"
  | "store"
  | "base"
  | "peer"
  | "listen"
  | "identity"
  | "applier"
  | "applierCommand"
  | "octezRpc"
  | "memory"
  | "control"
  | "deadline"
>

const timers = (settings: EngineSettings): SyncTimers => ({
  branch: settings.branchTimeout,
  branchSpacing: 5000,
  branchRefresh: 600_000,
  head: 15_000,
  silence: settings.silence,
  header: settings.headerTimeout,
  headerLongest: Math.max(30_000, settings.headerTimeout),
  ancestor: 25_000,
  unit: settings.operationsTimeout,
  unitLongest: Math.max(60_000, settings.operationsTimeout),
  doNotAsk: 600_000,
  targetLifetime: 600_000,
  workerBase: 250,
  workerLongest: 5000,
  widenHeaders: 1000,
  stuck: settings.stuckAfter,
  applyRetry: 1000,
  applyRetryLongest: 60_000
})

export const defaultMinPeers = ({ addresses, unresolved }: PeerFacts): number =>
  unresolved ? usualMinPeers : Math.min(usualMinPeers, Math.max(1, addresses))

export const syncOptions = (
  settings: EngineSettings,
  network: NetworkFacts,
  peers: PeerFacts,
  seed: number
): SyncOptions => {
  const { maxPeers, mode, segmentHeaders } = settings
  return {
    connections: {
      minPeers: Math.min(maxPeers, settings.minPeers ?? defaultMinPeers(peers)),
      maxPeers,
      maxIncoming: Math.max(1, Math.floor(maxPeers / 2)),
      hungryMargin: Math.ceil(maxPeers / 10),
      reconnectLimit: settings.reconnects,
      reconnectWindowMillis: settings.reconnectWindow,
      reconnectBaseMillis: 1000,
      reconnectCapMillis: 48 * hour,
      cooldownMillis: 60_000,
      greylistMillis: settings.greylist,
      greylistLongestMillis: Math.max(24 * hour, settings.greylist),
      maxKnownPoints: settings.maxKnownPeers,
      maxDials: 10,
      maxPerGroup: settings.maxPerNetwork
    },
    mode,
    headerPolicy: settings.headerPolicy,
    strategy: settings.strategy,
    minQuorumPeers: settings.minQuorumPeers,
    until: settings.until,
    segmentHeaders,
    maxPendingHeaders: mode === "segmented" ? 4 * segmentHeaders : Math.max(4 * segmentHeaders, anchoredHeaders),
    maxUnprovenPerPeer: 2 * segmentHeaders,
    applyWindow: settings.applyWindow,
    applyBatch: Math.min(settings.applyBatch, settings.applyWindow),
    pipelining: true,
    maxReorgDepth: settings.maxReorgDepth ?? network.finality + reorgMargin,
    retentionBlocks: settings.retentionCycles * network.blocksPerCycle,
    maxBranches: 4,
    syncedWithinSeconds: settings.syncedWithin ??
      Math.max(leastSyncedSeconds, Math.ceil(syncedBlocks * network.blockTimeSeconds)),
    syncedPeers: settings.syncedPeers,
    timers: timers(settings),
    doNotAskAfter: 3,
    seed
  }
}
