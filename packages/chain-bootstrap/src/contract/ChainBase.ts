/**
 * Where a new store begins. A store that is there keeps its own base, so that nobody is asked for one again; a named block is found by its hash at the
 * peers when it is needed first.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { BlockId, BlockRef, HeaderFacts } from "./Block.ts"
import type { StoreError } from "./ChainStore.ts"
import type { BaseNotFound } from "./SyncRun.ts"

/** A base that was found. */
export interface FoundBase {
  readonly ref: BlockRef
  /** Kept in the store where its hash is its id, so that a restart need not ask for it. */
  readonly header: HeaderFacts | undefined
}

/** Where a run wants to begin, and how a new store finds that block. */
export interface ChainBaseService {
  /** The block that was named; a store that begins elsewhere is refused. Undefined: whatever is there will do. */
  readonly wanted: BlockId | undefined
  /** Header of level 0, where the chain's definition has one. */
  readonly genesis: HeaderFacts | undefined
  /** For a new store. `StoreError`: none is begun. */
  readonly find: Effect.Effect<FoundBase, BaseNotFound | StoreError>
}

/** Service: where a new store begins. */
export class ChainBase extends Context.Service<ChainBase, ChainBaseService>()("@peerstrap/chain-bootstrap/ChainBase") {}
