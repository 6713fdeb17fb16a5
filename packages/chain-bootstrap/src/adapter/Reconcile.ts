/**
 * Brings an applier that keeps a head of its own and the store together, before anything new is fetched: blocks that the store has and the applier
 * lacks are applied again from the store; blocks that the applier has and the store did not record are recorded.
 */
import * as Effect from "effect/Effect"
import type { Block, BlockRef } from "../contract/Block.ts"
import { ApplierFailed, type BlockApplierService } from "../contract/BlockApplier.ts"
import { ChainLimits } from "../contract/ChainLimits.ts"
import { type ChainStoreService, StoreError } from "../contract/ChainStore.ts"
import type { SyncTimers } from "../contract/ChainSync.ts"
import { applyBlocks, readBlock } from "./ApplierLane.ts"

const headersAt = Effect.fnUntraced(function*(store: ChainStoreService, fromLevel: number, toLevel: number) {
  const ids: Array<string> = []
  for (let level = fromLevel; level <= toLevel; level++) ids.push(store.appliedAt(level) ?? "")
  const headers = (yield* store.readHeaders(ids)).flatMap((header) => header ?? [])
  if (headers.length === ids.length) return headers
  return yield* new StoreError({
    reason: "damaged",
    path: "",
    message:
      `a header of an applied block between levels ${fromLevel} and ${toLevel} cannot be read any more; without it the applier cannot catch up: ` +
      "start with another --store"
  })
})

type RetryTimers = Pick<SyncTimers, "applyRetry" | "applyRetryLongest">

/** Applies from the store what lies between the applier's head and the store's. */
const replay = Effect.fnUntraced(function*(
  store: ChainStoreService,
  applier: BlockApplierService,
  from: BlockRef,
  timers: RetryTimers
) {
  let failures = 0
  for (let level = from.level + 1; level <= store.head.level;) {
    const headers = yield* headersAt(store, level, Math.min(store.head.level, level + ChainLimits.blocksReadAhead - 1))
    const blocks: ReadonlyArray<Block> = applier.needsBodies
      ? yield* Effect.forEach(headers, (header) => readBlock(store, header))
      : headers.map((header) => ({ header, units: [] }))
    const result = yield* applyBlocks(applier, blocks)
    level += result.applied
    if (result.applied > 0) failures = 0
    if (result.outcome === "ok") continue
    if (result.outcome === "transient" && ++failures < ChainLimits.replayTries) {
      yield* Effect.sleep(Math.min(timers.applyRetryLongest, timers.applyRetry * 2 ** failures))
      continue
    }
    return yield* new ApplierFailed({
      applier: applier.name,
      message: `it does not apply level ${level} again, which this store has recorded as applied: ${result.reason}`
    })
  }
})

/** A switch to another branch that was cut off after the applier had moved: the chosen segment of that branch tells what to record. */
const finishSwitch = Effect.fnUntraced(function*(store: ChainStoreService, head: BlockRef) {
  for (const { evidence, firstLevel, ids } of (yield* store.evidence(head.level, head.level)).toReversed()) {
    const fork: BlockRef = { id: evidence.baseId, level: firstLevel - 1 }
    if (ids[head.level - firstLevel] !== head.id || store.appliedAt(fork.level) !== fork.id) continue
    if (fork.id !== store.head.id) yield* store.appendApplied({ kind: "rollback", to: fork })
    yield* store.appendApplied({ kind: "apply", ids: ids.slice(0, head.level - firstLevel + 1), firstLevel })
    return true
  }
  return false
})

export const reconcile = Effect.fn("reconcile")(function*(
  store: ChainStoreService,
  applier: BlockApplierService,
  timers: RetryTimers
) {
  const head = yield* applier.head
  if (head === undefined || head.id === store.head.id) return
  if (store.appliedLevel(head.id) === head.level) return yield* replay(store, applier, head, timers)
  const { firstLevel, ids } = store.pending
  const ahead = ids.indexOf(head.id)
  if (ahead >= 0) return yield* store.appendApplied({ kind: "apply", ids: ids.slice(0, ahead + 1), firstLevel })
  if (applier.branches === "many" && (yield* finishSwitch(store, head))) return
  // A node that is ahead of our store on its own: what we hand to it again, it knows.
  if (applier.branches === "many" && head.level > store.head.level) return
  return yield* new ApplierFailed({
    applier: applier.name,
    message:
      `its head ${head.id} (level ${head.level}) is not on the chain of this store, whose head is ${store.head.id} (level ${store.head.level}); ` +
      "start with another --store, or bring the applier back to a block of this chain"
  })
})
