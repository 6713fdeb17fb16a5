/**
 * From flags, network and known peers to the engine's settings (specs: chain bootstrap 5.7.2, 5.13). Pure. What no flag changes has the default of
 * the engine.
 */
import {
  type ChainPace,
  connectionOptions,
  defaultSyncTimers,
  type SyncOptions,
  syncOptions as optionsWith
} from "@peerstrap/chain-bootstrap"
import { CommandError, ExitCode } from "@peerstrap/command-line"
import type { SyncSettings } from "./SyncFlags.ts"

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
const day = 86_400_000

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

const timersOf = (settings: EngineSettings) => ({
  ...defaultSyncTimers,
  branch: settings.branchTimeout,
  silence: settings.silence,
  header: settings.headerTimeout,
  headerLongest: Math.max(defaultSyncTimers.headerLongest, settings.headerTimeout),
  unit: settings.operationsTimeout,
  unitLongest: Math.max(defaultSyncTimers.unitLongest, settings.operationsTimeout),
  stuck: settings.stuckAfter
})

export const defaultMinPeers = ({ addresses, unresolved }: PeerFacts): number =>
  unresolved ? usualMinPeers : Math.min(usualMinPeers, Math.max(1, addresses))

export const syncOptions = (settings: EngineSettings, pace: ChainPace, peers: PeerFacts, seed: number): SyncOptions => {
  const { applyWindow, maxPeers, mode, segmentHeaders } = settings
  return optionsWith(pace, {
    connections: connectionOptions({
      minPeers: Math.min(maxPeers, settings.minPeers ?? defaultMinPeers(peers)),
      maxPeers,
      reconnectLimit: settings.reconnects,
      reconnectWindowMillis: settings.reconnectWindow,
      greylistMillis: settings.greylist,
      greylistLongestMillis: Math.max(day, settings.greylist),
      maxKnownPoints: settings.maxKnownPeers,
      maxPerGroup: settings.maxPerNetwork
    }),
    mode,
    headerPolicy: settings.headerPolicy,
    strategy: settings.strategy,
    minQuorumPeers: settings.minQuorumPeers,
    until: settings.until,
    segmentHeaders,
    // A descent from an anchor holds all levels down to us; without anchors four segments are enough.
    ...(mode === "segmented" ? { maxPendingHeaders: 4 * segmentHeaders } : {}),
    applyWindow,
    applyBatch: Math.min(settings.applyBatch, applyWindow),
    ...(settings.maxReorgDepth === undefined ? {} : { maxReorgDepth: settings.maxReorgDepth }),
    retentionBlocks: settings.retentionCycles * pace.blocksPerCycle,
    syncedWithinSeconds: settings.syncedWithin ??
      Math.max(leastSyncedSeconds, Math.ceil(syncedBlocks * pace.blockTimeSeconds)),
    syncedPeers: settings.syncedPeers,
    timers: timersOf(settings),
    seed
  })
}

/** Flags that do not fit the network, which is known only now. */
export const misfitOf = ({ maxReorgDepth }: EngineSettings, { finality }: ChainPace): CommandError | undefined =>
  maxReorgDepth === undefined || maxReorgDepth >= finality ? undefined : new CommandError({
    exitCode: ExitCode.usage,
    message: `--max-reorg-depth: ${maxReorgDepth} is less than the network's finality of ${finality} blocks`,
    remedy: `leave it out, or give at least ${finality}`
  })
