// Digest lines of filesets of real nodes against what M3DB's own reader found in them.
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { readFileSync } from "node:fs"
import { sharedMissing, sharedPath } from "../../../tools/shared.ts"
import { linesOf, runCommand } from "./support/InspectProgram.ts"

if (sharedMissing !== undefined) console.log(`Digest.golden.test.ts: ${sharedMissing}; nothing recorded was compared`)

/** The lines that a recorded digest file asks for. */
const expected = (namespace: string, file: string): Array<string> =>
  linesOf(readFileSync(sharedPath(`data/m3db/filesets/${file}`), "utf8"))
    .filter((line) => !line.startsWith("#"))
    .map((line) => {
      const [shard, id, tags, blockStart, datapoints, sha256] = line.split("\t")
      return JSON.stringify({
        namespace,
        shard: Number(shard),
        id,
        tags: tags === "-" ? "" : tags,
        blockStart,
        datapoints: Number(datapoints),
        sha256
      })
    })

const recorded = [["A", "raw", 218], ["A", "idx", 90], ["C", "raw", 140], ["C", "idx", 90], [
  "big",
  "raw",
  420
]] as const

describe.skipIf(sharedMissing !== undefined)("digest of filesets of real nodes", () => {
  for (const [set, namespace, count] of recorded) {
    it.effect(`${set}, namespace ${namespace}: ${count} lines`, () =>
      Effect.gen(function*() {
        const { code, err, out } = yield* runCommand(
          "digest",
          sharedPath(`data/m3db/filesets/${set}`),
          "--namespace",
          namespace
        )
        assert.deepStrictEqual([code, err], [0, ""])
        const lines = linesOf(out)
        assert.strictEqual(lines.length, count)
        assert.deepStrictEqual(lines, expected(namespace, `${set}-${namespace}.digest.tsv`))
      }))
  }

  it.effect("all namespaces one after the other, chosen shards, a part of the range, and the same lines with --json", () =>
    Effect.gen(function*() {
      const directory = sharedPath("data/m3db/filesets/A")
      const all = [...expected("idx", "A-idx.digest.tsv"), ...expected("raw", "A-raw.digest.tsv")]
      const whole = yield* runCommand("digest", directory)
      assert.deepStrictEqual(linesOf(whole.out), all)
      const shards = yield* runCommand("digest", directory, "--shards", "1,7-9")
      assert.deepStrictEqual(linesOf(shards.out), all.filter((line) => JSON.parse(line).shard === 1))
      const range = ["--from", "1795226400000000000", "--to", "2026-11-21T04:00:00Z"]
      const part = yield* runCommand("digest", directory, ...range, "--json")
      const wanted = all.filter((line) => JSON.parse(line).blockStart === "1795226400000000000")
      assert.isAbove(wanted.length, 0)
      assert.deepStrictEqual([part.code, linesOf(part.out)], [0, wanted])
      const last = JSON.parse(linesOf(part.err).at(-1)!)
      assert.deepStrictEqual([last.type, last.seriesBlocks], ["end", wanted.length])
    }))
})
