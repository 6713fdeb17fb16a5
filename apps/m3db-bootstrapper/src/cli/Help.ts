/** Help made from the tables of flags. */
import { allFlags } from "./Arguments.ts"
import type { Command } from "./Command.ts"
import { ExitCode } from "./ExitCode.ts"
import { flagName } from "./Flag.ts"

export const programName = "peerstrap-m3db"

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

export const commandHelp = (command: Command): string => {
  const operand = command.operands
  const operandText = operand === undefined
    ? ""
    : operand.least === 0
    ? ` [${operand.name}]`
    : ` ${operand.name}${operand.most > operand.least ? "…" : ""}`
  return [
    `${programName} ${command.name}: ${command.summary}.`,
    "",
    `Usage: ${programName} ${command.name}${operandText} [flags]`,
    ...(operand === undefined ? [] : ["", `${operand.name}: ${operand.help}`]),
    ...(command.details ?? []).flatMap((text) => ["", wrapped(text, 0)]),
    "",
    "Flags (the same names are keys in the config file, under the command's name):",
    ...flagLines(command),
    "",
    "Examples:",
    ...command.examples.flatMap(({ args, says }) => [`  # ${says}`, `  ${programName} ${args}`]),
    "",
    "Exit codes:",
    ...exitCodeLines,
    ""
  ].join("\n")
}

export const programHelp = (commands: ReadonlyArray<Command>): string => {
  const longest = Math.max(...commands.map(({ name }) => name.length))
  return [
    `${programName}: brings the blocks of an M3DB namespace from its replicas into filesets, and looks at filesets.`,
    "",
    `Usage: ${programName} COMMAND [flags]`,
    "",
    "Commands:",
    ...commands.map(({ name, summary }) => `  ${name.padEnd(longest)}  ${summary}`),
    "",
    `Flags, examples and exit codes of a command: ${programName} COMMAND --help`,
    ""
  ].join("\n")
}
