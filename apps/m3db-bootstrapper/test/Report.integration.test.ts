// What a run leaves behind, and how report and status show it.
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { linesOf, runCommand, temporaryDirectory } from "./support/InspectProgram.ts"
import { peerArguments, spec, startReplicas } from "./support/Replicas.ts"

/** Lines of a list of the report. */
const listed = (text: string, title: string): Array<string> => {
  const lines = linesOf(text)
  const at = lines.findIndex((line) => line.startsWith(`  ${title}`))
  if (at < 0) return []
  const end = lines.findIndex((line, other) => other > at && !line.startsWith("    "))
  return lines.slice(at + 1, end < 0 ? undefined : end)
}

describe("report", () => {
  it.live("work, divergences by series and block, verdicts with evidence; the same in JSON", () =>
    Effect.gen(function*() {
      const replicas = yield* startReplicas([
        {},
        { otherValues: { every: 4, remainder: 1 } },
        { behaviours: "lie-data:3" }
      ])
      const out = join(yield* temporaryDirectory, "out")
      const run = yield* runCommand("bootstrap", ...peerArguments(replicas), "--out", out)
      assert.include([0, 1], run.code, run.err)
      const { code, err, out: text } = yield* runCommand("report", out, "--limit", "10000")
      assert.deepStrictEqual([code, err], [0, ""])
      assert.match(text, new RegExp(`^bootstrap of metrics from 20.* to 20.*Z, exit code ${run.code}\\n`))
      assert.match(text, /\n {2}asked for: shards 0-3 of 4, blocks of 2h from /)
      assert.match(text, /\n {2}asked again: (?:once|\d+ times)\n/)
      assert.match(text, /\n {2}peer c: .*, AT FAULT\n/)
      assert.notMatch(text, /peer [ab]: .*(AT FAULT|something was wrong)/)
      const evidence = listed(text, "evidence against peers")
      assert.isTrue(evidence.every((line) => line.startsWith("    c: ")))
      assert.match(evidence.join("\n"), /c: corrupt block, .*shard \d block 20\S+Z id (?:"|0x)/)
      const damaged = listed(text, "damaged or changed on c")
      assert.isNotEmpty(damaged, text)
      assert.isTrue(
        damaged.every((line) => /^ {4}shard \d block \S+Z id .*: corrupt block: .*0x[0-9a-f]{8}/.test(line)),
        text
      )
      assert.notMatch(text, /damaged or changed on [ab]/)

      const document = JSON.parse((yield* runCommand("report", out, "--json")).out).last
      assert.deepStrictEqual(document, JSON.parse(readFileSync(join(out, "peerstrap-report.json"), "utf8")))
      assert.deepStrictEqual(document.peerVerdicts.map(({ verdict }: { verdict: string }) => verdict), [
        "clear",
        "clear",
        "at-fault"
      ])
      assert.deepInclude(document.settings, {
        blockSize: "2h",
        shards: "0-3",
        replicationFactor: 3,
        errorPolicy: "002"
      })
      const { divergences } = document.report
      assert.strictEqual(divergences.entries.length, divergences.total)
      const differing = listed(text, "replicas differ")
      assert.strictEqual(differing.length, divergences.total)
      assert.isTrue(
        differing.every((line) => /^ {4}shard \d block \S+Z id .*: [a-z-]+: a .*, b .*, c /.test(line)),
        text
      )

      const short = yield* runCommand("report", out, "--limit", "2")
      const cut = listed(short.out, "replicas differ")
      assert.deepStrictEqual([cut.length, cut[2]], [3, `    and ${divergences.total - 2} more`])
      assert.strictEqual((yield* runCommand("status", "--out", out)).code, 0)
    }))

  it.live("what is missing, why, and what a run that ended early waited for", () =>
    Effect.gen(function*() {
      const replicas = yield* startReplicas([{}, { behaviours: "not-bootstrapped" }, {
        behaviours: "not-bootstrapped"
      }])
      const out = join(yield* temporaryDirectory, "out")
      const run = yield* runCommand("bootstrap", ...peerArguments(replicas), "--out", out, "--deadline", "300ms")
      assert.strictEqual(run.code, 3, run.out)
      const { out: text } = yield* runCommand("report", out)
      assert.match(text, /exit code 3\n/)
      assert.match(text, /deadline of 300 ms reached: 0 of 8 blocks written/)
      assert.strictEqual(listed(text, "missing").length, 8, text)
      // What was waited for is looked at now and then: given here, so that it does not depend on time.
      const path = join(out, "peerstrap-report.json")
      const wait = {
        subject: "shard 0",
        waitingFor: "metadata from b",
        cause: "b: shard is not yet bootstrapped to read",
        peers: ["b"],
        level: "majority",
        remedy: "bring back b",
        sinceMillis: 0
      }
      writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, "utf8")), waits: [wait] }))
      const waited = yield* runCommand("report", out)
      assert.match(
        waited.out,
        /waited for at the end:\n {4}shard 0 waits for [\s\S]*not yet bootstrapped[\s\S]*bring back b/
      )

      const wrong = yield* runCommand(
        "bootstrap",
        ...peerArguments(replicas.slice(0, 1)).map((each) => each === spec.namespace ? "nope" : each),
        "--out",
        join(out, "wrong")
      )
      assert.strictEqual(wrong.code, 2, wrong.out)
      const failed = yield* runCommand("report", join(out, "wrong"))
      assert.match(failed.out, /exit code 2\n {2}.*namespace.*; what to do: .*--namespace/)
    }))

  it.live("a run that fetched nothing keeps the report of the one that did, however often", () =>
    Effect.gen(function*() {
      const replicas = yield* startReplicas([{}, { otherValues: { every: 7, remainder: 1 } }, {}])
      const out = join(yield* temporaryDirectory, "out")
      const argv = ["bootstrap", ...peerArguments(replicas), "--out", out]
      assert.strictEqual((yield* runCommand(...argv)).code, 0)
      const first = JSON.parse((yield* runCommand("report", out, "--json")).out).last
      assert.isAbove(first.report.divergences.total, 0)
      for (let times = 0; times < 2; times++) {
        const again = yield* runCommand(...argv, "--resume")
        assert.strictEqual(again.code, 0, again.err)
        assert.match(
          again.out,
          /nothing was fetched[\s\S]*the report of the run that fetched \(until .*\) is kept in it/
        )
        const { last } = JSON.parse((yield* runCommand("report", out, "--json")).out)
        assert.deepStrictEqual([last.report.blocks.total, last.before], [0, first])
      }
      const { out: text } = yield* runCommand("report", out)
      assert.match(text, /nothing was fetched[\s\S]*the last run that fetched something:\n[\s\S]*replicas differ/)
      // One that fetches is not burdened with it.
      assert.strictEqual((yield* runCommand(...argv, "--overwrite")).code, 0)
      assert.isUndefined(JSON.parse((yield* runCommand("report", out, "--json")).out).last.before)
    }))

  it.effect("says where there is none, or none of a bootstrap", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      const none = yield* runCommand("report", directory)
      assert.deepStrictEqual([none.code, none.out], [1, ""])
      assert.match(none.err, /there is no .*peerstrap-report\.json\n/)
      const path = join(directory, "peerstrap-report.json")
      for (
        const [text, said] of [["{", /is not JSON/], ["{\"command\":\"sync\"}", /no report of a bootstrap/]] as const
      ) {
        writeFileSync(path, text)
        for (const argv of [["report", directory], ["status", "--out", directory]]) {
          const { code, err } = yield* runCommand(...argv)
          assert.strictEqual(code, 4)
          assert.match(err, said)
        }
      }
    }))
})
