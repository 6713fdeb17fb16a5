/**
 * Hands blocks to the applier, one batch after the other, and records what it applied. Each block's relations to its predecessor are checked here
 * once more, with both headers at hand, whatever the engine could see while it collected them (specs: chain bootstrap 2.7, 5.12 invariant 2).
 */
import * as Effect from "effect/Effect"
import type { Block, BlockId, HeaderFacts } from "../contract/Block.ts"
import { ApplierFailed, type ApplyResult, type BlockApplierService } from "../contract/BlockApplier.ts"
import { ChainLimits } from "../contract/ChainLimits.ts"
import type { ChainRules } from "../contract/ChainRules.ts"
import { type ChainStoreService, StoreError } from "../contract/ChainStore.ts"
import type { SyncAction, SyncEvent } from "../contract/ChainSync.ts"
import { type ActionLane, makeActionLane } from "./ActionLane.ts"

export type ApplierAction = Extract<SyncAction, { readonly kind: "apply" | "rollback" | "switch" | "forget-branch" }>

export type ApplierLane = ActionLane<ApplierAction, StoreError | ApplierFailed>

export interface ApplierLaneParts {
  readonly store: ChainStoreService
  readonly applier: BlockApplierService
  readonly rules: ChainRules
  /** Header of the last applied block, where it is known. */
  readonly headFacts: HeaderFacts | undefined
  /** Header of the base, where it is known: the store may not have it. */
  readonly baseHeader: HeaderFacts | undefined
  readonly tell: (event: SyncEvent) => void
  /** Completes when all that was given to the store before is durable. */
  readonly stored: Effect.Effect<void>
}

type ApplyAction = Extract<ApplierAction, { readonly kind: "apply" }>

export const makeApplierLane = (parts: ApplierLaneParts): Effect.Effect<ApplierLane> => {
  const lane = new Lane(parts)
  return makeActionLane<ApplierAction, StoreError | ApplierFailed>(
    1,
    (actions) => Effect.forEach(actions, (action) => lane.one(action), { discard: true })
  )
}

/** Reads the bodies of a block; a unit that the store has lost is damage, and no peer's or applier's fault. */
export const readBlock = Effect.fnUntraced(function*(store: ChainStoreService, header: HeaderFacts) {
  const held = yield* store.readUnits(header.id)
  const units: Array<Uint8Array> = []
  for (let unit = 0; unit < header.units; unit++) {
    const body = held[unit]
    if (body === undefined) {
      return yield* new StoreError({
        reason: "damaged",
        path: "",
        message:
          `unit ${unit} of block ${header.id} (level ${header.level}) cannot be read any more; start again, it will be fetched anew`
      })
    }
    units.push(body)
  }
  return { header, units } satisfies Block
})

/** What an applier says must fit what it was given, or nobody knows what it has applied. */
const checked = (applier: BlockApplierService, given: number, result: ApplyResult) => {
  const { applied, outcome } = result
  const fits = Number.isInteger(applied) && applied >= 0 && (outcome === "ok" ? applied === given : applied < given)
  return fits ? Effect.succeed(result) : Effect.fail(
    new ApplierFailed({
      applier: applier.name,
      message:
        `it was given ${given} blocks and reports ${applied} of them applied with outcome ${outcome}: a defect of the applier`
    })
  )
}

/** `apply`, with its answer checked. */
export const applyBlocks = (applier: BlockApplierService, blocks: ReadonlyArray<Block>) =>
  Effect.flatMap(applier.apply(blocks), (result) => checked(applier, blocks.length, result))

class Lane {
  private readonly parts: ApplierLaneParts
  /** Header of the last applied block. */
  private previous: HeaderFacts | undefined

  constructor(parts: ApplierLaneParts) {
    this.parts = parts
    this.previous = parts.headFacts
  }

  one(action: ApplierAction): Effect.Effect<void, StoreError | ApplierFailed> {
    switch (action.kind) {
      case "apply":
        return this.apply(action)
      case "rollback":
      case "switch":
        return this.move(action)
      case "forget-branch":
        return this.parts.applier.forget(action.id)
    }
  }

