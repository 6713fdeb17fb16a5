// The applier's lane: links are checked once more, failed batches stop what was given out behind them, moves are recorded so that a crash does no harm.
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { type ApplierAction, makeApplierLane } from "../src/adapter/ApplierLane.ts"
import { reconcile } from "../src/adapter/Reconcile.ts"
import { makeMedium } from "../src/adapter/store/MemoryChainStore.ts"
import { simulator } from "../src/applier/SimulatorApplier.ts"
import type { HeaderFacts } from "../src/contract/Block.ts"
import { ApplierFailed, type ApplyResult, type BlockApplierService } from "../src/contract/BlockApplier.ts"
import { type ChainStoreService, StoreError } from "../src/contract/ChainStore.ts"
import type { SyncEvent } from "../src/contract/ChainSync.ts"
import { defaultSyncTimers } from "../src/engine/SyncDefaults.ts"
import { forgeBlock, makeSyntheticChain, syntheticRules } from "../src/testing/SyntheticChain.ts"
import { chainOf, choose, filledStore, memoryStore } from "./AdapterWorld.ts"

const chain = chainOf(20)
const headers = (from: number, to: number): ReadonlyArray<HeaderFacts> =>
  chain.main.slice(from, to + 1).map(({ header }) => header)

const applyOf = (blocks: ReadonlyArray<HeaderFacts>, branch: "head" | "side" = "head"): ApplierAction => ({
  kind: "apply",
  blocks,
  firstLevel: blocks[0]!.level,
  branch
})

/** A block that is not later than its parent. */
const earlyAt = (level: number) => ({
  ...chain.at(level).header,
  timeSeconds: chain.at(level - 1).header.timeSeconds
})

interface Given {
  readonly applier?: BlockApplierService
  readonly store?: ChainStoreService
  readonly headFacts?: HeaderFacts
}

/** Runs actions to their end, or to the lane's. */
const runActions = Effect.fnUntraced(function*(actions: ReadonlyArray<ApplierAction>, given: Given = {}) {
  const store = given.store ?? (yield* filledStore(chain, { stored: 20, chosen: 20 }))
  const applier = given.applier ?? simulator({ base: chain.base, branches: "one" })
  const told: Array<SyncEvent> = []
  const lane = yield* makeApplierLane({
    store,
    applier,
    rules: syntheticRules,
    headFacts: given.headFacts ?? chain.genesis.header,
    baseHeader: chain.genesis.header,
    tell: (event) => told.push(event),
    stored: Effect.void
  })
  for (const action of actions) lane.offer(action)
  const fiber = yield* Effect.forkChild(Effect.exit(lane.run))
  yield* lane.flushed
  const failure = lane.ended
  yield* Fiber.interrupt(fiber)
  const applied = told.flatMap((event) => event.kind === "applied" ? [[event.applied, event.outcome]] : [])
  return { applied, applier, failure, store, told }
})

