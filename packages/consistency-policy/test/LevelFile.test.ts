import { assert, describe, it } from "@effect/vitest"
import { LevelFile, type LevelFileLook, levels, parseLevel, UnknownLevelError } from "@peerstrap/consistency-policy"

const text = (content: string, stamp = "1"): LevelFileLook => ({ found: "text", text: content, stamp })
const absent: LevelFileLook = { found: "absent" }

const errorOf = (given: string): string => {
  const error = parseLevel(given)
  return error instanceof UnknownLevelError ? error.message : assert.fail(`${given} was taken as ${error}`)
}

describe("a level from text", () => {
  it("is one of six words, whitespace around it allowed", () => {
    for (const level of levels) assert.strictEqual(parseLevel(` \t${level}\r\n`), level)
  })

  it("else an error that lists the six and the one probably meant", () => {
    const six = "none, one, unstrict_majority, majority, unstrict_all, all"
    assert.strictEqual(errorOf("quorum"), `"quorum" is not a consistency level; use one of ${six}`)
    assert.strictEqual(errorOf(" \n"), `no consistency level given; use one of ${six}`)
    assert.include(errorOf("Unstrict-Majority"), "did you mean unstrict_majority?")
    assert.include(errorOf("none\none"), "\"none\\none\"")
    assert.isBelow(errorOf("x".repeat(1_000_000)).length, 200)
    for (const word of ["constructor", "__proto__", "0"]) assert.include(errorOf(word), "is not a consistency level")
  })
})

describe("a level file", () => {
  it("sets a level once, again when it is written again, and withdraws when it is gone", () => {
    const file = new LevelFile()
    assert.deepStrictEqual(file.step(absent, true), { act: "nothing" })
    assert.deepStrictEqual(file.step(text("none\n"), false), { act: "set", level: "none" })
    assert.deepStrictEqual(file.step(text("none\n"), true), { act: "nothing" })
    assert.deepStrictEqual(file.step(text("none\n", "2"), true), { act: "set", level: "none" })
    assert.deepStrictEqual(file.step(absent, false), { act: "withdraw" })
    assert.deepStrictEqual(file.step(absent, true), { act: "nothing" })
  })

  it("warns once about what it cannot use, and sets again when it is mended", () => {
    const file = new LevelFile()
    file.step(text("none"), true)
    assert.strictEqual(file.step(text("nothing"), false).act, "warn")
    assert.strictEqual(file.step(text("nothing"), true).act, "nothing")
    assert.strictEqual(file.step({ found: "unreadable", reason: "cannot be read (EACCES)" }, true).act, "warn")
    assert.deepStrictEqual(file.step(text("none"), true), { act: "set", level: "none" })
  })

  it("an empty file right after an event is being written; later it is a mistake", () => {
    const file = new LevelFile()
    assert.strictEqual(file.step(text(""), false).act, "nothing")
    assert.strictEqual(file.step(text(""), true).act, "warn")
    assert.deepStrictEqual(file.step(text("one", "2"), false), { act: "set", level: "one" })
  })
})
