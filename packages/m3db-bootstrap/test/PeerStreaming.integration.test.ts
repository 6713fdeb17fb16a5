/** Runs against embedded replicas over real sockets: the scenarios of m3's own integration suite, and what they do not look at. */
import { assert, describe, it } from "@effect/vitest"
import { seededSpec } from "@peerstrap/m3db-wire/testing"
import { Memory, Tcp, type Transport } from "@peerstrap/transport"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import { SinkError } from "../src/contract/BlockSink.ts"
import { type ClusterOptions, publishedLines, startCluster, startOf, truthLines } from "./support/Cluster.ts"

/** As m3's suite: 5 blocks of 2 h, 90 points each. */
const spec = seededSpec({ series: 60, numShards: 4, blocks: 5, points: 90, active: 1, tags: -1, annotate: 10, odd: 9 })

const run = Effect.fnUntraced(function*(options: Omit<ClusterOptions, "spec">) {
  const cluster = yield* startCluster({ spec, ...options })
  const { outcome, report } = yield* cluster.handle.result
  return { ...cluster, outcome, report, lines: yield* publishedLines(spec, cluster.subject) }
})

const overTcp = (name: string, test: () => Effect.Effect<void, unknown, Scope.Scope | Transport>) =>
  it.live(name, () => Effect.scoped(test()).pipe(Effect.provide(Tcp.layer)))

/** Shard, block start and id of a line. */
const keyOf = (line: string): string => line.split(" ").slice(0, 3).join(" ")

describe("m3's own scenarios", () => {
  overTcp("simple: the joiner equals its one full peer, tags included", () =>
    Effect.gen(function*() {
      const { lines, outcome } = yield* run({ members: [{}] })
      assert.strictEqual(outcome._tag, "complete")
      assert.deepStrictEqual(lines, truthLines(spec))
    }))

  overTcp("high concurrency: many small batches, all shards at once", () =>
    Effect.gen(function*() {
      const { lines, outcome } = yield* run({
        members: [{}, {}, {}],
        limits: { jobsInFlight: 64, pageLimit: 8 },
        queueLimits: { maxBatchItems: 2, windowBatches: 8 }
      })
      assert.strictEqual(outcome._tag, "complete")
      assert.deepStrictEqual(lines, truthLines(spec))
    }))

  overTcp("select best: what one peer lacks comes from the other", () =>
    Effect.gen(function*() {
      const { lines, outcome } = yield* run({
        members: [
          { variation: { lackPoints: { every: 2, remainder: 0 } } },
          { variation: { lackSeries: { every: 3, remainder: 1 } } }
        ]
      })
      assert.strictEqual(outcome._tag, "complete")
      assert.deepStrictEqual(lines.map(keyOf), truthLines(spec).map(keyOf))
      const truth = new Set(truthLines(spec))
      assert.isAbove(lines.filter((line) => truth.has(line)).length, lines.length / 2)
    }))

  overTcp("merge peer blocks: odd and even points of the same blocks give all points", () =>
    Effect.gen(function*() {
      const { lines, outcome, report } = yield* run({
        members: [0, 1].map((remainder) => ({ variation: { lackPoints: { every: 2, remainder } } }))
      })
      assert.strictEqual(outcome._tag, "complete")
      assert.deepStrictEqual(lines, truthLines(spec))
      assert.strictEqual(report.seriesBlocks.merged, lines.length)
      assert.strictEqual(report.divergences.counts.different, lines.length)
    }))

  overTcp("partial data: only the blocks that are missing are asked for", () =>
    Effect.gen(function*() {
      const wanted = [startOf(spec, 1), startOf(spec, 2)]
      const jobs = [0, 1, 2, 3].map((shard) => ({ shard, peers: [0], blockStarts: wanted }))
      const { lines, outcome, replicas } = yield* run({ members: [{}], jobs })
      assert.strictEqual(outcome._tag, "complete")
      assert.deepStrictEqual(lines, truthLines(spec, (start) => wanted.includes(start)))
      const { requests } = replicas[0]!.stats()
      const listings = requests.filter(({ rangeStart }) => rangeStart !== undefined)
      for (const { rangeEnd, rangeStart } of listings) {
        assert.deepStrictEqual([rangeStart, rangeEnd], [startOf(spec, 1), startOf(spec, 3)])
      }
      assert.strictEqual(requests.reduce((sum, { items }) => sum + (items ?? 0), 0), lines.length)
    }))

  overTcp("node down: one of three refuses connections, the run completes and names it", () =>
    Effect.gen(function*() {
      const { lines, outcome, report } = yield* run({ members: [{}, { isDown: true }, {}] })
      assert.strictEqual(outcome._tag, "complete")
      assert.deepStrictEqual(lines, truthLines(spec))
      assert.isTrue(report.unlisted.entries.every(({ peer }) => peer === "B"))
      assert.strictEqual(report.unlisted.total, 4)
    }))

  overTcp(
    "none available: peers that bootstrap themselves are named; `none` ends the stuck run",
    () =>
      Effect.gen(function*() {
        const { control, handle, subject } = yield* startCluster({
          spec,
          members: [{ behaviours: "not-bootstrapped:0" }, { behaviours: "not-bootstrapped:0" }],
          queueLimits: { notReadyMillis: 20 },
          onNote: () => {}
        })
        // A listing that was refused is what the run waits for.
        while (handle.run.waits().every(({ cause }) => !cause.includes("not yet bootstrapped"))) yield* Effect.yieldNow
        const [wait] = handle.run.waits()
        assert.sameMembers([...wait!.peers], ["A", "B"])
        assert.strictEqual(wait!.level, "majority")
        yield* control.set("none", "test")
        const { outcome, report } = yield* handle.result
        assert.strictEqual(outcome._tag, "incomplete")
        assert.strictEqual(report.missing.total, 20)
        assert.deepStrictEqual(yield* publishedLines(spec, subject), [])
      })
  )

  overTcp("single node: nobody to ask, nothing to do", () =>
    Effect.gen(function*() {
      const { outcome } = yield* run({ members: [], jobs: [] })
      assert.strictEqual(outcome._tag, "complete")
    }))
})

