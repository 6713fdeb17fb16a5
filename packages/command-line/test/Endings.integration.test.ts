/** How a process ends: results that cannot be written, a reader that is slow or never reads, and modules that hang while they load. */
import { assert, describe, it } from "@effect/vitest"
import { commandLineLimits } from "@peerstrap/command-line"
import { childProgram } from "@peerstrap/command-line/testing"
import * as Effect from "effect/Effect"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

const main = fileURLToPath(new URL("support/endings.ts", import.meta.url))
const { runChild, startChild } = childProgram(main)
const argvOf = (...argv: ReadonlyArray<string>) => ["--conditions=@peerstrap/source", main, ...argv]

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "endings-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true }))
)

/** Runs the program with its standard output in a file, under limits of the shell. */
const runInto = (path: string, limits: string, ...argv: ReadonlyArray<string>) =>
  Effect.promise(async () => {
    const out = openSync(path, "w")
    const child = spawn("sh", ["-c", `${limits} exec "$0" "$@"`, process.execPath, ...argvOf(...argv)], {
      stdio: ["ignore", out, "pipe"]
    })
    closeSync(out)
    let err = ""
    child.stderr!.setEncoding("utf8").on("data", (text: string) => void (err += text))
    const [code] = await once(child, "close")
    return { code: Number(code), err }
  })

/** A process whose standard error nobody reads before it is told to. */
const startUnread = (...argv: ReadonlyArray<string>) =>
  Effect.acquireRelease(
    Effect.sync(() => spawn(process.execPath, argvOf(...argv), { stdio: ["ignore", "pipe", "pipe"] })),
    (child) => Effect.sync(() => void child.kill("SIGKILL"))
  )

describe("results that cannot be written", () => {
  it.live.skipIf(!existsSync("/dev/full"))(
    "are a failure of this machine, with its reason",
    () =>
      Effect.gen(function*() {
        for (
          const argv of [["prints"], ["prints", "--json"], ["prints", "--num-bytes", "0"], ["--help"], ["--version"]]
        ) {
          const { code, err } = yield* runInto("/dev/full", "", ...argv)
          assert.strictEqual(code, 4, argv.join(" "))
          assert.match(err, /standard output cannot be written: ENOSPC.*(\n {2}what to do: |"remedy":")free space/)
        }
      }),
    30_000
  )

  it.live("are a failure also when the file takes a part of them", () =>
    Effect.gen(function*() {
      const path = join(yield* folder, "out")
      const { code, err } = yield* runInto(path, "ulimit -f 100;", "prints", "--num-bytes", "1000000")
      assert.isBelow(statSync(path).size, 1_000_000)
      assert.strictEqual(code, 4)
      assert.match(err, /standard output cannot be written: EFBIG/)
      assert.strictEqual((yield* runInto(path, "", "prints", "--num-bytes", "1000000")).code, 0)
      assert.strictEqual(readFileSync(path, "utf8"), `${"x".repeat(1_000_000)}end\n`)
    }), 30_000)

  it.live("are no failure when their reader has gone", () =>
    Effect.gen(function*() {
      const child = yield* startUnread("prints", "--num-bytes", "1000000")
      child.stdout.destroy()
      child.stderr.resume()
      assert.deepStrictEqual(yield* Effect.promise(() => once(child, "close")), [0, null])
    }), 30_000)
})

describe("a reader of standard error", () => {
  it.live("that comes late gets all of it, the last words at the end", () =>
    Effect.gen(function*() {
      const child = yield* startUnread("chatters", "--num-lines", "3")
      let err = ""
      // Its result is the last thing that it does: the old end of the process was here.
      yield* Effect.promise(() => once(child.stdout, "data"))
      const closed = once(child, "close")
      child.stderr.setEncoding("utf8").on("data", (text: string) => void (err += text))
      assert.deepStrictEqual(yield* Effect.promise(() => closed), [1, null])
      assert.strictEqual(err.length, 3 * 2 ** 20 + "endings chatters: the last words\n".length)
      assert.match(err.slice(-100), /\nendings chatters: the last words\n$/)
    }), 30_000)

  it.live("that is far too slow misses what there is no room for, and is told so", () =>
    Effect.gen(function*() {
      for (const json of [false, true]) {
        const child = yield* startUnread("chatters", "--num-lines", "20", ...(json ? ["--json"] : []))
        let err = ""
        if (!json) yield* Effect.promise(() => once(child.stdout, "data"))
        else child.stdout.resume()
        const closed = once(child, "close")
        child.stderr.setEncoding("utf8").on("data", (text: string) => void (err += text))
        assert.deepStrictEqual(yield* Effect.promise(() => closed), [1, null])
        const [told, words] = err.trimEnd().split("\n").slice(-2).toReversed()
        assert.isBelow(err.length, commandLineLimits.maxErrorBacklogBytes + 2 ** 20 + 1000)
        const dropped = 20 - err.split("\n").filter((line) => line.startsWith("yyy")).length
        assert.isAtLeast(dropped, 15)
        const text = `${dropped} messages were dropped, because nobody read standard error`
        assert.include(words, "the last words")
        if (!json) assert.strictEqual(told, text)
        else assert.deepStrictEqual(JSON.parse(told!).fields, { text })
      }
    }), 30_000)
})

describe("a module that hangs while it loads", () => {
  it.live("is ended by the first signal, as a command is", () =>
    Effect.gen(function*() {
      for (const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
        const child = yield* startChild("loads", "--ticks", "1", "--json")
        yield* child.says(/loading/)
        const [end] = yield* Effect.all([child.end, child.signal(signal)], { concurrency: "unbounded" })
        assert.deepStrictEqual([end.code, JSON.parse(end.out)], [code, {
          command: "loads",
          exitCode: code,
          stopped: signal
        }])
      }
    }).pipe(Effect.scoped), 30_000)

  it.live(
    "is told when nothing is left that could end it, and so is a command that waits like that",
    () =>
      Effect.gen(function*() {
        const path = join(yield* folder, "run.yaml")
        writeFileSync(path, "loads: {}\n")
        const end = yield* runChild("loads", "--config", path)
        assert.deepStrictEqual([end.code, end.out], [2, ""])
        assert.include(end.err, `${path}: a module that it names waits for ever while it loads`)
        const json = yield* runChild("loads", "--config", path, "--json")
        assert.deepStrictEqual([json.code, JSON.parse(json.out).problems[0].where], [2, path])
        const waits = yield* runChild("waits")
        assert.deepStrictEqual([waits.code, waits.out], [5, ""])
        assert.include(waits.err, "it waits for something that nothing is left to bring about")
      }),
    30_000
  )
})
