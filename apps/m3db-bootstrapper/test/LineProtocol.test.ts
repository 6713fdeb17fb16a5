// Line protocol against a reader that follows the protocol's own rules, written apart from the writer.
import { assert, describe, it } from "@effect/vitest"
import { encodeTags } from "@peerstrap/m3db-wire"
import type { Datapoints } from "@peerstrap/m3tsz"
import * as fc from "fast-check"
import { pointLiner, seriesPrefix } from "../src/export/LineProtocol.ts"

const bytes = (text: string) => new TextEncoder().encode(text)
const tagsOf = (pairs: ReadonlyArray<readonly [string, string]>) =>
  encodeTags(pairs.map(([name, value]) => [bytes(name), bytes(value)] as const))
const options = { measurement: "m3db", field: "value", idTag: "id" }

/** Splits at `at` where no backslash stands before it. */
const splitUnescaped = (text: string, at: string): Array<string> => {
  const parts = [""]
  let last = ""
  for (const char of text) {
    if (char === at && last !== "\\") parts.push("")
    else parts.push(parts.pop()! + char)
    last = char
  }
  return parts
}

/** A backslash escapes one of the special characters; before anything else it is itself. */
const unescaped = (text: string, special: RegExp): string => text.replaceAll(special, "$1")
const inMeasurement = /\\([, ])/g
const inName = /\\([,= ])/g

const parse = (line: string) => {
  assert.match(line, /\n$/)
  const [key, fields, time] = splitUnescaped(line.slice(0, -1), " ")
  const [measurement, ...tags] = splitUnescaped(key!, ",")
  const [field, value] = splitUnescaped(fields!, "=")
  return {
    measurement: unescaped(measurement!, inMeasurement),
    tags: tags.map((tag) => splitUnescaped(tag, "=").map((part) => unescaped(part, inName))),
    field: unescaped(field!, inName),
    value: Number(value),
    time: BigInt(time!)
  }
}

const pointsOf = (values: ReadonlyArray<number>): Datapoints => ({
  count: values.length,
  timestamps: BigInt64Array.from(values, (_, at) => 1_795_204_800_000_000_000n + BigInt(at)),
  values: Float64Array.from(values),
  units: new Uint8Array(values.length).fill(1),
  annotations: new Map()
})

const prefixOf = (tags: ReadonlyArray<readonly [string, string]>, id = "id") =>
  seriesPrefix(bytes(id), tags.length === 0 ? new Uint8Array(0) : tagsOf(tags), options)

describe("line protocol", () => {
  it("escapes what the protocol asks for, and only that", () => {
    const text = prefixOf([["__name__", "a, b=c\"d\\e"], ["t ,=", "v ,=\\x\""], ["ü", "漢字 x"]])
    assert.strictEqual(text, "a\\,\\ b=c\"d\\e,t\\ \\,\\==v\\ \\,\\=\\x\",ü=漢字\\ x")
    const line = pointLiner("m", "f =")(pointsOf([1.5]), 0)
    assert.strictEqual(line, "m f\\ \\==1.5 1795204800000000000\n")
  })

  it("writes the numbers that read back to the same bits", () => {
    const values = [0, -0, 5e-324, 1.7976931348623157e308, 1e21, -1 / 3, 123456789012345680]
    const points = pointsOf(values)
    const liner = pointLiner("m", "value")
    for (const [at, value] of values.entries()) {
      assert.isTrue(Object.is(parse(liner(points, at)).value, value), `${value}`)
    }
    const odd = pointsOf([NaN, Infinity, -Infinity])
    assert.deepStrictEqual([0, 1, 2].map((at) => liner(odd, at)), ["", "", ""])
  })

  it("takes the measurement and keeps series without tags apart", () => {
    assert.strictEqual(prefixOf([["host", "a"]]), "m3db,host=a")
    assert.strictEqual(prefixOf([], "cpu,host=a b"), "m3db,id=cpu\\,host\\=a\\ b")
    assert.strictEqual(seriesPrefix(Uint8Array.of(0, 0xff), new Uint8Array(0), options), "m3db,id=0x00ff")
    // A tag without a value is a tag that is not there.
    assert.strictEqual(prefixOf([["__name__", "up"], ["a", ""], ["b", "1"]]), "up,b=1")
  })

  it("names what it cannot write", () => {
    const odd = encodeTags([[bytes("a"), Uint8Array.of(0xff)]])
    const cases = [
      prefixOf([["a", "x\\"]]),
      prefixOf([["a", "x\ny"]]),
      prefixOf([["a\\", "x"]]),
      prefixOf([["__name__", "#x"]]),
      seriesPrefix(bytes("id"), odd, options),
      seriesPrefix(bytes("id"), bytes("no tags"), options)
    ]
    const said = cases.map((one) => typeof one === "string" ? `written: ${one}` : one.problem)
    assert.deepStrictEqual(said.slice(0, 5), [
      "the value of tag \"a\" ends with a backslash",
      "the value of tag \"a\" holds a line feed",
      "a tag's name ends with a backslash",
      "the measurement begins with #, which makes a comment",
      "the value of tag \"a\" is not UTF-8"
    ])
    assert.match(said[5]!, /^the tags do not decode/)
  })

  it("is read back as it was, whatever the names are", () => {
    // Made of the characters that matter, and others.
    const name = fc.string({ unit: fc.constantFrom(..."a=, \\\"ü漢#'{}"), minLength: 1, maxLength: 8 })
    fc.assert(
      fc.property(
        name,
        fc.array(fc.tuple(name, name), { minLength: 1, maxLength: 4 }),
        fc.double(),
        (measurement, tags, value) => {
          const all = [["__name__", measurement] as const, ...tags]
          const prefix = prefixOf(all)
          const writable = all.every((pair) => pair.every((part) => !part.endsWith("\\"))) &&
            !measurement.startsWith("#")
          assert.strictEqual(typeof prefix === "string", writable)
          if (typeof prefix !== "string" || !Number.isFinite(value)) return
          const parsed = parse(pointLiner(prefix, "value")(pointsOf([value]), 0))
          assert.deepStrictEqual([parsed.measurement, parsed.field], [measurement, "value"])
          assert.deepStrictEqual(parsed.tags, tags.map((pair) => [...pair]))
          assert.isTrue(Object.is(parsed.value, value))
        }
      ),
      { seed: 20261121, numRuns: 2000 }
    )
  })
})
