/**
 * What is done when a quorum stands behind a chain that leaves ours above what is final: the contract of reorganisation strategies (mission 003;
 * specs: chain bootstrap 5.10; R120–R124). A strategy is plain and synchronous; it is asked in the middle of the engine's step.
 */
import type { HeaderDag } from "@peerstrap/header-dag-quorum"
import type { Wait } from "@peerstrap/progress"
import * as Context from "effect/Context"
import type { BlockId, BlockRef, HeaderFacts } from "./Block.ts"
import type { SyncAction, SyncNotice, SyncOptions, SyncStart, SyncTimers } from "./ChainSync.ts"

/** A chain with quorum that leaves ours above what is final. */
export interface Rival {
  /** Highest block that both have. */
  readonly forkLevel: number
  readonly top: HeaderFacts
  /** From the fork's successor up. */
  readonly ids: ReadonlyArray<BlockId>
}

/** One run of a strategy. */
export interface Reorganisation {
  /** A switch is being prepared or carried out. */
  readonly busy: boolean
  /** What the gate saw: a rival with quorum and more weight, or none any more. */
  consider(rival: Rival | undefined): void
  /** Goes on as far as is possible now. */
  advance(): void
  /** Side blocks given to the applier came back. After `transient` they are tried again, with a pause as for blocks of our chain (`timers.applyRetry`). */
  applied(ids: ReadonlyArray<BlockId>, count: number, outcome: "ok" | "invalid" | "transient", reason: string): void
  /** The applier's head is somewhere else now. */
  moved(to: BlockRef): void
  /** What a switch waits for; while none is prepared, side blocks that the applier could not take for now. */
  waits(): ReadonlyArray<Wait>
}

/** What a strategy sees and may change of the engine's state. */
export interface ReorganisationCore {
  /** Time for timers, in milliseconds. */
  readonly now: number
  /** Last applied block, with its header where it is known. */
  head: BlockRef
  headFacts: HeaderFacts | undefined
  /** Facts of pending headers, of chosen and unapplied ones, and of the tip. */
  readonly facts: ReadonlyMap<BlockId, HeaderFacts>
  readonly dag: Pick<HeaderDag, "baseLevel" | "find">
  readonly options: Pick<SyncOptions, "maxBranches" | "maxReorgDepth"> & {
    readonly timers: Pick<SyncTimers, "applyRetry" | "applyRetryLongest">
  }
  readonly start: Pick<SyncStart, "appliedLevel">
  /** Chosen and not yet applied blocks of our chain. */
  readonly chosen: {
    /** Removes everything above a level; returns what was removed. */
    cutAbove(level: number): ReadonlyArray<BlockId>
    /** Starts again above another head. */
    reset(head: BlockRef): void
  }
  readonly counters: { reorganisations: number }
  /** Id of our chain at a level, chosen blocks included. */
  chainAt(level: number): BlockId | undefined
  /** Level of a block of our chain, chosen blocks included. */
  chainLevel(id: BlockId): number | undefined
  emit(action: SyncAction): void
  notice(notice: SyncNotice): void
  /** Asks for a turn no later than this; to be asked for in each turn anew. */
  wakeBy(millis: number): void
  /** An id as people write it. */
  show(id: BlockId): string
  idBytes(id: BlockId): Uint8Array
}

/** What a strategy may use of the engine while a rival branch is dealt with. */
export interface ReorganisationParts {
  readonly core: ReorganisationCore
  readonly gate: {
    /** Whether a quorum still stands behind a rival. */
    stands(rival: Rival): boolean
    /** Chooses blocks on top of our chain; `top` is the node of the last one. */
    choose(ids: ReadonlyArray<BlockId>, top: number): void
    /** Headers, segment and evidence go to the store. */
    record(ids: ReadonlyArray<BlockId>, base: BlockRef, top: number): void
    /** Looks for the next segment from here. */
    restart(): void
  }
  readonly apply: {
    /** Batches that the applier has in hand. */
    readonly inFlight: number
    /** Highest level that the applier has, or was given. */
    readonly committedLevel: number
    /** Nothing new is given to the applier. */
    paused: boolean
    cutAbove(level: number): void
    /** The head is somewhere else. */
    moved(): void
  }
  readonly bodies: {
    want(ids: Iterable<BlockId>): void
    complete(id: BlockId): boolean
    forget(id: BlockId): void
  }
  readonly deviations: {
    /** Ends the run: exit code 1. */
    halt(reason: string): void
  }
}

/** A strategy: its name, what it needs of an applier, and how it begins. */
export interface ReorganisationStrategyService {
  /** E.g. `cached-tail`; stands in notices. */
  readonly name: string
  /** Needs an applier that holds several branches. */
  readonly needsBranches: boolean
  /** Begins a run. */
  make(parts: ReorganisationParts): Reorganisation
}

/** Service: what is done when a quorum moves to another branch. */
export class ReorganisationStrategy extends Context.Service<ReorganisationStrategy, ReorganisationStrategyService>()(
  "@peerstrap/chain-bootstrap/ReorganisationStrategy"
) {}
