/** The kit for tests of programs: it runs them, and finds help that is wrong. */
import { assert, describe, it } from "@effect/vitest"
import { type Command, command, ExitCode, optional, type Program, Type } from "@peerstrap/command-line"
import { childProgram, helpSuite, inProcess } from "@peerstrap/command-line/testing"
import * as Effect from "effect/Effect"
import { mkdtempSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

const greet = (examples: Command["examples"] = [{ args: "greet --name Ann", says: "One" }]) =>
  command({
    name: "greet",
    summary: "Greet",
    flags: { name: optional(Type.text("NAME", "a name", "Ann"), "Who.") },
    examples,
    run: ({ settings, terminal }) =>
      Effect.sync(() => {
        terminal.error("greeting\n")
        return { exitCode: ExitCode.done, text: `hello ${settings.name}\n` }
      })
  })

const program = (...commands: ReadonlyArray<Command>): Program => ({ name: "p", summary: "s", version: "1", commands })

const failures = (of: Program) => {
  const failed: Array<string> = []
  helpSuite(of, (name, run) => {
    try {
      run()
    } catch {
      failed.push(name)
    }
  })
  return failed
}

describe("the kit", () => {
  it.effect("runs a program in this process", () =>
    Effect.gen(function*() {
      const end = yield* inProcess(program(greet()))("greet", "--name", "Bo")
      assert.deepStrictEqual(end, { code: 0, out: "hello Bo\n", err: "greeting\n" })
    }))

  it("passes help that is right, and finds examples that are missing or wrong", () => {
    assert.deepStrictEqual(failures(program(greet())), [])
    const wrong = "has examples that the parser takes"
    assert.deepStrictEqual(failures(program(greet([]))), [wrong])
    assert.deepStrictEqual(failures(program(greet([{ args: "greet --nam Ann", says: "" }]))), [wrong])
    assert.deepStrictEqual(failures(program(greet([{ args: "meet --name Ann", says: "" }]))), [wrong])
  })

  it.live("runs a program as a process: what it says, how it ends, what it is sent", () =>
    Effect.gen(function*() {
      const main = join(mkdtempSync(join(tmpdir(), "child-")), "main.mjs")
      writeFileSync(
        main,
        `
        process.on("SIGTERM", () => process.exit(143))
        console.log(process.argv.slice(2).join(" "))
        console.error("port 7001")
        if (process.argv.includes("stay")) setInterval(() => undefined, 1000)
      `
      )
      const { runChild, startChild } = childProgram(main)
      assert.deepStrictEqual(yield* runChild("a", "b"), { code: 0, out: "a b\n", err: "port 7001\n" })
      const child = yield* startChild("stay")
      assert.strictEqual((yield* child.finds(/port (\d+)/))[1], "7001")
      const end = yield* Effect.all([child.end, child.signal("SIGTERM")], { concurrency: "unbounded" })
      assert.strictEqual(end[0].code, 143)
    }).pipe(Effect.scoped), 30_000)
})
