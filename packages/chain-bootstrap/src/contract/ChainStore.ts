/**
 * Where a chain is kept: headers, units of bodies, the chosen segments with their evidence, and what has been applied. Appended, never changed; a
 * stop at any byte loses at most what had not been reported as durable. `FileChainStore` and `MemoryChainStore` pass one kit.
 */
import type { SegmentEvidence } from "@peerstrap/header-dag-quorum"
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { BlockId, BlockRef, BodyUnit, HeaderFacts } from "./Block.ts"

export class StoreError extends Schema.TaggedError<StoreError>()("StoreError", {
  /** `other-chain`: the store holds another chain or base; `in-use`: another process has it open; `damaged`: bytes that fail their checksum. */
  reason: Schema.Literals(["other-chain", "in-use", "damaged", "no-space", "permission", "io", "not-found"]),
  path: Schema.String,
  message: Schema.String
}) {}

/** What a store holds, fixed when it is made. */
export interface StoreIdentity {
  readonly protocol: string
  readonly chainId: string
  readonly base: BlockRef
}

/** A segment chosen under quorum, lowest block first. */
export interface ChosenSegment {
  readonly ids: ReadonlyArray<BlockId>
  readonly firstLevel: number
  readonly evidence: SegmentEvidence
  /** Peer ids by the small integers that `evidence` uses. */
  readonly peers: ReadonlyArray<string>
}

/** A step of the applied chain. */
export type AppliedStep =
  | { readonly kind: "apply"; readonly ids: ReadonlyArray<BlockId>; readonly firstLevel: number }
  /** The applied chain ends at `to` again. */
  | { readonly kind: "rollback"; readonly to: BlockRef }

/** Raw headers, of chosen segments or not yet; lookups are synchronous (they run on the index). */
export interface HeaderStore {
  /** Durable when it completes. Headers that are there already are skipped. */
  appendHeaders(headers: ReadonlyArray<HeaderFacts>): Effect.Effect<void, StoreError>
  hasHeader(id: BlockId): boolean
  /** In the order of `ids`; undefined for those not held. */
  readHeaders(ids: ReadonlyArray<BlockId>): Effect.Effect<ReadonlyArray<HeaderFacts | undefined>, StoreError>
}

export interface ChainStoreService extends HeaderStore {
  readonly identity: StoreIdentity
  /** Last applied block; the base in the beginning. */
  readonly head: BlockRef
  /** Chosen blocks above the head, lowest first: what a restart goes on with. A rollback or another choice replaces them. */
  readonly pending: { readonly firstLevel: number; readonly ids: ReadonlyArray<BlockId> }
  /** Headers held that are on no chosen segment: an unfinished descent. */
  readonly looseHeaders: number

  appendUnits(units: ReadonlyArray<BodyUnit>): Effect.Effect<void, StoreError>
  /** Which units of a block are held, as a bit mask. */
  unitsHeld(id: BlockId): number
  /** One entry a unit, undefined where it is not held. */
  readUnits(id: BlockId): Effect.Effect<ReadonlyArray<Uint8Array | undefined>, StoreError>
  appendSegment(segment: ChosenSegment): Effect.Effect<void, StoreError>
  appendApplied(step: AppliedStep): Effect.Effect<void, StoreError>
  /** Block of the applied chain at a level, from the base to the head. */
  appliedAt(level: number): BlockId | undefined
  /** Level of a block of the applied chain. */
  appliedLevel(id: BlockId): number | undefined
  /** Evidence of chosen segments whose levels overlap the range, lowest first. */
  evidence(fromLevel: number, toLevel: number): Effect.Effect<ReadonlyArray<ChosenSegment>, StoreError>
  /** A small named document (known peers, last status), replaced atomically; at most 4 MiB. */
  writeDocument(name: string, text: string): Effect.Effect<void, StoreError>
  readDocument(name: string): Effect.Effect<string | undefined, StoreError>
}

export class ChainStore
  extends Context.Service<ChainStore, ChainStoreService>()("@peerstrap/chain-bootstrap/ChainStore")
{}
