/** A whole bootstrap out of plugins alone, on a network in memory: the same program, whatever its parts. */
import { assert, describe, it } from "@effect/vitest"
import { compose, fromConfig, graphJson, Host } from "@peerstrap/plugin-host"
import { BufferMemory } from "@peerstrap/transport"
import {
  boundedMemory,
  memory as memoryTransport,
  memoryKind,
  transportKind,
  transportPlugins
} from "@peerstrap/transport/plugin"
import * as Effect from "effect/Effect"
import { ChainStore, ReorganisationStrategy, startSync, type SyncNotice } from "../src/index.ts"
import {
  appliedBranchesStrategy,
  applierKind,
  archiveApplier,
  cachedTailStrategy,
  chainPlugins,
  fixedBase,
  memoryStore,
  protocolKind,
  storeKind,
  strategyKind
} from "../src/plugin/index.ts"
import { atHeadOf, chainOf, driven, optionsOf, peersOf, pointsOf } from "./AdapterWorld.ts"
import { syntheticPlugin } from "./SyntheticPlugin.ts"

const chain = chainOf(60)

/** Syncs from four peers that stand on the composition's own transport. */
const bootstrap = Effect.gen(function*() {
  yield* atHeadOf(chain)
  const peers = yield* peersOf(chain, 4)
  const { ledger } = yield* BufferMemory
  const notices: Array<SyncNotice> = []
  const run = yield* startSync({
    sync: optionsOf({ until: { level: 60 } }),
    baseHeader: chain.genesis.header,
    named: pointsOf(peers),
    ledger,
    strategy: yield* ReorganisationStrategy,
    onNotice: (notice) => notices.push(notice)
  })
  const ended = yield* driven(run.done)
  const store = yield* ChainStore
  return { outcome: ended?.outcome, head: store.head, used: ledger.used }
}).pipe(Effect.scoped)

const shared = [
  memoryTransport({}),
  boundedMemory({}),
  syntheticPlugin({}),
  fixedBase({ id: chain.base.id }),
  memoryStore({}),
  archiveApplier({})
] as const

const expected = { outcome: "level-reached" as const, head: { id: chain.head.header.id, level: 60 }, used: 0 }

describe("a bootstrap out of plugins", () => {
  it.effect("in code: one line is another strategy; every edge that was used is counted", () =>
    Effect.gen(function*() {
      const edges: Array<string> = []
      const found = yield* Host.run(compose(...shared, cachedTailStrategy({})), (host) =>
        Effect.tap(bootstrap, () =>
          Effect.sync(() => {
            for (const { failure, from, kind, success, to } of host.edges()) {
              if (success > 0) {
                edges.push(`${from} ${kind} ${to}`)
              }
              assert.strictEqual(failure, 0, `${from} → ${to}`)
            }
          })))
      assert.deepStrictEqual(found, expected)
      for (const kind of ["chain.store", "chain.applier", "chain.protocol", "transport"]) {
        assert.isTrue(
          edges.some((edge) =>
            edge.startsWith(`program ${kind} `)
          ),
          edges.join("\n")
        )
      }
      assert.deepStrictEqual(
        yield* Host.run(compose(...shared, appliedBranchesStrategy({})), () => bootstrap),
        expected
      )
    }))

  it.effect("from a config: equal graphs, equal ends", () =>
    Effect.gen(function*() {
      const text = `plugins:
  - use: transport.memory
  - use: memory.bounded
  - use: chain.protocol.synthetic
  - use: chain.base.fixed
    with: { id: "${chain.base.id}" }
  - use: chain.store.memory
  - use: chain.applier.archive
  - use: chain.strategy.cached-tail
`
      const configured = yield* fromConfig([...chainPlugins, ...transportPlugins, syntheticPlugin], text, {
        path: "c.yaml",
        needs: [transportKind, memoryKind, protocolKind, storeKind, applierKind, strategyKind]
      })
      const plans = yield* Effect.all([Host.plan(configured), Host.plan(compose(...shared, cachedTailStrategy({})))])
      const [byConfig, byCode] = plans.map(graphJson)
      assert.deepStrictEqual(byConfig, byCode)
      assert.deepStrictEqual(yield* Host.run(configured, () => bootstrap), expected)
    }))
})
