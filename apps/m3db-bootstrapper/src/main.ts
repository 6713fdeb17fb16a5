/** The process: streams, signals and files of the machine given to the program, and its exit code to the caller. */
import * as Effect from "effect/Effect"
import { readFileSync, statSync } from "node:fs"
import type { CheckContext } from "./cli/Command.ts"
import { ExitCode } from "./cli/ExitCode.ts"
import { runProgram } from "./cli/Program.ts"
import { processStop, processTerminal } from "./cli/Terminal.ts"
import { commands } from "./commands/Commands.ts"

/** Input files are read whole; a placement has 16 MiB at most. */
const maxInputBytes = 16 * 1024 * 1024

const read: CheckContext["read"] = (path) => {
  try {
    const { size } = statSync(path)
    if (size > maxInputBytes) return { problem: `${path} has ${size} bytes, at most ${maxInputBytes} are read` }
    return readFileSync(path)
  } catch (cause) {
    return { problem: `${path} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}` }
  }
}

const terminal = processTerminal()

const die = (cause: unknown): never => {
  terminal.error(`peerstrap-m3db: a defect of this program: ${cause instanceof Error ? cause.stack : String(cause)}\n`)
  process.exit(ExitCode.defect)
}

process.on("uncaughtException", die)
process.on("unhandledRejection", die)

const stop = processStop()
const program = runProgram({
  commands,
  argv: process.argv.slice(2),
  terminal,
  stop: stop.request,
  read,
  version: "0.1.0"
})

process.exit(await Effect.runPromise(program))
