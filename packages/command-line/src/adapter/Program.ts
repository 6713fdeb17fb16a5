/** From the arguments of the process to its exit code: picks the command, tells problems, runs it, prints its result. */
import { jsonLine } from "@peerstrap/progress"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { CheckContext, Command, CommandResult } from "../contract/Command.ts"
import { CommandError, ExitCode } from "../contract/ExitCode.ts"
import type { Problem } from "../contract/Problem.ts"
import type { Program } from "../contract/Program.ts"
import type { StopRequest, StopSignal, Terminal } from "../contract/Terminal.ts"
import { commandHelp, listedCommands, programHelp } from "../engine/Help.ts"
import { didYouMean, formatProblems, shown, withoutRepeats } from "../engine/ProblemText.ts"
import { type ReadCommand, readSettings } from "../engine/ReadSettings.ts"

/** A program and all that it meets. */
export interface ProgramInput {
  readonly program: Program
  /** Without interpreter and script. */
  readonly argv: ReadonlyArray<string>
  readonly terminal: Terminal
  readonly stop: StopRequest
  readonly read: CheckContext["read"]
  /** Completes when the process has nothing left that could ever happen, so that what the program still waits for never comes. Absent: never. */
  readonly starved?: Effect.Effect<void>
}

const exitCodeOf = (signal: StopSignal): ExitCode => signal === "SIGINT" ? ExitCode.interrupted : ExitCode.terminated

/** How one command, or the program before it has one, says things: as its name, in JSON or not. */
interface Voice {
  readonly terminal: Terminal
  /** `peerstrap-m3db diff`. */
  readonly title: string
  readonly name: string
  readonly json: boolean
  /** Standard output is the command's own. */
  readonly linesOnly: boolean
}

const voiceOf = ({ program, terminal }: ProgramInput, command: Command | undefined, json: boolean): Voice =>
  command === undefined
    ? { terminal, title: program.name, name: program.name, json, linesOnly: false }
    : {
      terminal,
      title: `${program.name} ${command.name}`,
      name: command.name,
      json,
      linesOnly: command.linesOnly === true
    }

const documentLine = ({ name }: Voice, document: Readonly<Record<string, unknown>>): string =>
  `${jsonLine({ command: name, ...document })}\n`

/** On standard error: a text for people, or a line, as everything there is one when JSON is asked for. */
const tellError = ({ json, name, terminal }: Voice, text: string, document: Readonly<Record<string, unknown>>): void =>
  terminal.error(json ? `${jsonLine({ type: "error", command: name, ...document })}\n` : text, true)

/** What did not go well: on standard error, and for programs a document on standard output, unless that has lines only. */
const complain = (voice: Voice, text: string, document: Readonly<Record<string, unknown>>): Effect.Effect<void> => {
  tellError(voice, text, document)
  return voice.json && !voice.linesOnly ? voice.terminal.out(documentLine(voice, document)) : Effect.void
}

const printProblems = (voice: Voice, problems: ReadonlyArray<Problem>): Effect.Effect<ExitCode> =>
  Effect.as(
    complain(voice, formatProblems(voice.title, problems, `${voice.title} --help`), {
      exitCode: ExitCode.usage,
      problems
    }),
    ExitCode.usage
  )

const errorText = ({ title }: Voice, { message, remedy }: { readonly message: string; readonly remedy: string }) =>
  `${title}: ${message}\n${remedy === "" ? "" : `  what to do: ${remedy}\n`}`

const print = Effect.fnUntraced(function*(voice: Voice, { error, exitCode, json, text }: CommandResult) {
  const document = { exitCode, ...(error === undefined ? {} : { error }) }
  if (!voice.json) yield* voice.terminal.out(text)
  else if (json !== undefined) yield* voice.terminal.out(documentLine(voice, { ...document, ...json }))
  if (error !== undefined) tellError(voice, errorText(voice, error), document)
  return exitCode
})

const printError = (voice: Voice, { exitCode, message, remedy }: CommandError): Effect.Effect<ExitCode> => {
  const error = { message, remedy }
  return Effect.as(complain(voice, errorText(voice, error), { exitCode, error }), exitCode)
}

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

const stoppedBy = (command: Command, signal: StopSignal): CommandResult => ({
  exitCode: exitCodeOf(signal),
  text: "",
  ...(command.linesOnly === true ? {} : { json: { stopped: signal } })
})

/** Runs the command; SIGINT and SIGTERM interrupt it unless it stops itself. */
const runCommand = (input: ProgramInput, command: Command, found: ReadCommand, resolved: unknown) => {
  const run = command.run({
    settings: found.settings,
    operands: found.operands,
    plan: found.plan,
    resolved,
    json: found.json,
    terminal: input.terminal,
    stop: input.stop
  })
  const stopped = Effect.map(input.stop, (signal) => stoppedBy(command, signal))
  return Effect.scoped(command.stopsItself === true ? run : Effect.raceFirst(run, stopped))
}

