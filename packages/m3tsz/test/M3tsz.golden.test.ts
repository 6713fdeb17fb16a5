// Streams of M3's own encoder: the same points out, and the same bytes in.
import { assert, describe, it } from "@effect/vitest"
import { adler32, checkBlock, decodeBlock, digestPoints, digestPointsWithUnits, encodeBlock } from "@peerstrap/m3tsz"
import { describePoints } from "@peerstrap/m3tsz/testing"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { sharedMissing, sharedPath } from "../../../tools/shared.ts"
import { expectValue, fromHex, fromRows, type Row, toHex } from "./Points.ts"

interface Case {
  readonly name: string
  readonly start: string
  readonly intOptimized: boolean
  readonly input: ReadonlyArray<Row>
  readonly head: string
  readonly tail: string
  readonly adler32: string
  readonly decoded: ReadonlyArray<Row> | null
  readonly decodeError?: string
  readonly encodeError?: string
}

const limits = { maxPoints: 10_000 }
const folder = sharedPath("data/m3db")
const casesOf = (file: string): ReadonlyArray<Case> =>
  existsSync(`${folder}/m3tsz/${file}`) ? JSON.parse(readFileSync(`${folder}/m3tsz/${file}`, "utf8")).cases : []

/** The unit that has no deltas, the one that M3 refuses, the mode that M3DB does not use, the value that M3 mangles. */
const notEncodedAlike = new Set(["unit minute", "unit none", "float mode off", "first value below -2^63"])

if (sharedMissing !== undefined) {
  console.warn(`M3tsz.golden: recorded streams skipped, ${sharedMissing}`)
  it("the recorded data is missing", () => assert.isString(sharedMissing))
} else {
  for (const [file, count] of [["streams.json", 58], ["decimals.json", 36]] as const) {
    const cases = casesOf(file)
    it(`${file} has all its cases`, () => assert.strictEqual(cases.length, count))
    describe(file, () => cases.forEach(golden))
  }
  describe("series-blocks of real filesets", filesets)
}

function golden(recorded: Case): void {
  if (!recorded.intOptimized) return
  const pieces = [fromHex(recorded.head), fromHex(recorded.tail)]
  const input = fromRows(recorded.input)
  const faithful = JSON.stringify(recorded.input) === JSON.stringify(recorded.decoded)

  it(`decodes "${recorded.name}"`, () => {
    if (recorded.decoded === null) {
      assert.strictEqual(expectValue(decodeBlock(pieces, limits)).count, 0)
      return
    }
    if (recorded.decodeError !== undefined) assert.propertyVal(decodeBlock(pieces, limits), "reason", "truncated")
    const requireEnd = recorded.decodeError === undefined
    const points = expectValue(decodeBlock(pieces, limits, { requireEnd }))
    assert.deepStrictEqual(describePoints(points), describePoints(fromRows(recorded.decoded)))
    assert.strictEqual(adler32(fromHex(recorded.head + recorded.tail)), Number.parseInt(recorded.adler32, 16))
  })

  it(`encodes "${recorded.name}"`, () => {
    const exact = expectValue(encodeBlock(input, BigInt(recorded.start)))
    if (faithful) assert.strictEqual(toHex(exact.bytes), recorded.head + recorded.tail)
    if (notEncodedAlike.has(recorded.name)) return
    const alike = expectValue(encodeBlock(input, BigInt(recorded.start), { lossless: false }))
    assert.strictEqual(toHex(alike.bytes.subarray(0, alike.headLength)), recorded.head)
    assert.strictEqual(toHex(alike.bytes.subarray(alike.headLength)), recorded.tail)
  })
}

interface Line {
  readonly blockStart: string
  readonly id: string
  readonly points: ReadonlyArray<Row>
  readonly raw: string
}

function filesets(): void {
  const files = readdirSync(`${folder}/filesets`).filter((name) => name.endsWith(".points.jsonl"))
  it("there are some", () => assert.isAtLeast(files.length, 4))
  for (const file of files) {
    it(file, () => {
      const digests = readFileSync(`${folder}/filesets/${file.replace(".points.jsonl", ".digest.tsv")}`, "utf8")
      const rows = new Map(
        digests.split("\n").map((line) => {
          const columns = line.split("\t")
          return [`${columns[1]} ${columns[3]}`, columns] as const
        })
      )
      const lines = readFileSync(`${folder}/filesets/${file}`, "utf8").trim().split("\n")
      for (const line of lines) oneBlock(JSON.parse(line), rows)
      assert.isAtLeast(lines.length, 1)
    })
  }
}

function oneBlock(block: Line, rows: ReadonlyMap<string, ReadonlyArray<string>>): void {
  const raw = fromHex(block.raw)
  const points = expectValue(decodeBlock([raw], limits))
  assert.deepStrictEqual(describePoints(points), describePoints(fromRows(block.points)))
  const row = rows.get(`${block.id} ${block.blockStart}`)
  assert.isDefined(row)
  assert.strictEqual(digestPoints(points), row![5])
  assert.strictEqual(digestPointsWithUnits(points), row![6])
  assert.strictEqual(adler32(raw).toString(16).padStart(8, "0"), row![9])
  const blockStart = BigInt(block.blockStart)
  const check = expectValue(checkBlock([raw], { blockStart, blockSize: 7_200_000_000_000n, ...limits }))
  assert.deepStrictEqual(check.problems, [])
  assert.strictEqual(check.points, points.count)
  assert.deepStrictEqual(
    describePoints(expectValue(decodeBlock([expectValue(encodeBlock(points, blockStart)).bytes], limits))),
    describePoints(points)
  )
}
