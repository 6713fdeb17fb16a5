// Settings that are not the cluster's, over real sockets: plan and bootstrap both end with exit code 2, nothing is left and nobody is blamed.
import { assert, describe, it } from "@effect/vitest"
import { seededSpec } from "@peerstrap/m3db-wire/testing"
import * as Effect from "effect/Effect"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { runCommand, temporaryDirectory } from "./support/InspectProgram.ts"
import { peerArguments, type Replica, startReplicas } from "./support/Replicas.ts"

const spec = seededSpec({ seed: 5, namespace: "metrics", numShards: 16, series: 400, blocks: 2, points: 12, tags: 1 })

const filesIn = (directory: string): ReadonlyArray<string> =>
  existsSync(directory)
    ? readdirSync(directory, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".db"))
    : []

const withFlag = (replicas: ReadonlyArray<Replica>, flag: string, value: string): Array<string> => {
  const argv = peerArguments(replicas, spec)
  const at = argv.indexOf(flag)
  return at < 0 ? [...argv, flag, value] : argv.with(at + 1, value)
}

describe("settings that are not the cluster's", () => {
  const wrong = [
    [
      "--num-shards",
      "12",
      /do not hash to the shard .* with 12 shards.* by [abc], .* by [abc]|there are more than 12 shards/
    ],
    ["--num-shards", "24", /do not hash to the shard .* with 24 shards/],
    ["--num-shards", "8", /list series of shard 8: there are more than 8 shards/],
    ["--hash-seed", "3", /do not hash to the shard .* seed 3/],
    ["--block-size", "1h", /\d+ of \d+ series looked at have points outside of blocks of 1h/]
  ] as const
  for (const [flag, value, says] of wrong) {
    it.live(`${flag} ${value} is exit 2 for plan and for bootstrap, and no fileset is left`, () =>
      Effect.gen(function*() {
        const replicas = yield* startReplicas([{}, { lackSeries: { every: 5, remainder: 0 } }, {}], spec)
        // Shards that do not exist would be waited for.
        const shards = value === "24" ? ["--shards", "0-15"] : []
        const argv = [...withFlag(replicas, flag, value), ...shards]
        const planned = yield* runCommand("plan", ...argv)
        assert.strictEqual(planned.code, 2, planned.out + planned.err)
        assert.match(planned.out, says)
        const out = join(yield* temporaryDirectory, "out")
        const run = yield* runCommand("bootstrap", ...argv, "--out", out)
        assert.strictEqual(run.code, 2, run.out + run.err)
        assert.match(run.out + run.err, says)
        assert.match(run.out + run.err, new RegExp(`what to do: .*${flag}`))
        assert.deepStrictEqual(filesIn(out), [])
        const { peerVerdicts } = JSON.parse(readFileSync(join(out, "peerstrap-report.json"), "utf8"))
        assert.deepStrictEqual(peerVerdicts.map(({ verdict }: { verdict: string }) => verdict), [
          "clear",
          "clear",
          "clear"
        ])
      }))
  }

  it.live("one replica that lists shards behind the last one changes nothing", () =>
    Effect.gen(function*() {
      const two = yield* startReplicas([{}, {}], spec)
      const [more] = yield* startReplicas([{}], { ...spec, numShards: 32 })
      const replicas = [...two, { ...more!, id: "c" }]
      const argv = [...peerArguments(replicas, spec), "--level", "one"]
      assert.strictEqual((yield* runCommand("plan", ...argv)).code, 0)
      const out = join(yield* temporaryDirectory, "out")
      const run = yield* runCommand("bootstrap", ...argv, "--out", out)
      assert.strictEqual(run.code, 0, run.out + run.err)
      assert.match(run.out, /32 of 32 blocks written and verified/)
    }))
})
