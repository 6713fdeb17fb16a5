import { assert, describe, it } from "@effect/vitest"
import { shardOf } from "@peerstrap/m3db-wire"
import * as Effect from "effect/Effect"
import { rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { blockSize, firstBlock, writeFilesets } from "./support/Filesets.ts"
import { linesOf, runCommand, temporaryDirectory } from "./support/InspectProgram.ts"

const second = firstBlock + blockSize

/** What is said of a wrong question. */
const told = function*(...argv: ReadonlyArray<string>) {
  const { code, err, out } = yield* runCommand(...argv)
  assert.deepStrictEqual([code, out], [2, ""], err)
  return err
}

/** An id of a shard of four. */
const idOf = (shard: number): string => {
  for (let at = 0;; at++) if (shardOf(new TextEncoder().encode(`s${at}`), 0, 4) === shard) return `s${at}`
}

describe("verify", () => {
  it.effect("says that everything is sound, and how much that was", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      yield* writeFilesets(directory, [{ shard: 1, block: 0, ids: ["a", "b"] }, { shard: 2, block: 0, ids: ["c"] }])
      const text = yield* runCommand("verify", directory)
      assert.deepStrictEqual([text.code, text.err], [0, ""])
      assert.match(text.out, /^verified: 2 filesets, 3 entries, \d+ B of data\n$/)
      const json = JSON.parse((yield* runCommand("verify", directory, "--json")).out)
      const { entries, filesets, gaps, incomplete, problems, verified } = json
      assert.deepStrictEqual([filesets, entries, problems, incomplete, gaps, verified], [2, 3, [], [], [], true])
    }))

  it.effect("names incomplete filesets, and is not content with them", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      yield* writeFilesets(directory, [{ shard: 1, block: 0, ids: ["a"] }, { shard: 1, block: 1, ids: ["a"] }])
      const checkpoint = join(directory, `data/metrics/1/fileset-${second}-0-checkpoint.db`)
      rmSync(checkpoint)
      const { code, out } = yield* runCommand("verify", directory)
      assert.strictEqual(code, 1)
      assert.deepStrictEqual(linesOf(out).length, 2)
      assert.isTrue(linesOf(out)[0]!.startsWith(`${checkpoint}: incomplete fileset`), out)
      assert.match(linesOf(out)[1]!, /^NOT verified: 1 filesets, .* 1 incomplete$/)
    }))

  it.effect("lists gaps; they are wrong only with --no-gaps", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      const blocks = [[1, 0], [1, 1], [2, 0], [2, 1], [3, 1]] as const
      yield* writeFilesets(directory, blocks.map(([shard, block]) => ({ shard, block, ids: ["a"] })))
      const loose = yield* runCommand("verify", directory, "--json")
      assert.strictEqual(loose.code, 0)
      const gap = { namespace: "metrics", shard: 3, blockStart: String(firstBlock) }
      assert.deepStrictEqual(JSON.parse(loose.out).gaps, [gap])
      const strict = yield* runCommand("verify", directory, "--no-gaps")
      assert.strictEqual(strict.code, 1)
      assert.isTrue(
        strict.out.includes("gap: namespace metrics, shard 3 has no block 2026-11-20T20:00:00Z"),
        strict.out
      )
    }))

  it.effect("finds streams that do not decode, unless they are said to be protobuf", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      yield* writeFilesets(directory, [{ shard: 1, block: 0, ids: ["a"], stream: Uint8Array.of(1, 2, 3) }])
      const { code, out } = yield* runCommand("verify", directory)
      assert.strictEqual(code, 1)
      assert.isTrue(linesOf(out)[0]!.includes("data.db: byte 0: series \"a\": "), out)
      assert.isTrue(linesOf(out)[0]!.includes("; what to do: "), out)
      assert.strictEqual((yield* runCommand("verify", directory, "--encoding", "protobuf")).code, 0)
    }))

  it.effect("checks the shard of every series when it knows how many there are", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      const id = "a series"
      const shard = shardOf(new TextEncoder().encode(id), 0, 64)
      yield* writeFilesets(directory, [{ shard, block: 0, ids: [id] }, {
        shard: (shard + 1) % 64,
        block: 0,
        ids: [id]
      }])
      assert.strictEqual((yield* runCommand("verify", directory)).code, 0)
      const { code, out } = yield* runCommand("verify", directory, "--num-shards", "64")
      assert.strictEqual(code, 1)
      assert.isTrue(out.includes(`belongs to shard ${shard}, not ${(shard + 1) % 64}`), out)
      assert.strictEqual(
        (yield* runCommand("verify", directory, "--num-shards", "64", "--shards", String(shard))).code,
        0
      )
    }))

  it.effect("with --num-shards shards that are not there at all are gaps, unless --shards says which are meant", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      yield* writeFilesets(directory, [0, 1, 3].map((shard) => ({ shard, block: 0, ids: [idOf(shard)] })))
      const run = (...more: ReadonlyArray<string>) => runCommand("verify", directory, "--no-gaps", ...more)
      assert.strictEqual((yield* run()).code, 0)
      const { code, out } = yield* run("--num-shards", "4")
      assert.strictEqual(code, 1)
      assert.match(out, /gap: namespace metrics, shard 2 has no block /)
      assert.strictEqual((yield* run("--num-shards", "4", "--shards", "0-1")).code, 0)
    }))

  it.effect("says once that --num-shards may be wrong, with what would explain the data, when most ids do not fit", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      const all = Array.from({ length: 400 }, (_, at) => `series ${at}`)
      const of = (shard: number) => all.filter((id) => shardOf(new TextEncoder().encode(id), 0, 8) === shard)
      yield* writeFilesets(directory, [1, 5, 6, 7].map((shard) => ({ shard, block: 0, ids: of(shard).toSorted() })))
      assert.strictEqual((yield* runCommand("verify", directory, "--num-shards", "8")).code, 0)
      const { code, out } = yield* runCommand("verify", directory, "--num-shards", "4")
      assert.strictEqual(code, 1)
      const [only, total, ...rest] = linesOf(out)
      assert.match(
        only!,
        /series belong to other shards than 5 with 4 shards and seed 0; so are 3 filesets: is --num-shards right\? 8 would explain them/
      )
      assert.match(only!, /what to do: give the cluster's own --num-shards/)
      assert.notMatch(only!, /delete/)
      assert.match(total!, /^NOT verified: 4 filesets, .* 1 problems$/)
      assert.deepStrictEqual(rest.filter((line) => line !== ""), [])
    }))

  it.effect("says what was looked for where there is nothing", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      const missing = yield* told("verify", join(directory, "nowhere"))
      assert.isTrue(missing.includes("nowhere does not exist"), missing)
      const none = yield* told("verify", directory)
      assert.isTrue(
        none.includes(`${directory}/data/NAMESPACE/SHARD/fileset-`) && none.includes("holds: nothing"),
        none
      )
      writeFileSync(join(directory, "file"), "")
      const file = yield* told("verify", join(directory, "file"))
      assert.isTrue(file.includes("is not a directory"), file)
      yield* writeFilesets(directory, [{ shard: 1, block: 0, ids: ["a"] }])
      const other = yield* told("ls", directory, "--namespace", "other")
      assert.isTrue(other.includes("namespaces there: metrics"), other)
      const shard = yield* told("digest", directory, "--namespace", "metrics", "--shards", "4-5")
      assert.isTrue(shard.includes("data/metrics/{4-5}/fileset-") && shard.includes("shards there: 1"), shard)
      const wrong = yield* told("verify", directory, "--shards", "5-4")
      assert.isTrue(wrong.includes("--shards") && wrong.includes("nothing was started"), wrong)
    }))

  it.effect("a directory that cannot be listed is a local fault", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      writeFileSync(join(directory, "data"), "not a directory")
      const { code, err } = yield* runCommand("verify", directory)
      assert.strictEqual(code, 4, err)
      assert.isTrue(err.includes(join(directory, "data")) && err.includes("what to do: "), err)
    }))
})
