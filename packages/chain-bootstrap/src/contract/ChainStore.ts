/**
 * Where a chain is kept: headers, units of bodies, the chosen segments with their evidence, and what has been applied. Appended, never changed; a
 * stop at any byte loses at most what had not been reported as durable. `FileChainStore` and `MemoryChainStore` pass one kit.
 */
import type { SegmentEvidence } from "@peerstrap/header-dag-quorum"
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { BlockId, BlockRef, BodyUnit, HeaderFacts } from "./Block.ts"

/**
 * A store could not do what it was asked; `reason` says whether the caller, the disk or another process is the cause.
 */
export class StoreError extends Schema.TaggedError<StoreError>()("StoreError", {
  /**
   * `other-chain`: the store holds another chain or base; `in-use`: another process has it open; `damaged`: bytes that fail their checksum;
   * `out-of-order`: a segment or step that does not fit what is there (a mistake of the caller, nothing was written); `too-large`: above a bound
   * of `storeLimits` (nothing was written).
   */
  reason: Schema.Literals([
    "other-chain",
    "in-use",
    "damaged",
    "no-space",
    "permission",
    "io",
    "not-found",
    "out-of-order",
    "too-large"
  ]),
  path: Schema.String,
  message: Schema.String
}) {}

/** What a store holds, fixed when it is made. */
export interface StoreIdentity {
  readonly protocol: string
  readonly chainId: string
  readonly base: BlockRef
}

/**
 * A segment chosen under quorum, lowest block first. `evidence` is about these very blocks: its base is the parent of the first one, at
 * `firstLevel` − 1, its top is the last one.
 */
export interface ChosenSegment {
  readonly ids: ReadonlyArray<BlockId>
  readonly firstLevel: number
  readonly evidence: SegmentEvidence
  /** Peer ids by the small integers that `evidence` uses. */
  readonly peers: ReadonlyArray<string>
}

/** A step of the applied chain. */
export type AppliedStep =
  /** Blocks on top of the head: `firstLevel` is the head's level + 1. */
  | { readonly kind: "apply"; readonly ids: ReadonlyArray<BlockId>; readonly firstLevel: number }
  /** The applied chain ends at `to` again, which is one of its blocks. */
  | { readonly kind: "rollback"; readonly to: BlockRef }

/** Bytes that are not what was written. What they held is not held any more. */
export interface StoreDamage {
  readonly path: string
  readonly offset: number
  readonly bytes: number
  /** What the record was, when that is still known (`header`, `unit`, `applied`, …), and what is wrong. */
  readonly what: string
}

/** Raw headers, of chosen segments or not yet; lookups are synchronous (they run on the index). */
export interface HeaderStore {
  /** Durable when it completes, and only then visible. Headers that are there already are skipped. */
  appendHeaders(headers: ReadonlyArray<HeaderFacts>): Effect.Effect<void, StoreError>
  hasHeader(id: BlockId): boolean
  /** In the order of `ids`; undefined for those not held. */
  readHeaders(ids: ReadonlyArray<BlockId>): Effect.Effect<ReadonlyArray<HeaderFacts | undefined>, StoreError>
}

export interface ChainStoreService extends HeaderStore {
  readonly identity: StoreIdentity
  /** Last applied block; the base in the beginning. */
  readonly head: BlockRef
  /**
   * Chosen blocks above the head, lowest first, when they build on it: what a restart goes on with. A segment on top of the last one extends them, one
   * that starts lower replaces them from there on. A rollback drops those that build on undone blocks; a branch chosen before the rollback stays.
   */
  readonly pending: { readonly firstLevel: number; readonly ids: ReadonlyArray<BlockId> }
  /** Headers held that are on no chosen segment: an unfinished descent. */
  readonly looseHeaders: number
  /** Damage known by now, at most `storeLimits.damages` places; left out by stores that have no bytes to be damaged. */
  readonly damage?: ReadonlyArray<StoreDamage>

  /** Durable when it completes, as all appends. Units that are there already are skipped. */
  appendUnits(units: ReadonlyArray<BodyUnit>): Effect.Effect<void, StoreError>
  /** Which units of a block are held, as a bit mask; units are 0…30. */
  unitsHeld(id: BlockId): number
  /** One entry a unit up to the highest that is held, undefined where one is not. */
  readUnits(id: BlockId): Effect.Effect<ReadonlyArray<Uint8Array | undefined>, StoreError>
  appendSegment(segment: ChosenSegment): Effect.Effect<void, StoreError>
  appendApplied(step: AppliedStep): Effect.Effect<void, StoreError>
  /** Block of the applied chain at a level, from the base to the head. */
  appliedAt(level: number): BlockId | undefined
  /** Level of a block of the applied chain. */
  appliedLevel(id: BlockId): number | undefined
  /** Every segment ever chosen whose levels overlap the range, lowest first; of equal levels the later choice last. */
  evidence(fromLevel: number, toLevel: number): Effect.Effect<ReadonlyArray<ChosenSegment>, StoreError>
  /** A small named document (known peers, last status), replaced atomically; at most 4 MiB. Names are a–z, 0–9 and "-". */
  writeDocument(name: string, text: string): Effect.Effect<void, StoreError>
  readDocument(name: string): Effect.Effect<string | undefined, StoreError>
}

/** Service: where a chain is kept. */
export class ChainStore
  extends Context.Service<ChainStore, ChainStoreService>()("@peerstrap/chain-bootstrap/ChainStore")
{}
