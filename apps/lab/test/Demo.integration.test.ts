import { assert, describe, it } from "@effect/vitest"
import { request } from "@peerstrap/progress"
import * as Effect from "effect/Effect"
import { existsSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type Lab, readyOf, runLab, startLab } from "./support/LabProcess.ts"

const timeout = 120_000

const directory = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "peerstrap-lab-test-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

const small = ["--series", "400", "--shards", "4", "--json"]

/** The result line, once the program has ended. */
const resultOf = (lab: Lab) =>
  Effect.promise(async () => {
    const { code } = await lab.ended
    assert.lengthOf(lab.out.all, 2, lab.error.all.join("\n"))
    return { code, result: JSON.parse(lab.out.all[1]!), said: lab.error.all.join("\n") }
  })

describe("peerstrap-lab demo", { concurrent: false }, () => {
  it.live("gets through one replica that lacks data, one that differs and one that dies", () =>
    Effect.gen(function*() {
      const out = yield* directory
      const lab = yield* startLab("demo", "replicas", ...small, "--out", out)
      const ready = yield* readyOf(lab)
      assert.deepEqual([ready.out, ready.replicas.length], [out, 3])
      const { code, result, said } = yield* resultOf(lab)
      assert.equal(code, 0, said)
      assert.deepEqual([result.verified, result.exitCode], [true, 0])
      assert.deepEqual([result.comparison.expected, result.comparison.equal], [800, 800])
      assert.isAbove(result.bootstrap.divergences.different, 0)
      assert.isAbove(result.bootstrap.divergences["absent-on-some"], 0)
      assert.equal(result.verify.filesets, 8)
      assert.include(said, "replica C killed by SIGKILL")
      assert.isTrue(existsSync(join(out, "data", "demo", "0")))
    }), timeout)

  it.live(
    "needs no more than a majority: one replica killed by hand, and it is verified",
    () =>
      Effect.gen(function*() {
        const lab = yield* startLab("demo", "replicas", "--no-faults", ...small, "--out", yield* directory)
        const { replicas } = yield* readyOf(lab)
        process.kill(replicas[1]!.pid, "SIGKILL")
        const { code, result, said } = yield* resultOf(lab)
        assert.equal(code, 0, said)
        assert.deepEqual([result.verified, result.comparison.equal], [true, 800])
      }),
    timeout
  )

  it.live(
    "waits without a majority, says why and how to end it, and then lists what is missing",
    () =>
      Effect.gen(function*() {
        // Enough data that both are dead long before they could have served it.
        const size = ["--series", "8000", "--shards", "4", "--json"]
        const lab = yield* startLab("demo", "replicas", "--no-faults", ...size, "--out", yield* directory)
        const { control, replicas } = yield* readyOf(lab)
        for (const { pid } of replicas.slice(1)) process.kill(pid, "SIGKILL")
        yield* Effect.promise(() =>
          lab.error.first((line) => line.includes(`npx peerstrap-m3db set-level none --control ${control}`))
        )
        const why = yield* request(control, "why", {}, "5 seconds")
        const waits = (why as { waits: ReadonlyArray<{ level?: string; peers: ReadonlyArray<string> }> }).waits
        const forLevel = waits.find(({ level }) => level === "majority")
        assert.deepEqual(forLevel?.peers, ["B", "C"])
        yield* request(control, "set-level", { level: "none" }, "5 seconds")
        const { code, result } = yield* resultOf(lab)
        assert.deepEqual([code, result.verified, result.bootstrap.level], [1, false, "none"])
        assert.isAbove(result.bootstrap.missing.total, 0)
        assert.deepEqual(result.bootstrap.missing.entries[0].peers, ["B", "C"])
      }),
    timeout
  )

  it.live("stops in order on SIGTERM while it waits", () =>
    Effect.gen(function*() {
      const lab = yield* startLab(
        "demo",
        "replicas",
        "--no-faults",
        "--series",
        "4000",
        "--json",
        "--out",
        yield* directory
      )
      const { control, replicas } = yield* readyOf(lab)
      for (const { pid } of replicas) process.kill(pid, "SIGKILL")
      yield* Effect.promise(() => lab.error.first((line) => /^streaming .* waits? for metadata/.test(line)))
      lab.child.kill("SIGTERM")
      assert.equal((yield* Effect.promise(() => lab.ended)).code, 143)
      const gone = yield* Effect.flip(request(control, "ping", {}, "2 seconds"))
      assert.equal("reason" in gone ? gone.reason : "", "not-running")
    }), timeout)

  it.live(
    "syncs a chain from peers of which three are bad, follows it through a reorganisation, and proves the outcome",
    () =>
      Effect.gen(function*() {
        const out = yield* directory
        const lab = yield* startLab("demo", "chain", "--levels", "400", "--json", "--out", out)
        const { code, result, said } = yield* resultOf(lab)
        assert.equal(code, 0, said)
        const ready = JSON.parse(lab.out.all[0]!)
        assert.deepEqual([ready.demo, ready.peers.length, ready.network], ["chain", 13, join(out, "network.json")])
        assert.isAtLeast(new Set(ready.processes.map(({ pid }: { readonly pid: number }) => pid)).size, 3)
        assert.deepEqual([result.demo, result.verified, result.problems, result.exitCode], ["chain", true, [], 0])
        assert.deepEqual([result.comparison.expected, result.comparison.equal], [403, 403])
        assert.deepEqual([result.sync.synced, result.sync.head.level, result.verify.blocks], [true, 403, 403])
        const [reorganised] = result.sync.reorganisations
        assert.deepEqual([reorganised.fork.level, reorganised.from.level], [398, 400])
        const forger = result.sync.blamed.find(({ role }: { readonly role: string }) => role === "forger")
        assert.deepEqual([forger.number, forger.disconnected], [11, true])
        assert.match(forger.evidence[0].detail, /do not lead to the header's operations hash/)
        assert.deepEqual(result.conduct.violations, {})
        assert.isTrue(existsSync(join(out, "chain", "peerstrap-report.json")))
        const again = yield* runLab("demo", "chain", "--out", out)
        assert.equal(again.code, 4)
        assert.match(again.error.join("\n"), /chain exists already/)
      }),
    timeout
  )

  it.live("knows its demonstrations", () =>
    Effect.gen(function*() {
      const { code, error, out } = yield* runLab("demo", "everything")
      assert.deepEqual([code, out], [2, []])
      assert.match(error.join("\n"), /"everything": no such demonstration; there are: all, replicas, chain/)
    }), timeout)
})
