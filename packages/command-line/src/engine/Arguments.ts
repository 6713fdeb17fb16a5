/** Splits a command line into flags and operands, with every problem found. Values are not looked at yet. */
import type { Command } from "../contract/Command.ts"
import type { Flag, Flags } from "../contract/Flag.ts"
import type { Problem } from "../contract/Problem.ts"
import { flagName, optional, toggle } from "./FlagDefinition.ts"
import { path } from "./FlagType.ts"
import { didYouMean, shown } from "./ProblemText.ts"

/** Flags of every command. */
export const commonFlags = {
  config: optional(path("FILE", "config.yaml"), "Reads flags from a YAML file; flags of the command line win."),
  json: toggle("Standard output carries one JSON document, standard error JSON lines."),
  help: toggle("Shows this help and ends.")
} as const satisfies Flags

/** A command line taken apart. */
export interface Arguments {
  /** By key of the flag; texts in the order given. */
  readonly given: ReadonlyMap<string, ReadonlyArray<string>>
  readonly operands: ReadonlyArray<string>
  readonly problems: ReadonlyArray<Problem>
}

/** The command's own flags, then those of every command. Its own words about `json` count. */
export const allFlags = ({ flags, noConfigFile = false }: Pick<Command, "flags" | "noConfigFile">): Flags => {
  const { json = commonFlags.json, ...own } = flags
  const { config, help } = commonFlags
  return { ...own, ...(noConfigFile ? {} : { config }), json, help }
}

/** Keys by their names on the command line. */
export const keysByName = (flags: Flags): ReadonlyMap<string, string> =>
  new Map(Object.keys(flags).map((key) => [flagName(key), key]))

/** What a flag wants, with an example as it is typed. */
export const expectation = (flag: Flag<unknown>, name: string): string => {
  const { example, expected, placeholder } = flag.type
  return placeholder === "" ? `want ${expected}` : `want ${expected}, e.g. --${name} ${example}`
}

const isFlag = (argument: string): boolean => argument.length > 1 && argument.startsWith("-") && !/^-\d/.test(argument)

const operandProblems = ({ operands: rule }: Pick<Command, "operands">, operands: ReadonlyArray<string>) => {
  const problems: Array<Problem> = []
  const { help, least, most, name } = rule ?? { name: "", least: 0, most: 0, help: "" }
  operands.slice(most).forEach((operand, at) =>
    problems.push({
      where: `argument ${most + at + 1}`,
      message: `${shown(operand)} is one too many${most === 0 ? "; this command takes flags only" : ""}`
    })
  )
  if (operands.length < least) problems.push({ where: name, message: `missing; ${help}` })
  return problems
}

/** Reads `--name value`, `--name=value`, `--switch`; after `--` all are operands. */
export const readArguments = (
  command: Pick<Command, "flags" | "noConfigFile" | "operands">,
  argv: ReadonlyArray<string>
): Arguments => {
  const flags = allFlags(command)
  const keys = keysByName(flags)
  const given = new Map<string, Array<string>>()
  const operands: Array<string> = []
  const problems: Array<Problem> = []
  for (let at = 0; at < argv.length; at++) {
    const argument = argv[at]!
    if (argument === "--") {
      operands.push(...argv.slice(at + 1))
      break
    }
    if (!isFlag(argument)) {
      operands.push(argument)
      continue
    }
    const equals = argument.indexOf("=")
    const written = equals < 0 ? argument : argument.slice(0, equals)
    const name = written === "-h" ? "help" : written.startsWith("--") ? written.slice(2) : ""
    const key = keys.get(name)
    if (key === undefined) {
      const near = didYouMean(written.replace(/^-+/, ""), [...keys.keys()])
      problems.push({
        where: shown(written).slice(1, -1),
        message: `no such flag${near && near.replace("mean ", "mean --")}`
      })
      // What follows an unknown flag is most likely its value: calling that one too many would only confuse.
      const next = argv[at + 1]
      if (equals < 0 && next !== undefined && !isFlag(next)) at++
      continue
    }
    const flag = flags[key]!
    let value: string | undefined = equals < 0 ? undefined : argument.slice(equals + 1)
    if (value === undefined && flag.type.placeholder === "") value = "true"
    else if (value === undefined) {
      const next = argv[at + 1]
      if (next === undefined || isFlag(next)) {
        problems.push({ where: `--${name}`, message: `has no value; ${expectation(flag, name)}` })
        given.set(key, given.get(key) ?? [])
        continue
      }
      value = next
      at++
    }
    const before = given.get(key)
    if (before === undefined) given.set(key, [value])
    else if (flag.repeatable) before.push(value)
    else {problems.push({
        where: `--${name}`,
        message: `is given twice (${shown(before[0] ?? "")} and ${shown(value)})`
      })}
  }
  problems.push(...operandProblems(command, operands))
  return { given, operands, problems }
}
