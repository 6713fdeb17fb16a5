// The store's lane: order, few commits, memory given back when it is durable, flushes that never hang.
import { assert, describe, it } from "@effect/vitest"
import { ByteLedger } from "@peerstrap/transport"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { makeActionLane } from "../src/adapter/ActionLane.ts"
import { BodyMemory } from "../src/adapter/BodyMemory.ts"
import { knownPeersDocument, makeStoreLane } from "../src/adapter/StoreLane.ts"
import { StoreError } from "../src/contract/ChainStore.ts"
import type { SyncEvent } from "../src/contract/ChainSync.ts"
import { chainOf, evidenceOf, memoryStore } from "./AdapterWorld.ts"

const world = Effect.fnUntraced(function*(beforeDurable: (bytes: number) => Effect.Effect<void, StoreError>) {
  const chain = chainOf(6)
  const store = yield* memoryStore(chain, { beforeDurable })
  const told: Array<SyncEvent> = []
  const bodies = new BodyMemory(new ByteLedger(2 ** 20))
  let done = 0
  const lane = yield* makeStoreLane({ store, bodies, tell: (event) => told.push(event), onDone: () => void done++ })
  const storeUnit = (level: number, unit: number): void => {
    const { header, units } = chain.at(level)
    assert.isTrue(bodies.tryDraw(units[unit]!.length))
    lane.offer({ kind: "store-units", units: [{ block: header.id, unit, body: units[unit]! }] })
  }
  return { bodies, chain, lane, store, storeUnit, told, turns: () => done }
})

describe("the store's lane", () => {
  it.effect("writes headers and units that follow each other together, in order with the rest", () =>
    Effect.gen(function*() {
      let commits = 0
      const { bodies, chain, lane, store, storeUnit, told, turns } = yield* world(() =>
        Effect.sync(() => void commits++)
      )
      for (let level = 1; level <= 4; level++) {
        lane.offer({ kind: "store-headers", headers: [chain.at(level).header] })
        storeUnit(level, 0)
        storeUnit(level, 1)
      }
      const top = chain.at(4).header
      lane.offer({
        kind: "store-segment",
        ids: chain.ids(1, 4),
        firstLevel: 1,
        evidence: evidenceOf(chain.base, { id: top.id, level: 4 }),
        peers: []
      })
      lane.offer({ kind: "load-headers", ids: [top.id, "ff".repeat(32)] })
      lane.offer({ kind: "save-peers", text: "{}" })
      assert.strictEqual(lane.waiting, 15)
      assert.isAbove(bodies.drawn, 0)
      const fiber = yield* Effect.forkChild(lane.run)
      yield* lane.flushed
      assert.deepStrictEqual(told.map(({ kind }) => kind), ["units-stored", "segment-stored", "headers-loaded"])
      assert.deepInclude(told[2], { headers: [top], missing: ["ff".repeat(32)] })
      assert.deepStrictEqual([commits, bodies.drawn, turns(), lane.waiting], [4, 0, 1, 0])
      assert.strictEqual(yield* store.readDocument(knownPeersDocument), "{}")
      assert.deepStrictEqual(store.pending.ids, chain.ids(1, 4))
      yield* Fiber.interrupt(fiber)
    }).pipe(Effect.scoped))

  it.effect("gives memory back when a body is durable, not before", () =>
    Effect.gen(function*() {
      const [begun, gate] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
      const { bodies, lane, storeUnit, told } = yield* world(() =>
        Effect.andThen(Deferred.succeed(begun, undefined), Deferred.await(gate))
      )
      storeUnit(1, 1)
      const drawn = bodies.drawn
      const fiber = yield* Effect.forkChild(lane.run)
      yield* Deferred.await(begun)
      assert.deepStrictEqual([bodies.drawn, told.length], [drawn, 0])
      yield* Deferred.succeed(gate, undefined)
      yield* lane.flushed
      assert.deepStrictEqual([bodies.drawn, told.length], [0, 1])
      yield* Fiber.interrupt(fiber)
    }).pipe(Effect.scoped))

  it.effect("that has failed says why, and nobody waits for it any more", () =>
    Effect.gen(function*() {
      const full = new StoreError({ reason: "no-space", path: "x", message: "the disk is full" })
      const { lane, storeUnit } = yield* world(() => Effect.fail(full))
      const early = yield* Effect.forkChild(lane.flushed, { startImmediately: true })
      storeUnit(1, 0)
      const behind = yield* Effect.forkChild(lane.flushed, { startImmediately: true })
      assert.strictEqual(yield* Effect.flip(lane.run), full)
      yield* Fiber.join(early)
      yield* Fiber.join(behind)
      yield* lane.flushed
    }).pipe(Effect.scoped))
})

describe("a lane", () => {
  it.effect("hands out no more than it may at a time, and a flush waits for what came before it alone", () =>
    Effect.gen(function*() {
      const batches: Array<number> = []
      const lane = yield* makeActionLane<{ readonly kind: "a" }, never>(
        3,
        (actions) => Effect.sync(() => void batches.push(actions.length))
      )
      for (let n = 0; n < 7; n++) lane.offer({ kind: "a" })
      const flush = yield* Effect.forkChild(lane.flushed, { startImmediately: true })
      lane.offer({ kind: "a" })
      const fiber = yield* Effect.forkChild(lane.run)
      yield* Fiber.join(flush)
      assert.deepStrictEqual(batches, [3, 3, 1])
      yield* lane.flushed
      assert.deepStrictEqual(batches, [3, 3, 1, 1])
      yield* Fiber.interrupt(fiber)
      yield* lane.flushed
    }))
})
