/**
 * Events, actions and settings of the pure engine (mission 003; specs: chain bootstrap 5.1–5.13). The engine owns all state; the adapter
 * executes actions and reports events. Same settings, same events: same actions.
 */
import type { SegmentEvidence } from "@peerstrap/header-dag-quorum"
import type { EvidenceRecord } from "@peerstrap/peer-selection"
import type { Wait } from "@peerstrap/progress"
import type { BlockId, BlockRef, BodyUnit, HeaderFacts } from "./Block.ts"
import type { Side } from "./ChainProtocol.ts"
import type { ConnectionOptions, KnownPoint } from "./Connections.ts"
import type { Answer, Request } from "./PeerMessage.ts"

/** How the top of a segment is chosen and whose support counts (A9). */
export type SyncMode = "auto" | "segmented" | "anchored"
/** Whom headers of targets are asked of (R95, R96, 5.7.3). */
export type HeaderPolicy = "all" | "own" | "adaptive"
/** What is done about branches near the tip (R121–R124). */
export type ReorgStrategy = "cached-tail" | "applied-branches"

/** All settings of the engine; times in ms. */
export interface SyncOptions {
  readonly connections: ConnectionOptions
  readonly mode: SyncMode
  readonly headerPolicy: HeaderPolicy
  readonly strategy: ReorgStrategy
  /** Fewest supporters of a quorum (A16). Default 3. */
  readonly minQuorumPeers: number
  /** The run ends at this level, or when synced; undefined: it follows the chain. */
  readonly until: { readonly level: number } | "synced" | undefined
  /** Headers of one segment in segmented mode (A20). Default 8192. */
  readonly segmentHeaders: number
  /** Headers known above the last chosen block, in all. Default 4 × segmentHeaders, or 4 M in anchored mode. */
  readonly maxPendingHeaders: number
  readonly maxUnprovenPerPeer: number
  /** Blocks whose bodies are fetched ahead of the applier. Default 128. */
  readonly applyWindow: number
  /** Blocks of one `apply`. Default 64. */
  readonly applyBatch: number
  /** Choose the next segment while the present one is fetched and applied. Default true. */
  readonly pipelining: boolean
  /** Deepest reorganisation below our head that is followed. Default finality + 3. */
  readonly maxReorgDepth: number
  /** Blocks near the peers' heads that stay cached with their supporters (8 cycles). Default 8 × 14,400. */
  readonly retentionBlocks: number
  /** Branches applied at a time under `applied-branches`. Default 4. */
  readonly maxBranches: number
  /** A head as old as this counts as current. Default max(60 s, 10 blocks). */
  readonly syncedWithinSeconds: number
  /** Peers (or all, if fewer) whose head must not be above ours by more than 2. Default 4. */
  readonly syncedPeers: number
  readonly timers: SyncTimers
  /** Sends of one item to one peer before it is not asked again. Default 3. */
  readonly doNotAskAfter: number
  /** Mixed into choices between equals and hashes of ids. */
  readonly seed: number
}

/** Milliseconds (specs: 5.7.2, 5.13). */
export interface SyncTimers {
  readonly branch: number
  readonly branchSpacing: number
  readonly branchRefresh: number
  readonly head: number
  readonly silence: number
  readonly header: number
  readonly headerLongest: number
  readonly ancestor: number
  readonly unit: number
  readonly unitLongest: number
  readonly doNotAsk: number
  readonly targetLifetime: number
  readonly workerBase: number
  readonly workerLongest: number
  readonly widenHeaders: number
  readonly stuck: number
  readonly applyRetry: number
  readonly applyRetryLongest: number
}

/** What a run starts from. */
export interface SyncStart {
  readonly base: BlockRef
  /** Last applied block with its header's facts (undefined: only its id is known, as at genesis). */
  readonly head: BlockRef
  readonly headFacts: HeaderFacts | undefined
  /** Chosen and not yet applied, lowest first. */
  readonly pending: { readonly firstLevel: number; readonly ids: ReadonlyArray<BlockId> }
  /** The applied chain: id at a level (base … head), and level of an id. Synchronous look-ups in the store. */
  readonly appliedAt: (level: number) => BlockId | undefined
  readonly appliedLevel: (id: BlockId) => number | undefined
  /** Bit mask of units held of a block, now: those that became durable during the run are among them. */
  readonly unitsHeld: (id: BlockId) => number
  /** Whether raw headers of an unfinished descent may be in the store. */
  readonly looseHeaders: boolean
  readonly knownPeers: string | undefined
  /** What the applier can do. */
  readonly branches: "one" | "many"
}

