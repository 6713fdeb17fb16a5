import { assert, describe, it } from "@effect/vitest"
import { type Command, command, optional, type Program, Type, withDefault } from "@peerstrap/command-line"
import { inProcess } from "@peerstrap/command-line/testing"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import {
  chooses,
  compose,
  type Composition,
  definePlugin,
  feeds,
  type FlagTargets,
  Host,
  partsOfFlags,
  pluginsCommand
} from "../src/index.ts"
import { type FlagTargetCase, flagTargetProblems } from "../src/testing/index.ts"
import { Counter, counterKind, Gears, gearsKind, makeShop } from "./shop.ts"

const { all, clockwork, paper, steel, wood } = makeShop([])

/** Gears whose teeth a file says, and what they are without it. */
const watched = definePlugin({
  id: "gears.watched",
  version: "1.0.0",
  stability: "stable",
  summary: "gears out of a file",
  provides: [gearsKind],
  requires: [],
  config: Schema.Struct({ path: Schema.String, otherwise: Schema.optionalKey(Schema.Int) }),
  layer: ({ otherwise = 9 }) => Layer.succeed(Gears, { teeth: otherwise, turn: Effect.succeed(otherwise) })
})
const quiet = definePlugin({
  id: "counter.quiet",
  version: "1.0.0",
  stability: "stable",
  summary: "counts nothing",
  provides: [counterKind],
  requires: [],
  config: Schema.Struct({}),
  layer: () => Layer.succeed(Counter, { count: Effect.succeed(0) })
})
const registry = [...all, watched, quiet]
const counters = { clockwork, quiet }

const flags = {
  teeth: withDefault(Type.integer(3, 99, 12), "12", "On each wheel."),
  teethFile: optional(Type.path("FILE", "teeth.txt"), "Where the teeth are written."),
  counter: withDefault(Type.oneOf(["clockwork", "quiet"], "quiet"), "clockwork", "Who counts."),
  paper: withDefault(Type.text("NAME", "a name", "b"), "a", "What is printed on."),
  loud: optional(Type.text("WORD", "a word", "very"), "How loud.")
} as const

interface Settings {
  readonly teeth: number
  readonly teethFile: string | undefined
  readonly counter: "clockwork" | "quiet"
  readonly paper: string
  readonly loud: string | undefined
}

const targets = {
  teeth: [feeds(steel, "teeth"), feeds(watched, "otherwise")],
  teethFile: [feeds(watched, "path")],
  counter: chooses(counters)
} satisfies FlagTargets<Settings>

const partsOf = ({ counter, paper: name, teeth, teethFile }: Settings): Composition<Counter> =>
  compose(
    teethFile === undefined ? steel({ teeth }) : watched({ path: teethFile, otherwise: teeth }),
    paper({ name }),
    counters[counter]({})
  )

const count = command<typeof flags, true, Composition<Counter>>({
  name: "count",
  summary: "Turn the wheels once",
  flags,
  examples: [],
  check: () => true,
  resolve: (found) =>
    partsOfFlags({
      registry,
      needs: [counterKind],
      found,
      defaults: found.plan === undefined ? undefined : partsOf(found.settings as Settings),
      targets
    }),
  run: ({ resolved }) =>
    Effect.orDie(Effect.map(
      Host.run(resolved, () => Counter.use((counter) => counter.count)),
      (counted) => ({ exitCode: 0, text: `${counted}\n`, json: {} })
    ))
})
const validate: Command = pluginsCommand({
  registry,
  main: count,
  needs: [counterKind],
  sample: ["--teeth", "12"],
  commandNames: () => ["count", "plugins"]
})
const program: Program = { name: "shop", summary: "counts", version: "1.0.0", commands: [count, validate] }

