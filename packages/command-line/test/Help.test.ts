/** Help comes from the table of flags alone. */
import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import {
  command,
  commandHelp,
  ExitCode,
  many,
  programHelp,
  readSettings,
  required,
  toggle,
  Type,
  versionOfPackage,
  withDefault
} from "../src/index.ts"

const definition = {
  examples: [],
  run: () => {
    throw new Error("not run here")
  }
} as const

const copy = command({
  ...definition,
  name: "copy",
  summary: "Copy words",
  details: ["A paragraph. ".repeat(20).trim()],
  operands: { name: "DIR", least: 0, most: 1, help: "where to look" },
  flags: {
    blockSize: withDefault(Type.duration("2h"), "2h", "How long."),
    word: many(Type.text("WORD", "a word", "abc"), "Words."),
    target: required(Type.path("DIR", "/data"), "Where to."),
    json: toggle("Prints lines.")
  },
  examples: [{ args: "copy --target /t", says: "As it is" }]
})
const hidden = command({ ...definition, name: "hidden", summary: "Hide", flags: {}, internal: true })
const program = { name: "test-program", summary: "copies", version: "1.0.0", commands: [copy, hidden] }

describe("help", () => {
  it("has every flag with placeholder, default and notes, examples and exit codes", () => {
    const help = commandHelp(program, copy)
    for (
      const part of [
        "test-program copy: Copy words.\n",
        "Usage: test-program copy [DIR] [flags]\n",
        "DIR: where to look\n",
        "  --block-size DURATION\n      How long. Default: 2h.\n",
        "  --word WORD\n      Words. May be repeated.\n",
        "  --target DIR\n      Where to. Required.\n",
        "  --json\n      Prints lines.\n",
        "  --config FILE\n",
        "  # As it is\n  test-program copy --target /t\n"
      ]
    ) assert.include(help, part)
    for (const code of Object.values(ExitCode)) assert.match(help, new RegExp(`^  (130, )?${code}\\b`, "m"))
    assert.isAtMost(Math.max(...help.split("\n").map((line) => line.length)), 100)
    assert.strictEqual(help.split("--json").length, 2)
  })

  it("of the program lists the commands that people use", () => {
    const help = programHelp(program)
    assert.include(help, "test-program: copies.\n")
    assert.include(help, "  copy  Copy words\n")
    assert.notInclude(help, "hidden")
  })

  it("wins over everything else on the command line", () => {
    for (const word of ["--help", "-h"]) {
      const context = { nowNanos: 0n, read: (path: string) => ({ problem: path }) }
      const { help, problems } = readSettings(copy, ["copy"], ["--nonsense", word], context)
      assert.deepStrictEqual([help, problems], [true, []])
    }
  })
})

describe("flags", () => {
  it("refuse a default that they would refuse as a value", () => {
    assert.throws(() => withDefault(Type.integer(1, 9, 3), "10", "How many."), /default 10 is not a whole number/)
  })
})

describe("the version", () => {
  it("is that of the package that a module lies in", () => {
    const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"))
    assert.strictEqual(versionOfPackage(import.meta.url), version)
    assert.throws(() => versionOfPackage("file:///nowhere/at/all.js"))
  })
})
