/** An applier that keeps `level → block id` in a key-value store. */
import { ApplierFailed, BlockApplier, ChainStore } from "@peerstrap/chain-bootstrap"
import type { BlockApplierService, BlockRef } from "@peerstrap/chain-bootstrap"
import { applierKind, storeKind } from "@peerstrap/chain-bootstrap/plugin"
import { definePlugin } from "@peerstrap/plugin-host"
import { KeyValue, type KeyValueError } from "@peerstrap/storage"
import { keyValueKind } from "@peerstrap/storage/plugin"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { added, headOf, type Store, undone } from "./Index.ts"

const gone = ({ message }: KeyValueError) => new ApplierFailed({ applier: "index", message })
const done = (applied: number) => ({ applied, outcome: "ok", reason: "" }) as const
const later = (reason: string) => ({ applied: 0, outcome: "transient", reason }) as const

/** A full or busy disk may recover: the blocks are tried again. A store that is damaged or closed will not: the run ends. */
const failed = (error: KeyValueError) =>
  ["no-space", "busy", "io"].includes(error.reason) ? Effect.succeed(later(error.message)) : Effect.fail(gone(error))

/**
 * `base` is the block below the first one: an index without anything in it stands there. The head is asked of the store each time, once a batch, so that
 * no interrupted call, failed write or restart can leave this applier with another idea of it.
 */
export const makeIndexApplier = (store: Store, base: BlockRef): BlockApplierService => {
  const head = Effect.map(headOf(store), (found) => found ?? base)
  return {
    name: "index",
    needsBodies: false, // nothing is read of what is in a block
    branches: "one", // a reorganisation rolls back, then applies the other branch
    head: Effect.mapError(head, gone),
    apply: (blocks) =>
      Effect.gen(function*() {
        if (blocks.length === 0) return done(0)
        const at = yield* head
        if (blocks[0]?.header.parent !== at.id) return later(`the index ends at ${at.id}, level ${at.level}`)
        yield* store.write(added(blocks)) // all of it or nothing, with the head
        return done(blocks.length)
      }).pipe(Effect.catch(failed)),
    rollback: (to) => head.pipe(Effect.flatMap((at) => store.write(undone(at, to))), Effect.mapError(gone)),
    moveHead: () => Effect.void, // this and the next are asked only of appliers with `branches: "many"`
    forget: () => Effect.void
  }
}

const made = Effect.zipWith(KeyValue, ChainStore, (store, { identity }) => makeIndexApplier(store, identity.base))

export const indexApplier = definePlugin({
  id: "chain.applier.index",
  version: "1.0.0",
  stability: "beta",
  summary: "Keeps which block is at which level, in a key-value store.",
  provides: [applierKind],
  requires: [keyValueKind, storeKind], // the store of the chain knows the base
  config: Schema.Struct({}),
  layer: () => Layer.effect(BlockApplier, made)
})
