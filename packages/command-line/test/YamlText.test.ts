/** A YAML text within bounds: whatever it is, it is read or refused in words, with line and column, and soon. */
import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { isMap } from "yaml"
import { configLimits, readConfig, readYaml } from "../src/index.ts"

const { maxConfigBytes, maxConfigDepth, maxConfigTokens } = configLimits

const problemsOf = (text: string): ReadonlyArray<string> =>
  readYaml({ path: "c.yaml", text }).problems.map(({ message, remedy, where }) => `${where}: ${message}; ${remedy}`)

const nested = (depth: number) => `a: ${"[".repeat(depth - 1)}${"]".repeat(depth - 1)}\n`

describe("readYaml", () => {
  it("finds what an alias stands for, also one whose anchor is given anew", () => {
    const { followed, place, problems, root } = readYaml({ path: "c.yaml", text: "a: &x 1\nb: *x\nc: &x 2\nd: *x\n" })
    assert.deepStrictEqual(problems, [])
    assert.isTrue(isMap(root))
    const values = isMap(root) ? root.items.map(({ value }) => followed(value) as { readonly value: bigint }) : []
    assert.deepStrictEqual(values.map(({ value }) => value), [1n, 1n, 2n, 2n])
    assert.deepStrictEqual(values.map(place), ["c.yaml:1:7", "c.yaml:1:7", "c.yaml:3:7", "c.yaml:3:7"])
  })

  it("refuses aliases of nothing, and of what they are a part of", () => {
    assert.deepStrictEqual(problemsOf("a: *nope\nb: &b { c: *b }\nd: *later\ne: &later 1\n"), [
      "c.yaml:1:4: nothing above has the anchor &nope; name one, or quote the *",
      "c.yaml:2:12: *b stands for what it is a part of; write it out",
      "c.yaml:3:4: nothing above has the anchor &later; name one, or quote the *"
    ])
  })

  it("refuses aliases that are much when written out, without writing them out", () => {
    const levels = Array.from({ length: 40 }, (_, at) => `a${at + 1}: &a${at + 1} [${`*a${at},`.repeat(9)}]\n`)
    assert.deepStrictEqual(problemsOf(`a0: &a0 1\n${levels.join("")}`), [
      `c.yaml:7:9: has more than ${maxConfigTokens} values when its aliases are written out; make it simpler`
    ])
    const chain = Array.from({ length: 99 }, (_, at) => `a${at + 1}: &a${at + 1} [*a${at}]\n`)
    assert.match(
      problemsOf(`a0: &a0 1\n${chain.join("")}`).join(),
      /^c\.yaml:\d+:\d+: maps and lists are more than 64 deep/
    )
  })

  it("refuses keys that stand twice, also as text and as number, and keys that are no words", () => {
    assert.deepStrictEqual(problemsOf("a: { 1: x, \"1\": y }\nb: 1\nb: 2\n? [c]\n: 3\n? *b\n: 4\n: 5\n"), [
      "c.yaml:1:12: map keys must be unique: \"1\" is at c.yaml:1:6 already; leave one of them out",
      "c.yaml:3:1: map keys must be unique: \"b\" is at c.yaml:2:1 already; leave one of them out",
      "c.yaml:4:3: a key must be a word, not a list; write KEY: VALUE",
      "c.yaml:6:3: a key must be a word, not an alias; write KEY: VALUE",
      "c.yaml:8:1: a key must be a word, not nothing; write KEY: VALUE"
    ])
  })

  it("refuses tags that it does not know, and a second document", () => {
    assert.match(problemsOf("a: !foo b\n").join(), /^c\.yaml:1:4: Unresolved tag: !foo; mend the YAML$/)
    assert.match(problemsOf("a: !!binary aGk=\n").join(), /^c\.yaml:1:4: Unresolved tag: .*binary; mend the YAML$/)
    assert.deepStrictEqual(problemsOf("a: !!str 1\n---\nb: 2\n"), [
      "c.yaml:2:1: a second document begins here; make it simpler"
    ])
  })

  it("is bounded in bytes, depth and words; at the bounds it is read", () => {
    assert.deepStrictEqual(problemsOf(nested(maxConfigDepth)), [])
    assert.match(problemsOf(nested(maxConfigDepth + 1)).join(), /^c\.yaml:1:\d+: maps and lists are more than 64 deep/)
    assert.match(problemsOf("[".repeat(100_000)).join(), /^c\.yaml:1:\d+: maps and lists are more than 64 deep/)
    assert.match(problemsOf("- ".repeat(100_000)).join(), /^c\.yaml:1:\d+: maps and lists are more than 64 deep/)
    assert.match(
      problemsOf("- 1\n".repeat(maxConfigTokens / 4)).join(),
      /^c\.yaml:\d+:\d+: the config has more than 100000 words and signs/
    )
    assert.deepStrictEqual(problemsOf(`a: "${"x".repeat(maxConfigBytes - 5)}"`), [])
    // Two bytes each.
    assert.deepStrictEqual(problemsOf(`a: "${"ж".repeat(maxConfigBytes / 2)}"`), [
      `c.yaml: the config is longer than ${maxConfigBytes} bytes; make it smaller`
    ])
    assert.lengthOf(problemsOf("]".repeat(5_000)), 101)
    assert.isBelow(problemsOf("!".repeat(100_000)).join("").length, 500)
  })

  it("of any text gives a root or problems with a place, never an exception", () => {
    const pieces = [
      "a",
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
      "|",
      "#",
      "?",
      "<<",
      "%",
      ","
    ]
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 30 }), (found) => {
        const { problems, root } = readYaml({ path: "c.yaml", text: found.join("") })
        assert.isTrue(problems.length === 0 || root === undefined)
        for (const { where } of problems) assert.match(where, /^c\.yaml:\d+:\d+$/)
      }),
      { seed: 13, numRuns: 2_000 }
    )
  })
})

describe("readConfig", () => {
  it("does not take a section that stands for nothing as an empty one", () => {
    const { problems } = readConfig({ path: "c.yaml", text: "copy: *nope\n" }, "copy", ["copy"])
    assert.deepStrictEqual(problems, [
      { where: "c.yaml:1:7", message: "nothing above has the anchor &nope; name one, or quote the *" }
    ])
  })
})
