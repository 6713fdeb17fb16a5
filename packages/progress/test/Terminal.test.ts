import { assert, describe, it } from "@effect/vitest"
import {
  fit,
  jsonLine,
  jsonLines,
  LineDiffer,
  liveView,
  overEta,
  plainLines,
  type ProgressSnapshot,
  renderLine,
  renderView,
  type Wait,
  wantsColor
} from "@peerstrap/progress"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import * as fc from "fast-check"
import { sampleSnapshot } from "./sample.ts"

/** The few escape sequences that the differ writes, played on a screen without end. */
const play = (screen: { lines: Array<string>; row: number }, text: string): void => {
  for (const [part] of text.replaceAll("\u001b[", "␛").matchAll(/␛(?:\?25[lh]|\d*[AJK])|\n|[^␛\n]+/g)) {
    const up = /^␛(\d+)A$/.exec(part)
    if (part === "\n") {
      screen.lines[screen.row] ??= ""
      screen.row++
    } else if (up !== null) screen.row -= Number(up[1])
    else if (part === "␛J") screen.lines.length = screen.row
    else if (part === "␛2K") screen.lines[screen.row] = ""
    else if (!part.startsWith("␛")) screen.lines[screen.row] = (screen.lines[screen.row] ?? "") + part
  }
}

const waiting: Wait = {
  subject: "shard 3",
  waitingFor: "metadata from peer C",
  cause: "connection refused",
  peers: ["C"],
  remedy: "start peer C",
  sinceMillis: 0
}

describe("LineDiffer", () => {
  it("leaves exactly the last block on the screen, whatever the blocks before", () => {
    const block = fc.array(fc.constantFrom("", "a", "bb", "ccc", "dddd"), { maxLength: 6 })
    fc.assert(
      fc.property(fc.array(block, { maxLength: 12 }), (blocks) => {
        const differ = new LineDiffer()
        const screen = { lines: ["before"], row: 1 }
        for (const lines of blocks) {
          play(screen, differ.paint(lines))
          assert.deepStrictEqual(screen.lines, ["before", ...lines])
          assert.strictEqual(screen.row, 1 + lines.length)
          assert.strictEqual(differ.paint(lines), "")
        }
        play(screen, differ.clear())
        assert.strictEqual(screen.row, 1)
      }),
      { seed: 3, numRuns: 500 }
    )
  })
  it("writes the lines that changed and no others", () => {
    const differ = new LineDiffer()
    differ.paint(["same", "old", "same too"])
    assert.strictEqual(differ.paint(["same", "new", "same too"]), "\u001b[3A\n\u001b[2Knew\n\n")
  })
})

/** The share that a log line of a run with growing totals shows. */
const growing = (done: number, jobsDone: number) =>
  renderLine(sampleSnapshot({
    jobs: { done: jobsDone, total: 64 },
    items: { done, total: 1000, totalIsGrowing: true },
    bytes: { done: 5, total: 0, totalIsGrowing: true }
  })).split(" · ")[0]