  private apply(action: ApplyAction): Effect.Effect<void, StoreError | ApplierFailed> {
    const { applier, store, tell } = this.parts
    return Effect.gen({ self: this }, function*() {
      const ids = action.blocks.map((header) => header.id)
      const report = (result: ApplyResult) => tell({ kind: "applied", branch: action.branch, blocks: ids, ...result })
      const parent = action.blocks[0]?.parent ?? ""
      if (action.branch === "head" && parent !== store.head.id) {
        // It was given out behind a batch that failed.
        return report({ applied: 0, outcome: "transient", reason: `${parent} is not the head` })
      }
      let previous = action.branch === "head" ? this.previous : yield* this.headerOf(parent)
      let applied = 0
      for (const batch of this.batches(action.blocks)) {
        const fault = this.linkFault(previous, batch)
        const good = fault === undefined ? batch : batch.slice(0, fault.at)
        const blocks = applier.needsBodies
          ? yield* Effect.forEach(good, (header) => readBlock(store, header))
          : good.map((header) => ({ header, units: [] }))
        const result = blocks.length === 0
          ? { applied: 0, outcome: "ok" as const, reason: "" }
          : yield* applyBlocks(applier, blocks)
        if (result.applied > 0) yield* this.record(action, applied, good.slice(0, result.applied))
        applied += result.applied
        if (result.outcome !== "ok") return report({ ...result, applied })
        if (fault !== undefined) return report({ applied, outcome: "invalid", reason: fault.reason })
        previous = batch.at(-1)
      }
      report({ applied, outcome: "ok", reason: "" })
    })
  }

  private record(action: ApplyAction, before: number, done: ReadonlyArray<HeaderFacts>) {
    if (action.branch === "side") return Effect.void
    this.previous = done.at(-1)
    const ids = done.map((header) => header.id)
    return this.parts.store.appendApplied({ kind: "apply", ids, firstLevel: action.firstLevel + before })
  }

  private headerOf(id: BlockId): Effect.Effect<HeaderFacts | undefined, StoreError> {
    const { baseHeader, store } = this.parts
    return Effect.map(store.readHeaders([id]), ([header]) => header ?? (baseHeader?.id === id ? baseHeader : undefined))
  }

  /** First block that does not follow from the one before it. */
  private linkFault(
    before: HeaderFacts | undefined,
    headers: ReadonlyArray<HeaderFacts>
  ): { readonly at: number; readonly reason: string } | undefined {
    let previous = before
    for (const [at, header] of headers.entries()) {
      const reason = previous === undefined ? undefined : this.parts.rules.checkLink(header, previous)
      if (reason !== undefined) return { at, reason }
      previous = header
    }
    return undefined
  }

  /** Bodies are read a few at a time, so that a batch of large blocks stays within the budget. */
  private batches(headers: ReadonlyArray<HeaderFacts>): ReadonlyArray<ReadonlyArray<HeaderFacts>> {
    if (!this.parts.applier.needsBodies) return [headers]
    const batches: Array<ReadonlyArray<HeaderFacts>> = []
    for (let at = 0; at < headers.length; at += ChainLimits.blocksReadAhead) {
      batches.push(headers.slice(at, at + ChainLimits.blocksReadAhead))
    }
    return batches
  }

  /**
   * The applier moves first, then the store follows. A crash in between leaves an applier that is not where the store says, which `reconcile` resolves
   * either way: one that went back is given the blocks again; one that switched is found on the chosen segment of its new branch, which is durable
   * before it moves.
   */
  private move(action: Extract<ApplierAction, { readonly kind: "rollback" | "switch" }>) {
    const { applier, store, stored, tell } = this.parts
    return Effect.gen({ self: this }, function*() {
      const fork = action.kind === "rollback" ? action.to : action.fork
      if (action.kind === "rollback") yield* applier.rollback(action.to)
      else yield* Effect.andThen(stored, applier.moveHead(action.to))
      if (fork.id !== store.head.id) yield* store.appendApplied({ kind: "rollback", to: fork })
      if (action.kind === "switch") {
        yield* store.appendApplied({ kind: "apply", ids: action.ids, firstLevel: fork.level + 1 })
      }
      this.previous = yield* this.headerOf(action.to.id)
      tell({ kind: "moved", to: action.to })
    })
  }
}
