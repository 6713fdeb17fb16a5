import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { sharedMissing, sharedPath } from "../../../tools/shared.ts"
import { idOfText, idText } from "../src/inspect/IdText.ts"
import { blockSize, firstBlock, writeFilesets } from "./support/Filesets.ts"
import { jsonLinesOf, linesOf, runCommand, temporaryDirectory } from "./support/InspectProgram.ts"

if (sharedMissing !== undefined) console.log(`Inspect.test.ts: ${sharedMissing}; nothing recorded was inspected`)

/** What JSON has of a value may be null; its bits are compared. */
const withoutValues = (points: ReadonlyArray<Readonly<Record<string, unknown>>>) =>
  points.map((point) => Object.fromEntries(Object.entries(point).filter(([name]) => name !== "value")))

describe("ids as text", () => {
  it("go there and back, whatever their bytes are", () => {
    const ids = ["cpu,host=a", "ünï", "0x", "0x41", "a\nb", "", "\uFEFFx"].map((text) => new TextEncoder().encode(text))
    for (const id of [...ids, Uint8Array.of(0xff, 0), Uint8Array.of(0xef, 0xbb, 0xbf)]) {
      assert.deepStrictEqual([...idOfText(idText(id))!], [...id], idText(id))
    }
    assert.strictEqual(idOfText("0x123"), undefined)
  })
})

