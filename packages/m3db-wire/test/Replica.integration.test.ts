// Real sockets: an independent client reads our replicas and reports every rule they break; the kit reads an independent server.
import { assert, describe, it } from "@effect/vitest"
import { Tcp } from "@peerstrap/transport"
import * as Effect from "effect/Effect"
import { spawn } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { sharedMissing, sharedPath } from "../../../tools/shared.ts"
import {
  checkNodeServer,
  digestHeader,
  digestLines,
  SeededReplica,
  seededSpec,
  type SeededVariation,
  startReplica
} from "../src/testing/index.ts"

const testTimeoutMillis = 120_000

const peerScript = sharedPath("peers/m3peer.py")

const spec = seededSpec({
  series: 300,
  numShards: 8,
  blocks: 2,
  active: 1,
  points: 60,
  tags: -1,
  annotate: 25,
  odd: 30
})

/** A process of the independent implementation, stopped with the scope. */
const peerProcess = (args: ReadonlyArray<string>) =>
  Effect.acquireRelease(
    Effect.sync(() => spawn("python3", [peerScript, ...args], { stdio: ["ignore", "pipe", "pipe"] })),
    (child) => Effect.sync(() => child.kill("SIGKILL"))
  )

const linesOf = (text: string): ReadonlyArray<Record<string, unknown>> =>
  text.split("\n").filter((line) => line.startsWith("{")).map((line) => JSON.parse(line) as Record<string, unknown>)

const scratch = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "replica-"))),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true }))
)

interface Fetched {
  readonly exitCode: number | null
  /** Number of breaches by kind. */
  readonly kinds: Readonly<Record<string, number>>
  readonly digest: string
}

/** Lists and fetches everything with the independent client. */
const fetchAll = Effect.fnUntraced(function*(hostPort: string, end: bigint, more: ReadonlyArray<string> = []) {
  const digest = join(yield* scratch, "got.tsv")
  const child = yield* peerProcess([
    "fetch",
    `--peer=${hostPort}`,
    `--namespace=${spec.namespace}`,
    "--shards=0-7",
    "--shards-total=8",
    `--start=${spec.start}`,
    `--end=${end}`,
    `--digest=${digest}`,
    ...more
  ])
  let output = ""
  child.stdout.on("data", (chunk: Buffer) => {
    output += chunk.toString()
  })
  const exitCode = yield* Effect.callback<number | null>((resume) => {
    child.on("close", (code) => resume(Effect.succeed(code)))
  })
  const summary = linesOf(output).find((line) => "summary" in line)?.["summary"] as
    | { kinds: Record<string, number> }
    | undefined
  return { exitCode, kinds: summary?.kinds ?? {}, digest: readFileSync(digest, "utf8") } satisfies Fetched
})

const wanted = (variation: SeededVariation = {}) =>
  [digestHeader, ...digestLines(new SeededReplica(spec, variation).truth())].join("\n") + "\n"

const misbehaviours: ReadonlyArray<readonly [behaviours: string, kinds: ReadonlyArray<string>]> = [
  ["bad-crc:7", ["call-failed", "frame"]],
  ["chunkless-fragment:9", ["call-failed", "frame"]],
  ["hollow:20", ["advertised-not-delivered"]],
  ["wrong-start:20", ["block-start"]],
  ["lie-checksum:20", ["metadata-checksum"]],
  ["lie-data:20", ["block-checksum", "metadata-checksum", "segment-checksum"]],
  ["duplicate:20", ["duplicate-in-page"]],
  ["extra:block", ["extra-block"]],
  ["error:overloaded:5", ["call-failed"]]
]

