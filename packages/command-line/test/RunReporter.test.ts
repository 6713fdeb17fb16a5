/** What a run tells of itself: why it does not move, what happened, what libraries log. */
import { assert, describe, it } from "@effect/vitest"
import { logsTo, makeReporter, type ReportingOptions, watchRun, whyTextOf } from "@peerstrap/command-line"
import type { ProgressSnapshot } from "@peerstrap/progress"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"

const wait = {
  subject: "shard 3",
  waitingFor: "metadata from b",
  cause: "b: connection refused (7 tries, next in 2.0 s)",
  peers: ["b"],
  level: "majority",
  remedy: "bring back b",
  sinceMillis: 0
}

/** A run that moves when told to, and what it has said. */
const aRun = Effect.fnUntraced(function*(more: Partial<ReportingOptions> = {}, waits = [wait]) {
  const clock = yield* Clock.Clock
  const run = { moved: 0 }
  const errors: Array<string> = []
  const snapshot = (): ProgressSnapshot => ({
    phase: "streaming",
    startedMillis: 0,
    nowMillis: clock.currentTimeMillisUnsafe(),
    jobs: { done: 0, total: 1 },
    items: { done: 0, total: 0, totalIsGrowing: false },
    bytes: { done: 0, total: 0, totalIsGrowing: false },
    rates: { bytesPerSecond: 0, itemsPerSecond: 0 },
    eta: { millis: null, confidence: "unknown", reason: "" },
    lanes: [],
    peers: [],
    waits,
    warnings: []
  })
  const options: ReportingOptions = {
    json: false,
    terminal: {
      out: () => Effect.void,
      error: (text) => void errors.push(text),
      isLive: false,
      color: false,
      size: () => ({ columns: 80, rows: 24 })
    },
    state: {
      startedMillis: clock.currentTimeMillisUnsafe(),
      hasNews: false,
      observe: () => run.moved,
      waits: () => waits,
      snapshot
    },
    whyText: whyTextOf("program"),
    ...more
  }
  return { run, errors, options }
})

describe("a run that does not move", () => {
  it.effect("says why after 10 s and then every 10 s, and is quiet while it moves", () =>
    Effect.gen(function*() {
      const { options, run } = yield* aRun()
      const said: Array<string> = []
      const reporter = { say: (text: string) => void said.push(text), event: () => undefined }
      yield* Effect.forkScoped(watchRun(reporter, options))
      for (let second = 0; second < 12; second++) {
        run.moved++
        yield* TestClock.adjust("1 second")
      }
      assert.deepStrictEqual(said, [])
      yield* TestClock.adjust("32 seconds")
      assert.strictEqual(said.length, 3)
      assert.match(said[0]!, /^no progress for 10\.\d s\nshard 3 waits for metadata from b/)
      assert.include(said[0]!, "because: b: connection refused\n")
      assert.include(said[0]!, "what to do: bring back b")
    }))

  it.effect("is an event with --json, and nothing at all where it may rest and nothing waits", () =>
    Effect.gen(function*() {
      for (const [mayRest, waits, count] of [[false, [], 1], [true, [], 0], [true, [wait], 1]] as const) {
        const { options } = yield* aRun({ json: true, mayRest }, [...waits])
        const events: Array<string> = []
        const reporter = { say: () => undefined, event: (name: string) => void events.push(name) }
        yield* Effect.forkScoped(watchRun(reporter, options))
        yield* TestClock.adjust("15 seconds")
        assert.deepStrictEqual(events, Array.from({ length: count }, () => "stalled"))
      }
    }))
})

describe("a reporter", () => {
  const spoken = { "peer-back": (fields: Readonly<Record<string, unknown>>) => `peer ${fields["peer"]} is back` }

  it.effect("tells people what they want to read, and programs everything", () =>
    Effect.gen(function*() {
      const tell = Effect.fnUntraced(function*(json: boolean) {
        const { errors, options } = yield* aRun({ json, spoken })
        const reporter = yield* makeReporter(options)
        reporter.say("hello")
        reporter.event("peer-back", { peer: "b" })
        reporter.event("listed", { pages: 1 })
        reporter.event("noticed", { shard: 3 }, "shard 3 is odd")
        return errors
      })
      assert.deepStrictEqual(yield* tell(false), ["hello\n", "peer b is back\n", "shard 3 is odd\n"])
      const lines = (yield* tell(true)).map((line) => JSON.parse(line) as Record<string, unknown>)
      const names = lines.map((line) => line["name"]).filter((name) => name !== undefined)
      assert.deepStrictEqual(names, ["message", "peer-back", "listed", "noticed"])
    }).pipe(Effect.scoped))

  it.effect("hears what libraries log; people hear of warnings and errors", () =>
    Effect.gen(function*() {
      const heard: Array<readonly [string, string, string | undefined]> = []
      const layer = logsTo(({ level, spoken, text }) => void heard.push([level, text, spoken]))
      yield* Effect.provide(Effect.andThen(Effect.logInfo("a"), Effect.logWarning("b", "c")), layer)
      assert.deepStrictEqual(heard, [["Info", "a", undefined], ["Warn", "b c", "warn: b c"]])
    }))
})

describe("why", () => {
  it("tells four waits at most, those that differ in counters alone as one, and how to see the others", () => {
    const others = Array.from(
      { length: 5 },
      (_, i) => ({ ...wait, subject: `shard ${i}`, waitingFor: `thing ${i}`, remedy: `do ${i}` })
    )
    const text = whyTextOf("program")(others, 1_000)
    assert.include(text, "\nand 1 more: see program why --json\n")
    const same = whyTextOf("program")([wait, { ...wait, cause: wait.cause.replace("7", "8") }], 1_000)
    assert.strictEqual(same.match(/because:/g)?.length, 1)
  })
})
