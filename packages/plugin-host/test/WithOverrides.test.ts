import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { compose, type Composition, fromConfig, graphJson, Host, withOverrides } from "../src/index.ts"
import { counterKind, makeShop } from "./shop.ts"

const { all, clockwork, paper, steel, wood } = makeShop([])
const path = "run.yaml"
const defaults = compose(steel({ teeth: 12 }), paper({ name: "a" }), clockwork({}))
const options = { path, needs: [counterKind], defaults } as const

const names = (composition: Composition<never>) =>
  Effect.map(Host.plan(composition), ({ nodes }) => nodes.map(({ config, name }) => [name, config]))

describe("withOverrides", () => {
  it.effect("puts a part in the place of the one of its kind", () =>
    Effect.gen(function*() {
      assert.deepEqual(yield* names(withOverrides(defaults, compose(wood({})))), [
        ["gears.wood", {}],
        ["printer.paper", { name: "a" }],
        ["counter.clockwork", {}]
      ])
    }))

  it.effect("keeps the keys of the same plugin that are not given", () =>
    Effect.gen(function*() {
      const jamming = yield* fromConfig(all, "plugins: [{ use: gears.steel, with: { jams: true } }]", options)
      assert.deepEqual((yield* names(jamming))[0], ["gears.steel", { teeth: 12, jams: true }])
    }))

  it.effect("of a kind of which there are many, all defaults give way", () =>
    Effect.gen(function*() {
      const text =
        "plugins:\n  - { use: printer.paper, with: { name: x } }\n  - { use: printer.paper, with: { name: y } }\n"
      assert.deepEqual((yield* names(yield* fromConfig(all, text, options))).slice(1, 3), [
        ["printer.paper", { name: "x" }],
        ["printer.paper#2", { name: "y" }]
      ])
    }))

  it.effect("a text without plugins changes nothing", () =>
    Effect.gen(function*() {
      const same = yield* Host.plan(yield* fromConfig(all, "bootstrap: { namespace: a }", options))
      assert.deepEqual(graphJson(same), graphJson(yield* Host.plan(defaults)))
    }))

  it.effect("where the defaults are not known, only what the text itself says is wrong is told", () =>
    Effect.gen(function*() {
      const unknown = { ...options, defaults: "unknown" } as const
      yield* fromConfig(all, "plugins: [{ use: gears.wood }]", unknown)
      const error = yield* Effect.flip(fromConfig(all, "plugins: [{ use: gears.wod }]", unknown))
      assert.deepEqual(error.problems.map(({ message, where }) => `${where} ${message}`), [
        "run.yaml:1:18 there is no plugin \"gears.wod\"; did you mean gears.wood?"
      ])
    }))
})
