/** From a command line and a file to settings: what is given counts, and everything that is wrong is told at once, with its place. */
import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import {
  type CheckContext,
  command,
  configLimits,
  derived,
  type FlagType,
  many,
  optional,
  readSettings,
  required,
  shown,
  toggle,
  Type,
  withDefault
} from "../src/index.ts"

const even: FlagType<number> = {
  ...Type.integer(0, 100, 2),
  expected: "an even number",
  parse: (given) => /^\d*[02468]$/.test(given) ? Number(given) : undefined,
  explain: (given) => `${shown(given)} is odd, or no number`
}

const copy = command({
  name: "copy",
  summary: "Copy",
  operands: { name: "DIR", least: 1, most: 2, help: "where to look" },
  flags: {
    target: required(Type.path("DIR", "/data"), "Where to."),
    count: withDefault(Type.integer(1, 9, 3), "3", "How many."),
    blockSize: optional(Type.duration("2h"), "How long."),
    word: many(Type.text("WORD", "a word", "abc", (given) => /^\w+$/.test(given)), "Words."),
    pairs: derived(even, "what fits", "Pairs."),
    quiet: toggle("No words.")
  },
  examples: [],
  check: ({ count, word }, operands, context, problem) => {
    if (count === operands.length) problem({ where: "--count", message: "is the number of operands" })
    const last = word?.findLast((each, at) => word.indexOf(each) < at)
    if (last !== undefined) problem({ where: "--word", message: `${shown(last)} is there twice` })
    return context.nowNanos
  },
  run: () => {
    throw new Error("not run here")
  }
})

const contextOf = (files: Readonly<Record<string, string | Uint8Array>>): CheckContext => ({
  nowNanos: 7n,
  read: (path) => {
    const file = files[path]
    if (file === undefined) return { problem: `${path} cannot be read` }
    return typeof file === "string" ? new TextEncoder().encode(file) : file
  }
})

const read = (argv: ReadonlyArray<string>, files: Readonly<Record<string, string | Uint8Array>> = {}) => {
  const found = readSettings(copy, ["copy", "move"], argv, contextOf(files))
  return { ...found, problems: found.problems.map(({ message, where }) => `${where}: ${message}`) }
}

/** Problems of a command line that is right but for the file. */
const fileProblems = (text: string | Uint8Array) => read(["a", "--config", "c.yaml"], { "c.yaml": text }).problems

describe("a command line", () => {
  it("tells where each flag was given: on the line, in the file, or in both; not what is a default, nor another command's", () => {
    const text = "copy:\n  count: 4\n  block-size: 2h\n  target: /t\n  quiet: true\nmove:\n  pairs: a=b\n"
    const { given } = read("a --config c.yaml --count 5 --word=b".split(" "), { "c.yaml": text })
    assert.deepStrictEqual([...given], [
      ["target", ["c.yaml:4:3: target"]],
      ["count", ["--count", "c.yaml:2:3: count"]],
      ["blockSize", ["c.yaml:3:3: block-size"]],
      ["word", ["--word"]],
      ["quiet", ["c.yaml:5:3: quiet"]],
      ["config", ["--config"]]
    ])
    assert.strictEqual(read(["--help", "--count", "5"]).given.size, 0)
  })

  it("gives values, defaults, lists, switches and operands", () => {
    const argv = "--word a x --word=b --quiet --target /t --block-size=1h30m -- --count"
    const { operands, plan, problems, settings } = read(argv.split(" "))
    assert.deepStrictEqual(problems, [])
    assert.deepStrictEqual(operands, ["x", "--count"])
    assert.strictEqual(plan, 7n)
    assert.deepStrictEqual(settings, {
      target: "/t",
      count: 3,
      blockSize: 5_400_000_000_000n,
      word: ["a", "b"],
      pairs: undefined,
      quiet: true,
      config: undefined,
      json: false,
      help: false
    })
    assert.isFalse(read(["a", "--target=t", "--quiet=false"]).settings["quiet"])
  })

  it("has all of its problems told at once, those of checks among them", () => {
    const argv =
      "a b c --count 3 --colour red --block-size 1h --block-size 2h --pairs 3 --word - --quiet=maybe --tarqet=x"
    const found = read([...argv.split(" "), "--word"]).problems
    assert.deepStrictEqual(found.map((each) => each.split(":")[0]).toSorted(), [
      "--block-size",
      "--colour",
      "--count",
      "--pairs",
      "--quiet",
      "--target",
      "--tarqet",
      "--word",
      "--word",
      "argument 3"
    ])
    const all = found.join("\n")
    assert.include(all, "--tarqet: no such flag; did you mean --target?")
    assert.include(all, "--pairs: \"3\" is odd, or no number")
    assert.include(all, "--target: is missing; want a path, e.g. --target /data")
    assert.include(all, "--word: has no value; want a word, e.g. --word abc")
    assert.include(all, "--quiet: \"maybe\"; want true or false")
    assert.include(read(["--target=t"]).problems.join(), "DIR: missing; where to look")
  })

  it("never brings control characters of what was given to the terminal", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: "binary" }), { maxLength: 6 }), (argv) => {
        // oxlint-disable-next-line no-control-regex
        assert.notMatch(read(argv).problems.join(""), /[\u0000-\u001f\u007f-\u009f]/)
      }),
      { seed: 11, numRuns: 500 }
    )
  })
})