/** What the command's own `resolve` makes of the config file, and what is wrong with it. */
const resolveCommand = (command: Command, { file, given, plan, problems, settings }: ReadCommand) =>
  command.resolve === undefined
    ? Effect.succeed({ resolved: undefined, problems: [] })
    : Effect.match(command.resolve({ settings, plan: problems.length === 0 ? plan : undefined, file, given }), {
      onSuccess: (resolved: unknown) => ({ resolved, problems: [] as ReadonlyArray<Problem> }),
      onFailure: (found) => ({ resolved: undefined, problems: found })
    })

/** Reads the command line, resolves and runs. `load` hears of the file whose modules are loaded, and when that is over. */
const readAndRun = Effect.fnUntraced(function*(
  input: ProgramInput,
  command: Command,
  rest: ReadonlyArray<string>,
  load: (path: string | undefined) => void
) {
  const { program, read, stop, terminal } = input
  const nowMillis = yield* Clock.currentTimeMillis
  const context: CheckContext = { nowNanos: BigInt(nowMillis) * 1_000_000n, read }
  const found = readSettings(command, listedCommands(program).map(({ name }) => name), rest, context)
  if (found.help) return yield* Effect.as(terminal.out(commandHelp(program, command)), ExitCode.done)
  const voice = voiceOf(input, command, found.json)
  load(found.file?.path)
  // A module that the file names may hang while it loads; there is nothing yet that a command would have to close itself.
  const more = yield* Effect.raceFirst(resolveCommand(command, found), Effect.map(stop, (signal) => ({ signal })))
  load(undefined)
  if ("signal" in more) return yield* print(voice, stoppedBy(command, more.signal))
  const problems = withoutRepeats([...found.problems, ...more.problems])
  if (problems.length > 0) return yield* printProblems(voice, problems)
  return yield* Effect.matchEffect(runCommand(input, command, found, more.resolved), {
    onSuccess: (result) => print(voice, result),
    onFailure: (error) => printError(voice, error)
  })
})

const pendingModule = (path: string): Problem => ({
  where: path,
  message:
    "a module that it names waits for ever while it loads: a top-level await of something that nothing is left to bring about"
})

/** Runs a command to its exit code, or tells what ended it. */
const commandExit = Effect.fnUntraced(function*(input: ProgramInput, command: Command, rest: ReadonlyArray<string>) {
  let loading: string | undefined
  const work = readAndRun(input, command, rest, (path) => void (loading = path))
  const exit = yield* Effect.exit(Effect.raceFirst(work, Effect.as(input.starved ?? Effect.never, "starved" as const)))
  const voice = voiceOf(input, command, rest.includes("--json"))
  if (Exit.isFailure(exit)) return yield* printError(voice, defectError(exit.cause))
  if (exit.value !== "starved") return exit.value
  if (loading !== undefined) return yield* printProblems(voice, [pendingModule(loading)])
  return yield* printError(voice, defectError(Cause.die("it waits for something that nothing is left to bring about")))
})

/** What a reader of standard error missed. */
const tellDropped = Effect.fnUntraced(function*({ argv, terminal }: ProgramInput) {
  const count = terminal.numDropped?.() ?? 0
  if (count === 0) return
  const text = `${count} messages were dropped, because nobody read standard error`
  const at = yield* Clock.currentTimeMillis
  const line = jsonLine({ type: "event", name: "message", at, fields: { text } })
  terminal.error(argv.includes("--json") ? `${line}\n` : `${text}\n`, true)
})

/** The help or the version that was asked for, the command's end, or that there is no such command. */
const chooseCommand = Effect.fnUntraced(function*(input: ProgramInput) {
  const { argv, program, terminal } = input
  const [name, ...rest] = argv
  if (name === undefined || name === "--help" || name === "-h" || name === "help") {
    const about = program.commands.find((each) => each.name === rest[0])
    yield* terminal.out(about === undefined ? programHelp(program) : commandHelp(program, about))
    return name === undefined ? ExitCode.usage : ExitCode.done
  }
  if (name === "--version") {
    yield* terminal.out(`${program.version}\n`)
    return ExitCode.done
  }
  const command = program.commands.find((each) => each.name === name)
  if (command !== undefined) return yield* commandExit(input, command, rest)
  const names = listedCommands(program).map((each) => each.name)
  const message = `no such command${didYouMean(name, names)}; commands are ${names.join(", ")}`
  return yield* printProblems(voiceOf(input, undefined, rest.includes("--json")), [{ where: shown(name), message }])
})

/** Never fails: what goes wrong is printed and is an exit code. */
export const runProgram: (input: ProgramInput) => Effect.Effect<ExitCode> = Effect.fnUntraced(
  function*(input: ProgramInput) {
    const { argv, program, terminal } = input
    // Around everything: also what is printed last may find no room.
    const end = yield* Effect.raceFirst(chooseCommand(input), terminal.broken ?? Effect.never)
    const command = program.commands.find(({ name }) => name === argv[0])
    const code = typeof end === "number"
      ? end
      : yield* printError(voiceOf(input, command, argv.includes("--json")), end)
    yield* tellDropped(input)
    return code
  }
)
