/** From the arguments of the process to its exit code: picks the command, tells problems, runs it, prints its result. */
import { jsonLine } from "@peerstrap/progress"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { CheckContext, Command, CommandResult } from "./Command.ts"
import { CommandError, ExitCode } from "./ExitCode.ts"
import { commandHelp, programHelp, programName } from "./Help.ts"
import { didYouMean, formatProblems, type Problem, shown } from "./Problem.ts"
import { readSettings } from "./ReadSettings.ts"
import type { StopRequest, StopSignal, Terminal } from "./Terminal.ts"

export interface ProgramInput {
  readonly commands: ReadonlyArray<Command>
  /** Without interpreter and script. */
  readonly argv: ReadonlyArray<string>
  readonly terminal: Terminal
  readonly stop: StopRequest
  readonly read: CheckContext["read"]
  /** Printed by `--version`. */
  readonly version: string
}

const exitCodeOf = (signal: StopSignal): ExitCode => signal === "SIGINT" ? ExitCode.interrupted : ExitCode.terminated

const printProblems = Effect.fnUntraced(function*(
  { terminal }: ProgramInput,
  name: string,
  problems: ReadonlyArray<Problem>,
  json: boolean
) {
  const help = name === programName ? `${programName} --help` : `${programName} ${name} --help`
  terminal.error(formatProblems(name === programName ? name : `${programName} ${name}`, problems, help))
  if (json) yield* terminal.out(`${jsonLine({ command: name, exitCode: ExitCode.usage, problems })}\n`)
  return ExitCode.usage
})

const errorText = (name: string, { message, remedy }: { readonly message: string; readonly remedy: string }): string =>
  `${programName} ${name}: ${message}\n${remedy === "" ? "" : `  what to do: ${remedy}\n`}`

const print = Effect.fnUntraced(function*(terminal: Terminal, name: string, json: boolean, result: CommandResult) {
  const { error, exitCode } = result
  const document = { command: name, exitCode, ...(error === undefined ? {} : { error }), ...result.json }
  yield* terminal.out(json ? `${jsonLine(document)}\n` : result.text)
  if (error !== undefined) terminal.error(errorText(name, error))
  return exitCode
})

const printError = (terminal: Terminal, name: string, json: boolean, { exitCode, message, remedy }: CommandError) =>
  print(terminal, name, json, { exitCode, text: "", json: {}, error: { message, remedy } })

const defectError = (cause: Cause.Cause<unknown>): CommandError => {
  const first = Cause.squash(cause)
  const where = first instanceof Error ? (first.stack ?? "").split("\n").slice(1, 4).join("\n") : ""
  return new CommandError({
    exitCode: ExitCode.defect,
    message: `a defect of this program: ${first instanceof Error ? first.message : String(first)}${
      where === "" ? "" : `\n${where}`
    }`,
    remedy: `please report it with these lines and the command line`
  })
}

/** Runs the command; SIGINT and SIGTERM interrupt it unless it stops itself. */
const runCommand = (input: ProgramInput, command: Command, found: ReturnType<typeof readSettings>) => {
  const run = command.run({
    settings: found.settings,
    operands: found.operands,
    plan: found.plan,
    json: found.json,
    terminal: input.terminal,
    stop: input.stop
  })
  const stopped = Effect.map(input.stop, (signal): CommandResult => ({
    exitCode: exitCodeOf(signal),
    text: "",
    json: { stopped: signal }
  }))
  return Effect.scoped(command.stopsItself === true ? run : Effect.raceFirst(run, stopped))
}

/** Never fails: what goes wrong is printed and is an exit code. */
export const runProgram: (input: ProgramInput) => Effect.Effect<ExitCode> = Effect.fnUntraced(
  function*(input: ProgramInput) {
    const { argv, commands, terminal } = input
    const [name, ...rest] = argv
    const names = commands.map((each) => each.name)
    if (name === undefined || name === "--help" || name === "-h" || name === "help") {
      const about = commands.find((each) => each.name === rest[0])
      yield* terminal.out(about === undefined ? programHelp(commands) : commandHelp(about))
      return name === undefined ? ExitCode.usage : ExitCode.done
    }
    if (name === "--version") {
      yield* terminal.out(`${input.version}\n`)
      return ExitCode.done
    }
    const command = commands.find((each) => each.name === name)
    if (command === undefined) {
      const message = `no such command${didYouMean(name, names)}; commands are ${names.join(", ")}`
      return yield* printProblems(input, programName, [{ where: shown(name), message }], rest.includes("--json"))
    }
    const nowMillis = yield* Clock.currentTimeMillis
    const context: CheckContext = { nowNanos: BigInt(nowMillis) * 1_000_000n, read: input.read }
    const exit = yield* Effect.exit(Effect.suspend(() => {
      const found = readSettings(command, names, rest, context)
      if (found.help) return Effect.as(terminal.out(commandHelp(command)), ExitCode.done)
      if (found.problems.length > 0) return printProblems(input, name, found.problems, found.json)
      return Effect.matchEffect(runCommand(input, command, found), {
        onSuccess: (result) => print(terminal, name, found.json, result),
        onFailure: (error) => printError(terminal, name, found.json, error)
      })
    }))
    if (Exit.isSuccess(exit)) return exit.value
    return yield* printError(terminal, name, rest.includes("--json"), defectError(exit.cause))
  }
)
