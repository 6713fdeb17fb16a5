// plan against embedded replicas: what it says before is what the run does then, and it moves nothing.
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { existsSync, readdirSync, statSync } from "node:fs"
import { join } from "node:path"
import { runCommand, temporaryDirectory } from "./support/InspectProgram.ts"
import { peerArguments, type Replica, spec, startReplicas } from "./support/Replicas.ts"

const fetched = (replicas: ReadonlyArray<Replica>): number =>
  replicas.reduce((sum, { server }) => sum + server.stats().blockRequests, 0)

/** Space of all files below a directory, in blocks of 4 KiB. */
const spaceOf = (directory: string): number =>
  readdirSync(directory, { recursive: true, encoding: "utf8" })
    .map((name) => statSync(join(directory, name)))
    .filter((info) => info.isFile())
    .reduce((sum, { size }) => sum + Math.ceil(size / 4096) * 4096, 0)

describe("plan", () => {
  it.live("foretells what the run does: blocks, copies, bytes, memory, disk; and fetches and writes nothing", () =>
    Effect.gen(function*() {
      const replicas = yield* startReplicas([
        {},
        { lackSeries: { every: 5, remainder: 0 } },
        { otherValues: { every: 7, remainder: 1 } }
      ])
      const out = join(yield* temporaryDirectory, "out")
      const argv = [...peerArguments(replicas), "--out", out]
      const planned = yield* runCommand("plan", ...argv, "--json")
      assert.strictEqual(planned.code, 0, planned.err + planned.out)
      assert.strictEqual(fetched(replicas), 0)
      assert.isFalse(existsSync(out))
      const forecast = JSON.parse(planned.out)
      assert.deepInclude(forecast, { command: "plan", exitCode: 0, canFinish: true, level: "majority", obstacles: [] })

      const run = yield* runCommand("bootstrap", ...argv, "--json")
      assert.strictEqual(run.code, 0, run.err)
      const { report } = JSON.parse(run.out)
      const { different, unknown } = report.divergences.counts
      assert.isAbove(different, 0)
      assert.strictEqual(forecast.blocks.total, report.blocks.committed)
      assert.strictEqual(forecast.blocks.empty, report.blocks.empty)
      assert.strictEqual(forecast.total.seriesBlocks, report.seriesBlocks.stored)
      assert.strictEqual(forecast.total.fanOut, different + unknown)
      // A series-block with other values may be absent on the third peer, too.
      assert.isAtLeast(forecast.total.absentOnSome, report.divergences.counts["absent-on-some"])
      const [a, b] = forecast.peers
      assert.isAbove(a.heldBlocks, b.heldBlocks)
      assert.isTrue(
        forecast.peers.every(({ askedBlocks, listedJobs }: Record<string, number>) =>
          askedBlocks! > 0 && listedJobs === 4
        )
      )
      assert.isAtLeast(forecast.memory.peak, report.memory.peak)
      const space = spaceOf(join(out, "data"))
      assert.isAtLeast(forecast.disk.atMost, space * 0.95)
      assert.isAtMost(forecast.disk.needed, space * 1.15)
    }))

  it.live("says it for people: a line a peer, totals, assumptions, risks", () =>
    Effect.gen(function*() {
      const replicas = yield* startReplicas([{}, { otherValues: { every: 7, remainder: 1 } }])
      const { code, out } = yield* runCommand(
        "plan",
        ...peerArguments(replicas),
        "--assumed-bytes-per-second=1KiB",
        "--deadline=1s"
      )
      assert.strictEqual(code, 0, out)
      assert.match(out, /^namespace metrics: 4 shards \(0-3\) × 2 blocks of 2h, /)
      assert.match(out, /\na run can finish at level majority\n/)
      assert.match(out, /\n {2}PEER +ADDRESS +SERIES +BLOCKS +BYTES +TO FETCH +BYTES +LISTED\/S\n/)
      assert.match(out, /\n {2}a {2,}127\.0\.0\.1:\d+ +80 +160 /)
      assert.match(
        out,
        /\n {2}time: about .* \(measured\), data .* \(if each peer sends 1\.0+ KiB\/s and 20,000 series-blocks\/s\)/
      )
      assert.match(out, /risk: none of the peers that listed shards 0, 1, 2, 3 may fail/)
      assert.match(out, /risk: --deadline 1\.0 s comes before the end|risk: --deadline 1 s comes before the end/)
      assert.match(out, /risk: \d+ series-blocks differ/)
    }))

  it.live("peers that do not answer: named, exit 3 where the level needs them, a risk where not", () =>
    Effect.gen(function*() {
      const replicas = yield* startReplicas([{}, {}, {}])
      const argv = ["plan", ...peerArguments(replicas), "--patience", "50ms", "--json"]
      yield* replicas[2]!.server.stop
      const one = yield* runCommand(...argv)
      assert.strictEqual(one.code, 0, one.err)
      const spare = JSON.parse(one.out)
      assert.match(spare.risks[0], /^c does not list: unreachable: /)
      assert.deepStrictEqual([spare.peers[2].failure.reason, spare.peers[2].listedJobs], ["unreachable", 0])
      yield* replicas[1]!.server.stop
      const two = yield* runCommand(...argv)
      assert.strictEqual(two.code, 3, two.err)
      const short = JSON.parse(two.out)
      assert.deepStrictEqual([short.canFinish, short.blocks.belowLevel], [false, 8])
      assert.match(
        short.obstacles[0].message,
        /too few peers listed shards 0, 1, 2, 3: level majority needs 2 of 3 peers, 1 listed/
      )
      assert.strictEqual((yield* runCommand(...argv, "--level", "one")).code, 0)
    }))

  it.live("too few peers for the level is exit 1, wrong settings 2, what is in the way here 4", () =>
    Effect.gen(function*() {
      const replicas = yield* startReplicas([{}])
      const argv = ["plan", ...peerArguments(replicas)]
      const few = yield* runCommand(...argv, "--replication-factor", "3")
      assert.strictEqual(few.code, 1, few.err)
      assert.match(few.out, /too few peers hold shards 0, 1, 2, 3: level majority needs 2 of 1 peers/)

      const seed = yield* runCommand(...argv, "--hash-seed", "5")
      assert.strictEqual(seed.code, 2, seed.err)
      assert.match(seed.out, /do not hash to the shard[\s\S]*--hash-seed/)
      const otherShards = yield* runCommand(
        ...argv.map((each, at) => argv[at - 1] === "--num-shards" ? "4096" : each),
        "--shards",
        "0"
      )
      assert.strictEqual(otherShards.code, 2, otherShards.out)
      assert.match(otherShards.out, /do not hash to the shard[\s\S]*--num-shards/)
      const otherSize = yield* runCommand(...argv.map((each) => each === "2h" ? "3h" : each))
      assert.strictEqual(otherSize.code, 2, otherSize.out)
      assert.match(otherSize.out, /--block-size/)
      const otherSpace = yield* runCommand(...argv.map((each) => each === spec.namespace ? "nope" : each))
      assert.strictEqual(otherSpace.code, 2, otherSpace.out)
      assert.match(otherSpace.out, /all peers say: [\s\S]*check --namespace/)

      const out = join(yield* temporaryDirectory, "out")
      assert.strictEqual((yield* runCommand("bootstrap", ...argv.slice(1), "--out", out)).code, 0)
      const there = yield* runCommand(...argv, "--out", out)
      assert.strictEqual(there.code, 4, there.out)
      assert.match(there.out, /8 of the filesets to be written exist already[\s\S]*--resume/)
      const resumed = JSON.parse((yield* runCommand(...argv, "--out", out, "--resume", "--json")).out)
      assert.deepStrictEqual([resumed.exitCode, resumed.blocks.kept, resumed.blocks.total], [0, 8, 0])
      assert.deepStrictEqual([fetched(replicas) > 0, resumed.total.seriesBlocks], [true, 0])
    }))
})
