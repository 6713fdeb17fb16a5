/** Every implementation of the chain side starts as a plugin, and its service works; what is wrong in a config is told with line and column. */
import { assert, describe, it } from "@effect/vitest"
import { type AnyPlugin, compose, type Composition, explainText, fromConfig, Host } from "@peerstrap/plugin-host"
import { memoryFiles, nodeFiles } from "@peerstrap/storage/plugin"
import { BufferMemory } from "@peerstrap/transport"
import { boundedMemory, memory as memoryTransport, tcp } from "@peerstrap/transport/plugin"
import * as Effect from "effect/Effect"
import { writeFileSync } from "node:fs"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import {
  BlockApplier,
  type BlockApplierService,
  ChainStore,
  type ChainStoreService,
  ReorganisationStrategy
} from "../src/index.ts"
import {
  appliedBranchesStrategy,
  applierKind,
  applierPlugins,
  archiveApplier,
  cachedTailStrategy,
  chainPlugins,
  commandApplier,
  fileStore,
  fixedBase,
  memoryStore,
  simulatorApplier,
  storedBase,
  storeKind,
  strategyKind
} from "../src/plugin/index.ts"
import { makeSyntheticChain } from "../src/testing/SyntheticChain.ts"
import { syntheticPlugin } from "./SyntheticPlugin.ts"

const temporaryDirectory = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "chain-plugins-"))),
  (path) => Effect.promise(() => rm(path, { recursive: true }))
)

const chain = makeSyntheticChain({ seed: 5, levels: 6 })
const base = { id: chain.base.id }
const beginning = [syntheticPlugin({}), fixedBase(base)] as const

/** Opens the store that is there. */
const reading = (directory: string) =>
  compose(syntheticPlugin({}), storedBase({}), nodeFiles({}), fileStore({ directory }))

/** Keeps the first blocks; what the store says then. */
const keep = Effect.gen(function*() {
  const store = yield* ChainStore
  yield* store.appendHeaders(chain.main.slice(1, 4).map(({ header }) => header))
  return [store.identity.base.id, store.head.level, store.hasHeader(chain.at(3).header.id), store.looseHeaders]
})

const applierOf = <Provided>(composition: Composition<Provided | BlockApplier>) =>
  Host.run(composition, (host) =>
    Effect.gen(function*() {
      const applier: BlockApplierService = yield* BlockApplier
      const result = yield* applier.apply(chain.main.slice(1, 4))
      return { result, name: applier.name, branches: applier.branches, status: host.statuses().at(-1)?.status }
    }))

const done = { applied: 3, outcome: "ok", reason: "" }

describe("stores as plugins", () => {
  it.effect("memory begins at the base of the composition", () =>
    Effect.gen(function*() {
      const kept = yield* Host.run(compose(...beginning, memoryStore({})), () => keep)
      assert.deepStrictEqual(kept, [chain.base.id, 0, true, 3])
    }))

  it.effect("files in memory, and on disk: what was kept is there again, another chain or base is refused", () =>
    Effect.gen(function*() {
      const inMemory = compose(...beginning, memoryFiles({}), fileStore({ directory: "/store", index: "memory" }))
      assert.deepStrictEqual(yield* Host.run(inMemory, () => keep), [chain.base.id, 0, true, 3])

      const directory = join(yield* temporaryDirectory, "store")
      const progress: Array<string> = []
      const options = { onProgress: ({ activity }: { readonly activity: string }) => void progress.push(activity) }
      const onDisk = compose(...beginning, nodeFiles({}), fileStore({ directory }))
      assert.deepStrictEqual(yield* Host.run(onDisk, () => keep, options), [chain.base.id, 0, true, 3])
      const again = yield* Host.run(
        onDisk,
        () => ChainStore.use((store: ChainStoreService) => store.readHeaders([chain.at(2).header.id]))
      )
      assert.strictEqual(again[0]?.level, 2)
      assert.include(progress, "opening store")

      const read = yield* Host.run(reading(directory), () => ChainStore.useSync(({ identity }) => identity.base.id))
      assert.strictEqual(read, chain.base.id)
      const none = yield* Effect.flip(Host.run(reading(`${directory}-none`), () => Effect.void))
      assert.match(none.message, /there is no chain store here/)

      const elsewhere = compose(syntheticPlugin({}), fixedBase({ id: "ab" }), nodeFiles({}), fileStore({ directory }))
      const refused = yield* Effect.flip(Host.run(elsewhere, () => keep))
      assert.match(refused.message, /chain\.store\.files: .*begins at another base, level 0 .*; nothing was changed/)
      const other = compose(
        syntheticPlugin({ chain: "other" }),
        fixedBase(base),
        nodeFiles({}),
        fileStore({ directory })
      )
      assert.match((yield* Effect.flip(Host.run(other, () => keep))).message, /is the store of another chain: .*other/)
    }).pipe(Effect.scoped))

  it.effect("an index that was made anew is told as an event", () =>
    Effect.gen(function*() {
      const directory = join(yield* temporaryDirectory, "store")
      const onDisk = compose(...beginning, nodeFiles({}), fileStore({ directory }))
      yield* Host.run(onDisk, () => keep)
      writeFileSync(join(directory, "index.sqlite"), "")
      const events: Array<string> = []
      yield* Host.run(onDisk, () => Effect.void, {
        onEvent: ({ name, plugin, text }) => void events.push(`${plugin} ${name}: ${text}`)
      })
      assert.deepStrictEqual(events, [
        "chain.store.files store-index-made-anew: the store's index was made anew: there is no index"
      ])
    }).pipe(Effect.scoped))
})

