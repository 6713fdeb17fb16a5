// A whole run over the memory transport in virtual time: how it reaches the head, stops, fails, and what becomes of every byte of the ledger.
import { assert, describe, it } from "@effect/vitest"
import { Memory } from "@peerstrap/transport"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import { makeMedium } from "../src/adapter/store/MemoryChainStore.ts"
import { simulator } from "../src/applier/SimulatorApplier.ts"
import { ApplierFailed } from "../src/contract/BlockApplier.ts"
import { type ChainStoreService, StoreError } from "../src/contract/ChainStore.ts"
import type { Request } from "../src/contract/PeerMessage.ts"
import { SyncDefect } from "../src/contract/SyncRun.ts"
import { atHeadOf, chainOf, driven, memoryStore, peersOf, pointsOf, startRun, until } from "./AdapterWorld.ts"

const unitsAsked = (asked: ReadonlyArray<Request>): ReadonlyArray<string> =>
  asked.flatMap((request) =>
    request.kind === "get-units" ? request.items.map(({ block, unit }) => `${block}/${unit}`) : []
  )

const holdsAll = (store: ChainStoreService, chain: ReturnType<typeof chainOf>) =>
  Effect.gen(function*() {
    for (const { header, units } of chain.main.slice(1)) {
      assert.strictEqual(store.appliedAt(header.level), header.id)
      assert.deepStrictEqual((yield* store.readHeaders([header.id]))[0]?.bytes, header.bytes)
      assert.deepStrictEqual(yield* store.readUnits(header.id), units)
    }
  })

describe("a run", () => {
  it.effect("reaches the head from four peers, keeps all of it, and leaves nothing behind", () =>
    Effect.gen(function*() {
      const chain = chainOf(40)
      yield* atHeadOf(chain)
      const peers = yield* peersOf(chain, 4)
      const { ledger, run, store } = yield* startRun({ chain, named: pointsOf(peers) })
      const ended = yield* driven(run.done)
      assert.deepStrictEqual([ended?.outcome, ended?.head], ["level-reached", { id: chain.head.header.id, level: 40 }])
      yield* holdsAll(store, chain)
      assert.isAbove(ledger.peak, 0)
      assert.strictEqual(ledger.used, 0)
      yield* until(() => peers.every(({ sessions }) => sessions.size === 0))
      assert.isString(yield* store.readDocument("known-peers"))
      yield* run.stop
    }).pipe(Effect.scoped, Effect.provide(Memory.layer)))

  it.effect("stopped in the middle keeps what arrived, says farewell, and a second run asks for nothing twice", () =>
    Effect.gen(function*() {
      const chain = chainOf(60)
      yield* atHeadOf(chain)
      const peers = yield* peersOf(chain, 4)
      const medium = makeMedium()
      const first = yield* Scope.make()
      const applier = simulator({ base: chain.base, branches: "one" })
      const store = yield* Scope.provide(memoryStore(chain, { medium }), first)
      const { ledger, run } = yield* Scope.provide(
        startRun({ chain, store, applier, named: pointsOf(peers), sync: { applyWindow: 8, applyBatch: 4 } }),
        first
      )
      yield* until(() => store.head.level >= 12)
      yield* driven(Effect.all([run.stop, run.stop], { concurrency: 2 }))
      assert.isUndefined(yield* run.done)
      assert.isBelow(store.head.level, 60)
      assert.strictEqual(ledger.used, 0)
      assert.deepStrictEqual(applier.current, store.head)
      assert.match((yield* store.readDocument("known-peers")) ?? "", /peer-3/)
      yield* until(() => peers.every(({ sessions }) => sessions.size === 0))
      assert.deepStrictEqual(peers.map(({ ends }) => ends.map(({ kind }) => kind)), peers.map(() => ["farewell"]))
      const asked = peers.map(({ asked }) => asked.length)
      const held = new Set(
        chain.main.flatMap(({ header, units }) =>
          units.flatMap((_, unit) => (store.unitsHeld(header.id) & (1 << unit)) === 0 ? [] : [`${header.id}/${unit}`])
        )
      )
      assert.isAbove(held.size, 12)
      yield* Scope.close(first, Exit.void)
      const again = yield* startRun({
        chain,
        store: yield* memoryStore(chain, { medium }),
        applier,
        named: pointsOf(peers)
      })
      assert.strictEqual((yield* driven(again.run.done))?.outcome, "level-reached")
      const second = peers.flatMap((peer, at) => unitsAsked(peer.asked.slice(asked[at])))
      assert.deepStrictEqual(second.filter((key) => held.has(key)), [])
      yield* holdsAll(again.store, chain)
    }).pipe(Effect.scoped, Effect.provide(Memory.layer)))

  it.effect("whose scope is closed leaves nobody waiting, and its ledger is empty", () =>
    Effect.gen(function*() {
      const chain = chainOf(60)
      yield* atHeadOf(chain)
      const peers = yield* peersOf(chain, 4)
      const scope = yield* Scope.make()
      const begun = yield* Deferred.make<void>()
      const appendUnits = () => Effect.andThen(Deferred.succeed(begun, undefined), Effect.never)
      const store = Object.assign(Object.create(yield* memoryStore(chain)), { appendUnits })
      const { ledger, run } = yield* Scope.provide(startRun({ chain, store, named: pointsOf(peers) }), scope)
      yield* driven(Deferred.await(begun))
      assert.isAbove(ledger.used, 0)
      yield* driven(Scope.close(scope, Exit.void))
      assert.isUndefined(yield* run.done)
      yield* run.stop
      assert.strictEqual(ledger.used, 0)
      yield* until(() => peers.every(({ sessions }) => sessions.size === 0))
    }).pipe(Effect.scoped, Effect.provide(Memory.layer)))
})

