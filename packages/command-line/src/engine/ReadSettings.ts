/**
 * The one place where a command line and a config file become settings: merges (the command line wins), reads every value, and tells all
 * problems at once. Pure but for `context.read`, which reads local input files.
 */
import { type ConfigEntry, readConfig } from "../codec/ConfigFile.ts"
import type { CheckContext, Command, ConfigText, GivenFlags } from "../contract/Command.ts"
import { configLimits } from "../contract/ConfigLimits.ts"
import type { Flag, Flags, Given } from "../contract/Flag.ts"
import type { Problem } from "../contract/Problem.ts"
import { allFlags, type Arguments, commonFlags, expectation, keysByName, readArguments } from "./Arguments.ts"
import { flagName } from "./FlagDefinition.ts"
import { didYouMean, shown } from "./ProblemText.ts"

/** A command line that was understood, as far as it was. Run it only without problems. */
export interface ReadCommand {
  readonly help: boolean
  readonly json: boolean
  readonly settings: Readonly<Record<string, unknown>>
  readonly operands: ReadonlyArray<string>
  readonly plan: unknown
  readonly file: ConfigText | undefined
  readonly given: GivenFlags
  readonly problems: ReadonlyArray<Problem>
}

/** Flags that make no sense inside the file. */
const notInFile: ReadonlySet<string> = new Set(["config", "help"])

const { maxConfigBytes } = configLimits

const configText = (path: string, context: CheckContext): string | Problem => {
  const bytes = context.read(path, maxConfigBytes)
  if ("problem" in bytes) return { where: "--config", message: bytes.problem }
  if (bytes.length > maxConfigBytes) {
    return { where: "--config", message: `${path} has ${bytes.length} bytes, at most ${maxConfigBytes} are read` }
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes)
  } catch {
    return { where: "--config", message: `${path} is not UTF-8 text` }
  }
}

const wordFor: Readonly<Record<Given["kind"], string>> = {
  text: "a text",
  integer: "an integer",
  number: "a number",
  boolean: "true or false"
}

const refusal = ({ type }: Flag<unknown>, text: string, want: string): string =>
  type.explain === undefined ? `${shown(text)}; ${want}` : type.explain(text)

const placeOf = ({ name, place }: Pick<ConfigEntry, "name" | "place">): string => `${place}: ${name}`

const itemPlace = (entry: ConfigEntry, { place }: { readonly place: string }): string =>
  entry.isList ? placeOf({ name: entry.name, place }) : placeOf(entry)

/** The values of one entry; problems when its shape or a type is wrong. */
const entryValues = (flag: Flag<unknown>, entry: ConfigEntry, problems: Array<Problem>): ReadonlyArray<unknown> => {
  const where = placeOf(entry)
  const example = flag.type.placeholder === "" ? "true" : flag.type.example
  const want = `want ${flag.repeatable ? "a list, each item " : ""}${flag.type.expected}, e.g. ${entry.name}: ${
    flag.repeatable ? `[${example}]` : example
  }`
  if (entry.items === undefined || (entry.isList && !flag.repeatable)) {
    problems.push({ where, message: `is ${entry.isList ? "a list" : entry.otherwise}; ${want}` })
    return []
  }
  return entry.items.flatMap((item) => {
    const where = itemPlace(entry, item)
    if (!flag.type.yaml.includes(item.kind)) {
      problems.push({ where, message: `${shown(item.text)} is ${wordFor[item.kind]}; ${want}` })
      return []
    }
    const value = flag.type.parse(item.text)
    if (value === undefined) problems.push({ where, message: refusal(flag, item.text, want) })
    return value === undefined ? [] : [value]
  })
}

const argumentValues = (flag: Flag<unknown>, name: string, texts: ReadonlyArray<string>, problems: Array<Problem>) =>
  texts.flatMap((text) => {
    const value = flag.type.parse(text)
    if (value === undefined) {
      problems.push({ where: `--${name}`, message: refusal(flag, text, expectation(flag, name)) })
    }
    return value === undefined ? [] : [value]
  })

const configFile = (
  path: string,
  context: CheckContext,
  problems: Array<Problem>
): ConfigText | undefined => {
  const text = configText(path, context)
  if (typeof text === "string") return { path, text }
  problems.push(text)
  return undefined
}