/** What a command line and a file give: the number, or the lines of the report. */
const counted = (
  text: string,
  argv: ReadonlyArray<string> = [],
  words: ReadonlyArray<string> = ["count", "--config"]
) =>
  Effect.suspend(() => {
    const folder = mkdtempSync(join(tmpdir(), "vain-"))
    const path = join(folder, "run.yaml")
    writeFileSync(path, text)
    return Effect.ensuring(
      Effect.map(inProcess(program)(...words, path, ...argv), ({ code, err, out }) =>
        code === 0
          ? out.trim()
          : (words[0] === "plugins" ? out : err).replaceAll(`${folder}/`, "").split("\n").filter((line) =>
            line.startsWith("  ")
          ).map((line) => line.trim())),
      Effect.sync(() => rmSync(folder, { recursive: true }))
    )
  })

const plugins = (...entries: ReadonlyArray<string>) => `plugins:\n${entries.map((each) => `  - ${each}\n`).join("")}`

describe("a flag that was given, beside a part of the file", () => {
  it.effect("is refused when the part stands in the place of the one that it describes", () =>
    Effect.gen(function*() {
      assert.deepEqual(yield* counted(plugins("use: gears.wood"), ["--teeth", "20"]), [
        "--teeth: is about gears.steel, and gears.wood at run.yaml:2:10 stands in its place; leave one of the two out"
      ])
      assert.deepEqual(yield* counted(plugins("use: gears.wood")), "5")
    }))

  it.effect("is refused when the same part gives the very key, even the same value, or the flag's default", () =>
    Effect.gen(function*() {
      const text = plugins("{ use: gears.steel, with: { jams: false, teeth: 12 } }")
      assert.deepEqual(yield* counted(text, ["--teeth", "12"]), [
        "--teeth: gives teeth of gears.steel, and so does run.yaml:2:46; leave one of the two out"
      ])
      assert.deepEqual(yield* counted(text), "12")
    }))

  it.effect("is laid under a part that does not give its key", () =>
    Effect.gen(function*() {
      assert.deepEqual(yield* counted(plugins("{ use: gears.steel, with: { jams: false } }"), ["--teeth", "20"]), "20")
      const file = plugins("{ use: gears.watched, with: { path: b } }")
      assert.deepEqual(yield* counted(`count: { teeth: 21 }\n${plugins("use: gears.steel")}`), "21")
      // Here flags make gears of steel, whose teeth do not come to those that are watched.
      assert.deepEqual(yield* counted(file, ["--teeth", "20"]), [
        "--teeth: is about gears.steel, and gears.watched at run.yaml:2:12 stands in its place; leave one of the two out"
      ])
      assert.deepEqual(yield* counted(file, ["--teeth", "20", "--teeth-file", "a"]), [
        "--teeth-file: gives path of gears.watched, and so does run.yaml:2:35; leave one of the two out"
      ])
    }))

  it.effect("is refused when it chooses another plugin, and taken when it chooses that one", () =>
    Effect.gen(function*() {
      const text = plugins("use: counter.quiet")
      assert.deepEqual(yield* counted(text, ["--counter", "clockwork"]), [
        "--counter: chooses counter.clockwork, and counter.quiet at run.yaml:2:10 stands in its place; leave one of the two out"
      ])
      assert.deepEqual(yield* counted(text, ["--counter=quiet"]), "0")
      assert.deepEqual(yield* counted(text), "0")
    }))

  it.effect("in the command's section of the same file is told with its place; with the command line's, when both are", () =>
    Effect.gen(function*() {
      const text = `count:\n  teeth: 20\n${plugins("use: gears.wood", "use: counter.quiet")}`
      const vain = "is about gears.steel, and gears.wood at run.yaml:4:10 stands in its place; leave one of the two out"
      assert.deepEqual(yield* counted(text), [`run.yaml:2:3: teeth: ${vain}`])
      assert.deepEqual(yield* counted(text, ["--teeth", "21", "--counter", "clockwork"]), [
        `--teeth: ${vain}`,
        `run.yaml:2:3: teeth: ${vain}`,
        "--counter: chooses counter.clockwork, and counter.quiet at run.yaml:5:10 stands in its place; leave one of the two out"
      ])
      assert.deepEqual(yield* counted(text, [], ["plugins", "validate"]), [`run.yaml:2:3: teeth: ${vain}`])
    }))

  it.effect("that no row names is nobody's business", () =>
    Effect.gen(function*() {
      const text = plugins("{ use: printer.paper, with: { name: x } }")
      assert.deepEqual(yield* counted(text, ["--paper", "y", "--loud", "very"]), "12")
    }))

  it.effect("is told beside what else is wrong with flags and parts, as far as it is certain", () =>
    Effect.gen(function*() {
      const text = plugins("{ use: gears.steel, with: { teeth: 1 } }", "use: counter.quiet", "use: printer.papr")
      const told = yield* counted(text, ["--teeth", "many", "--counter", "clockwork"])
      assert.deepEqual(
        (told as ReadonlyArray<string>).map((line) => line.slice(0, 45)),
        [
          "--teeth: \"many\"; want a whole number from 3 to",
          "run.yaml:2:33: teeth of gears.steel: Expected a",
          "run.yaml:4:10: there is no plugin \"printer.pap",
          "--teeth: gives teeth of gears.steel, and so d",
          "--counter: chooses counter.clockwork, and cou"
        ].map((line) => line.slice(0, 45))
      )
      // A wrong value chooses nothing, and with wrong flags it is not known which gears they make.
      const unknown = yield* counted(plugins("{ use: gears.watched, with: { path: b } }", "use: counter.quiet"), [
        "--counter",
        "loud",
        "--teeth",
        "20"
      ])
      assert.strictEqual(unknown.length, 1)
    }))

  it.effect("of the sample was given by nobody", () =>
    Effect.gen(function*() {
      assert.match(String(yield* counted(plugins("use: gears.wood"), [], ["plugins", "validate"])), /fits, 3 parts/)
    }))
})