describe("a config file", () => {
  it("says the same as flags, and flags win", () => {
    const file = "copy:\n  target: /t\n  count: 5\n  word: [a, b]\n  quiet: true\n  pairs: 4\nmove: {}\n"
    const fromFile = read(["x", "--config", "c.yaml"], { "c.yaml": file })
    assert.deepStrictEqual(fromFile.problems, [])
    const { config: _file, ...settings } = fromFile.settings
    const { config: _none, ...flags } =
      read("x --target /t --count 5 --word a --word b --quiet --pairs 4".split(" ")).settings
    assert.deepStrictEqual(settings, flags)
    const mixed = read(["x", "--config", "c.yaml", "--count=6", "--word", "c"], { "c.yaml": file }).settings
    assert.deepStrictEqual([mixed["count"], mixed["word"], mixed["target"]], [6, ["c"], "/t"])
  })

  it("has every wrong key and value told at once with line and column", () => {
    const file =
      "copy:\n  target: {a: 1}\n  count: 1.5\n  word: abc\n  pairs: 3\n  block-sise: 2h\n  config: x\n  quiet: 1\n  1: 2\nmive: {}\n"
    assert.deepStrictEqual(fileProblems(file), [
      "c.yaml:10:1: this program has no command \"mive\"; did you mean move?; it has copy, move",
      "c.yaml:6:3: block-sise: no such key of copy; did you mean block-size?",
      "c.yaml:7:3: config: no such key of copy",
      "c.yaml:9:3: 1: no such key of copy",
      "c.yaml:2:3: target: is a map; want a path, e.g. target: /data",
      "c.yaml:3:3: count: \"1.5\" is a number; want a whole number from 1 to 9, e.g. count: 3",
      "c.yaml:5:3: pairs: \"3\" is odd, or no number",
      "c.yaml:8:3: quiet: \"1\" is an integer; want true or false, e.g. quiet: true"
    ])
  })

  it("has problems of items, and of what is compared, told where they stand", () => {
    assert.deepStrictEqual(fileProblems("copy:\n  target: /t\n  word:\n    - abc\n    - a!\n"), [
      "c.yaml:5:7: word: \"a!\"; want a list, each item a word, e.g. word: [abc]"
    ])
    const file = "copy:\n  target: /t\n  count: 1\n  word: [abc, d, d]\n"
    assert.deepStrictEqual(fileProblems(file), [
      "c.yaml:3:3: count: is the number of operands",
      "c.yaml:4:15: word: \"d\" is there twice"
    ])
    const argv = ["a", "--config", "c.yaml", "--count", "1", "--word=d", "--word=d"]
    assert.deepStrictEqual(read(argv, { "c.yaml": file }).problems, [
      "--count: is the number of operands",
      "--word: \"d\" is there twice"
    ])
  })

  it("that cannot be read, or is another program's, leaves nothing missing", () => {
    const missing = "--target: is missing; want a path, e.g. --target /data"
    assert.deepStrictEqual(fileProblems("move: {}\n"), [missing])
    assert.deepStrictEqual(fileProblems("jump: {}\n"), [
      "c.yaml:1:1: this program has no command \"jump\"; it has copy, move"
    ])
    assert.deepStrictEqual(fileProblems("copy:\n  word: [1\n").filter((problem) => problem === missing), [])
    assert.deepStrictEqual(read(["a", "--config", "gone", "--count", "x"]).problems, [
      "--config: gone cannot be read",
      "--count: \"x\"; want a whole number from 1 to 9, e.g. --count 3"
    ])
  })

  it("is refused as a whole when it is no YAML, no map, no text, too large or not there", () => {
    assert.match(fileProblems("copy:\n  word: [1\n")[0]!, /^c\.yaml:\d+:\d+: /)
    assert.match(fileProblems("copy:\n  count: 1\n  count: 2\n")[0]!, /^c\.yaml:3:3: .*unique/)
    assert.match(fileProblems("- copy\n")[0]!, /^c\.yaml:1:1: want a map/)
    assert.match(fileProblems("copy: 3\n")[0]!, /^c\.yaml:1:7: want a map of flags/)
    assert.match(fileProblems(Uint8Array.of(0xff))[0]!, /^--config: c\.yaml is not UTF-8 text/)
    assert.match(
      fileProblems(new Uint8Array(configLimits.maxConfigBytes + 1))[0]!,
      /^--config: .* at most 1048576 are read/
    )
    assert.match(read(["a", "--config", "gone"]).problems[0]!, /^--config: gone cannot be read/)
  })

  it("of any content gives settings or problems, never a crash", () => {
    const piece = fc.constantFrom(
      "copy",
      ":",
      "\n",
      "  ",
      "- ",
      "&a",
      "*a",
      "[",
      "]",
      "{",
      "}",
      "1",
      "\"",
      "!!x",
      "count",
      "|",
      "#",
      "?",
      "<<"
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        const { problems } = read(["a", "--target=t", "--config=c.yaml"], { "c.yaml": pieces.join("") })
        for (const problem of problems) assert.isNotEmpty(problem)
      }),
      { seed: 12, numRuns: 1_000 }
    )
  })
})