describe("inspect", () => {
  it.effect("shows one fileset: info, files, bloom filter, summaries, entries", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      const ids = Array.from({ length: 40 }, (_, at) => `id-${String(at).padStart(2, "0")}`)
      yield* writeFilesets(directory, [{ shard: 3, block: 0, ids }])
      const { code, err, out } = yield* runCommand("inspect", directory, "--limit", "2")
      assert.deepStrictEqual([code, err], [0, ""])
      assert.match(out, /^namespace metrics, shard 3, block 2026-11-20T20:00:00Z to 2026-11-20T22:00:00Z: sound\n/)
      assert.match(out, /info: 40 series, block size 2h, schema 1\.1, volume 0/)
      assert.match(out, /checkpoint +4 B +holds/)
      assert.match(out, /bloom filter: 326 bits, 6 hashes/)
      assert.match(out, /summaries: 2 for 40 entries/)
      assert.match(out, /the first 2 [\s\S]*"id-00" \{name="id-00"\}: \d+ B at 0, adler-32 [\da-f]{8}\n/)

      const document = JSON.parse((yield* runCommand("inspect", directory, "--limit", "40", "--json")).out)
      assert.deepInclude(document, { command: "inspect", exitCode: 0, sound: true, blockStart: String(firstBlock) })
      assert.deepStrictEqual(document.entries.map(({ id }: { id: string }) => id), ids)
      assert.deepStrictEqual(document.entries[1].tags, { name: "id-01" })
      const csv = linesOf((yield* runCommand("inspect", directory, "--format", "csv")).out)
      assert.strictEqual(csv[0], "id,tags,write_index,offset,size,adler32")
      assert.deepStrictEqual(csv.slice(1).map((line) => line.split(",")[0]), ids)
      assert.include(csv[1]!, "\"{\"\"name\"\":\"\"id-00\"\"}\"")
    }))

  it.effect("names damage, and where a fileset cannot be opened", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      yield* writeFilesets(directory, [{ shard: 3, block: 0, ids: ["a"] }, { shard: 4, block: 0, ids: ["a"] }])
      const path = (shard: number, file: string) =>
        join(directory, `data/metrics/${shard}/fileset-${firstBlock}-0-${file}.db`)
      const data = readFileSync(path(3, "data"))
      data[2]! ^= 8
      writeFileSync(path(3, "data"), data)
      const damaged = yield* runCommand("inspect", directory, "--shard", "3")
      assert.strictEqual(damaged.code, 1)
      assert.match(
        damaged.out,
        /: NOT sound\n[\s\S]*data +\S+ B +adler-32 [\da-f]{8}, DAMAGED\n[\s\S]*problem: .*-data\.db/
      )
      const points = yield* runCommand("inspect", directory, "--id", "a")
      assert.strictEqual(points.code, 1)
      assert.match(points.err, /series "a": checksum is 0x[\da-f]{8}, the bytes have 0x/)
      assert.match(points.out, /shard 4/)
      writeFileSync(path(4, "digest"), "short")
      const closed = yield* runCommand("inspect", directory, "--shard", "4")
      assert.deepStrictEqual([closed.code, closed.out], [1, ""])
      assert.match(closed.err, /digest\.db/)
    }))

  it.effect("asks which one when several are meant, takes volumes, and says when there is none", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      yield* writeFilesets(directory, [
        { shard: 3, block: 0, ids: ["a"] },
        { shard: 3, block: 0, volume: 1, ids: ["a", "b"] },
        { shard: 3, block: 1, ids: ["a"] }
      ])
      const several = yield* runCommand("inspect", directory)
      assert.strictEqual(several.code, 2)
      assert.match(
        several.err,
        new RegExp(`2 filesets are meant:\\n {2}--namespace metrics --shard 3 --block-start ${firstBlock} `)
      )
      const one = ["inspect", directory, "--block-start", String(firstBlock), "--json"]
      assert.strictEqual(JSON.parse((yield* runCommand(...one)).out).info.entries, 2)
      assert.strictEqual(JSON.parse((yield* runCommand(...one, "--volume", "0")).out).info.entries, 1)
      assert.strictEqual((yield* runCommand("inspect", directory, "--volume", "7")).code, 2)
      const none = yield* runCommand("inspect", directory, "--id", "nope")
      assert.deepStrictEqual([none.code, none.out], [1, ""])
      assert.match(none.err, /no series "nope" in 2 filesets/)
      assert.strictEqual((yield* runCommand("inspect", directory, "--id", "0x1")).code, 2)
    }))

  it.effect("shows a series in all of its blocks as text, CSV and JSON lines", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      yield* writeFilesets(directory, [
        { shard: 3, block: 1, ids: ["a", "b"] },
        { shard: 3, block: 0, ids: ["b"] },
        { shard: 3, block: 2, ids: ["a"] }
      ])
      const text = yield* runCommand("inspect", directory, "--id", "b")
      assert.strictEqual(text.code, 0, text.err)
      const heads = linesOf(text.out).filter((line) => line.startsWith("  namespace"))
      assert.deepStrictEqual(heads.map((line) => /block (\S+),/.exec(line)![1]), [
        "2026-11-20T20:00:00Z",
        "2026-11-20T22:00:00Z"
      ])
      const [first, second, end] = jsonLinesOf((yield* runCommand("inspect", directory, "--id", "0x62", "--json")).out)
      assert.deepStrictEqual([first.id, first.tags, first.points.length, second.points.length], [
        "b",
        { name: "b" },
        5,
        6
      ])
      assert.deepStrictEqual([end.command, end.exitCode, end.filesets, end.blocks, end.points], [
        "inspect",
        0,
        3,
        2,
        11
      ])
      const csv = linesOf((yield* runCommand("inspect", directory, "--id", "b", "--format", "csv")).out)
      assert.strictEqual(csv[0], "namespace,block_start,timestamp_ns,value,unit,annotation")
      assert.strictEqual(csv.length, 12)
      assert.isTrue(csv[6]!.startsWith(`metrics,${firstBlock + blockSize},`))
    }))

  it.effect.skipIf(sharedMissing !== undefined)(
    "shows the points of a real node: times, bits, units and annotations",
    () =>
      Effect.gen(function*() {
        const recorded = jsonLinesOf(readFileSync(sharedPath("data/m3db/filesets/A-raw.points.jsonl"), "utf8"))
        const units = ["", "s", "ms", "us", "ns"]
        let annotated = 0
        for (const { blockStart, id, points } of recorded) {
          const argv = ["--namespace", "raw", "--id", `0x${id}`, "--block-start", blockStart, "--json"]
          const { code, err, out } = yield* runCommand("inspect", sharedPath("data/m3db/filesets/A"), ...argv)
          assert.strictEqual(code, 0, err)
          const [block] = jsonLinesOf(out)
          const expected = points.map(({ annotation, bits, t, unit }: Record<string, string>) => ({
            timestamp: t,
            bits,
            unit: units[Number(unit)],
            ...(annotation === undefined ? {} : { annotation })
          }))
          annotated += expected.filter(({ annotation }: { annotation?: string }) => annotation !== undefined).length
          assert.deepStrictEqual(withoutValues(block.points), expected)
        }
        assert.isAbove(annotated, 0)
      })
  )
})
