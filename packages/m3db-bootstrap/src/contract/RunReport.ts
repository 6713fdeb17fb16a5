/** The result of a run as a plain, JSON-ready value. ns are strings, ids hex. Lists are cut at `reportEntries`, counts never. */
import type { Level } from "@peerstrap/consistency-policy"
import type { EvidenceRecord, Verdict } from "@peerstrap/peer-selection"

/** A list that may have been cut, with the number of entries that there were. */
export interface CutList<A> {
  readonly total: number
  readonly entries: ReadonlyArray<A>
}

/** A block that was advertised and could not be had, or that nobody could be asked for. */
export interface MissingBlock {
  readonly shard: number
  readonly blockStart: string
  /** Hex; absent when a whole (shard, block) is meant. */
  readonly id?: string
  /** Peers that advertised it, or that did not answer. */
  readonly peers: ReadonlyArray<string>
  readonly reason: string
}

/** How replicas differ about one series and block. */
export interface Divergence {
  readonly shard: number
  readonly blockStart: string
  readonly id: string
  readonly kind: "different" | "unknown" | "absent-on-some"
  /** By peer: `-` absent, `?` no checksum, `not listed` where the listing did not come so far, else 8 hex digits. */
  readonly checksums: Readonly<Record<string, string>>
  readonly sizes: Readonly<Record<string, number>>
}

/** A series-block that one peer delivered damaged, not as advertised, or not at all. */
export interface DamagedBlock {
  readonly shard: number
  readonly blockStart: string
  readonly id: string
  /** As in the evidence, e.g. `corrupt-block`. */
  readonly kind: string
  /** 8 hex digits; null when no checksum was advertised. */
  readonly advertised: string | null
  /** What came, in words and numbers. */
  readonly delivered: string
  /** How often it was asked for and came so; kind and words are those of the first time. */
  readonly times: number
}

/** Calls that failed for one reason. Connection trouble and declared errors are here and nowhere else: they are no evidence. */
export interface FailedCalls {
  /** Why, as the client says: `unreachable`, `closed`, `timeout`, … */
  readonly reason: string
  readonly verdict: Verdict
  /** What the verdict rests on. */
  readonly because: string
  readonly times: number
  /** Subject and words of the first one. */
  readonly first: string
  readonly atMillis: number
}

/** What one peer gave, and how it failed. */
export interface PeerReport {
  readonly id: string
  readonly seriesBlocks: number
  readonly bytes: number
  readonly pages: number
  readonly failures: number
  readonly lastError: string | undefined
  readonly failedCalls: ReadonlyArray<FailedCalls>
  /** What is wrong with its data, by series and block, each once. */
  readonly damaged: CutList<DamagedBlock>
}

/** The result of a run. */
export interface RunReport {
  readonly outcome: string
  readonly level: Level
  readonly levelChanges: ReadonlyArray<{ readonly level: Level; readonly origin: string; readonly atMillis: number }>
  readonly startedMillis: number
  readonly endedMillis: number
  readonly jobs: { readonly total: number; readonly done: number }
  readonly blocks: { readonly total: number; readonly committed: number; readonly empty: number }
  readonly seriesBlocks: {
    readonly listed: number
    readonly stored: number
    readonly merged: number
    readonly missing: number
    readonly dropped: number
  }
  readonly bytes: number
  readonly retries: number
  /** Asked of a second peer, too, because the first was overdue: series-blocks, and bytes as announced. */
  readonly hedged: { readonly items: number; readonly bytes: number }
  readonly missing: CutList<MissingBlock>
  /** Peers whose listing of a shard did not finish though the level was met without it. */
  readonly unlisted: CutList<{ readonly shard: number; readonly peer: string; readonly reason: string }>
  readonly divergences: CutList<Divergence> & { readonly counts: Readonly<Record<Divergence["kind"], number>> }
  readonly evidence: ReadonlyArray<EvidenceRecord>
  readonly evidenceCounts: Readonly<Record<string, Readonly<Record<string, number>>>>
  readonly peers: ReadonlyArray<PeerReport>
  /** Bytes: the limit as it is now (it may have been changed), and the most that was drawn. */
  readonly memory: { readonly capacity: number; readonly peak: number }
}