describe("renderView", () => {
  it("fits every width and height, without escape sequences of others", () => {
    const hostile = sampleSnapshot({
      phase: "a\u001b[2J\nb",
      warnings: ["x".repeat(500), "é🎉".repeat(100)],
      waits: [waiting]
    })
    for (let columns = 1; columns < 200; columns += 7) {
      for (const rows of [1, 3, 50]) {
        const lines = renderView(hostile, { columns, rows, color: false })
        assert.isAtMost(lines.length, rows)
        for (const line of lines) {
          assert.isAtMost(Array.from(line).length, columns)
          assert.notMatch(line, /\p{Cc}/u)
        }
      }
    }
  })
  it("shows what counts: percentage, totals that grow, ETA, waits before peers before lanes", () => {
    const lines = renderView(sampleSnapshot({ waits: [waiting] }), { columns: 120, rows: 40, color: false })
    assert.match(
      lines[0] ?? "",
      /^fetching {2}\[#{11}-{19}\] 37\.5 % {2}12\.0 s {2}ETA 5\.0 s \(low: totals are still growing\)$/
    )
    assert.strictEqual(lines[1], "3 of 8 jobs  6,000 of 12,642 items  5.0 MiB of 10.0 MiB+  1.0 MiB/s")
    assert.strictEqual(lines[2], "shard 3 waits for metadata from peer C: connection refused")
    assert.strictEqual(lines[4], "  C  down  answers at 0 B/s  0 in flight  7 failures  (connection refused)")
    assert.match(lines[5] ?? "", /shard 3/)
  })
  it("claims no part of a total that grows: jobs count, or nothing when all that is known is done", () => {
    assert.strictEqual(growing(1000, 8), "fetching 12.5 %")
    assert.strictEqual(growing(1000, 64), "fetching –")
    assert.strictEqual(growing(910, 64), "fetching 91.0 %")
  })
  it("estimates nothing for a run that has ended before it was done", () => {
    const ended = sampleSnapshot({ phase: "deadline", eta: overEta })
    assert.notInclude(renderLine(ended), "ETA")
    assert.match(
      renderView(ended, { columns: 120, rows: 1, color: false })[0]!,
      /^deadline {2}\[.*\] 37\.5 % {2}12\.0 s$/
    )
  })
  it("counts what it does not list", () => {
    const lanes = Array.from(
      { length: 4096 },
      (_, shard) => ({ id: `shard ${shard}`, state: "x", done: 0, total: 1, bytes: 0 })
    )
    const lines = renderView(sampleSnapshot({ lanes }), { columns: 80, rows: 60, color: false })
    assert.strictEqual(lines.at(-1), "  and 4,088 more lanes")
  })
  it("uses colour only when allowed", () => {
    assert.notInclude(renderView(sampleSnapshot(), { columns: 80, rows: 9, color: false }).join(""), "\u001b")
    assert.include(renderView(sampleSnapshot(), { columns: 80, rows: 9, color: true }).join(""), "\u001b[1m")
    assert.deepStrictEqual([
      wantsColor(true, undefined),
      wantsColor(true, ""),
      wantsColor(true, "1"),
      wantsColor(false, undefined)
    ], [
      true,
      true,
      false,
      false
    ])
  })
  it("cuts between code points", () => assert.strictEqual(fit("🎉🎉🎉", 2), "🎉…"))
})

describe("liveView", () => {
  it.effect("paints at most ten times a second and only changes", () =>
    Effect.gen(function*() {
      const written: Array<string> = []
      let snapshot = sampleSnapshot()
      yield* liveView({
        snapshot: () => snapshot,
        write: (text) => written.push(text),
        color: false,
        size: () => ({ columns: 100, rows: 30 }),
        frameMillis: 1
      })
      yield* TestClock.adjust(1000)
      assert.lengthOf(written, 2)
      snapshot = sampleSnapshot({ phase: "verifying" })
      yield* TestClock.adjust(99)
      assert.isAtMost(written.length, 3)
      yield* TestClock.adjust(1)
      assert.lengthOf(written, 3)
      assert.include(written[2] ?? "", "verifying")
    }))
  it.effect("gives the cursor back after the last state when it is interrupted", () =>
    Effect.gen(function*() {
      const written: Array<string> = []
      let snapshot = sampleSnapshot()
      const fiber = yield* liveView({
        snapshot: () => snapshot,
        write: (text) => written.push(text),
        color: false,
        size: () => ({ columns: 100, rows: 30 })
      }).pipe(Effect.andThen(Effect.never), Effect.scoped, Effect.forkChild)
      yield* TestClock.adjust(250)
      assert.strictEqual(written[0], "\u001b[?25l")
      snapshot = sampleSnapshot({ phase: "stopped" })
      yield* Fiber.interrupt(fiber)
      assert.include(written.at(-2) ?? "", "stopped")
      assert.strictEqual(written.at(-1), "\u001b[?25h")
    }))
  it.effect("prints above the block", () =>
    Effect.gen(function*() {
      const screen = { lines: [], row: 0 }
      const view = yield* liveView({
        snapshot: sampleSnapshot,
        write: (text) => play(screen, text),
        color: false,
        size: () => ({ columns: 100, rows: 30 })
      })
      yield* TestClock.adjust(1)
      yield* view.print("hello")
      assert.deepStrictEqual(screen.lines, [
        "hello",
        ...renderView(sampleSnapshot(), { columns: 99, rows: 29, color: false })
      ])
    }))
})

describe("plainLines", () => {
  it.effect("writes a line an interval, one when the reason for waiting changes, one at the end", () =>
    Effect.gen(function*() {
      const written: Array<string> = []
      let snapshot: ProgressSnapshot = sampleSnapshot()
      const scope = yield* Scope.make()
      yield* plainLines({ snapshot: () => snapshot, write: (text) => written.push(text), intervalMillis: 10_000 }).pipe(
        Scope.provide(scope)
      )
      yield* TestClock.adjust(9999)
      assert.deepStrictEqual(written, [`${renderLine(snapshot)}\n`])
      snapshot = sampleSnapshot({ items: { done: 7000, total: 12_642, totalIsGrowing: false } })
      yield* TestClock.adjust(1)
      assert.lengthOf(written, 2)
      snapshot = sampleSnapshot({ waits: [waiting] })
      yield* TestClock.adjust(1000)
      assert.lengthOf(written, 3)
      assert.include(written[2] ?? "", "shard 3 waits for metadata from peer C: connection refused")
      snapshot = sampleSnapshot({ waits: [{ ...waiting, cause: "connection refused (8 tries)" }] })
      yield* TestClock.adjust(1000)
      assert.lengthOf(written, 3)
      yield* Scope.close(scope, Exit.void)
      assert.include(written[3] ?? "", "8 tries")
      assert.isTrue(written.every((line) => line.indexOf("\n") === line.length - 1))
    }))
})

describe("jsonLines", () => {
  it.effect("writes snapshots and events, each one object a line", () =>
    Effect.gen(function*() {
      const written: Array<string> = []
      const scope = yield* Scope.make()
      const lines = yield* jsonLines({
        snapshot: sampleSnapshot,
        write: (text) => written.push(text),
        intervalMillis: 1000
      }).pipe(
        Scope.provide(scope)
      )
      yield* TestClock.adjust(1500)
      yield* lines.emit("batch-failed", { peer: "C", block: BigInt("1795226400000000000"), text: "two\nlines" })
      yield* Scope.close(scope, Exit.void)
      const parsed = written.map((line) => JSON.parse(line))
      assert.deepStrictEqual(parsed.map((of) => of.type), ["snapshot", "snapshot", "event", "snapshot"])
      assert.deepStrictEqual(parsed[2], {
        type: "event",
        name: "batch-failed",
        at: 1500,
        fields: { peer: "C", block: "1795226400000000000", text: "two\nlines" }
      })
      assert.isTrue(written.every((line) => line.indexOf("\n") === line.length - 1))
    }))
  it("is JSON for any value", () => {
    const cycle: Record<string, unknown> = { shared: { a: 1 } }
    cycle["again"] = cycle["shared"]
    cycle["self"] = { up: cycle }
    assert.strictEqual(jsonLine(cycle), "{\"shared\":{\"a\":1},\"again\":{\"a\":1},\"self\":{\"up\":null}}")
    assert.strictEqual(jsonLine(undefined), "null")
    assert.strictEqual(jsonLine([Number.NaN, undefined, BigInt(1)]), "[null,null,\"1\"]")
  })
})
