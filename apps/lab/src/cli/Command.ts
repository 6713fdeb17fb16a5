/** What a command is made of, and its help. The list of all is in commands/Commands.ts. */
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { ExitCode, LabError } from "./ExitCode.ts"
import { flagName, type Flags, type Settings } from "./Flag.ts"
import type { Terminal } from "./Terminal.ts"

export interface CommandInput<F extends Flags> {
  readonly settings: Settings<F>
  readonly operands: ReadonlyArray<string>
  readonly terminal: Terminal
}

export interface Command<F extends Flags = Flags> {
  readonly name: string
  /** Words after the name, e.g. `[DEMO]`. */
  readonly operands: string
  /** One sentence without a full stop. */
  readonly summary: string
  readonly details: ReadonlyArray<string>
  readonly flags: F
  readonly examples: ReadonlyArray<{ readonly args: string; readonly says: string }>
  /** Rules beyond single flags; each problem is told beside the others. */
  readonly check: (settings: Settings<F>, operands: ReadonlyArray<string>) => ReadonlyArray<string>
  /** Ends with the exit code, or is interrupted by SIGINT and SIGTERM. */
  readonly run: (input: CommandInput<F>) => Effect.Effect<ExitCode, LabError, Scope.Scope>
  /** Not in the list of commands: for the program's own processes. */
  readonly internal?: boolean
}

/** Keeps the types of the flags while a command is written, then forgets them for the list. */
export const command = <const F extends Flags>(definition: Command<F>): Command => definition as unknown as Command

export const program = "peerstrap-lab"

const exitCodes =
  "Exit codes: 0 done and verified, 1 the answer is no, 2 wrong usage, 3 peers, 4 local (disk, ports), 5 a defect, 130/143 stopped."

const flagLines = (flags: Flags): ReadonlyArray<string> => {
  const rows = Object.entries(flags).map(([key, flag]) => {
    const value = flag.type.placeholder === "" ? "" : ` ${flag.type.placeholder}`
    const notes = [
      ...(flag.repeatable ? ["may be repeated"] : []),
      ...(flag.defaultText === undefined ? [] : [`default: ${flag.defaultText}`])
    ]
    return [`--${flagName(key)}${value}`, `${flag.help}${notes.length === 0 ? "" : ` (${notes.join("; ")})`}`] as const
  })
  const width = Math.max(...rows.map(([name]) => name.length), 6) + 2
  return [...rows, ["--help", "this text"] as const].map(([name, help]) => `  ${name.padEnd(width)}${help}`)
}

export const commandHelp = ({ details, examples, flags, name, operands, summary }: Command): string =>
  [
    `${program} ${name}: ${summary}`,
    "",
    `usage: ${[program, name, operands, "[flags]"].filter((part) => part !== "").join(" ")}`,
    ...details.flatMap((detail) => ["", detail]),
    "",
    "Flags:",
    ...flagLines(flags),
    "",
    "Examples:",
    ...examples.flatMap(({ args, says }) => [`  ${says}:`, `    ${program} ${args}`]),
    "",
    exitCodes,
    ""
  ].join("\n")

export const programHelp = (commands: ReadonlyArray<Command>): string => {
  const listed = commands.filter(({ internal }) => internal !== true)
  return [
    `${program}: embedded clusters by seed, and demonstrations on them`,
    "",
    `usage: ${program} COMMAND [flags]`,
    "",
    "Commands:",
    ...listed.map(({ name, summary }) => `  ${name.padEnd(12)}${summary}`),
    "",
    "Examples:",
    ...listed.flatMap(({ examples }) => examples.slice(0, 1).map(({ args }) => `  ${program} ${args}`)),
    "",
    `Flags of a command: ${program} COMMAND --help`,
    exitCodes,
    ""
  ].join("\n")
}