describe("appliers as plugins", () => {
  it.effect("archive", () =>
    Effect.gen(function*() {
      const { branches, name, result } = yield* applierOf(compose(archiveApplier({})))
      assert.deepStrictEqual([result, name, branches], [done, "archive", "many"])
    }))

  it.effect("simulator begins where the store is", () =>
    Effect.gen(function*() {
      const parts = compose(...beginning, memoryStore({}), simulatorApplier({ branches: "one" }))
      const { branches, name, result } = yield* applierOf(parts)
      assert.deepStrictEqual([result, name, branches], [done, "simulator", "one"])
    }))

  it.live("command starts with the composition, is heard, and ends with it", () =>
    Effect.gen(function*() {
      const script = join(import.meta.dirname, "ApplierChild.ts")
      const command = (fault: string) =>
        `FAULT=${fault} BASE='${
          JSON.stringify({ level: 0, hash: chain.base.id })
        }' exec '${process.execPath}' '${script}'`
      const { result, status } = yield* applierOf(compose(commandApplier({ command: command("") })))
      assert.deepStrictEqual([result, status], [done, "ok"])

      const said: Array<string> = []
      const failing = Host.run(compose(commandApplier({ command: command("exit") })), (host) =>
        Effect.gen(function*() {
          const applier = yield* BlockApplier
          yield* Effect.flip(applier.apply(chain.main.slice(1, 2)))
          return { ...host.statuses()[0]! }
        }), { onEvent: ({ name, text }) => void said.push(`${name} ${text}`) })
      const failed = yield* failing
      assert.strictEqual(failed.status, "permanent")
      assert.match(failed.message, /ended with exit code 3/)
      assert.deepStrictEqual(said, ["applier-says applier: first words", "applier-says applier: last words"])

      const absent = yield* Effect.flip(applierOf(compose(commandApplier({ command: "exit 4" }))))
      assert.match(absent.message, /^chain\.applier\.command: .*command exit 4.* ended with exit code 4/s)
    }))
})

describe("memory and strategies as plugins", () => {
  it.effect("one ledger for all, summed with the budgets before anything starts", () =>
    Effect.gen(function*() {
      const parts = compose(boundedMemory({ bytes: "64MiB" }))
      const capacity = yield* Host.run(parts, () => BufferMemory.useSync(({ ledger }) => ledger.capacity))
      assert.strictEqual(capacity, 64 * 2 ** 20)
      const above = yield* Effect.flip(Host.plan(parts, { machine: { memoryBytes: 2 ** 20 } }))
      assert.match(
        above.message,
        /memoryBytes: memory\.bounded 67108864 = 67108864, this machine grants 1048576/
      )
    }))

  it.effect("applied-branches is refused with an applier that has a single chain", () =>
    Effect.gen(function*() {
      const name = ReorganisationStrategy.useSync((strategy) => strategy.name)
      const many = compose(archiveApplier({}), appliedBranchesStrategy({}))
      assert.strictEqual(yield* Host.run(many, () => name), "applied-branches")
      assert.strictEqual(yield* Host.run(compose(cachedTailStrategy({})), () => name), "cached-tail")
      const one = compose(
        ...beginning,
        memoryStore({}),
        simulatorApplier({ branches: "one" }),
        appliedBranchesStrategy({})
      )
      const error = yield* Effect.flip(Host.run(one, () => name))
      assert.match(error.message, /needs an applier that holds several branches; simulator has a single chain/)
    }))
})

describe("configs", () => {
  const registry: ReadonlyArray<AnyPlugin> = [
    ...chainPlugins,
    syntheticPlugin,
    tcp,
    memoryTransport,
    nodeFiles,
    boundedMemory
  ]

  it.effect("everything that is wrong is told with line and column", () =>
    Effect.gen(function*() {
      const text = `plugins:
  - use: chain.protocol.synthetic
  - use: chain.base.fixed
    with: { id: xyz }
  - use: chain.store.files
    with:
      direktory: /data
      index: tape
  - use: chain.applier.command
  - use: chain.strategy.cached-tial
  - use: memory.bounded
    with: { bytes: 1KiB }
`
      const error = yield* Effect.flip(
        fromConfig(registry, text, { path: "c.yaml", needs: [storeKind, applierKind, strategyKind] })
      )
      const problems = "problems" in error ? error.problems.map(({ message, where }) => `${where} ${message}`) : []
      for (
        const expected of [
          /^c\.yaml:4:13 id of chain\.base\.fixed: .*hex digits/,
          /^c\.yaml:7:7 .*direktory.*directory/,
          /^c\.yaml:8:7 index of chain\.store\.files: .*disk/,
          /^c\.yaml:9:10 .*command/,
          /^c\.yaml:10:10 there is no plugin "chain\.strategy\.cached-tial".*cached-tail/,
          /^c\.yaml:12:13 bytes of memory\.bounded: .*512MiB/
        ]
      ) assert.isTrue(problems.some((one) => expected.test(one)), `${expected}\n${problems.join("\n")}`)
    }))

  it("each explains itself, with every bound's reason", () => {
    for (const plugin of chainPlugins) {
      const text = explainText(plugin)
      assert.include(text, plugin.summary)
      for (const { reason } of Object.values(plugin.limits)) assert.include(text, reason)
    }
    assert.deepStrictEqual(applierPlugins.map(({ id }) => id), [
      "chain.applier.archive",
      "chain.applier.command",
      "chain.applier.simulator"
    ])
  })
})