describe("what happens meanwhile", () => {
  overTcp("a block request leaves before the last metadata page has arrived", () =>
    Effect.gen(function*() {
      const jobs = [{ shard: 0, peers: [0, 1], blockStarts: [0, 1, 2, 3, 4].map((block) => startOf(spec, block)) }]
      const { outcome, replicas } = yield* run({ members: [{}, {}], jobs, limits: { pageLimit: 2 } })
      assert.strictEqual(outcome._tag, "complete")
      const seen = replicas.map((replica) => replica.stats().requests)
      const overlaps = seen.some((requests) => {
        const firstFetch = requests.find(({ items }) => items !== undefined)?.arrivedAt ?? Number.POSITIVE_INFINITY
        const lastPage = requests.findLast(({ items }) => items === undefined)?.endedAt ?? 0
        return firstFetch < lastPage
      })
      assert.isTrue(overlaps)
    }))

  overTcp(
    "at most 3 connections a peer carry bulk; health has its own, even while bulk hangs",
    () =>
      Effect.gen(function*() {
        const { clients, handle, replicas } = yield* startCluster({
          spec,
          members: [{ behaviours: "hang:fetchBlocksRaw" }],
          queueLimits: { maxBatchItems: 1 }
        })
        while (replicas[0]!.stats().blockRequests === 0) yield* Effect.yieldNow
        assert.isTrue((yield* clients[0]!.health()).ok)
        replicas[0]!.setBehaviours("")
        replicas[0]!.dropConnections()
        const { outcome } = yield* handle.result
        assert.strictEqual(outcome._tag, "complete")
        const stats = replicas[0]!.stats()
        assert.isAtMost(stats.maxOpenConnections, 4)
        const health = new Set(
          stats.requests.filter(({ method }) => method.endsWith("health")).map((one) => one.connection)
        )
        const bulk = stats.requests.filter(({ method }) => !method.endsWith("health"))
        assert.strictEqual(health.size, 1)
        assert.isFalse(bulk.some(({ connection }) => health.has(connection)))
      })
  )

  overTcp("an interruption closes every connection", () =>
    Effect.gen(function*() {
      const closed = Promise.withResolvers<void>()
      let open = 0
      const scope = yield* Scope.make()
      const { replicas } = yield* startCluster({
        spec,
        members: [{
          behaviours: "hang:fetchBlocksRaw",
          observe: ({ kind }) => {
            if (kind === "opened") open++
            if (kind === "closed" && --open === 0) closed.resolve()
          }
        }]
      }).pipe(Scope.provide(scope))
      while (replicas[0]!.stats().blockRequests === 0) yield* Effect.yieldNow
      yield* Scope.close(scope, Exit.void)
      yield* Effect.promise(() => closed.promise)
      assert.strictEqual(open, 0)
    }))

  overTcp("a sink that fails ends the run with its own words and blames nobody", () =>
    Effect.gen(function*() {
      const full = new SinkError({ subject: "disk", reason: "no-space", message: "no space left", remedy: "free some" })
      const { lines, outcome, report } = yield* run({
        members: [{}, {}],
        sink: ({ sink }) => ({ ...sink, write: () => Effect.fail(full) })
      })
      assert.strictEqual(outcome._tag, "failed")
      assert.isTrue(outcome._tag === "failed" && outcome.fault === "self" && outcome.message.includes("no space left"))
      assert.deepStrictEqual(report.evidenceCounts, {})
      assert.deepStrictEqual(lines, [])
    }))
})

describe("in virtual time", () => {
  it.effect("a healthy run waits for nothing: it takes no time at all", () =>
    Effect.gen(function*() {
      const { lines, outcome, report } = yield* run({ members: [{}, {}, {}] })
      assert.strictEqual(outcome._tag, "complete")
      assert.strictEqual(report.endedMillis - report.startedMillis, 0)
      assert.deepStrictEqual(lines, truthLines(spec))
    }).pipe(Effect.scoped, Effect.provide(Memory.layer)))

  it.effect("a bytes/s limit a peer holds", () =>
    Effect.gen(function*() {
      const bytesPerSecond = 4_000
      const started = yield* startCluster({ spec, members: [{}], queueLimits: { bytesPerSecond } })
      const result = yield* Effect.forkChild(started.handle.result)
      while (!started.handle.run.isFinished) yield* TestClock.adjust(100)
      const { report } = yield* Fiber.join(result)
      const seconds = (report.endedMillis - report.startedMillis) / 1000
      assert.isAtMost(report.peers[0]!.bytes / seconds, bytesPerSecond * 1.3)
      assert.isAtLeast(report.peers[0]!.bytes / seconds, bytesPerSecond * 0.5)
    }).pipe(Effect.scoped, Effect.provide(Memory.layer)))
})