/** What the adapter tells the engine. */
export type SyncEvent =
  /** A session exists. `peer` is a number of the adapter, never used twice. */
  | {
    readonly kind: "connected"
    readonly peer: number
    readonly id: string
    readonly point: string | undefined
    readonly side: Side
    readonly ancestors: boolean
  }
  /** A dial or an incoming handshake (`point` undefined) came to nothing. */
  | {
    readonly kind: "attempt-failed"
    readonly point: string | undefined
    readonly id: string | undefined
    readonly cause: "dial-failed" | "expected" | "malformed" | "local-fault"
    /** Other peers that the refusing one named. */
    readonly points: ReadonlyArray<string>
    readonly message: string
  }
  /** `expected`: the peer said that it leaves, or we closed it: no reconnection is counted, a cool-down follows (5.8). Default false. */
  | {
    readonly kind: "closed"
    readonly peer: number
    readonly malformed: boolean
    readonly expected?: boolean
    readonly message: string
  }
  | { readonly kind: "answer"; readonly peer: number; readonly answer: Answer }
  /** Answers to actions. */
  | { readonly kind: "names-resolved"; readonly points: ReadonlyArray<string> }
  | {
    readonly kind: "headers-loaded"
    readonly headers: ReadonlyArray<HeaderFacts>
    readonly missing: ReadonlyArray<BlockId>
  }
  | { readonly kind: "units-stored"; readonly units: ReadonlyArray<{ readonly block: BlockId; readonly unit: number }> }
  | { readonly kind: "segment-stored"; readonly topLevel: number }
  | {
    readonly kind: "applied"
    readonly branch: "head" | "side"
    readonly blocks: ReadonlyArray<BlockId>
    readonly applied: number
    readonly outcome: "ok" | "invalid" | "transient"
    readonly reason: string
  }
  | { readonly kind: "moved"; readonly to: BlockRef }
  /** Wishes of an operator. */
  | { readonly kind: "ban"; readonly peer: string; readonly reason: string }
  | { readonly kind: "unban"; readonly peer: string }
  /** Time passed; sent no later than `wakeAt`. */
  | { readonly kind: "wake" }

/** What the engine wants done; the adapter does it in this order. */
export type SyncAction =
  | { readonly kind: "dial"; readonly point: string }
  | { readonly kind: "resolve-names" }
  | { readonly kind: "send"; readonly peer: number; readonly requests: ReadonlyArray<Request> }
  | { readonly kind: "disconnect"; readonly peer: number; readonly reason: string }
  | { readonly kind: "store-headers"; readonly headers: ReadonlyArray<HeaderFacts> }
  | { readonly kind: "store-units"; readonly units: ReadonlyArray<BodyUnit> }
  /** Answered by `headers-loaded`. */
  | { readonly kind: "load-headers"; readonly ids: ReadonlyArray<BlockId> }
  /** Answered by `segment-stored`. Actions take effect in order, so the headers are there before. */
  | {
    readonly kind: "store-segment"
    readonly ids: ReadonlyArray<BlockId>
    readonly firstLevel: number
    readonly evidence: SegmentEvidence
    readonly peers: ReadonlyArray<string>
  }
  /** In order, at most two at a time. Answered by `applied`. */
  | {
    readonly kind: "apply"
    readonly blocks: ReadonlyArray<HeaderFacts>
    readonly firstLevel: number
    readonly branch: "head" | "side"
  }
  /** Ends the applied chain at a lower block (`rollback`), or makes an applied side branch the head (`switch`, with the new chain). Answered by `moved`. */
  | { readonly kind: "rollback"; readonly to: BlockRef }
  | { readonly kind: "switch"; readonly fork: BlockRef; readonly to: BlockRef; readonly ids: ReadonlyArray<BlockId> }
  | { readonly kind: "forget-branch"; readonly id: BlockId }
  | { readonly kind: "save-peers"; readonly text: string }
  | { readonly kind: "notice"; readonly notice: SyncNotice }
  /** The run is over. */
  | { readonly kind: "finish"; readonly outcome: "synced" | "level-reached" | "halted"; readonly reason: string }

