// Every recorded damage of a real node's fileset must be found, also where the node's own reader says nothing.
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { sharedMissing, sharedPath } from "../../../tools/shared.ts"
import { copyFiles, linesOf, runCommand, temporaryDirectory } from "./support/InspectProgram.ts"

if (sharedMissing !== undefined) console.log(`Verify.golden.test.ts: ${sharedMissing}; no recorded damage was tried`)

const shardPath = "data/raw/0"
const source = sharedPath(`data/m3db/filesets/A/${shardPath}`)

interface Damage {
  readonly fileset: string
  readonly results: ReadonlyArray<{ readonly file: string; readonly mutation: string; readonly ok: boolean }>
}

const damage: Damage = sharedMissing === undefined
  ? JSON.parse(readFileSync(sharedPath("data/m3db/filesets/damage.json"), "utf8"))
  : { fileset: "", results: [] }

const flipped = (bytes: Uint8Array, at: number): Uint8Array => bytes.map((byte, i) => (i === at ? byte ^ 1 : byte))

const mutations: Readonly<Record<string, (bytes: Uint8Array) => Uint8Array | undefined>> = {
  "flip-first": (bytes) => flipped(bytes, 0),
  "flip-middle": (bytes) => flipped(bytes, bytes.length >> 1),
  "flip-last": (bytes) => flipped(bytes, bytes.length - 1),
  "truncate-1": (bytes) => bytes.subarray(0, bytes.length - 1),
  "append-1": (bytes) => new Uint8Array([...bytes, 0]),
  empty: () => new Uint8Array(0),
  delete: () => undefined
}

const damagedCopy = Effect.fnUntraced(function*(file: string, mutation: string) {
  const directory = yield* temporaryDirectory
  const shard = join(directory, shardPath)
  copyFiles(source, shard, damage.fileset)
  const path = join(shard, `${damage.fileset}${file}.db`)
  const changed = mutations[mutation]!(readFileSync(path))
  if (changed === undefined) rmSync(path)
  else writeFileSync(path, changed)
  return { directory, path }
})

describe.skipIf(sharedMissing !== undefined)("verify of damaged filesets of real nodes", () => {
  it("tries all recorded mutations", () => {
    assert.strictEqual(damage.results.length, 49)
    assert.isTrue(damage.results.every(({ mutation }) => mutation in mutations))
  })

  for (const { file, mutation } of damage.results) {
    it.effect(`${file} ${mutation}`, () =>
      Effect.gen(function*() {
        const { directory, path } = yield* damagedCopy(file, mutation)
        const { code, out } = yield* runCommand("verify", directory, "--json")
        const found = JSON.parse(out)
        assert.deepStrictEqual([code, found.exitCode, found.verified], [1, 1, false], out)
        const told: Array<{ path: string; remedy: string }> = [...found.problems, ...found.incomplete]
        // A checkpoint of four other bytes and a changed digest file look the same: the digest file is named.
        const named = new Set([path, ...(file === "checkpoint" ? [path.replace("checkpoint", "digest")] : [])])
        assert.isTrue(told.some((one) => named.has(one.path)), out)
        assert.isTrue(told.every(({ remedy }) => remedy.length > 0), out)
      }))
  }

  it.effect("whole sets are verified, without a word beside the totals", () =>
    Effect.gen(function*() {
      for (const set of ["A", "C", "big"]) {
        const shards = set === "big" ? "1" : "8"
        const { code, err, out } = yield* runCommand(
          "verify",
          sharedPath(`data/m3db/filesets/${set}`),
          "--num-shards",
          shards
        )
        assert.deepStrictEqual([code, err], [0, ""], out)
        const totals = linesOf(out).filter((line) => !line.startsWith("gap: "))
        assert.strictEqual(totals.length, 1, out)
        assert.match(totals[0]!, /^verified: \d+ filesets, /)
      }
    }))

  it.effect("digest goes on after a damaged series, and names file, byte and remedy", () =>
    Effect.gen(function*() {
      const { directory, path } = yield* damagedCopy("data", "flip-middle")
      const { code, err, out } = yield* runCommand("digest", directory)
      const whole = yield* runCommand(
        "digest",
        sharedPath("data/m3db/filesets/A"),
        "--namespace",
        "raw",
        "--shards",
        "0"
      )
      const block = damage.fileset.split("-")[1]
      const expected = linesOf(whole.out).filter((line) => JSON.parse(line).blockStart === block)
      const lines = linesOf(out)
      assert.strictEqual(code, 1)
      assert.strictEqual(lines.length, expected.length - 1)
      assert.isTrue(lines.every((line) => expected.includes(line)))
      assert.isTrue(err.includes(`${path}: byte `) && err.includes("checksum is") && err.includes("what to do: "), err)
    }))
})