describe("the table of flags and parts", () => {
  const settings: Settings = { teeth: 12, teethFile: undefined, counter: "clockwork", paper: "a", loud: undefined }
  const right: FlagTargetCase<Settings> = {
    flags,
    targets,
    alsoElsewhere: ["paper"],
    noPart: ["loud"],
    settings: [settings, { ...settings, teethFile: "a" }],
    partsOf
  }
  const problems = (changes: Partial<FlagTargetCase<Settings>>) => flagTargetProblems({ ...right, ...changes })

  it("is true of the parts", () => assert.deepEqual(problems({}), []))

  it("is refused when a flag has no row, a wrong one, or stands nowhere", () => {
    const { teeth: _, ...withoutTeeth } = targets
    const { counter: _counter, ...withoutCounter } = targets
    assert.deepEqual(problems({ targets: withoutTeeth }), [
      "--teeth is in no list; it changes gears.steel.teeth, gears.watched.otherwise"
    ])
    assert.deepEqual(problems({ targets: withoutTeeth, noPart: ["loud", "teeth"] }), [
      "--teeth changes gears.steel.teeth, gears.watched.otherwise, and has no row"
    ])
    assert.deepEqual(problems({ targets: withoutCounter, noPart: ["loud", "counter"] }), [
      "--counter changes counter, and has no row"
    ])
    assert.deepEqual(problems({ targets: { ...targets, teeth: [feeds(steel, "jams")] } }), [
      "--teeth changes gears.steel.teeth, which is not in its row",
      "--teeth changes gears.watched.otherwise, which is not in its row",
      "--teeth does not change gears.steel.jams, which its row names"
    ])
    assert.deepEqual(problems({ targets: { ...targets, counter: chooses({ wood }) } }), [
      "--counter changes counter, which is not in its row",
      "--counter does not change gears, which its row names"
    ])
    assert.deepEqual(problems({ noPart: [] }), ["--loud is in no list; it changes no part"])
    assert.deepEqual(problems({ alsoElsewhere: ["paper", "loud"], noPart: [] }), ["--loud changes no part"])
    assert.deepEqual(problems({ noPart: ["loud", "louder", "paper"] }), ["louder is no flag", "paper stands twice"])
  })
})
