/**
 * Hands blocks to the applier, one batch after the other, and records what it applied. Each block's relations to its predecessor are checked here
 * once more, with both headers at hand, whatever the engine could see while it collected them (specs: chain bootstrap 2.7, 5.12 invariant 2).
 */
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import type { Block, HeaderFacts } from "../contract/Block.ts"
import type { ApplierFailed, ApplyResult, BlockApplierService } from "../contract/BlockApplier.ts"
import { ChainLimits } from "../contract/ChainLimits.ts"
import type { ChainRules } from "../contract/ChainRules.ts"
import { type ChainStoreService, StoreError } from "../contract/ChainStore.ts"
import type { SyncAction, SyncEvent } from "../contract/ChainSync.ts"

export type ApplierAction = Extract<SyncAction, { readonly kind: "apply" | "rollback" | "switch" | "forget-branch" }>

export interface ApplierLane {
  offer(action: ApplierAction): void
  readonly run: Effect.Effect<never, StoreError | ApplierFailed>
  /** Everything offered before is done when it completes. */
  readonly flushed: Effect.Effect<void>
}

export interface ApplierLaneParts {
  readonly store: ChainStoreService
  readonly applier: BlockApplierService
  readonly rules: ChainRules
  /** Header of the last applied block, where it is known. */
  readonly headFacts: HeaderFacts | undefined
  readonly tell: (event: SyncEvent) => void
}

type Item = ApplierAction | { readonly kind: "flush"; readonly done: () => void }
type ApplyAction = Extract<ApplierAction, { readonly kind: "apply" }>

export const makeApplierLane = Effect.fnUntraced(function*(parts: ApplierLaneParts) {
  const items = yield* Queue.unbounded<Item>()
  const lane: ApplierLane = {
    offer: (action) => void Queue.offerUnsafe(items, action),
    run: new Lane(parts, items).run,
    flushed: Effect.callback<void>((resume) => {
      Queue.offerUnsafe(items, { kind: "flush", done: () => resume(Effect.void) })
    })
  }
  return lane
})

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

class Lane {
  private readonly parts: ApplierLaneParts
  private readonly items: Queue.Dequeue<Item>
  private previous: HeaderFacts | undefined

  constructor(parts: ApplierLaneParts, items: Queue.Dequeue<Item>) {
    this.parts = parts
    this.items = items
    this.previous = parts.headFacts
  }

  get run(): Effect.Effect<never, StoreError | ApplierFailed> {
    return Effect.forever(Effect.flatMap(Queue.take(this.items), (item) => this.one(item)))
  }

  private one(item: Item): Effect.Effect<void, StoreError | ApplierFailed> {
    switch (item.kind) {
      case "apply":
        return this.apply(item)
      case "rollback":
      case "switch":
        return this.move(item)
      case "forget-branch":
        return this.parts.applier.forget(item.id)
      case "flush":
        return Effect.sync(item.done)
    }
  }

  private apply(action: ApplyAction): Effect.Effect<void, StoreError | ApplierFailed> {
    const { applier, store, tell } = this.parts
    const lane = this
    return Effect.gen(function*() {
      const ids = action.blocks.map((header) => header.id)
      const report = (result: ApplyResult) => tell({ kind: "applied", branch: action.branch, blocks: ids, ...result })
      if (action.branch === "head" && action.blocks[0]?.parent !== store.head.id) {
        return report({ applied: 0, outcome: "ok", reason: "" })
      }
      let applied = 0
      for (const batch of lane.batches(action.blocks)) {
        const fault = action.branch === "head" ? lane.linkFault(batch) : undefined
        const good = fault === undefined ? batch : batch.slice(0, fault.at)
        const blocks = applier.needsBodies
          ? yield* Effect.forEach(good, (header) => readBlock(store, header))
          : good.map((header) => ({ header, units: [] }))
        const result = blocks.length === 0
          ? { applied: 0, outcome: "ok" as const, reason: "" }
          : yield* applier.apply(blocks)
        if (result.applied > 0) yield* lane.record(action, applied, good.slice(0, result.applied))
        applied += result.applied
        if (result.outcome !== "ok") return report({ ...result, applied })
        if (fault !== undefined) return report({ applied, outcome: "invalid", reason: fault.reason })
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

  /** First block that does not follow from the one before it. */
  private linkFault(headers: ReadonlyArray<HeaderFacts>): { readonly at: number; readonly reason: string } | undefined {
    let previous = this.previous
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

  private move(action: Extract<ApplierAction, { readonly kind: "rollback" | "switch" }>) {
    const { applier, store, tell } = this.parts
    const lane = this
    return Effect.gen(function*() {
      const fork = action.kind === "rollback" ? action.to : action.fork
      if (action.kind === "rollback") yield* applier.rollback(action.to)
      else yield* applier.moveHead(action.to)
      if (fork.id !== store.head.id) yield* store.appendApplied({ kind: "rollback", to: fork })
      if (action.kind === "switch") {
        yield* store.appendApplied({ kind: "apply", ids: action.ids, firstLevel: fork.level + 1 })
      }
      const [header] = yield* store.readHeaders([action.to.id])
      lane.previous = header
      tell({ kind: "moved", to: action.to })
    })
  }
}
