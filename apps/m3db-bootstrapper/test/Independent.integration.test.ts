/** Against a second implementation of an M3DB replica that shares no code with ours, compared by its own digests. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { execFileSync, spawn } from "node:child_process"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { sharedMissing, sharedPath } from "../../../tools/shared.ts"
import { runChild } from "./support/ChildProgram.ts"
import { runCommand, temporaryDirectory } from "./support/InspectProgram.ts"

const peer = sharedPath("peers/m3peer.py")

interface Ready {
  readonly hosts: string
  readonly start: string
  readonly end: string
  /** What each truly holds. */
  readonly replicas: ReadonlyArray<{ readonly name: string; readonly series: number; readonly blocks: number }>
}

const ports = (): string => String(20_000 + Math.floor(process.pid % 2000) * 4)

/** A cluster that lives until the scope closes, with what it says when it is ready. */
const startCluster = (directory: string) =>
  Effect.acquireRelease(
    Effect.callback<{ readonly ready: Ready; readonly stop: () => void }>((resume) => {
      const argv = [peer, "cluster", "--replicas", "3", "--base-port", ports(), "--namespace", "ns", "--shards", "8"]
      const spec = "series=400,points=30,blocks=2,start=1600000000000000000,seed=3,odd=9,annotate=11,active=1"
      const variations = ["--replica", "B:lack-series=5", "--replica", "C:lack-points=2/1;behaviour=delay:5"]
      const digest = ["--digest", join(directory, "want.tsv")]
      const child = spawn("python3", [...argv, "--spec", spec, ...variations, ...digest, "--control"], {
        stdio: ["pipe", "pipe", "inherit"]
      })
      createInterface({ input: child.stdout }).once("line", (line) =>
        resume(Effect.succeed({ ready: JSON.parse(line) as Ready, stop: () => void child.stdin.end("quit\n") })))
      child.once("exit", (code) =>
        resume(Effect.die(new Error(`m3peer.py ended with ${code}`))))
    }),
    ({ stop }) => Effect.sync(stop)
  )

if (sharedMissing !== undefined) console.error(`NOT RUN against the independent replica: ${sharedMissing}`)

describe.runIf(sharedMissing === undefined)("against an independent replica", () => {
  it.live(
    "what three differing replicas hold together is on the disk, by their own digest",
    () =>
      Effect.gen(function*() {
        const directory = yield* temporaryDirectory
        const { ready } = yield* startCluster(directory)
        const out = join(directory, "out")
        const flags = [
          ...ready.hosts.split(",").flatMap((host) => ["--peer", host]),
          ..."--namespace ns --num-shards 8 --block-size 2h".split(" "),
          "--from",
          ready.start,
          "--to",
          ready.end,
          "--out",
          out
        ]
        const planned = yield* runCommand("plan", ...flags, "--json")
        assert.strictEqual(planned.code, 0, planned.err + planned.out)
        const held = JSON.parse(planned.out).peers.map(({ heldBlocks, id, series }: Record<string, unknown>) => [
          id,
          series,
          heldBlocks
        ])
        assert.deepStrictEqual(held, ready.replicas.map(({ blocks, name, series }) => [name, series, blocks]))
        const { code, err, out: printed } = yield* runChild("bootstrap", ...flags)
        assert.strictEqual(code, 0, err + printed)
        const got = join(directory, "got.tsv")
        execFileSync("python3", [peer, "digest", out, "ns", "--out", got], { stdio: ["ignore", "ignore", "inherit"] })
        assert.strictEqual(readFileSync(got, "utf8"), readFileSync(join(directory, "want.tsv.A"), "utf8"))
        execFileSync("python3", [peer, "verify", out, "ns", "--num-shards", "8"], {
          stdio: ["ignore", "ignore", "inherit"]
        })
      }),
    60_000
  )
})
