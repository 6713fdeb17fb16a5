/**
 * Writes and reads what the engine wants, in its order, in as few commits as there is time for: while one commit is on its way to the disk, the next
 * ones gather.
 */
import * as Effect from "effect/Effect"
import type { BodyUnit, HeaderFacts } from "../contract/Block.ts"
import { ChainLimits } from "../contract/ChainLimits.ts"
import type { ChainStoreService, StoreError } from "../contract/ChainStore.ts"
import type { SyncAction, SyncEvent } from "../contract/ChainSync.ts"
import { type ActionLane, makeActionLane } from "./ActionLane.ts"
import type { BodyMemory } from "./BodyMemory.ts"

export type StoreAction = Extract<
  SyncAction,
  { readonly kind: "store-headers" | "store-units" | "store-segment" | "load-headers" | "save-peers" }
>

export type StoreLane = ActionLane<StoreAction, StoreError>

export interface StoreLaneParts {
  readonly store: ChainStoreService
  /** Bodies of offered units are drawn from it, and given back when they are durable. */
  readonly bodies: BodyMemory
  readonly tell: (event: SyncEvent) => void
  /** Some actions are done: memory may be free, and the lane shorter. */
  readonly onDone: () => void
}

/** Name of the store's document with the known peers. */
export const knownPeersDocument = "known-peers"

type Append = Extract<StoreAction, { readonly kind: "store-headers" | "store-units" }>
type Single = Exclude<StoreAction, Append>

const isAppend = (action: StoreAction): action is Append =>
  action.kind === "store-headers" || action.kind === "store-units"

export const makeStoreLane = (parts: StoreLaneParts): Effect.Effect<StoreLane> => {
  const work = Effect.fnUntraced(function*(actions: ReadonlyArray<StoreAction>) {
    let appends: Array<Append> = []
    for (const action of actions) {
      if (isAppend(action)) {
        appends.push(action)
        continue
      }
      yield* appendAll(parts, appends)
      appends = []
      yield* one(parts, action)
    }
    yield* appendAll(parts, appends)
    parts.onDone()
  })
  return makeActionLane<StoreAction, StoreError>(ChainLimits.storeActionsPerCommit, work)
}

/** Headers and units that follow each other: two commits for all of them, because neither needs the other. */
const appendAll = Effect.fnUntraced(function*({ bodies, store, tell }: StoreLaneParts, appends: ReadonlyArray<Append>) {
  const headers: Array<HeaderFacts> = []
  const units: Array<BodyUnit> = []
  for (const action of appends) {
    if (action.kind === "store-headers") { for (const header of action.headers) headers.push(header) }
    else for (const unit of action.units) units.push(unit)
  }
  if (headers.length > 0) yield* store.appendHeaders(headers)
  if (units.length === 0) return
  yield* store.appendUnits(units)
  for (const { body } of units) bodies.giveBack(body.length)
  tell({ kind: "units-stored", units: units.map(({ block, unit }) => ({ block, unit })) })
})

const one = Effect.fnUntraced(function*({ store, tell }: StoreLaneParts, action: Single) {
  switch (action.kind) {
    case "store-segment": {
      const { evidence, firstLevel, ids, peers } = action
      yield* store.appendSegment({ ids, firstLevel, evidence, peers })
      return tell({ kind: "segment-stored", topLevel: firstLevel + ids.length - 1 })
    }
    case "load-headers": {
      const found = yield* store.readHeaders(action.ids)
      const missing = action.ids.filter((_, at) => found[at] === undefined)
      return tell({ kind: "headers-loaded", headers: found.flatMap((header) => header ?? []), missing })
    }
    case "save-peers":
      return yield* store.writeDocument(knownPeersDocument, action.text)
  }
})
