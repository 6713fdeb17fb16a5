/** What the frame around the commands promises: defects are exit code 5, errors have remedies, standard output is clean. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import {
  command,
  CommandError,
  type CommandResult,
  ExitCode,
  runProgram,
  type StopSignal,
  toggle
} from "../src/index.ts"

const diskFull = new CommandError({ exitCode: ExitCode.local, message: "disk full", remedy: "free space" })

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
    run: () => Effect.fail(diskFull)
  }),
  command({
    ...definition,
    name: "counts",
    run: ({ json, terminal }) =>
      Effect.as(terminal.out(json ? "{\"n\":1}\n" : "one\n"), {
        exitCode: ExitCode.no,
        text: "that was all\n",
        json: { total: 1n }
      })
  }),
  command({
    ...definition,
    name: "lines",
    linesOnly: true,
    flags: { bad: toggle("Ends badly."), wait: toggle("Waits."), fail: toggle("Fails.") },
    run: ({ settings, terminal }) =>
      Effect.gen(function*() {
        yield* terminal.out("{\"n\":1}\n")
        if (settings.wait) return yield* Effect.never
        if (settings.fail) return yield* diskFull
        const error = { message: "too late", remedy: "wait longer" }
        const result: CommandResult = settings.bad
          ? { exitCode: ExitCode.peers, text: "", error }
          : { exitCode: ExitCode.done, text: "" }
        return result
      })
  }),
  command({
    ...definition,
    name: "late",
    run: () =>
      Effect.succeed({
        exitCode: ExitCode.peers,
        text: "",
        error: { message: "too late", remedy: "wait longer" },
        json: { total: 1n }
      })
  }),
  command({ ...definition, name: "child", internal: true, run: () => Effect.succeed({ exitCode: 0, text: "here\n" }) })
]

const program = { name: "peerstrap-test", summary: "tests the frame", version: "1.2.3", commands }

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
    runProgram({ program, argv, terminal: terminalOf(texts), stop, read }),
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
      assert.deepStrictEqual([code, err, out], [4, "peerstrap-test fails: disk full\n  what to do: free space\n", ""])
      const json = yield* run(["fails", "--json"])
      const error = { message: "disk full", remedy: "free space" }
      assert.deepStrictEqual(JSON.parse(json.out), { command: "fails", exitCode: 4, error })
      assert.deepStrictEqual(JSON.parse(json.err), { type: "error", command: "fails", exitCode: 4, error })
    }))

  it.effect("writes JSON lines alone to standard error when JSON is asked for, whatever goes wrong", () =>
    Effect.gen(function*() {
      const error = { message: "too late", remedy: "wait longer" }
      const said = yield* run(["late", "--json"])
      assert.deepStrictEqual(JSON.parse(said.out), { command: "late", exitCode: 3, error, total: "1" })
      assert.deepStrictEqual(JSON.parse(said.err), { type: "error", command: "late", exitCode: 3, error })
      for (const argv of [["fails", "--nope"], ["nope"], ["dies"], ["throws"]]) {
        const { err, out } = yield* run([...argv, "--json"])
        const lines = err.trimEnd().split("\n").map((line) => JSON.parse(line))
        assert.deepStrictEqual(lines, [{ type: "error", ...JSON.parse(out) }])
      }
    }))

  it.effect("closes what a command printed with one JSON document, if the command gives one", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* run(["counts"]), { code: 1, out: "one\nthat was all\n", err: "" })
      const { code, err, out } = yield* run(["counts", "--json"])
      assert.deepStrictEqual([code, err], [1, ""])
      assert.deepStrictEqual(out.trimEnd().split("\n").map((line) => JSON.parse(line)), [{ n: 1 }, {
        command: "counts",
        exitCode: 1,
        total: "1"
      }])
    }))

  it.effect("adds nothing to the lines of a command that has lines only, however it ends", () =>
    Effect.gen(function*() {
      const line = "{\"n\":1}\n"
      assert.deepStrictEqual(yield* run(["lines", "--json"]), { code: 0, out: line, err: "" })
      const cases = [
        ["--bad", 3, line, { command: "lines", exitCode: 3, error: { message: "too late", remedy: "wait longer" } }],
        ["--fail", 4, line, { command: "lines", exitCode: 4, error: { message: "disk full", remedy: "free space" } }],
        ["--nope", 2, "", { command: "lines", exitCode: 2, problems: [{ where: "--nope", message: "no such flag" }] }]
      ] as const
      for (const [flag, code, out, document] of cases) {
        const ended = yield* run(["lines", flag, "--json"])
        assert.deepStrictEqual([ended.code, ended.out], [code, out])
        assert.deepStrictEqual(JSON.parse(ended.err), { type: "error", ...document })
        const forPeople = yield* run(["lines", flag])
        assert.match(forPeople.err, /^peerstrap-test lines: /)
      }
      const stopped = yield* run(["lines", "--wait", "--json"], Effect.succeed("SIGTERM"))
      assert.deepStrictEqual(stopped, { code: 143, out: line, err: "" })
    }))

  it.effect("keeps internal commands out of help and of what is proposed, but runs them", () =>
    Effect.gen(function*() {
      assert.notInclude((yield* run(["--help"])).out, "child")
      assert.notInclude((yield* run(["chil"])).err, "child")
      assert.deepStrictEqual(yield* run(["child"]), { code: 0, out: "here\n", err: "" })
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
