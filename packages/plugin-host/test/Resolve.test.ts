/** Plugins from outside that misbehave are problems of the report, with their names, and hide nothing else. */
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import { type AnyPlugin, type Budgets, definePlugin, many, one, type PlacedPart, resolve } from "../src/index.ts"
import { counterKind, Gears, gearsKind, makeShop, noConfig, Printers } from "./shop.ts"

const { clockwork, paper, wood } = makeShop([])

const placed = (plugin: AnyPlugin, config: unknown = {}): PlacedPart => ({
  plugin,
  config,
  where: (path = []) => [plugin.id, ...path].map(String).join(".")
})

const problemsOf = (parts: ReadonlyArray<PlacedPart>, options: Parameters<typeof resolve>[1] = {}) => {
  const resolved = resolve(parts, options)
  return "problems" in resolved ? resolved.problems.map(({ kind, message }) => `${kind}: ${message}`) : []
}

const needing = (budgets: () => Budgets): AnyPlugin => ({ ...wood, id: "gears.needing", budgets })

const facts = { version: "1.0.0", stability: "stable", summary: "for a test", config: noConfig } as const

describe("a plugin from outside", () => {
  it("whose budgets throw is named, and what else is wrong is told", () => {
    const throwing = needing(() => {
      throw new Error("cannot count")
    })
    assert.deepStrictEqual(problemsOf([placed(throwing), placed(clockwork)]), [
      "budget: gears.needing cannot say what it needs: cannot count",
      "missing-provider: counter.clockwork needs printer, and nothing provides it"
    ])
  })

  it("has budgets that are numbers from 0 up: a negative one would make room for others", () => {
    const machine = { memoryBytes: 1 }
    const values: ReadonlyArray<readonly [unknown, string]> = [[-1e12, "-1000000000000"], [Number.NaN, "NaN"], [
      "1",
      "1"
    ]]
    for (const [memoryBytes, text] of values) {
      assert.deepStrictEqual(problemsOf([placed(needing(() => ({ memoryBytes }) as Budgets))], { machine }), [
        `budget: gears.needing: memoryBytes = ${text}, want a number from 0 up`
      ])
    }
    assert.deepStrictEqual(problemsOf([placed(needing(() => undefined as never))], { machine }), [])
  })

  it("provides a kind of ours with our tag, or another id", () => {
    class Others extends Context.Service<Others, { readonly other: true }>()("test/Others") {}
    const others = definePlugin({
      ...facts,
      id: "gears.others",
      provides: [one("gears", Others, { summary: "not ours" })],
      requires: [],
      layer: () => Layer.succeed(Others, { other: true })
    })
    assert.deepStrictEqual(problemsOf([placed(others), placed(paper, { name: "a" }), placed(clockwork)]), [
      "kind-mismatch: gears of counter.clockwork (test/Gears, one) is not the gears of gears.others (test/Others, one)"
    ])
    assert.deepStrictEqual(problemsOf([placed(others)], { needs: [gearsKind] }), [
      "kind-mismatch: gears of gears.others (test/Others, one) is not the gears of the program (test/Gears, one)"
    ])
    const single = definePlugin({
      ...facts,
      id: "printer.single",
      provides: [one("printer", Printers, { summary: "one only" })],
      requires: [],
      layer: () => Layer.succeed(Printers, [])
    })
    const listed = many("printer", Printers, { summary: "several" })
    assert.deepStrictEqual(problemsOf([placed(single)], { needs: [listed] }), [
      "kind-mismatch: printer of printer.single (test/Printers, one) is not the printer of the program (test/Printers, many)"
    ])
  })

  it("that was written for another version of the contract is refused in code, too", () => {
    const newer: AnyPlugin = { ...wood, host: 99 }
    assert.deepStrictEqual(problemsOf([placed(newer)]), [
      "host-version: gears.wood 1.0.0 was written for version 99 of the plugin contract, this host has 1"
    ])
  })
})

const circle = (id: string, provides: typeof gearsKind, requires: typeof counterKind): AnyPlugin => ({
  ...definePlugin({
    ...facts,
    id: "gears.x",
    provides: [gearsKind],
    requires: [],
    layer: () => Layer.succeed(Gears, {} as never)
  }),
  id,
  provides: [provides],
  requires: [requires]
})

describe("circles", () => {
  it("are all told when they share no part", () => {
    class Left extends Context.Service<Left, object>()("test/Left") {}
    class Right extends Context.Service<Right, object>()("test/Right") {}
    const left = one("left", Left, { summary: "" })
    const right = one("right", Right, { summary: "" })
    const parts = [
      circle("gears.a", gearsKind, counterKind),
      circle("counter.a", counterKind as never, gearsKind as never),
      circle("left.a", left as never, right as never),
      circle("right.a", right as never, left as never)
    ].map((plugin) => placed(plugin))
    assert.deepStrictEqual(problemsOf(parts), [
      "cycle: parts need each other in a circle: gears.a → counter.a → gears.a",
      "cycle: parts need each other in a circle: left.a → right.a → left.a"
    ])
  })
})