describe("a run that fails", () => {
  it.effect("for want of space on the disk says so, with the ledger empty and the connections closed", () =>
    Effect.gen(function*() {
      const chain = chainOf(40)
      yield* atHeadOf(chain)
      const peers = yield* peersOf(chain, 4)
      const full = new StoreError({ reason: "no-space", path: "x", message: "the disk is full" })
      let written = 0
      const store = yield* memoryStore(chain, {
        beforeDurable: (bytes) => Effect.suspend(() => (written += bytes) > 6_000 ? Effect.fail(full) : Effect.void)
      })
      const { ledger, run } = yield* startRun({ chain, store, named: pointsOf(peers) })
      assert.strictEqual(yield* driven(Effect.flip(run.done)), full)
      assert.strictEqual(ledger.used, 0)
      yield* until(() => peers.every(({ sessions }) => sessions.size === 0))
      yield* run.stop
    }).pipe(Effect.scoped, Effect.provide(Memory.layer)))

  it.effect("while it is being stopped says so, too", () =>
    Effect.gen(function*() {
      const chain = chainOf(40)
      yield* atHeadOf(chain)
      const peers = yield* peersOf(chain, 4)
      const [begun, gate] = [yield* Deferred.make<void>(), yield* Deferred.make<void, StoreError>()]
      const store = yield* memoryStore(chain, {
        beforeDurable: () => Effect.andThen(Deferred.succeed(begun, undefined), Deferred.await(gate))
      })
      const { ledger, run } = yield* startRun({ chain, store, named: pointsOf(peers) })
      yield* driven(Deferred.await(begun))
      const stopping = yield* Effect.forkChild(run.stop)
      yield* driven(Effect.sleep(1_000))
      assert.isUndefined(stopping.pollUnsafe())
      const full = new StoreError({ reason: "no-space", path: "x", message: "the disk is full" })
      yield* Deferred.fail(gate, full)
      assert.strictEqual(yield* driven(Effect.flip(run.done)), full)
      yield* driven(Fiber.join(stopping))
      assert.strictEqual(ledger.used, 0)
    }).pipe(Effect.scoped, Effect.provide(Memory.layer)))

  it.effect("with its applier keeps what arrived and says so at once", () =>
    Effect.gen(function*() {
      const chain = chainOf(40)
      yield* atHeadOf(chain)
      const peers = yield* peersOf(chain, 4)
      const gone = new ApplierFailed({ applier: "test", message: "its process ended" })
      const inner = simulator({ base: chain.base, branches: "one" })
      const applier = {
        ...inner,
        apply: (blocks: Parameters<typeof inner.apply>[0]) =>
          (blocks[0]?.header.level ?? 0) > 10 ? Effect.fail(gone) : inner.apply(blocks)
      }
      const { ledger, run, store } = yield* startRun({
        chain,
        applier,
        named: pointsOf(peers),
        sync: { applyBatch: 4 }
      })
      assert.strictEqual(yield* driven(Effect.flip(run.done)), gone)
      assert.deepStrictEqual(inner.current, store.head)
      assert.strictEqual(ledger.used, 0)
    }).pipe(Effect.scoped, Effect.provide(Memory.layer)))

  const defects = {
    "an observer": (chain: ReturnType<typeof chainOf>) => ({
      chain,
      run: {
        onNotice: () => {
          throw new Error("thrown in the dark")
        }
      }
    }),
    "the applier": (chain: ReturnType<typeof chainOf>) => ({
      chain,
      applier: { ...simulator({ base: chain.base }), apply: () => Effect.die(new Error("thrown in the dark")) }
    })
  }
  for (const [what, given] of Object.entries(defects)) {
    it.effect(`by a defect of ${what} ends as a SyncDefect`, () =>
      Effect.gen(function*() {
        const chain = chainOf(20)
        yield* atHeadOf(chain)
        const peers = yield* peersOf(chain, 4)
        const { ledger, run } = yield* startRun({ named: pointsOf(peers), ...given(chain) })
        const error = yield* driven(Effect.flip(run.done))
        assert.instanceOf(error, SyncDefect)
        assert.match(error.message, /thrown in the dark/)
        assert.strictEqual(ledger.used, 0)
        yield* run.stop
      }).pipe(Effect.scoped, Effect.provide(Memory.layer)))
  }

  it.effect("with an applier that never comes back stops within its bound", () =>
    Effect.gen(function*() {
      const chain = chainOf(20)
      yield* atHeadOf(chain)
      const peers = yield* peersOf(chain, 4)
      const began = yield* Deferred.make<void>()
      const applier = {
        ...simulator({ base: chain.base }),
        apply: () => Effect.andThen(Deferred.succeed(began, undefined), Effect.never)
      }
      const { run } = yield* startRun({ chain, applier, named: pointsOf(peers) })
      yield* driven(Deferred.await(began))
      const stopping = yield* Effect.forkChild(run.stop)
      yield* driven(Effect.sleep(4_900))
      assert.isUndefined(stopping.pollUnsafe())
      yield* driven(Effect.sleep(1_500))
      assert.isDefined(stopping.pollUnsafe())
      yield* Fiber.join(stopping)
      assert.isUndefined(yield* run.done)
    }).pipe(Effect.scoped, Effect.provide(Memory.layer)))
})
