import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { compose, type CompositionError, fromConfig, graphJson, Host, named } from "../src/index.ts"
import { Counter, counterKind, gearsKind, makeShop } from "./shop.ts"

const { all, clockwork, paper, steel } = makeShop([])
const path = "config.yaml"
const needs = [counterKind] as const

const good = `plugins:
  - use: gears.steel
    with: { teeth: 12 }
  - use: printer.paper
    with:
      name: a
  - use: counter.clockwork
`

const problemsOf = (text: string, options: { readonly machine?: { readonly memoryBytes: number } } = {}) =>
  Effect.map(
    Effect.flip(fromConfig(all, text, { path, needs, ...options })),
    (error: CompositionError) => error.problems.map(({ kind, message, where }) => `${where} ${kind}: ${message}`)
  )

const config = (lines: string): string => `plugins:\n${lines}`

describe("fromConfig", () => {
  it.effect("gives the same graph as the same parts in code", () =>
    Effect.gen(function*() {
      const configured = yield* Host.plan(yield* fromConfig(all, good, { path, needs }))
      const typed = yield* Host.plan(compose(steel({ teeth: 12 }), paper({ name: "a" }), clockwork({})))
      assert.deepStrictEqual(graphJson(configured), graphJson(typed))
    }))

  it.effect("JSON is a config, too", () =>
    Effect.gen(function*() {
      const text = JSON.stringify({
        plugins: [
          { use: "gears.steel", with: { teeth: 7 } },
          { use: "printer.paper", with: { name: "a" } },
          { use: "counter.clockwork" }
        ]
      })
      const composition = yield* fromConfig(all, text, { path: "config.json", needs })
      const counted = yield* Host.run(composition, () => Effect.flatMap(Counter, (counter) => counter.count))
      assert.strictEqual(counted, 7)
    }))

  it.effect("all problems in one report, each with line and column", () =>
    Effect.gen(function*() {
      const problems = yield* problemsOf(`plugins:
  - use: gears.stel
  - use: gears.steel
    with:
      teeth: many
      colour: red
  - use: gears.wood
    from_: {}
  - use: printer.paper
`)
      assert.deepStrictEqual(problems, [
        `config.yaml:2:10 unknown-plugin: there is no plugin "gears.stel"; did you mean gears.steel?`,
        `config.yaml:5:7 config: teeth of gears.steel: Expected number, got "many"`,
        `config.yaml:6:7 unknown-key: gears.steel has no key "colour"`,
        "config.yaml:7:10 ambiguous-provider: gears.wood provides gears, and so does gears.steel (config.yaml:3:10)",
        `config.yaml:8:5 unknown-key: no key "from_" here; did you mean from?`,
        "config.yaml:9:10 missing-key: printer.paper needs the key name"
      ])
    }))

  it.effect("a plugin without a config takes no keys", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* problemsOf("plugins:\n  - { use: gears.wood, with: { colour: red } }\n"), [
        "config.yaml:2:32 unknown-key: gears.wood has no key \"colour\"",
        "the composition missing-provider: the program needs counter, and nothing provides it"
      ])
    }))

  it.effect("a key that is written wrongly is one problem, with what was meant", () =>
    Effect.gen(function*() {
      const found = yield* problemsOf(
        "plugins:\n  - { use: printer.paper, with: { naem: a } }\n  - use: gears.wood\n  - use: counter.clockwork\n"
      )
      assert.deepStrictEqual(found, [
        "config.yaml:2:35 unknown-key: printer.paper has no key \"naem\"; did you mean name?"
      ])
    }))

  it.effect("what is missing is named with who needs it and what would provide it", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(fromConfig(all, "plugins: [{ use: counter.clockwork }]", { path, needs }))
      assert.deepStrictEqual(error.problems.map(({ message, remedy }) => `${message}; ${remedy}`), [
        "counter.clockwork needs gears, and nothing provides it; add one of gears.steel, gears.wood",
        "counter.clockwork needs printer, and nothing provides it; add one of printer.paper"
      ])
      const empty = yield* problemsOf("plugins: []")
      assert.deepStrictEqual(empty, [
        "the composition missing-provider: the program needs counter, and nothing provides it"
      ])
    }))

  it.effect("a value out of range and a budget above the machine's", () =>
    Effect.gen(function*() {
      const range = yield* problemsOf(good.replace("12", "2"))
      assert.match(range.join(), /^config.yaml:3:13 config: teeth of gears.steel: /)
      const budget = yield* problemsOf(good, { machine: { memoryBytes: 100 } })
      assert.deepStrictEqual(budget, [
        "the composition budget: memoryBytes: gears.steel 120 = 120, this machine grants 100"
      ])
    }))

  it.effect("YAML that is none, or something else than a list of plugins", () =>
    Effect.gen(function*() {
      assert.match((yield* problemsOf("plugins: [")).join(), /^config.yaml:1:\d+ syntax: /)
      assert.match((yield* problemsOf("")).join(), /want a list under plugins/)
      assert.match((yield* problemsOf("plugins: 7")).join(), /^config.yaml:1:10 syntax: want a list under plugins/)
      assert.match((yield* problemsOf("plugins: [7]")).join(), /want a map with use: ID/)
      assert.match((yield* problemsOf("plugins: [{ use: 7 }]")).join(), /want the id of a plugin under use/)
    }))

  it.effect("parts of one plugin may have names of their own", () =>
    Effect.gen(function*() {
      const text = config(
        "  - { use: printer.paper, as: left, with: { name: a } }\n  - { use: printer.paper, with: { name: b } }\n"
      )
      const configured = yield* fromConfig([paper], text, { path, needs: [] })
      const typed = compose(named("left", paper({ name: "a" })), paper({ name: "b" }))
      for (const composition of [configured, typed]) {
        const { nodes } = yield* Host.plan(composition)
        assert.deepStrictEqual(nodes.map(({ name }) => name), ["printer.paper(left)", "printer.paper"])
      }
    }))

  it.effect("a plugin below the wanted stability is refused", () =>
    Effect.gen(function*() {
      const text = "plugins: [{ use: gears.wood }]"
      const error = yield* Effect.flip(fromConfig(all, text, { path, needs: [gearsKind], stability: "beta" }))
      assert.deepStrictEqual(error.problems.map(({ message }) => message), [
        "gears.wood is experimental, wanted is beta or better"
      ])
    }))

  it("plugins from outside are loaded, checked and run like ours", async () => {
    const folder = await mkdtemp(join(tmpdir(), "peerstrap-plugins-"))
    try {
      const index = JSON.stringify(fileURLToPath(new URL("../src/index.ts", import.meta.url)))
      const shop = JSON.stringify(fileURLToPath(new URL("shop.ts", import.meta.url)))
      await writeFile(
        join(folder, "brass.mjs"),
        `import * as Layer from "effect/Layer"
import * as Effect from "effect/Effect"
import { definePlugin } from ${index}
import { Gears, gearsKind, noConfig } from ${shop}
export const brass = definePlugin({ id: "gears.brass", version: "1.0.0", stability: "beta", summary: "gears of brass",
  provides: [gearsKind], requires: [], config: noConfig,
  layer: () => Layer.succeed(Gears, { teeth: 8, turn: Effect.succeed(8) }) })
export const future = Object.assign(() => undefined, { ...brass, id: "gears.future", host: 99 })
`
      )
      await writeFile(join(folder, "empty.mjs"), "export const nothing = 1\n")
      await writeFile(
        join(folder, "stranger.mjs"),
        `import { brass } from "./brass.mjs"
export const stranger = Object.assign(() => undefined, { ...brass, id: "gears.stranger", "~copy": {} })
`
      )
      const at = join(folder, "config.yaml")
      const gearsNeeded = [gearsKind] as const
      const read = (text: string) => fromConfig(all, text, { path: at, needs: gearsNeeded })
      const graph = await Effect.runPromise(
        Effect.flatMap(
          read(config("  - use: gears.brass\n    from: ./brass.mjs\n")),
          (composition) => Host.plan(composition)
        )
      )
      assert.deepStrictEqual(graph.nodes.map(({ name }) => name), ["gears.brass"])
      const wrong = await Effect.runPromise(Effect.flip(read(config(
        "  - { use: gears.future, from: ./brass.mjs }\n  - { use: x, from: ./empty.mjs }\n  - { use: y, from: ./absent.mjs }\n" +
          "  - { use: gears.stranger, from: ./stranger.mjs }\n"
      ))))
      assert.deepStrictEqual(wrong.problems.map(({ kind, where }) => `${where.slice(folder.length + 1)} ${kind}`), [
        "config.yaml:2:12 host-version",
        "config.yaml:3:21 not-a-plugin",
        "config.yaml:4:21 cannot-load",
        "config.yaml:5:34 other-copy"
      ])
    } finally {
      await rm(folder, { recursive: true })
    }
  })
})
