// A store and an applier with a head of its own meet again: behind, ahead, elsewhere.
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { reconcile } from "../src/adapter/Reconcile.ts"
import { simulator, type SimulatorOptions } from "../src/applier/SimulatorApplier.ts"
import { ApplierFailed, type BlockApplierService } from "../src/contract/BlockApplier.ts"
import { ChainLimits } from "../src/contract/ChainLimits.ts"
import { type ChainStoreService, StoreError } from "../src/contract/ChainStore.ts"
import { defaultSyncTimers } from "../src/engine/SyncDefaults.ts"
import { chainOf, driven, filledStore } from "./AdapterWorld.ts"

const chain = chainOf(20)
const at = (level: number) => ({ id: chain.at(level).header.id, level })

const applierAt = (level: number, given: Partial<SimulatorOptions> = {}) =>
  Effect.gen(function*() {
    const applier = simulator({ base: chain.base, branches: "one", ...given })
    if (level > 0) yield* applier.apply(chain.main.slice(1, level + 1))
    return applier
  })

const storeAt = (applied: number, chosen = applied) => filledStore(chain, { stored: 20, chosen, applied })

const meet = (store: ChainStoreService, applier: BlockApplierService) => reconcile(store, applier, defaultSyncTimers)

describe("reconcile", () => {
  it.effect("leaves alone what agrees, and appliers without a head", () =>
    Effect.gen(function*() {
      const store = yield* storeAt(9)
      const applier = yield* applierAt(9)
      yield* meet(store, applier)
      yield* meet(store, { ...applier, head: Effect.undefined })
      assert.deepStrictEqual([store.head, applier.tries], [at(9), 9])
    }).pipe(Effect.scoped))

  it.effect("gives an applier that is behind what the store has recorded, with bodies", () =>
    Effect.gen(function*() {
      for (const from of [0, 3, 12]) {
        const [store, applier, straight] = [yield* storeAt(13), yield* applierAt(from), yield* applierAt(13)]
        yield* meet(store, applier)
        assert.deepStrictEqual(applier.current, at(13))
        assert.strictEqual(applier.stateOf(at(13).id), straight.stateOf(at(13).id))
      }
    }).pipe(Effect.scoped))

  it.effect("records what an applier did that the store did not hear of", () =>
    Effect.gen(function*() {
      const [store, applier] = [yield* storeAt(5, 15), yield* applierAt(9)]
      yield* meet(store, applier)
      assert.deepStrictEqual([store.head, store.pending.firstLevel, store.pending.ids.length], [at(9), 10, 6])
    }).pipe(Effect.scoped))

  it.effect("leaves a node alone that is ahead on its own, and refuses an applier that is elsewhere", () =>
    Effect.gen(function*() {
      const store = yield* storeAt(5)
      const ahead = yield* applierAt(9, { branches: "many" })
      yield* meet(store, ahead)
      assert.strictEqual(store.head.level, 5)
      const elsewhere = { ...ahead, head: Effect.succeed({ id: "ee".repeat(32), level: 4 }) }
      const error = yield* Effect.flip(meet(store, elsewhere))
      assert.instanceOf(error, ApplierFailed)
      assert.match(error.message, /not on the chain of this store.*--store/s)
      const single = yield* applierAt(9)
      assert.instanceOf(yield* Effect.flip(meet(store, single)), ApplierFailed)
    }).pipe(Effect.scoped))

  it.effect("tries again what may pass, not for ever, and never what is invalid", () =>
    Effect.gen(function*() {
      let busy = 3
      const tired = yield* applierAt(0, { judge: () => busy-- > 0 ? { retry: "busy" } : "ok" })
      const store = yield* storeAt(10)
      yield* driven(meet(store, tired))
      assert.deepStrictEqual(tired.current, at(10))
      const never = yield* applierAt(0, { judge: () => ({ retry: "busy" }) })
      assert.match((yield* driven(Effect.flip(meet(store, never)))).message, /level 1 again.*busy/)
      assert.strictEqual(never.tries, ChainLimits.replayTries)
      const firm = yield* applierAt(0, { judge: ({ header }) => header.level === 4 ? { invalid: "no" } : "ok" })
      assert.match((yield* Effect.flip(meet(store, firm))).message, /level 4 again.*no/)
      assert.strictEqual(firm.tries, 4)
    }).pipe(Effect.scoped))

  it.effect("ends when the store has lost a header or a body, or the applier says what cannot be", () =>
    Effect.gen(function*() {
      const store = yield* storeAt(10)
      const blind: ChainStoreService = {
        ...store,
        head: store.head,
        pending: store.pending,
        looseHeaders: 0,
        readHeaders: (ids) =>
          Effect.map(store.readHeaders(ids), (found) => found.map((header) => header?.level === 6 ? undefined : header))
      }
      const applier = yield* applierAt(2)
      const lost = yield* Effect.flip(meet(blind, applier))
      assert.instanceOf(lost, StoreError)
      assert.match(lost.message, /between levels 3 and 6/)
      const hollow: ChainStoreService = {
        ...blind,
        readHeaders: store.readHeaders,
        readUnits: () => Effect.succeed([])
      }
      assert.instanceOf(yield* Effect.flip(meet(hollow, applier)), StoreError)
      const idle = { ...applier, apply: () => Effect.succeed({ applied: 0, outcome: "ok", reason: "" } as const) }
      assert.match((yield* Effect.flip(meet(store, idle))).message, /a defect of the applier/)
    }).pipe(Effect.scoped))
})
