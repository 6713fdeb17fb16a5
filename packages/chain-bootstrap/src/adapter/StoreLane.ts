/**
 * Writes and reads what the engine wants, in its order, as few commits as there is time for: while one commit is on its way to the disk, the next
 * ones gather. Body bytes count in the ledger from their arrival until they are durable.
 */
import type { ByteLedger } from "@peerstrap/transport"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import type { BodyUnit, HeaderFacts } from "../contract/Block.ts"
import { ChainLimits } from "../contract/ChainLimits.ts"
import type { ChainStoreService, StoreError } from "../contract/ChainStore.ts"
import type { SyncAction, SyncEvent } from "../contract/ChainSync.ts"

export type StoreAction = Extract<
  SyncAction,
  { readonly kind: "store-headers" | "store-units" | "store-segment" | "load-headers" | "save-peers" }
>

/** Ledger account of bodies between a connection and the disk. */
export const bodyAccount = "bodies"

export interface StoreLane {
  offer(action: StoreAction): void
  /** Runs until interrupted or until the store fails. */
  readonly run: Effect.Effect<never, StoreError>
  /** Everything offered before is done when it completes. */
  readonly flushed: Effect.Effect<void>
}

export interface StoreLaneParts {
  readonly store: ChainStoreService
  readonly ledger: ByteLedger
  readonly tell: (event: SyncEvent) => void
  /** Bytes of the ledger were given back: paused connections may go on. */
  readonly released: () => void
}

type Item = StoreAction | { readonly kind: "flush"; readonly done: () => void }

export const makeStoreLane = Effect.fnUntraced(function*(parts: StoreLaneParts) {
  const items = yield* Queue.unbounded<Item>()
  const lane: StoreLane = {
    offer: (action) => void Queue.offerUnsafe(items, action),
    run: runLane(parts, items),
    flushed: Effect.callback<void>((resume) => {
      Queue.offerUnsafe(items, { kind: "flush", done: () => resume(Effect.void) })
    })
  }
  return lane
})

const runLane = Effect.fnUntraced(function*(parts: StoreLaneParts, items: Queue.Dequeue<Item>) {
  for (;;) {
    const taken = yield* Queue.takeBetween(items, 1, ChainLimits.storeActionsPerCommit)
    for (let at = 0; at < taken.length;) {
      const first = taken[at]
      if (first === undefined) break
      let end = at + 1
      while (end < taken.length && taken[end]?.kind === first.kind) end++
      yield* runGroup(parts, taken.slice(at, end))
      at = end
    }
  }
})

/** Actions of one kind that follow each other. */
const runGroup = Effect.fnUntraced(function*(parts: StoreLaneParts, group: ReadonlyArray<Item>) {
  const headers: Array<HeaderFacts> = []
  const units: Array<BodyUnit> = []
  for (const item of group) {
    if (item.kind === "store-headers") headers.push(...item.headers)
    else if (item.kind === "store-units") units.push(...item.units)
    else yield* runOne(parts, item)
  }
  if (headers.length > 0) yield* parts.store.appendHeaders(headers)
  if (units.length === 0) return
  yield* parts.store.appendUnits(units)
  for (const { body } of units) parts.ledger.release(bodyAccount, body.length)
  parts.released()
  parts.tell({ kind: "units-stored", units: units.map(({ block, unit }) => ({ block, unit })) })
})

const runOne = Effect.fnUntraced(function*({ store, tell }: StoreLaneParts, item: Item) {
  switch (item.kind) {
    case "store-segment": {
      const { evidence, firstLevel, ids, peers } = item
      yield* store.appendSegment({ ids, firstLevel, evidence, peers })
      return tell({ kind: "segment-stored", topLevel: firstLevel + ids.length - 1 })
    }
    case "load-headers": {
      const found = yield* store.readHeaders(item.ids)
      const missing = item.ids.filter((_, at) => found[at] === undefined)
      return tell({ kind: "headers-loaded", headers: found.flatMap((header) => header ?? []), missing })
    }
    case "save-peers":
      return yield* store.writeDocument(knownPeersDocument, item.text)
    case "flush":
      return item.done()
  }
})

/** Name of the store's document with the known peers. */
export const knownPeersDocument = "known-peers"
