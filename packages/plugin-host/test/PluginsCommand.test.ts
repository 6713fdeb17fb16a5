import { assert, describe, it } from "@effect/vitest"
import { command, ExitCode, type Program, required, runProgram, Type } from "@peerstrap/command-line"
import { inProcess } from "@peerstrap/command-line/testing"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { compose, type Composition, definePlugin, Host, one, partsOfFlags, pluginsCommand } from "../src/index.ts"
import { Counter, counterKind, makeShop, noConfig } from "./shop.ts"

class Spare extends Context.Service<Spare, string>()("test/Spare") {}
const spare = definePlugin({
  id: "spare.box",
  version: "1.0.0",
  stability: "stable",
  summary: "a box in the corner",
  provides: [one("spare", Spare, { summary: "what is kept" })],
  requires: [],
  config: noConfig,
  layer: () => Layer.succeed(Spare, "box")
})

const { all: parts, clockwork, paper, steel } = makeShop([])
const all = [...parts, spare]
const flags = { teeth: required(Type.integer(3, 99, 12), "On each wheel.") } as const

const count = command<typeof flags, { readonly teeth: number } | undefined, Composition<Counter>>({
  name: "count",
  summary: "Turn the wheels once",
  flags,
  examples: [],
  check: ({ teeth }) => teeth === undefined ? undefined : { teeth },
  resolve: (found) =>
    partsOfFlags({
      registry: all,
      needs: [counterKind],
      found,
      targets: {},
      defaults: found.plan === undefined
        ? undefined
        : compose(steel(found.plan), paper({ name: "a" }), clockwork({}))
    }),
  run: ({ resolved }) =>
    Effect.orDie(Effect.map(
      Host.run(resolved, () => Counter.use((counter) => counter.count)),
      (counted) => ({ exitCode: ExitCode.done, text: `${counted}\n`, json: { counted } })
    ))
})

const program: Program = {
  name: "shop",
  summary: "counts",
  version: "1.0.0",
  commands: [
    count,
    pluginsCommand({
      registry: all,
      main: count,
      needs: [counterKind],
      sample: ["--teeth", "12"],
      commandNames: () => ["count", "plugins"]
    })
  ]
}
const shop = inProcess(program)

const withFile = <A>(text: string, use: (path: string) => Effect.Effect<A>) => {
  const folder = mkdtempSync(join(tmpdir(), "plugins-"))
  const path = join(folder, "run.yaml")
  writeFileSync(path, text)
  return Effect.ensuring(use(path), Effect.sync(() => rmSync(folder, { recursive: true })))
}

describe("a command that composes", () => {
  it.effect("runs what flags say, or the file", () =>
    Effect.gen(function*() {
      assert.strictEqual((yield* shop("count", "--teeth", "12")).out, "12\n")
      const { out } = yield* withFile("count: { teeth: 20 }\nplugins: [{ use: gears.wood }]\n", (path) =>
        shop("count", "--config", path, "--json"))
      assert.strictEqual(JSON.parse(out).counted, 5)
    }))

  it.effect("tells problems of flags and of plugins in one report, before anything starts", () =>
    withFile("count: { teeth: 2 }\nplugins: [{ use: gears.wod }]\n", (path) =>
      Effect.gen(function*() {
        const { code, err } = yield* shop("count", "--config", path)
        assert.strictEqual(code, ExitCode.usage)
        assert.match(
          err,
          /2 problems, nothing was started\n.*run\.yaml:1:10: teeth: .*\n.*run\.yaml:2:18: there is no plugin "gears\.wod"/
        )
      })))
})