/** What the file says; undefined when nobody knows, because it cannot be read, or seems to be meant for another program. */
const fileEntries = (
  command: Command,
  commandNames: ReadonlyArray<string>,
  file: ConfigText | undefined,
  problems: Array<Problem>
): ReadonlyMap<string, ConfigEntry> | undefined => {
  if (file === undefined) return undefined
  const byKey = new Map<string, ConfigEntry>()
  const section = readConfig(file, command.name, commandNames)
  problems.push(...section.problems)
  if (section.problems.length > 0 && section.entries.length === 0) return undefined
  const keys = keysByName(allFlags(command))
  for (const entry of section.entries) {
    const key = keys.get(entry.name)
    if (key === undefined || notInFile.has(entry.name)) {
      const names = [...keys.keys()].filter((name) => !notInFile.has(name))
      problems.push({
        where: placeOf({ name: shown(entry.name).slice(1, -1), place: entry.place }),
        message: `no such key of ${command.name}${didYouMean(entry.name, names)}`
      })
    } else byKey.set(key, entry)
  }
  return byKey
}

const readValues = (
  flags: Flags,
  given: Arguments["given"],
  file: ReadonlyMap<string, ConfigEntry> | undefined,
  problems: Array<Problem>
): Record<string, unknown> => {
  const settings: Record<string, unknown> = {}
  for (const [key, flag] of Object.entries(flags)) {
    const name = flagName(key)
    const texts = given.get(key)
    const entry = file?.get(key)
    const before = problems.length
    // Both are read, so that a wrong value in the file is told although the command line wins.
    const fromFile = entry === undefined ? [] : entryValues(flag, entry, problems)
    const values = texts === undefined ? fromFile : argumentValues(flag, name, texts, problems)
    const isGiven = texts !== undefined || entry !== undefined
    if (flag.required && !isGiven && file !== undefined) {
      problems.push({ where: `--${name}`, message: `is missing; ${expectation(flag, name)}` })
    }
    if (!isGiven) settings[key] = flag.fallback
    else if (problems.length === before) settings[key] = flag.repeatable ? values : values[0]
  }
  return settings
}

const placesOf = (
  flags: Flags,
  given: Arguments["given"],
  entries: ReadonlyMap<string, ConfigEntry>
): GivenFlags => {
  const places = new Map<string, ReadonlyArray<string>>()
  for (const key of Object.keys(flags)) {
    const entry = entries.get(key)
    const where = [
      ...(given.has(key) ? [`--${flagName(key)}`] : []),
      ...(entry === undefined ? [] : [placeOf(entry)])
    ]
    if (where.length > 0) places.set(key, where)
  }
  return places
}

/** A problem that a check tells of a flag, at its place in the file where it stands there alone, and of a list at the item that is quoted. */
const placed = (
  { message, where }: Problem,
  keys: ReadonlyMap<string, string>,
  given: Arguments["given"],
  entries: ReadonlyMap<string, ConfigEntry>
): Problem => {
  const key = keys.get(where.replace(/^--/, ""))
  const entry = key === undefined || given.has(key) ? undefined : entries.get(key)
  if (entry === undefined) return { where, message }
  const quoted = entry.items?.find(({ text }) => message.startsWith(shown(text)))
  return { where: quoted === undefined ? placeOf(entry) : itemPlace(entry, quoted), message }
}

const onlyHelp: ReadCommand = {
  help: true,
  json: false,
  settings: {},
  operands: [],
  plan: undefined,
  file: undefined,
  given: new Map(),
  problems: []
}

const noEntries: ReadonlyMap<string, ConfigEntry> = new Map()

/** Reads the arguments behind the command's name. */
export const readSettings = (
  command: Command,
  commandNames: ReadonlyArray<string>,
  argv: ReadonlyArray<string>,
  context: CheckContext
): ReadCommand => {
  const found = readArguments(command, argv)
  const problems = [...found.problems]
  const flags = allFlags(command)
  const isOn = (key: keyof typeof commonFlags): boolean => found.given.get(key)?.[0] === "true"
  if (isOn("help")) return onlyHelp
  const path = found.given.get("config")?.[0] ?? ""
  const file = path === "" ? undefined : configFile(path, context, problems)
  const known = path === "" ? noEntries : fileEntries(command, commandNames, file, problems)
  const entries = known ?? noEntries
  const settings = readValues(flags, found.given, known, problems)
  const keys = keysByName(flags)
  // Without the file nobody can say what is missing.
  const plan = known === undefined ? undefined : command.check?.(
    settings,
    found.operands,
    context,
    (problem) => void problems.push(placed(problem, keys, found.given, entries))
  )
  return {
    help: false,
    json: settings["json"] === true,
    settings,
    operands: found.operands,
    plan,
    file,
    given: placesOf(flags, found.given, entries),
    problems
  }
}
