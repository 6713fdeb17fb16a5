/** What "apply" means in a deployment: verify and keep, call back, hand to a child process, inject into a node. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Block, BlockId, BlockRef } from "./Block.ts"

/**
 * How far a batch got. `applied` blocks from its start are done whatever the outcome. `invalid` judges the block after them for good; `transient`
 * is a fault of the applier's side that may pass.
 */
export interface ApplyResult {
  readonly applied: number
  readonly outcome: "ok" | "invalid" | "transient"
  readonly reason: string
}

/** The applier is gone for good (its process ended, its node refuses us): the run stops, nothing is lost. */
export class ApplierFailed extends Schema.TaggedError<ApplierFailed>()("ApplierFailed", {
  applier: Schema.String,
  message: Schema.String
}) {}

/**
 * What an applier can do: try blocks in order, move its head, go back. Calls never overlap: the next one comes when the last one was answered, and what it
 * applied is recorded in the store. After `transient` the block is tried again, after 1 s, then twice as long each time, 60 s at most, whether it is of our chain or
 * of a branch beside it (`many`); other branches go on meanwhile. `invalid` halts the run when a quorum chose the block.
 */
export interface BlockApplierService {
  readonly name: string
  /** Whether `apply` reads `Block.units`. */
  readonly needsBodies: boolean
  /** `one`: a single chain, `rollback` needed to leave it. `many`: a block may build on any applied block; `moveHead` chooses. */
  readonly branches: "one" | "many"
  /**
   * Its last applied block. An applier that keeps its own progress and has applied nothing answers with the base (`ChainStore.identity.base`), never
   * `undefined`: that means as far as the store is, and of a chain that is there already such an applier would get nothing. Asked at the start of a run:
   * what the store has more is applied again from there, what it has less is recorded and not given again.
   */
  readonly head: Effect.Effect<BlockRef | undefined, ApplierFailed>
  /**
   * Blocks in order, each building on the one before; the first on the head (`many`: on any applied one). What is applied on top of the head becomes the
   * head. A first block that builds on nothing applied is `transient`. Without a head of its own an applier may get a block twice, after a stop; of a branch
   * beside its chain (`many`) any applier may. It answers that it is applied.
   */
  apply(blocks: ReadonlyArray<Block>): Effect.Effect<ApplyResult, ApplierFailed>
  /** Undoes everything above `to`, which is an applied ancestor of the head, or the head. A failure ends the run: there is no `transient` here. */
  rollback(to: BlockRef): Effect.Effect<void, ApplierFailed>
  /** `many`: makes an applied block the head. Never asked of `one`. */
  moveHead(to: BlockRef): Effect.Effect<void, ApplierFailed>
  /** `many`: a branch that is given up; may free what it holds. Never asked of `one`. */
  forget(id: BlockId): Effect.Effect<void, ApplierFailed>
}

/** Service: where blocks are applied. */
export class BlockApplier
  extends Context.Service<BlockApplier, BlockApplierService>()("@peerstrap/chain-bootstrap/BlockApplier")
{}