describe("plugins", () => {
  it.effect("a syntax error is told once, though two readers find it", () =>
    withFile(
      "count: { teeth: 12\nplugins: []\n",
      (path) =>
        Effect.map(shop("plugins", "validate", path), ({ code, out }) => {
          assert.strictEqual(code, ExitCode.usage)
          assert.match(out, /: 1 problem\n/)
        })
    ))

  it.effect("list and explain, also as JSON", () =>
    Effect.gen(function*() {
      const { out } = yield* shop("plugins", "list")
      assert.deepEqual(out.trim().split("\n").map((line) => line.split(" ")[0]), all.map(({ id }) => id))
      assert.match((yield* shop("plugins", "explain", "gears.steel")).out, /teeth: integer.*required.*on each wheel/)
      const json = JSON.parse((yield* shop("plugins", "explain", "gears.steel", "--json")).out)
      assert.deepEqual(Object.keys(json.config.properties), ["teeth", "jams"])
      const unknown = yield* shop("plugins", "explain", "gears.stel")
      assert.deepEqual([unknown.code, /did you mean gears\.steel/.test(unknown.err)], [ExitCode.usage, true])
    }))

  it.effect("graph of the defaults and of a file that exchanges one", () =>
    Effect.gen(function*() {
      assert.match((yield* shop("plugins", "graph")).out, /counter\.clockwork .*\n {2}├ gears ◄ gears\.steel/)
      const { out } = yield* withFile("plugins: [{ use: gears.wood }]", (path) =>
        shop("plugins", "graph", path, "--json"))
      assert.deepEqual(
        JSON.parse(out).plugins.map(({ name }: { name: string }) =>
          name
        ),
        [
          "gears.wood",
          "printer.paper",
          "counter.clockwork"
        ]
      )
    }))

  it.effect("validate says that a file fits, or all that is wrong with it", () =>
    Effect.gen(function*() {
      const good = yield* withFile("count: { teeth: 12 }", (path) => shop("plugins", "validate", path))
      assert.deepEqual([good.code, /fits, 3 parts/.test(good.out)], [ExitCode.done, true])
      const bad = yield* withFile("count: { teth: 12 }\nplugins: [{ use: gears.steel, with: { jam: 1 } }]", (path) =>
        shop("plugins", "validate", path))
      assert.strictEqual(bad.code, ExitCode.usage)
      assert.match(
        bad.out,
        /3 problems\n.*run\.yaml:1:10: teth: .*\n.*--teeth: is missing.*\n.*run\.yaml:2:39: gears\.steel has no key "jam"; did you mean jams/
      )
    }))

  it.effect("schema has the flags of the command beside the plugins", () =>
    Effect.gen(function*() {
      const schema = JSON.parse((yield* shop("plugins", "schema")).out)
      assert.strictEqual(schema.properties.count.properties.teeth.type, "integer")
      assert.strictEqual(schema.properties.plugins.items.anyOf.length, all.length + 1)
    }))

  it.effect("validate and graph name the parts that nobody uses", () =>
    withFile("plugins: [{ use: spare.box }]", (path) =>
      Effect.gen(function*() {
        const said = yield* shop("plugins", "validate", path)
        assert.match(said.out, /fits, 4 parts\n {2}spare\.box: nobody requires spare\n$/)
        assert.match((yield* shop("plugins", "graph", path)).out, /\nspare\.box: nobody requires spare\n$/)
        assert.notInclude((yield* shop("plugins", "graph")).out, "nobody requires")
        const json = JSON.parse((yield* shop("plugins", "graph", path, "--json")).out)
        assert.deepStrictEqual(json.unused, [{ name: "spare.box", provides: ["spare"] }])
      })))

  it.effect("list and explain know the plugins that a file brings along, and what is wrong with it", () =>
    Effect.gen(function*() {
      const module = fileURLToPath(new URL("support/Outside.ts", import.meta.url))
      const file = `plugins:\n  - { use: nobody, from: "${module}" }\n  - { use: x.y, from: ./gone.ts }\n`
      yield* withFile(file, (path) =>
        Effect.gen(function*() {
          const explained = yield* shop("plugins", "explain", "gears.outside", path)
          assert.match(explained.out, /^gears\.outside 1\.0\.0/)
          assert.strictEqual((yield* shop("plugins", "explain", "gears.steel", path)).code, ExitCode.done)
          for (const argv of [["list", path], ["explain", "gears.outsied", path]]) {
            const { code, out } = yield* shop("plugins", ...argv)
            assert.strictEqual(code, ExitCode.usage)
            assert.match(out, /: 1 problem\n.*run\.yaml:3:\d+: cannot load \.\/gone\.ts/)
          }
        }))
      yield* withFile(`plugins: [{ use: nobody, from: "${module}" }]\n`, (path) =>
        Effect.gen(function*() {
          assert.match((yield* shop("plugins", "list", path)).out, /\ngears\.outside .*\n$/)
          const near = yield* shop("plugins", "explain", "gears.outsied", path)
          assert.match(near.err, /did you mean gears\.outside/)
        }))
      assert.match((yield* shop("plugins", "list", "/nowhere.yaml")).err, /\/nowhere\.yaml cannot be read/)
    }))

  it.effect("takes its file as an argument only: plugins: is a list of parts, no section with flags", () =>
    withFile("plugins: [{ use: gears.wood }]\n", (path) =>
      Effect.gen(function*() {
        const { code, err } = yield* shop("plugins", "explain", "gears.steel", "--config", path)
        assert.strictEqual(code, ExitCode.usage)
        assert.match(err, /1 problem, .*\n {2}--config: no such flag\b/)
        const { out } = yield* shop("plugins", "--help")
        assert.notMatch(out, /--config|config file, under/)
      })))

  it.effect("wrong words are told", () =>
    Effect.gen(function*() {
      for (const argv of [["grph"], ["schema", "x"], ["list", "a", "b"], ["explain"], ["validate", "/nowhere.yaml"]]) {
        assert.strictEqual((yield* shop("plugins", ...argv)).code, ExitCode.usage, argv.join(" "))
      }
    }))

  it.effect("reads the file once: it may be a pipe", () =>
    Effect.gen(function*() {
      const texts = ["count: { teeth: 20 }\nplugins: [{ use: gears.wood }]\n"]
      let out = ""
      const code = yield* runProgram({
        program,
        argv: ["plugins", "validate", "/dev/stdin"],
        terminal: {
          out: (text) => Effect.sync(() => void (out += text)),
          error: () => undefined,
          isLive: false,
          color: false,
          size: () => ({ columns: 80, rows: 24 })
        },
        stop: Effect.never,
        read: () => new TextEncoder().encode(texts.pop() ?? "")
      })
      assert.deepStrictEqual([code, out], [ExitCode.done, "/dev/stdin: fits, 3 parts\n"])
    }))
})
