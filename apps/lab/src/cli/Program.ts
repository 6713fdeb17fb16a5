/** From the command line to the exit code: finds the command, tells every problem at once, runs it, stops it on signals. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { readArguments } from "./Arguments.ts"
import { type Command, commandHelp, program, programHelp } from "./Command.ts"
import { ExitCode } from "./ExitCode.ts"
import { shown } from "./Flag.ts"
import type { Terminal } from "./Terminal.ts"

const usage = (terminal: Terminal, problems: ReadonlyArray<string>, help: string): Effect.Effect<ExitCode> =>
  Effect.sync(() => {
    const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`
    terminal.error(
      [
        `${program}: ${count}, nothing was started`,
        ...problems.map((each) => `  ${each}`),
        `All flags and examples: ${help}`,
        ""
      ].join("\n")
    )
    return ExitCode.usage
  })

/** The whole program as an effect: its value is the exit code. Interrupted by signals. */
export const runProgram = (
  commands: ReadonlyArray<Command>,
  argv: ReadonlyArray<string>,
  terminal: Terminal
): Effect.Effect<ExitCode> => {
  const [name, ...rest] = argv
  if (name === "--help" || name === "-h" || name === "help") {
    return Effect.as(terminal.out(programHelp(commands)), ExitCode.done)
  }
  const found = commands.find((each) => each.name === name)
  if (found === undefined) {
    const names = commands.filter(({ internal }) => internal !== true).map((each) => each.name).join(", ")
    const problem = name === undefined ? "a command is missing" : `${shown(name)}: no such command`
    return usage(terminal, [`${problem}; there are: ${names}`], `${program} --help`)
  }
  if (rest.includes("--help") || rest.includes("-h")) {
    return Effect.as(terminal.out(commandHelp(found)), ExitCode.done)
  }
  const { operands, problems, settings } = readArguments(found.flags, rest)
  const all = [...problems, ...found.check(settings, operands)]
  if (all.length > 0) return usage(terminal, all, `${program} ${found.name} --help`)
  return found.run({ settings, operands, terminal }).pipe(
    Effect.scoped,
    Effect.catchTag("LabError", (error) =>
      Effect.sync((): ExitCode => {
        terminal.error(`${program} ${found.name}: ${error.message}\n  what to do: ${error.remedy}\n`)
        return error.exitCode
      })),
    Effect.catchCauseIf((cause) => !Cause.hasInterruptsOnly(cause), (cause) =>
      Effect.sync((): ExitCode => {
        terminal.error(`${program} ${found.name}: a defect of this program\n${Cause.pretty(cause)}\n`)
        return ExitCode.defect
      }))
  )
}

/** Runs the program in this process. The first SIGINT or SIGTERM ends it in order, the second one at once. */
export const runProcess = (main: Effect.Effect<ExitCode>): void => {
  const fiber = Effect.runFork(main)
  let stopped: ExitCode | undefined
  const stop = (code: ExitCode) => () => {
    if (stopped !== undefined) process.exit(stopped)
    stopped = code
    Effect.runFork(Fiber.interrupt(fiber))
  }
  process.on("SIGINT", stop(ExitCode.interrupted))
  process.on("SIGTERM", stop(ExitCode.terminated))
  fiber.addObserver((exit) => process.exit(stopped ?? (Exit.isSuccess(exit) ? exit.value : ExitCode.defect)))
}
