/** Flags of a command as JSON Schema (draft 2020-12), so that editors complete its section of a config file. */
import type { Command } from "../contract/Command.ts"
import type { Flag, Given } from "../contract/Flag.ts"
import { allFlags } from "./Arguments.ts"
import { flagName } from "./FlagDefinition.ts"

const jsonTypes: Readonly<Record<Given["kind"], string>> = {
  text: "string",
  integer: "integer",
  number: "number",
  boolean: "boolean"
}

const valueSchema = ({ type }: Flag<unknown>) => {
  const types = type.placeholder === "" ? ["boolean"] : type.yaml.map((kind) => jsonTypes[kind])
  return {
    type: types.length === 1 ? types[0] : types,
    ...(type.placeholder === "" ? {} : { examples: [type.example] })
  }
}

const flagSchema = (flag: Flag<unknown>) => ({
  description: `${flag.help} ${flag.type.expected}${
    flag.defaultText === undefined ? "" : `; default ${flag.defaultText}`
  }`,
  ...(flag.repeatable ? { type: "array", items: valueSchema(flag) } : valueSchema(flag))
})

/** The map under the command's name. Flags that the command line may give as well are not required. */
export const commandJsonSchema = (command: Command): Readonly<Record<string, unknown>> => {
  const flags = Object.entries(allFlags(command)).filter(([key]) => key !== "config" && key !== "help")
  return {
    type: "object",
    description: command.summary,
    additionalProperties: false,
    properties: Object.fromEntries(flags.map(([key, flag]) => [flagName(key), flagSchema(flag)]))
  }
}
