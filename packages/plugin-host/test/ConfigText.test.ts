/** Nothing that a config text says is taken for something else, or for nothing; and all that is wrong is told at once, and soon. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as fc from "fast-check"
import { parseConfig } from "../src/codec/ConfigText.ts"
import {
  compose,
  type Composition,
  type CompositionError,
  definePlugin,
  fromConfig,
  type FromConfigOptions,
  Host,
  one
} from "../src/index.ts"
import { counterKind, Gears, gearsKind, makeShop } from "./shop.ts"

const { all, paper, steel, wood } = makeShop([])
const path = "config.yaml"
const defaults: Composition<never> = compose(steel({ teeth: 7 }), paper({ name: "a" }))

const problemsOf = (text: string, options: Partial<FromConfigOptions<[]>> = {}) =>
  Effect.map(
    Effect.flip(fromConfig(all, text, { path, needs: [], ...options })),
    (error: CompositionError) => error.problems.map(({ message, remedy, where }) => `${where}: ${message}; ${remedy}`)
  )

const entry = (rest: string): string => `plugins:\n  - use: gears.wood\n    ${rest}\n`

const teeth = (digits: string): string => `plugins:\n  - use: gears.steel\n    with: { teeth: ${digits} }\n`
const parseProblems = (text: string): ReadonlyArray<string> =>
  parseConfig(path, text).problems.map(({ message, where }) => `${where}: ${message}`)

const manyKeys = (count: number): string =>
  `plugins:\n  - use: gears.many\n    with:\n${Array.from({ length: count }, (_, at) => `      k${at}: x\n`).join("")}`

describe("what a config text says", () => {
  it.effect("is not left out because it is of another type: nothing else runs in place of the file", () =>
    Effect.gen(function*() {
      const remedy = "write from: ./FILE.ts, or leave it out for a plugin of the program"
      const want = "want a file or an npm package under from, not"
      const found = []
      for (const given of ["7", "[x]", "{ x: 1 }", "\"\"", "true", "!!str", ""]) {
        found.push(...yield* problemsOf(entry(`from: ${given}`)))
      }
      assert.deepStrictEqual(found, [
        `config.yaml:3:11: ${want} 7; ${remedy}`,
        `config.yaml:3:11: ${want} a list; ${remedy}`,
        `config.yaml:3:11: ${want} a map; ${remedy}`,
        `config.yaml:3:11: ${want} an empty text; ${remedy}`,
        `config.yaml:3:11: ${want} true; ${remedy}`,
        `config.yaml:3:16: ${want} an empty text; ${remedy}`,
        `config.yaml:3:11: ${want} nothing; ${remedy}`
      ])
      assert.deepStrictEqual(yield* problemsOf(entry("as: [x]")), [
        "config.yaml:3:9: want a name in letters under as, not a list; write as: NAME; a number in quotes"
      ])
      assert.deepStrictEqual(yield* problemsOf(entry("as: 007")), [
        "config.yaml:3:9: want a name in letters under as, not 7; write as: NAME; a number in quotes"
      ])
    }))

  it.effect("is a map of keys under with, also for a plugin that has none", () =>
    Effect.gen(function*() {
      const words = ["5", "hello", "false", "[]", "[a]"]
      const found = []
      for (const given of words) found.push(...yield* problemsOf(entry(`with: ${given}`)))
      assert.deepStrictEqual(found, [
        "config.yaml:3:11: gears.wood takes no config, and \"5\" is given; leave it out",
        "config.yaml:3:11: gears.wood takes no config, and \"hello\" is given; leave it out",
        "config.yaml:3:11: gears.wood takes no config, and \"false\" is given; leave it out",
        "config.yaml:3:11: gears.wood takes no config, and a list is given; leave it out",
        "config.yaml:3:11: gears.wood takes no config, and a list is given; leave it out"
      ])
      const ofSteel = yield* problemsOf("plugins:\n  - { use: gears.steel, with: 5 }\n")
      assert.match(ofSteel.join(), /^config\.yaml:2:31: config of gears\.steel: Expected object, got 5/)
      for (const none of ["with:", "with: {}", "with: null", ""]) {
        assert.lengthOf((yield* fromConfig(all, entry(none), { path, needs: [] })).parts, 1)
      }
      const inCode = yield* Effect.flip(Host.plan(compose(wood(5 as never))))
      assert.match(inCode.message, /part 1 \(gears\.wood\): gears\.wood takes no config, and "5" is given/)
    }))

  it.effect("keeps its integers to the last digit, or is refused", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual((yield* problemsOf(teeth("9007199254740993"))).slice(-1), [
        "config.yaml:3:20: 9007199254740993 is beyond the integers that are kept exactly, 9007199254740991 on both sides of 0; " +
        "put it in quotes, if the key takes a text"
      ])
      assert.match((yield* problemsOf(teeth("0x7fffffffffffffff0"))).join(), /3:20: 0x7fffffffffffffff0 is beyond/)
      assert.match((yield* problemsOf(teeth("9007199254740991"))).join(), /^config\.yaml:3:13: teeth of gears\.steel: /)
      assert.deepStrictEqual(parseConfig(path, teeth("0x10")).entries[0]!.config, { teeth: 16 })
    }))

  it.effect("has no key that looks like plugins and is none, unless somebody else tells", () =>
    Effect.gen(function*() {
      const options = { path, needs: [] as [], defaults }
      for (const key of ["plugin", "Plugins", "plugns"]) {
        assert.deepStrictEqual(yield* problemsOf(`a: 1\n${key}:\n  - use: gears.wood\n`, options), [
          `config.yaml:2:1: no key "${key}" here; did you mean plugins?; write plugins`
        ])
      }
      assert.match(
        (yield* problemsOf("- use: gears.wood\n", options)).join(),
        /^config\.yaml:1:1: want a list under plugins/
      )
      const told = yield* fromConfig(all, "plugin: []\n", { ...options, keysAreTold: true })
      assert.deepStrictEqual(told.parts, defaults.parts)
      assert.deepStrictEqual((yield* fromConfig(all, "bootstrap: {}\n", options)).parts, defaults.parts)
    }))
})

describe("a config text that is wrong", () => {
  it("gives problems with line and column, never an exception", () => {
    assert.deepStrictEqual(parseProblems(entry("with: { out: *nope }")), [
      "config.yaml:3:18: nothing above has the anchor &nope"
    ])
    assert.deepStrictEqual(parseProblems("plugins: *nope"), ["config.yaml:1:10: nothing above has the anchor &nope"])
    assert.deepStrictEqual(parseProblems(entry("with: &a { x: *a }")), [
      "config.yaml:3:19: *a stands for what it is a part of"
    ])
    const levels = Array.from({ length: 9 }, (_, at) => `a${at + 1}: &a${at + 1} [${`*a${at},`.repeat(9)}]\n`)
    assert.match(
      parseProblems(`a0: &a0 1\n${levels.join("")}${entry("with: { v: *a9 }")}`).join(),
      /has more than 100000 values when its aliases are written out/
    )
    assert.match(parseProblems(entry("with: { ? { a: 1 } : 2 }")).join(), /3:15: a key must be a word, not a map/)
  })

  it.effect("of any kind is told, or composes", () => {
    const pieces = [
      "plugins:",
      "\n",
      "  - ",
      "    ",
      "use: gears.wood",
      "from: ",
      "with: ",
      "as: ",
      "&a ",
      "*a",
      "[",
      "]",
      "{",
      "}",
      "1",
      "x",
      ", "
    ]
    return Effect.promise(() =>
      fc.assert(
        fc.asyncProperty(fc.array(fc.constantFrom(...pieces), { maxLength: 25 }), async (found) => {
          const text = `plugins:\n  - use: gears.wood\n    ${found.join("")}`.replaceAll("from: x", "")
          const { _tag } = await Effect.runPromise(Effect.result(fromConfig(all, text, { path, needs: [] })))
          assert.oneOf(_tag, ["Success", "Failure"])
        }),
        { seed: 14, numRuns: 500 }
      )
    )
  })

  it.effect("is told with what else is missing, and with what is wrong behind a key that is written wrongly", () =>
    Effect.gen(function*() {
      const text = "plugins:\n  - use: gears.steel\n    whith: { teeth: many }\n"
      assert.deepStrictEqual(yield* problemsOf(text, { needs: [counterKind] as never }), [
        "config.yaml:3:5: no key \"whith\" here; did you mean with?; keys are use, with, from, as",
        "config.yaml:3:14: teeth of gears.steel: Expected number, got \"many\"; ",
        "the composition: the program needs counter, and nothing provides it; add one of counter.clockwork"
      ])
      const lost = yield* problemsOf("plugins:\n  - { use: gears.wood, from: 7 }\n", { needs: [gearsKind] as never })
      assert.deepStrictEqual(lost.map((each) => each.slice(0, 16)), ["config.yaml:2:30"])
    }))

  it.effect("is told in time that grows with its length alone", () =>
    Effect.gen(function*() {
      let reads = 0
      const counted = Schema.String.check(Schema.makeFilter(() => {
        reads++
        return false
      }))
      const many = definePlugin({
        id: "gears.many",
        version: "1.0.0",
        stability: "stable",
        summary: "gears of many keys",
        provides: [one("gears", Gears, { summary: "what turns" })],
        requires: [],
        config: Schema.Record(Schema.String, counted),
        layer: () => Layer.succeed(Gears, { teeth: 5, turn: Effect.succeed(5) })
      })
      const error = yield* Effect.flip(fromConfig([many], manyKeys(8_000), { path, needs: [] }))
      assert.deepStrictEqual([error.problems.length, reads], [8_000, 8_000])
      assert.strictEqual(error.problems.at(-1)!.where, "config.yaml:8003:7")
      const { problems } = parseConfig(path, manyKeys(40_000))
      assert.deepStrictEqual(problems.map(({ message }) => message), [
        "the config has more than 100000 words and signs"
      ])
    }))
})