/** What an observer may want to know, with stable names. */
export type SyncNotice =
  | { readonly kind: "peer-up"; readonly peer: string; readonly point: string | undefined; readonly side: Side }
  | { readonly kind: "peer-down"; readonly peer: string; readonly reason: string }
  | {
    readonly kind: "blamed"
    readonly record: EvidenceRecord
    readonly score: number
    readonly consequence: "points" | "greylisted"
  }
  | { readonly kind: "mode"; readonly mode: "segmented" | "anchored"; readonly reason: string }
  | {
    readonly kind: "segment"
    readonly fromLevel: number
    readonly toLevel: number
    readonly supporters: number
    readonly electorate: number
  }
  | {
    readonly kind: "pruned"
    readonly id: BlockId
    readonly level: number
    readonly supporters: ReadonlyArray<string>
  }
  | { readonly kind: "unavailable"; readonly id: BlockId; readonly peers: number }
  | { readonly kind: "applied"; readonly level: number; readonly id: BlockId; readonly blocks: number }
  | { readonly kind: "apply-retry"; readonly level: number; readonly reason: string; readonly delayMillis: number }
  | { readonly kind: "invalid"; readonly level: number; readonly id: BlockId; readonly reason: string }
  | {
    readonly kind: "reorganised"
    readonly fork: BlockRef
    readonly from: BlockRef
    readonly to: BlockRef
    /** Name of the strategy that followed. */
    readonly strategy: string
  }
  | { readonly kind: "status"; readonly status: SyncStatus; readonly reason: string }
  | { readonly kind: "stuck"; readonly reason: string; readonly escalation: "refresh" | "rotate" | "report" }

/** Whether the head is current: `stuck` is a chain whose peers agree but do not move on. */
export type SyncStatus = "unsynced" | "synced" | "stuck"
/** Where a run stands. */
export type SyncPhase = "connect" | "branches" | "headers" | "operations" | "synced" | "reorganise" | "halt"

/** One peer as the engine sees it. */
export interface PeerView {
  readonly peer: number
  readonly id: string
  readonly point: string | undefined
  readonly side: Side
  readonly score: number
  readonly counted: boolean
  readonly anchored: boolean | undefined
  readonly claimedLevel: number | undefined
  readonly outstanding: number
  readonly doNotAsk: number
}

/** The state of a run at one moment, for progress views and operators. */
export interface SyncSnapshot {
  readonly phase: SyncPhase
  readonly status: SyncStatus
  readonly statusReason: string
  readonly mode: "segmented" | "anchored" | undefined
  readonly base: BlockRef
  readonly head: BlockRef
  readonly headTimeSeconds: number | undefined
  /** Last block chosen under quorum. */
  readonly chosen: BlockRef
  /** Level that more than 2/3 of the peers reach (A24). */
  readonly peersLevel: number | undefined
  readonly segments: number
  readonly targets: number
  readonly pendingHeaders: number
  readonly blocksInFlight: number
  readonly peers: ReadonlyArray<PeerView>
  readonly known: ReadonlyArray<KnownPoint>
  readonly evidence: ReadonlyArray<EvidenceRecord>
  readonly blame: Readonly<Record<string, Readonly<Record<string, number>>>>
  readonly counters: SyncCounters
}

/** Counts since the start of a run; bytes where the name says so. */
export interface SyncCounters {
  readonly headersReceived: number
  readonly headersDuplicate: number
  readonly unitsReceived: number
  readonly unitBytes: number
  readonly blocksApplied: number
  readonly requestsSent: number
  readonly requestsTimedOut: number
  readonly reorganisations: number
}

/** The engine: events in by `step`, actions out by `drain`; time is an argument, in ms. */
export interface ChainSyncEngine {
  /** Takes an event. What follows is decided when `drain` is called: after a batch of events, and always before waiting. */
  step(event: SyncEvent, nowMillis: number): void
  drain(out: Array<SyncAction>): void
  waits(nowMillis: number): ReadonlyArray<Wait>
  snapshot(nowMillis: number): SyncSnapshot
  /** No later than this a `wake` is due; Infinity when nothing waits for time. */
  wakeAt(): number
  /** Asked while a handshake goes on; a place is kept when the answer is undefined. */
  admits(
    id: string,
    remoteHost: string,
    side: Side,
    nowMillis: number
  ): undefined | "too-many" | "already-connected" | "banned"
  /** Points fit to be told to others. */
  pointsToTell(limit: number, audience?: string): ReadonlyArray<string>
  /** For the known peers' document. */
  savePeers(): string
  /** Header of the last applied block, where it is known. */
  readonly headHeader: HeaderFacts | undefined
  readonly status: SyncStatus
}
