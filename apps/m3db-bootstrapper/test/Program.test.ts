/** What the frame around the commands promises: defects are exit code 5, a run that does not move says why, two results never mix. */
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { watchRun } from "../src/bootstrap/Reporter.ts"
import type { RunState } from "../src/bootstrap/RunState.ts"
import { command } from "../src/cli/Command.ts"
import { CommandError, ExitCode } from "../src/cli/ExitCode.ts"
import { runProgram } from "../src/cli/Program.ts"
import type { StopSignal } from "../src/cli/Terminal.ts"

const definition = { summary: "Test", flags: {}, examples: [] } as const

const commands = [
  command({ ...definition, name: "dies", run: () => Effect.die(new Error("a bug")) }),
  command({
    ...definition,
    name: "throws",
    check: () => {
      throw new Error("a bug in a check")
    },
    run: () => Effect.never
  }),
  command({ ...definition, name: "waits", run: () => Effect.never }),
  command({
    ...definition,
    name: "fails",
    run: () => Effect.fail(new CommandError({ exitCode: ExitCode.local, message: "disk full", remedy: "free space" }))
  })
]

const read = (path: string) => ({ problem: path })

const terminalOf = (texts: { out: string; err: string }) => ({
  out: (text: string) => Effect.sync(() => void (texts.out += text)),
  error: (text: string) => void (texts.err += text),
  isLive: false,
  color: false,
  size: () => ({ columns: 80, rows: 24 })
})

const run = (argv: ReadonlyArray<string>, stop: Effect.Effect<StopSignal> = Effect.never) => {
  const texts = { out: "", err: "" }
  return Effect.map(
    runProgram({ commands, argv, terminal: terminalOf(texts), stop, read, version: "1.2.3" }),
    (code) => ({ code, ...texts })
  )
}

describe("the program", () => {
  it.effect("ends with 5 and asks for a report at a defect, wherever it is", () =>
    Effect.gen(function*() {
      for (const [name, text] of [["dies", "a bug"], ["throws", "a bug in a check"]] as const) {
        const { code, err, out } = yield* run([name])
        assert.deepStrictEqual([code, out], [5, ""])
        assert.include(err, `a defect of this program: ${text}`)
        assert.include(err, "please report it")
      }
    }))

  it.effect("prints errors with their remedy, and as JSON", () =>
    Effect.gen(function*() {
      const { code, err, out } = yield* run(["fails"])
      assert.deepStrictEqual([code, err, out], [4, "peerstrap-m3db fails: disk full\n  what to do: free space\n", ""])
      const json = yield* run(["fails", "--json"])
      const error = { message: "disk full", remedy: "free space" }
      assert.deepStrictEqual(JSON.parse(json.out), { command: "fails", exitCode: 4, error })
    }))

  it.effect("interrupts a command at a signal: 130 and 143", () =>
    Effect.gen(function*() {
      assert.strictEqual((yield* run(["waits"], Effect.succeed("SIGINT"))).code, 130)
      assert.strictEqual((yield* run(["waits"], Effect.succeed("SIGTERM"))).code, 143)
    }))

  it.effect("knows help, version, no command and a wrong one", () =>
    Effect.gen(function*() {
      assert.strictEqual((yield* run(["--help"])).code, 0)
      assert.strictEqual((yield* run([])).code, 2)
      assert.deepStrictEqual(yield* run(["--version"]), { code: 0, out: "1.2.3\n", err: "" })
      const { code, err } = yield* run(["wait"])
      assert.strictEqual(code, 2)
      assert.include(err, "did you mean waits?")
    }))
})

describe("a run that does not move", () => {
  it.effect("says why after 10 s and then every 10 s, and is quiet while it moves", () =>
    Effect.gen(function*() {
      const clock = yield* Clock.Clock
      let moved = 0
      const wait = {
        subject: "shard 3",
        waitingFor: "metadata from b",
        cause: "b: connection refused (7 tries, next in 2.0 s)",
        peers: ["b"],
        level: "majority",
        remedy: "bring back b",
        sinceMillis: 0
      }
      const state = {
        startedMillis: clock.currentTimeMillisUnsafe(),
        observe: () => moved,
        waits: () => [wait],
        snapshot: () => ({ nowMillis: clock.currentTimeMillisUnsafe() })
      } as unknown as RunState
      const said: Array<string> = []
      const reporter = { say: (text: string) => void said.push(text), event: () => undefined }
      const terminal = terminalOf({ out: "", err: "" })
      yield* Effect.forkScoped(watchRun(reporter, { terminal, json: false, state }))
      for (let second = 0; second < 12; second++) {
        moved++
        yield* TestClock.adjust("1 second")
      }
      assert.deepStrictEqual(said, [])
      yield* TestClock.adjust("32 seconds")
      assert.strictEqual(said.length, 3)
      assert.match(said[0]!, /^no progress for 10\.\d s\nshard 3 waits for metadata from b/)
      assert.include(said[0]!, "because: b: connection refused\n")
      assert.include(said[0]!, "what to do: bring back b")
    }))
})