describe("apply", () => {
  it.effect("goes in order and is recorded", () =>
    Effect.gen(function*() {
      const { applied, store } = yield* runActions([applyOf(headers(1, 6)), applyOf(headers(7, 9))])
      assert.deepStrictEqual(applied, [[6, "ok"], [3, "ok"]])
      assert.strictEqual(store.head.level, 9)
    }).pipe(Effect.scoped))

  it.effect("stops at the block that does not follow from its predecessor", () =>
    Effect.gen(function*() {
      // In the middle of what is read for one call, at its border, and as the first of a batch.
      for (const [from, at] of [[1, 3], [1, 5], [3, 3]] as const) {
        const blocks = [...headers(from, at - 1), earlyAt(at), ...headers(at + 1, at + 4)]
        const before = from === 1 ? [] : [applyOf(headers(1, from - 1))]
        const { store, told } = yield* runActions([...before, applyOf(blocks)])
        assert.deepInclude(told.at(-1), { applied: at - from, outcome: "invalid", reason: "not later than its parent" })
        assert.strictEqual(store.head.level, at - 1)
      }
    }).pipe(Effect.scoped))

  it.effect("checks blocks of side branches against their parents, too", () =>
    Effect.gen(function*() {
      const parent = chain.at(4).header
      const fields = { parent: parent.id, level: 5, weight: 9, salt: "side" }
      const early = forgeBlock({ ...fields, timeSeconds: parent.timeSeconds }, [])
      const fit = forgeBlock({ ...fields, timeSeconds: parent.timeSeconds + 1 }, [])
      const store = yield* filledStore(chain, { stored: 20, chosen: 20 })
      yield* store.appendHeaders([early.header, fit.header])
      const applier = simulator({ base: chain.base })
      const { applied } = yield* runActions([
        applyOf(headers(1, 6)),
        applyOf([early.header], "side"),
        applyOf([fit.header], "side")
      ], { applier, store })
      assert.deepStrictEqual(applied, [[6, "ok"], [0, "invalid"], [1, "ok"]])
      assert.deepStrictEqual([store.head.level, applier.current.level], [6, 6])
    }).pipe(Effect.scoped))

  it.effect("skips a batch that was given out behind a failed one", () =>
    Effect.gen(function*() {
      const applier = simulator({
        base: chain.base,
        branches: "one",
        judge: ({ header }) => header.level === 6 ? { retry: "not now" } : "ok"
      })
      const { applied, store } = yield* runActions([applyOf(headers(1, 8)), applyOf(headers(9, 12))], { applier })
      assert.deepStrictEqual(applied, [[5, "transient"], [0, "transient"]])
      assert.strictEqual(store.head.level, 5)
      assert.strictEqual(applier.tries, 6)
    }).pipe(Effect.scoped))

  it.effect("ends the run when a unit cannot be read any more, or the applier is gone or says what cannot be", () =>
    Effect.gen(function*() {
      const store = yield* filledStore(chain, { stored: 2, chosen: 2 })
      yield* store.appendHeaders([chain.at(3).header])
      const lost = yield* runActions([applyOf(headers(1, 3))], { store })
      assert.match(String(lost.failure), /StoreError: unit 0 of block .* cannot be read/)
      const say = (result: ApplyResult): BlockApplierService => ({
        ...simulator({ base: chain.base }),
        needsBodies: false,
        apply: () => Effect.succeed(result)
      })
      const wrong: ReadonlyArray<ApplyResult> = [
        { applied: 2, outcome: "ok", reason: "" },
        { applied: 4, outcome: "ok", reason: "" },
        { applied: 3, outcome: "invalid", reason: "x" },
        { applied: -1, outcome: "transient", reason: "x" }
      ]
      for (const result of wrong) {
        const { failure, store: kept } = yield* runActions([applyOf(headers(1, 3))], { applier: say(result) })
        assert.match(String(failure), /ApplierFailed: .*a defect of the applier/)
        assert.strictEqual(kept.head.level, 0)
      }
    }).pipe(Effect.scoped))
})

/** A store that fails from its n-th append on: a process that is killed there. */
const killedAfter = (appends: number) => {
  let left = appends
  return () =>
    Effect.suspend(() =>
      left-- > 0 ? Effect.void : Effect.fail(new StoreError({ reason: "io", path: "x", message: "killed" }))
    )
}

