/** Help made from the tables of flags. */
import type { Command } from "../contract/Command.ts"
import { ExitCode } from "../contract/ExitCode.ts"
import type { Program } from "../contract/Program.ts"
import { allFlags } from "./Arguments.ts"
import { flagName } from "./FlagDefinition.ts"

const exitCodeLines = [
  [ExitCode.done, "done and verified"],
  [ExitCode.no, "done, and the answer is no (differs, gaps, unverified)"],
  [ExitCode.usage, "wrong usage, config or input"],
  [ExitCode.peers, "peers: deadline, level or quorum not reached"],
  [ExitCode.local, "local: disk, permission, existing output"],
  [ExitCode.defect, "a defect of this program"],
  ["130, 143", "stopped by SIGINT, SIGTERM"]
].map(([code, text]) => `  ${String(code).padEnd(9)} ${text}`)

const width = 100

const wrapped = (text: string, indent: number): string => {
  const lines: Array<string> = [""]
  for (const word of text.split(" ")) {
    const line = lines.at(-1)!
    if (line !== "" && line.length + word.length + 1 > width - indent) lines.push(word)
    else lines[lines.length - 1] = line === "" ? word : `${line} ${word}`
  }
  return lines.join(`\n${" ".repeat(indent)}`)
}

const flagLines = (command: Command): ReadonlyArray<string> =>
  Object.entries(allFlags(command)).map(([key, flag]) => {
    const { placeholder } = flag.type
    const left = `--${flagName(key)}${placeholder === "" ? "" : ` ${placeholder}`}`
    const notes = [
      ...(flag.required ? ["Required."] : []),
      ...(flag.repeatable ? ["May be repeated."] : []),
      ...(flag.defaultText === undefined ? [] : [`Default: ${flag.defaultText}.`])
    ]
    return `  ${left}\n      ${wrapped([flag.help, ...notes].join(" "), 6)}`
  })

/** The help of one command; ends with a newline. */
export const commandHelp = ({ name: program }: Pick<Program, "name">, command: Command): string => {
  const operand = command.operands
  const operandText = operand === undefined
    ? ""
    : operand.least === 0
    ? ` [${operand.name}]`
    : ` ${operand.name}${operand.most > operand.least ? "…" : ""}`
  return [
    `${program} ${command.name}: ${command.summary}.`,
    "",
    `Usage: ${program} ${command.name}${operandText} [flags]`,
    ...(operand === undefined ? [] : ["", `${operand.name}: ${operand.help}`]),
    ...(command.details ?? []).flatMap((text) => ["", wrapped(text, 0)]),
    "",
    command.noConfigFile === true
      ? "Flags:"
      : "Flags (the same names are keys in the config file, under the command's name):",
    ...flagLines(command),
    "",
    "Examples:",
    ...command.examples.flatMap(({ args, says }) => [`  # ${says}`, `  ${program} ${args}`]),
    "",
    "Exit codes:",
    ...exitCodeLines,
    ""
  ].join("\n")
}

/** Commands that people use. */
export const listedCommands = ({ commands }: Pick<Program, "commands">): ReadonlyArray<Command> =>
  commands.filter(({ internal }) => internal !== true)

/** The help of the whole program; ends with a newline. */
export const programHelp = (program: Omit<Program, "version">): string => {
  const commands = listedCommands(program)
  const longest = Math.max(...commands.map(({ name }) => name.length))
  return [
    `${program.name}: ${program.summary}.`,
    "",
    `Usage: ${program.name} COMMAND [flags]`,
    "",
    "Commands:",
    ...commands.map(({ name, summary }) => `  ${name.padEnd(longest)}  ${summary}`),
    "",
    `Flags, examples and exit codes of a command: ${program.name} COMMAND --help`,
    ""
  ].join("\n")
}
