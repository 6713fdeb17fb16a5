/** The process around a program: its streams, signals and files go in, its exit code comes out. */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { ExitCode } from "../contract/ExitCode.ts"
import type { Program } from "../contract/Program.ts"
import { readInputFile } from "./InputFile.ts"
import { processStop, processTerminal } from "./ProcessTerminal.ts"
import { runProgram } from "./Program.ts"

/** Runs the program on the arguments of this process and ends the process with its exit code. Nothing runs after it. */
export const runProcess = async (program: Program): Promise<never> => {
  const terminal = processTerminal()
  const die = (cause: unknown): never => {
    const text = cause instanceof Error ? cause.stack : String(cause)
    terminal.error(`${program.name}: a defect of this program: ${text}\n`)
    process.exit(ExitCode.defect)
  }
  process.on("uncaughtException", die)
  process.on("unhandledRejection", die)
  const { request: stop } = processStop()
  // Node would end without a word, and with a code of its own (13).
  const starved = Deferred.makeUnsafe<void>()
  process.on("beforeExit", () => void Deferred.doneUnsafe(starved, Effect.void))
  const argv = process.argv.slice(2)
  const input = { program, argv, terminal, stop, read: readInputFile, starved: Deferred.await(starved) }
  // The process's end drops what pipes have not taken yet.
  process.exit(await Effect.runPromise(Effect.tap(runProgram(input), () => terminal.flush)))
}
