/** A running bootstrap, as an app sees it: what it is doing, what it waits for, what an operator may wish. */
import type { Wait } from "@peerstrap/progress"
import type { ByteLedger } from "@peerstrap/transport"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { BlockRef, HeaderFacts } from "./Block.ts"
import type { ApplierFailed } from "./BlockApplier.ts"
import type { StoreError } from "./ChainStore.ts"
import type { SyncNotice, SyncOptions, SyncSnapshot } from "./ChainSync.ts"
import type { ReorganisationStrategyService } from "./Reorganisation.ts"
import type { ScoreTable } from "./Standing.ts"

/** What a run is given besides its services (`Transport`, `ChainProtocol`, `ChainStore`, `BlockApplier`). */
export interface SyncRunOptions {
  readonly sync: SyncOptions
  readonly scores?: ScoreTable
  /** Default: the one that `sync.strategy` names. One that needs branches falls back to cached-tail where the applier has none. */
  readonly strategy?: ReorganisationStrategyService
  /** Header of the base, when it is known: a genesis may have none. Told to peers while nothing is applied. */
  readonly baseHeader?: HeaderFacts
  /** Points that the operator named, `host:port`; they are always kept and count whatever their network. */
  readonly named: ReadonlyArray<string>
  /** Names of the network's own entry points, resolved to all their addresses when more peers are needed. */
  readonly resolveNames?: Effect.Effect<ReadonlyArray<string>>
  /** Accepts connections there; undefined: only dials. */
  readonly listen?: { readonly host: string; readonly port: number }
  /** Large buffers (frames, bodies on their way to the store and the applier) draw from it. */
  readonly ledger: ByteLedger
  readonly onNotice?: (notice: SyncNotice) => void
  /** Answer other nodes from the store. Default true. */
  readonly serve?: boolean
}

/** How a run ended by itself. */
export interface SyncOutcome {
  readonly outcome: "synced" | "level-reached" | "halted"
  readonly reason: string
  readonly head: BlockRef
}

/** A defect of ours: the engine or an adapter did what it must not. */
export class SyncDefect extends Schema.TaggedError<SyncDefect>()("SyncDefect", { message: Schema.String }) {}

/** A run: looked at and steered while it goes on. Synchronous; nothing here waits. */
export interface SyncRun {
  snapshot(): SyncSnapshot
  waits(): ReadonlyArray<Wait>
  /** Known peer or point; false when nobody of that name is known. */
  ban(peer: string, reason: string): boolean
  unban(peer: string): boolean
  /** Stops asking, makes durable what has arrived, closes connections in order; takes a few seconds at most. Idempotent. */
  readonly stop: Effect.Effect<void>
  /** Address that is listened on, when it is. */
  readonly listening: string | undefined
  /**
   * Completes when the run reaches its end (`until`), halts, or was stopped, also by the end of its scope (undefined); fails when the store, the applier
   * or we do, also while stopping. What arrived is durable then, connections are closed, nothing is drawn from the ledger.
   */
  readonly done: Effect.Effect<SyncOutcome | undefined, StoreError | ApplierFailed | SyncDefect>
}

/** The base of a new store, given by hash alone: its header is asked of the peers by that hash, which proves it. */
export class BaseNotFound extends Schema.TaggedError<BaseNotFound>()("BaseNotFound", {
  base: Schema.String,
  asked: Schema.Finite,
  message: Schema.String
}) {}