describe("a client of another make", () => {
  if (sharedMissing !== undefined) {
    it("is not here", () => assert.isString(sharedMissing, sharedMissing))
    return
  }

  const healthy: ReadonlyArray<readonly [string, string, SeededVariation]> = [
    ["a healthy replica", "", {}],
    ["a replica that varies", "", { lackSeries: { every: 5, remainder: 1 }, lackPoints: { every: 4, remainder: 0 } }],
    ["unmerged blocks, small frames, empty pages and a delay", "frame-size:500+empty-pages:2+delay:1", {
      unmerged: { every: 2, remainder: 0 }
    }]
  ]

  for (const [name, behaviours, variation] of healthy) {
    it.live(`finds nothing wrong with ${name}, and reads its exact data`, () =>
      Effect.gen(function*() {
        const data = new SeededReplica(spec, variation)
        const replica = yield* startReplica({ data, behaviours })
        const { digest, exitCode, kinds } = yield* fetchAll(replica.hostPort, data.end, ["--page-limit", "40"])
        assert.deepStrictEqual(kinds, {})
        assert.strictEqual(exitCode, 0)
        assert.strictEqual(digest, wanted(variation))
        assert.strictEqual(replica.stats().rejected, 0)
      }).pipe(Effect.scoped, Effect.provide(Tcp.layer)), testTimeoutMillis)
  }

  it.live("notices each misbehaviour for what it is", () =>
    Effect.gen(function*() {
      const data = new SeededReplica(spec)
      const replica = yield* startReplica({ data })
      for (const [behaviours, kinds] of misbehaviours) {
        replica.setBehaviours(behaviours)
        const fetched = yield* fetchAll(replica.hostPort, data.end, [
          "--page-limit",
          "40",
          "--retries",
          "2",
          "--timeout",
          "20"
        ])
        assert.strictEqual(fetched.exitCode, 1, behaviours)
        assert.deepStrictEqual(Object.keys(fetched.kinds).toSorted(), [...kinds], behaviours)
      }
    }).pipe(Effect.scoped, Effect.provide(Tcp.layer)), testTimeoutMillis)

  it.live("is itself found right by the kit, as a server", () =>
    Effect.gen(function*() {
      const child = yield* peerProcess([
        "serve",
        "--listen=127.0.0.1:0",
        "--namespace=ns",
        "--shards=4",
        "--hold=0-2",
        "--generate=series=80,points=30,blocks=3,active=1,tags=-1,start=1599998400000000000,seed=7"
      ])
      const ready = yield* Effect.callback<Record<string, unknown>>((resume) => {
        let output = ""
        child.stdout.on("data", (chunk: Buffer) => {
          output += chunk.toString()
          const line = linesOf(output.slice(0, output.lastIndexOf("\n") + 1))[0]
          if (line !== undefined) resume(Effect.succeed(line))
        })
      })
      const address = String(ready["address"])
      const findings = yield* checkNodeServer({
        address: { host: "127.0.0.1", port: Number(address.slice(address.lastIndexOf(":") + 1)) },
        namespace: "ns",
        numShards: 4,
        hashSeed: 0,
        shard: 1,
        otherShard: 2,
        unownedShard: 3,
        rangeStart: BigInt(String(ready["start"])),
        rangeEnd: BigInt(String(ready["end"])),
        blockSize: BigInt(String(ready["blockSize"]))
      }, { timeoutMillis: 20_000 })
      assert.deepStrictEqual(findings, [])
    }).pipe(Effect.scoped, Effect.provide(Tcp.layer)), testTimeoutMillis)
})

describe("speed", () => {
  it("encodes 20,000 series × 2 blocks × 60 points in bounded memory", () => {
    const replica = new SeededReplica(seededSpec({ series: 20_000, blocks: 2, points: 60, tags: 5 }))
    let bytes = 0
    let blocks = 0
    for (const shard of replica.namespace.shards) {
      for (const series of replica.shard(shard).series) {
        for (const { streams } of series.blocks) {
          blocks++
          bytes += streams[0]!.head.buffer.byteLength
        }
      }
    }
    assert.strictEqual(blocks, 40_000)
    // Each stream keeps a buffer of its own size, not a share of a larger one.
    assert.isBelow(bytes, 40_000_000)
  }, testTimeoutMillis)
})
