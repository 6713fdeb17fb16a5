/** A program that says much, and one whose modules hang: for tests of how a process ends. */
import { command, ExitCode, type Program, runProcess, Type, withDefault } from "@peerstrap/command-line"
import * as Effect from "effect/Effect"

const numBytes = withDefault(Type.integer(0, 1e9, 10), "10", "How many.")

const prints = command({
  name: "prints",
  summary: "Prints to standard output",
  flags: { numBytes },
  examples: [],
  run: ({ settings, terminal }) =>
    Effect.as(terminal.out("x".repeat(settings.numBytes)), { exitCode: ExitCode.done, text: "end\n", json: {} })
})

const chatters = command({
  name: "chatters",
  summary: "Says many lines on standard error, a mebibyte each, and prints when it is done",
  flags: { numLines: withDefault(Type.integer(0, 1000, 10), "10", "How many.") },
  examples: [],
  run: ({ settings, terminal }) =>
    Effect.sync(() => {
      for (let line = 0; line < settings.numLines; line++) terminal.error(`${"y".repeat(2 ** 20 - 1)}\n`)
      return { exitCode: ExitCode.no, text: "said\n", error: { message: "the last words", remedy: "" } }
    })
})

const waits = command({
  name: "waits",
  summary: "Waits for nothing",
  flags: {},
  examples: [],
  run: () => Effect.never
})

/** Its config file names nothing: whatever file it is, a module is loaded that never is, with or without a timer. */
const loads = command({
  name: "loads",
  summary: "Loads a module",
  flags: { ticks: withDefault(Type.integer(0, 1, 1), "0", "Whether a timer runs.") },
  examples: [],
  resolve: ({ settings }) =>
    Effect.promise(() => {
      process.stderr.write("loading\n")
      const timer = settings.ticks === 1 ? "setInterval(() => undefined, 1000)" : ""
      return import(`data:text/javascript,${timer};await new Promise(() => undefined)`)
    }),
  run: () => Effect.succeed({ exitCode: ExitCode.done, text: "ran\n" })
})

const program: Program = {
  name: "endings",
  summary: "ends",
  version: "1",
  commands: [prints, chatters, waits, loads]
}

await runProcess(program)
