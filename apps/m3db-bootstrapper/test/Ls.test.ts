import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { sharedMissing, sharedPath } from "../../../tools/shared.ts"
import { blockSize, firstBlock, writeFilesets } from "./support/Filesets.ts"
import { linesOf, runCommand, temporaryDirectory } from "./support/InspectProgram.ts"

if (sharedMissing !== undefined) console.log(`Ls.test.ts: ${sharedMissing}; no recorded fileset was listed`)

describe("ls", () => {
  it.effect("shows every fileset with its state, aligned, and one line a namespace", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      yield* writeFilesets(directory, [
        { shard: 2, block: 0, ids: ["a", "b"] },
        { shard: 2, block: 0, volume: 1, ids: ["a", "b", "c"] },
        { shard: 11, block: 1, ids: ["d"] },
        { shard: 11, block: 2, ids: ["d"] },
        { namespace: "other", shard: 0, block: 0, ids: ["e"] }
      ])
      rmSync(join(directory, `data/metrics/11/fileset-${firstBlock + blockSize}-0-checkpoint.db`))
      writeFileSync(join(directory, `data/metrics/11/fileset-${firstBlock + 2n * blockSize}-0-info.db`), "x")
      const { code, err, out } = yield* runCommand("ls", directory)
      assert.deepStrictEqual([code, err], [0, ""])
      const lines = out.split("\n")
      const rows = lines.slice(0, 6).map((line) => line.split(/ {2,}/).map((cell) => cell.trim()))
      assert.deepStrictEqual(rows.map((row) => [row[0], row[1], row[2], row[3], row[4], row[6]]), [
        ["NAMESPACE", "SHARD", "BLOCK", "VOLUME", "ENTRIES", "STATE"],
        ["metrics", "2", "2026-11-20T20:00:00Z", "0", "2", "superseded"],
        ["metrics", "2", "2026-11-20T20:00:00Z", "1", "3", "complete"],
        ["metrics", "11", "2026-11-20T22:00:00Z", "0", "?", "incomplete"],
        ["metrics", "11", "2026-11-21T00:00:00Z", "0", "?", "damaged"],
        ["other", "0", "2026-11-20T20:00:00Z", "0", "1", "complete"]
      ])
      const column = lines[0]!.indexOf("STATE")
      assert.isTrue(lines.slice(1, 6).every((line) => /^ [a-z]+$/.test(line.slice(column - 1))), out)
      assert.strictEqual(lines[6], "")
      assert.match(
        lines[7]!,
        /^metrics: 2 shards, 2 blocks, .*, 4 filesets, 1 superseded, 1 incomplete, 1 damaged, 3 entries, /
      )
      assert.match(lines[8]!, /^other: 1 shards, 1 blocks, .*, 1 filesets, 1 entries, /)
    }))

  it.effect("gives the same as JSON, of the shards asked for", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      yield* writeFilesets(directory, [{ shard: 1, block: 0, ids: ["a", "b"] }, { shard: 2, block: 0, ids: ["c"] }])
      const { out } = yield* runCommand("ls", directory, "--shards", "1", "--json")
      const { command, exitCode, namespaces } = JSON.parse(out)
      assert.deepStrictEqual([command, exitCode, namespaces.length], ["ls", 0, 1])
      const [fileset] = namespaces[0].shards[0].filesets
      const { blockStart, bytes, complete, entries, state, volume } = fileset
      assert.deepStrictEqual([namespaces[0].shards.length, blockStart, entries, volume, complete, state], [
        1,
        String(firstBlock),
        2,
        0,
        true,
        "complete"
      ])
      assert.strictEqual(namespaces[0].totals.bytes, bytes)
      assert.isAbove(bytes, 100)
    }))

  it.effect.skipIf(sharedMissing !== undefined)(
    "lists filesets of a real node as its own reader does",
    () =>
      Effect.gen(function*() {
        const recorded: Array<{ blockStart: string; entries: number; shard: number; volume: number }> = JSON.parse(
          readFileSync(sharedPath("data/m3db/filesets/A-raw.filesets.json"), "utf8")
        )
        const { out } = yield* runCommand("ls", sharedPath("data/m3db/filesets/A"), "--namespace", "raw", "--json")
        const listed = JSON.parse(out).namespaces[0].shards.flatMap((shard: any) =>
          shard.filesets.map((one: any) => `${shard.shard} ${one.blockStart} ${one.volume} ${one.entries}`)
        )
        const expected = recorded.map((one) => `${one.shard} ${one.blockStart} ${one.volume} ${one.entries}`)
        assert.deepStrictEqual(listed.toSorted(), expected.toSorted())
      })
  )

  it.effect("help has examples and exit codes", () =>
    Effect.gen(function*() {
      for (const name of ["digest", "verify", "ls", "diff"]) {
        const { code, out } = yield* runCommand(name, "--help")
        assert.strictEqual(code, 0)
        const lines = linesOf(out)
        assert.isAbove(lines.filter((line) => line.startsWith(`  peerstrap-m3db ${name}`)).length, 0)
        assert.isTrue(out.includes("Exit codes:") && out.includes("--json"))
      }
    }))
})
