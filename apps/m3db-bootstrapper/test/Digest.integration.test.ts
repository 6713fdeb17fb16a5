// digest of live replicas: what they truly hold, and what a bootstrap from them stores.
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { linesOf, runCommand, temporaryDirectory } from "./support/InspectProgram.ts"
import { peerArguments, spec, startReplicas, truthLines } from "./support/Replicas.ts"

describe("digest --peer", () => {
  it.live("one replica alone shows exactly its own data, in memory and unmerged blocks included", () =>
    Effect.gen(function*() {
      const active = { ...spec, active: 1 }
      const replicas = yield* startReplicas([{
        unmerged: { every: 3, remainder: 0 },
        lackSeries: { every: 9, remainder: 0 }
      }], active)
      const { code, err, out } = yield* runCommand("digest", ...peerArguments(replicas, active))
      assert.deepStrictEqual([code, err], [0, ""])
      assert.deepStrictEqual(linesOf(out), truthLines(replicas[0]!.data.truth()))
    }))

  it.live("of differing replicas it is what a bootstrap from them writes, and digest DIR reads", () =>
    Effect.gen(function*() {
      const replicas = yield* startReplicas([
        { lackPoints: { every: 4, remainder: 1 } },
        { otherValues: { every: 3, remainder: 0 } },
        { lackSeries: { every: 5, remainder: 0 } }
      ])
      const flags = [...peerArguments(replicas), "--level", "all"]
      const live = yield* runCommand("digest", ...flags)
      assert.deepStrictEqual([live.code, live.err], [0, ""])
      assert.isAbove(linesOf(live.out).length, 100)
      const directory = yield* temporaryDirectory
      const written = yield* runCommand("bootstrap", ...flags, "--out", directory)
      assert.strictEqual(written.code, 0, written.err)
      const stored = yield* runCommand("digest", directory)
      assert.deepStrictEqual([stored.code, linesOf(stored.out)], [0, linesOf(live.out)])
      assert.strictEqual((yield* runCommand("verify", directory, "--num-shards", "4", "--no-gaps")).code, 0)
    }))

  it.live("chosen shards, and with --json the same lines, counts on standard error", () =>
    Effect.gen(function*() {
      const replicas = yield* startReplicas([{}, {}])
      const { code, err, out } = yield* runCommand("digest", ...peerArguments(replicas), "--shards", "1,3", "--json")
      const end = JSON.parse(linesOf(err).at(-1)!)
      const expected = truthLines(replicas[0]!.data.truth()).filter((line) => JSON.parse(line).shard % 2 === 1)
      assert.deepStrictEqual([code, linesOf(out)], [0, expected])
      assert.deepStrictEqual([end.type, end.seriesBlocks, end.outcome], ["end", expected.length, "complete"])
    }))

  it.live("peers out of reach end it with exit code 3 at the deadline, and are named", () =>
    Effect.gen(function*() {
      const replicas = yield* startReplicas([{}, {}])
      for (const { server } of replicas) yield* server.stop
      const { code, err, out } = yield* runCommand("digest", ...peerArguments(replicas), "--deadline", "50ms")
      assert.deepStrictEqual([code, out], [3, ""], err)
      assert.isTrue(err.includes("deadline") && err.includes("a: ") && err.includes("b: "), err)
      const json = yield* runCommand("digest", ...peerArguments(replicas), "--deadline", "50ms", "--json")
      assert.deepStrictEqual([json.code, json.out], [3, ""], json.err)
      const { command, error, exitCode } = JSON.parse(linesOf(json.err).at(-1)!)
      assert.deepStrictEqual([command, exitCode], ["digest", 3])
      assert.match(error.message, /deadline/)
      const wrong = yield* runCommand("digest", "--json")
      assert.deepStrictEqual([wrong.code, wrong.out, JSON.parse(wrong.err).exitCode], [2, "", 2])
    }))

  it.live("a directory and peers exclude each other, and one of them must be given", () =>
    Effect.gen(function*() {
      const both = yield* runCommand("digest", "/tmp", "--peer", "a=127.0.0.1:1", "--block-size", "2h")
      assert.strictEqual(both.code, 2)
      assert.isTrue(both.err.includes("exclude each other") && both.err.includes("--block-size"), both.err)
      const neither = yield* runCommand("digest")
      assert.deepStrictEqual([neither.code, neither.err.includes("--peer")], [2, true], neither.err)
    }))
})
