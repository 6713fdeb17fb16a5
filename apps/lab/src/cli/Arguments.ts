/** Reads a command line by a table of flags; every problem is found before anything is said. */
import { type Flag, flagName, type Flags, Refused, type Settings, shown } from "./Flag.ts"

export interface ReadArguments<F extends Flags> {
  readonly settings: Settings<F>
  readonly operands: ReadonlyArray<string>
  /** Each says which argument, what was given and what is expected. Settings count only when there is none. */
  readonly problems: ReadonlyArray<string>
}

interface Reading {
  readonly given: Map<string, Array<unknown>>
  readonly operands: Array<string>
  readonly problems: Array<string>
}

const take = (reading: Reading, key: string, flag: Flag<unknown>, value: string): void => {
  const name = `--${flagName(key)}`
  const known = reading.given.get(key)
  const parsed = flag.type.parse(value)
  if (parsed instanceof Refused) reading.problems.push(`${name}: ${parsed.message}`)
  else if (known === undefined) reading.given.set(key, [parsed])
  else if (flag.repeatable) known.push(parsed)
  else reading.problems.push(`${name}: given twice`)
}

/** `--flag value`, `--flag=value`; a switch is `--flag` or `--flag=false`; after `--` everything is an operand. */
export const readArguments = <const F extends Flags>(flags: F, argv: ReadonlyArray<string>): ReadArguments<F> => {
  const keys = new Map(Object.keys(flags).map((key) => [flagName(key), key]))
  const reading: Reading = { given: new Map(), operands: [], problems: [] }
  const rest = [...argv]
  for (let argument = rest.shift(); argument !== undefined; argument = rest.shift()) {
    if (argument === "--") {
      reading.operands.push(...rest.splice(0))
      continue
    }
    if (!argument.startsWith("-") || argument === "-") {
      reading.operands.push(argument)
      continue
    }
    const equals = argument.indexOf("=")
    const name = argument.slice(0, equals < 0 ? undefined : equals).replace(/^--/, "")
    const key = keys.get(name)
    const flag = key === undefined ? undefined : flags[key]
    if (key === undefined || flag === undefined) {
      const known = [...keys.keys()].map((each) => `--${each}`).join(" ")
      reading.problems.push(`${shown(argument)}: no such flag; there are: ${known} --help`)
      continue
    }
    const isSwitch = flag.type.placeholder === ""
    const value = equals >= 0 ? argument.slice(equals + 1) : isSwitch ? "true" : rest.shift()
    if (value === undefined) reading.problems.push(`--${name}: a value is missing (${flag.type.placeholder})`)
    else take(reading, key, flag, value)
  }
  const settings = Object.fromEntries(
    Object.entries(flags).map(([key, flag]) => {
      const values = reading.given.get(key)
      return [key, values === undefined ? flag.fallback : flag.repeatable ? values : values[0]]
    })
  )
  return { settings: settings as Settings<F>, operands: reading.operands, problems: reading.problems }
}