describe("moves", () => {
  const forked = makeSyntheticChain({ seed: 1, levels: 20, forks: [{ from: 7, length: 3, extraWeight: 5 }] })
  const side = forked.forks[0]!.map(({ header }) => header)
  const fork = { id: forked.at(7).header.id, level: 7 }
  const sideTop = { id: side[2]!.id, level: 10 }

  /** A store with levels 1 … 10 applied, and a side branch from 7 to 10 that is stored. */
  const prepared = Effect.fnUntraced(
    function*(medium: ReturnType<typeof makeMedium>, kill?: ReturnType<typeof killedAfter>) {
      const open = Effect.scoped(Effect.gen(function*() {
        const store = yield* filledStore(forked, { stored: 10, applied: 10 }, { medium })
        yield* store.appendHeaders(side)
        for (const { header, units } of forked.forks[0]!) {
          yield* store.appendUnits(units.map((body, unit) => ({ block: header.id, unit, body })))
        }
        yield* choose(store, fork, side)
      }))
      if (medium.entries.length === 0) yield* open
      return yield* memoryStore(forked, { medium, ...(kill === undefined ? {} : { beforeDurable: kill }) })
    }
  )

  const switchAction: ApplierAction = { kind: "switch", fork, to: sideTop, ids: side.map(({ id }) => id) }
  const rollbackAction: ApplierAction = { kind: "rollback", to: fork }

  const fill = (applier: BlockApplierService) =>
    Effect.gen(function*() {
      yield* applier.apply(forked.main.slice(1, 11))
      if (applier.branches === "many") yield* applier.apply(forked.forks[0]!)
    })

  for (
    const [name, action, branches] of [
      ["switch", switchAction, "many"],
      ["rollback", rollbackAction, "one"]
    ] as const
  ) {
    it.effect(`${name}: the store follows the applier`, () =>
      Effect.gen(function*() {
        const store = yield* prepared(makeMedium())
        const applier = simulator({ base: forked.base, branches })
        yield* fill(applier)
        const { told } = yield* runActions([action], { applier, store, headFacts: forked.at(10).header })
        const target = name === "switch" ? sideTop : fork
        assert.deepStrictEqual(told, [{ kind: "moved", to: target }])
        assert.deepStrictEqual([store.head, applier.current], [target, target])
      }).pipe(Effect.scoped))

    for (let appends = 0; appends < (name === "switch" ? 2 : 1); appends++) {
      it.effect(`${name}: killed after ${appends} records, a restart brings store and applier together`, () =>
        Effect.gen(function*() {
          const medium = makeMedium()
          const applier = simulator({ base: forked.base, branches })
          yield* fill(applier)
          yield* Effect.scoped(Effect.gen(function*() {
            const store = yield* prepared(medium, killedAfter(appends))
            const { failure } = yield* runActions([action], { applier, store, headFacts: forked.at(10).header })
            assert.match(String(failure), /killed/)
          }))
          const store = yield* memoryStore(forked, { medium })
          yield* reconcile(store, applier, defaultSyncTimers)
          assert.deepStrictEqual(applier.current, store.head)
          // The switch is finished; what was rolled back is given again, and the reorganisation is found anew.
          const expected = name === "switch" ? sideTop : { id: forked.at(10).header.id, level: 10 }
          assert.deepStrictEqual(store.head, expected)
        }).pipe(Effect.scoped))
    }
  }

  it.effect("switch: the new branch's segment is durable before the applier moves", () =>
    Effect.gen(function*() {
      const store = yield* prepared(makeMedium())
      const steps: Array<string> = []
      const applier = {
        ...simulator({ base: forked.base }),
        moveHead: () => Effect.sync(() => void steps.push("moved"))
      }
      const lane = yield* makeApplierLane({
        store,
        applier,
        rules: syntheticRules,
        headFacts: forked.at(10).header,
        baseHeader: undefined,
        tell: () => {},
        stored: Effect.sync(() => void steps.push("stored"))
      })
      lane.offer(switchAction)
      const fiber = yield* Effect.forkChild(lane.run)
      yield* lane.flushed
      assert.deepStrictEqual(steps, ["stored", "moved"])
      yield* Fiber.interrupt(fiber)
    }).pipe(Effect.scoped))

  it.effect("an applier that cannot go back ends the run", () =>
    Effect.gen(function*() {
      const gone = new ApplierFailed({ applier: "x", message: "no way back" })
      const store = yield* prepared(makeMedium())
      const applier = { ...simulator({ base: forked.base }), rollback: () => Effect.fail(gone) }
      const { failure } = yield* runActions([rollbackAction], { applier, store })
      assert.match(String(failure), /no way back/)
      assert.strictEqual(store.head.level, 10)
    }).pipe(Effect.scoped))
})
