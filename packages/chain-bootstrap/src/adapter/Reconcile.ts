/**
 * Brings an applier that keeps a head of its own and the store together, before anything new is fetched: blocks that the store has and the applier
 * lacks are applied again from the store; blocks that the applier has and the store did not record are recorded.
 */
import * as Effect from "effect/Effect"
import type { BlockRef, HeaderFacts } from "../contract/Block.ts"
import { ApplierFailed, type BlockApplierService } from "../contract/BlockApplier.ts"
import { ChainLimits } from "../contract/ChainLimits.ts"
import type { ChainStoreService } from "../contract/ChainStore.ts"
import { readBlock } from "./ApplierLane.ts"

const headersAt = Effect.fnUntraced(function*(store: ChainStoreService, fromLevel: number, toLevel: number) {
  const ids: Array<string> = []
  for (let level = fromLevel; level <= toLevel; level++) ids.push(store.appliedAt(level) ?? "")
  return (yield* store.readHeaders(ids)).flatMap((header) => header ?? [])
})

/** Applies from the store what lies between the applier's head and the store's. */
const replay = Effect.fnUntraced(function*(store: ChainStoreService, applier: BlockApplierService, from: BlockRef) {
  for (let level = from.level + 1; level <= store.head.level;) {
    const top = Math.min(store.head.level, level + ChainLimits.blocksReadAhead - 1)
    const headers: ReadonlyArray<HeaderFacts> = yield* headersAt(store, level, top)
    const blocks = applier.needsBodies
      ? yield* Effect.forEach(headers, (header) => readBlock(store, header))
      : headers.map((header) => ({ header, units: [] }))
    const result = yield* applier.apply(blocks)
    level += result.applied
    if (result.outcome === "ok") continue
    return yield* new ApplierFailed({
      applier: applier.name,
      message: `it does not apply level ${level} again, which this store has recorded as applied: ${result.reason}`
    })
  }
})

export const reconcile = Effect.fn("reconcile")(function*(store: ChainStoreService, applier: BlockApplierService) {
  const head = yield* applier.head
  if (head === undefined || head.id === store.head.id) return
  if (store.appliedLevel(head.id) === head.level) return yield* replay(store, applier, head)
  const { firstLevel, ids } = store.pending
  const ahead = ids.indexOf(head.id)
  if (ahead >= 0) return yield* store.appendApplied({ kind: "apply", ids: ids.slice(0, ahead + 1), firstLevel })
  // A node that is ahead of our store on its own: what we hand to it again, it knows.
  if (applier.branches === "many" && head.level > store.head.level) return
  return yield* new ApplierFailed({
    applier: applier.name,
    message:
      `its head ${head.id} (level ${head.level}) is not on the chain of this store, whose head is ${store.head.id} (level ${store.head.level}); ` +
      "start with another --store, or bring the applier back to a block of this chain"
  })
})
