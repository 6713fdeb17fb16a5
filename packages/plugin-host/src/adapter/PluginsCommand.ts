/**
 * `plugins` of a program: what parts there are, what they take, how they are put together, whether a config file is right. Nothing is started.
 *
 *   plugins list [FILE] · plugins explain ID [FILE] · plugins graph [FILE] · plugins validate FILE · plugins schema
 */
import {
  type CheckContext,
  type Command,
  command,
  CommandError,
  type CommandInput,
  commandJsonSchema,
  type CommandResult,
  configLimits,
  type ConfigText,
  didYouMean,
  ExitCode,
  type Problem,
  type ReadCommand,
  readConfig,
  readSettings,
  withoutRepeats
} from "@peerstrap/command-line"
import * as Effect from "effect/Effect"
import { parseConfig } from "../codec/ConfigText.ts"
import type { Composition } from "../contract/Composition.ts"
import type { AnyKind } from "../contract/Kind.ts"
import type { AnyPlugin } from "../contract/Plugin.ts"
import { configJsonSchema, explainJson, explainText, listText } from "../engine/Explain.ts"
import { type Graph, graphJson, graphText } from "../engine/Graph.ts"
import { resolve } from "../engine/Resolve.ts"
import { knownTo } from "./KnownTo.ts"
import { toldProblem } from "./PartsOfFlags.ts"

/** The plugins and the main command of the program whose `plugins` command this is. */
export interface PluginsCommandOptions {
  readonly registry: ReadonlyArray<AnyPlugin>
  /** The command whose section stands beside `plugins` in a config file. Its `resolve` gives the `Composition`. */
  readonly main: Command
  /** Kinds that the main command itself uses. */
  readonly needs: ReadonlyArray<AnyKind>
  /** Flags for a composition without a file, or of a file that has plugins only: `["--peer", "a=127.0.0.1:9000", …]`. */
  readonly sample: ReadonlyArray<string>
  /** Names of all commands of the program, which may have sections in the file. */
  readonly commandNames: () => ReadonlyArray<string>
}

interface Words {
  readonly takes: "nothing" | "an ID and maybe a FILE" | "a FILE" | "maybe a FILE"
  readonly least: number
  readonly most: number
}

const words: Readonly<Record<string, Words>> = {
  list: { takes: "maybe a FILE", least: 0, most: 1 },
  explain: { takes: "an ID and maybe a FILE", least: 1, most: 2 },
  graph: { takes: "maybe a FILE", least: 0, most: 1 },
  validate: { takes: "a FILE", least: 1, most: 1 },
  schema: { takes: "nothing", least: 0, most: 0 }
}

const wordProblem = ([word = "", ...more]: ReadonlyArray<string>): Problem | undefined => {
  const known = Object.hasOwn(words, word) ? words[word] : undefined
  const names = Object.keys(words)
  if (known === undefined) {
    return { where: "argument 1", message: `want one of ${names.join(", ")}${didYouMean(word, names)}` }
  }
  const { least, most, takes } = known
  if (more.length > most) return { where: `argument ${most + 2}`, message: `is one too many: ${word} takes ${takes}` }
  return more.length < least ? { where: "argument 2", message: `is missing: ${word} takes ${takes}` } : undefined
}

const done = (text: string, json: Readonly<Record<string, unknown>>): CommandResult => ({
  exitCode: ExitCode.done,
  text,
  json
})

const refused = (file: string, problems: ReadonlyArray<Problem>): CommandResult => ({
  exitCode: ExitCode.usage,
  text: [
    `${file}: ${problems.length === 1 ? "1 problem" : `${problems.length} problems`}`,
    ...problems.map(({ message, where }) => `  ${where}: ${message}`),
    ""
  ].join("\n"),
  json: { problems }
})

const pluginOf = (registry: ReadonlyArray<AnyPlugin>, id: string): Effect.Effect<AnyPlugin, CommandError> => {
  const found = registry.find((plugin) => plugin.id === id)
  const ids = registry.map((plugin) => plugin.id)
  return found === undefined
    ? Effect.fail(
      new CommandError({
        exitCode: ExitCode.usage,
        message: `there is no plugin ${JSON.stringify(id)}${didYouMean(id, ids)}`,
        remedy: "see them all with: plugins list"
      })
    )
    : Effect.succeed(found)
}

/** What the main command makes of a file: a graph, or all problems. */
const graphOf = ({ main }: PluginsCommandOptions, found: ReadCommand) =>
  Effect.gen(function*() {
    const { file, given, plan, problems, settings } = found
    if (main.resolve === undefined) throw new TypeError(`the command ${main.name} composes nothing`)
    const resolved = yield* Effect.result(
      main.resolve({ settings, plan: problems.length === 0 ? plan : undefined, file, given })
    )
    const all = withoutRepeats([...problems, ...(resolved._tag === "Failure" ? resolved.failure : [])])
    if (all.length > 0 || resolved._tag === "Failure") return { problems: all }
    const { parts } = resolved.success as Composition<never>
    const made = resolve(parts)
    return "graph" in made
      ? { graph: made.graph }
      : { problems: made.problems.map(toldProblem) }
  })

/** Parts whose kinds nobody uses: they run in vain. */
const unusedIn = ({ nodes }: Graph, needs: ReadonlyArray<AnyKind>) => {
  const used = new Set(
    [...needs, ...nodes.flatMap(({ requires }) => requires.map(({ kind }) => kind))].map(({ id }) => id)
  )
  return nodes.map(({ name, plugin }) => ({ name, provides: plugin.provides.map(({ id }) => id) }))
    .filter(({ provides }) => provides.length > 0 && provides.every((id) => !used.has(id)))
}

const shownGraph = (word: string, file: string, graph: Graph, needs: ReadonlyArray<AnyKind>): CommandResult => {
  const unused = unusedIn(graph, needs)
  const lines = unused.map(({ name, provides }) => `${name}: nobody requires ${provides.join(", ")}\n`)
  return word === "validate"
    ? done(`${file}: fits, ${graph.nodes.length} parts\n${lines.map((line) => `  ${line}`).join("")}`, {
      ...graphJson(graph),
      unused
    })
    : done(`${graphText(graph)}${lines.length === 0 ? "" : `\n${lines.join("")}`}`, { ...graphJson(graph), unused })
}

/** What a file brings along, beside what the program knows, and what is wrong with it. */
const knownWith = Effect.fnUntraced(function*(registry: ReadonlyArray<AnyPlugin>, { path, text }: ConfigText) {
  const { entries, problems: wrong } = parseConfig(path, text, { mayBeAbsent: true, keysAreTold: true })
  const problems = wrong.map(toldProblem)
  const plugins = new Set(registry)
  for (const entry of entries) {
    const known = yield* knownTo(entry, registry, path)
    if ("where" in known) problems.push(toldProblem(known))
    else for (const plugin of known) plugins.add(plugin)
  }
  return { plugins: [...plugins], problems }
})

/** The text of a file; a problem instead is told. */
const textOf = (path: string, context: CheckContext, problem: (problem: Problem) => void): ConfigText | undefined => {
  const bytes = context.read(path, configLimits.maxConfigBytes)
  if (!("problem" in bytes)) return { path, text: new TextDecoder().decode(bytes) }
  problem({ where: path, message: bytes.problem })
  return undefined
}

/** The main command's settings: those of the file when it has its section, else those of the sample. */
const readMain = (
  { commandNames, main, sample }: PluginsCommandOptions,
  path: string | undefined,
  context: CheckContext
): ReadCommand => {
  const names = commandNames()
  if (path === undefined) return readSettings(main, names, sample, context)
  const bytes = context.read(path, configLimits.maxConfigBytes)
  const text = "problem" in bytes ? "" : new TextDecoder().decode(bytes)
  const hasSection = readConfig({ path, text }, main.name, names).entries.length > 0
  const found = readSettings(main, names, [...(hasSection ? [] : sample), "--config", path], {
    ...context,
    // A pipe can be read once.
    read: (asked, maxBytes) => asked === path ? bytes : context.read(asked, maxBytes)
  })
  // Nobody gave what the sample has.
  return hasSection ? found : { ...found, given: new Map() }
}

const flags = {} as const

/** What `graph` and `validate` look at, or what `list` and `explain` know the plugins of. */
interface PluginsPlan {
  readonly main?: ReadCommand
  readonly file?: ConfigText | undefined
}

type Input = CommandInput<typeof flags, PluginsPlan | undefined>

const listed = (plugins: ReadonlyArray<AnyPlugin>): CommandResult =>
  done(listText(plugins), { plugins: plugins.map(explainJson) })

const explained = Effect.fnUntraced(function*(plugins: ReadonlyArray<AnyPlugin>, id: string) {
  const plugin = yield* pluginOf(plugins, id)
  return done(explainText(plugin), explainJson(plugin))
})

const run = Effect.fnUntraced(function*(options: PluginsCommandOptions, { operands, plan }: Input) {
  const { main, needs, registry } = options
  const [word = "", operand = ""] = operands
  switch (word) {
    case "list":
    case "explain": {
      const { file } = plan!
      const { plugins, problems } = file === undefined
        ? { plugins: registry, problems: [] }
        : yield* knownWith(registry, file)
      // Of a file with problems what is sought may be there all the same.
      if (word === "explain" && (problems.length === 0 || plugins.some(({ id }) => id === operand))) {
        return yield* explained(plugins, operand)
      }
      return problems.length > 0 ? refused(file!.path, problems) : listed(plugins)
    }
    case "schema": {
      const schema = configJsonSchema(registry, { [main.name]: commandJsonSchema(main) })
      return done(`${JSON.stringify(schema, undefined, 2)}\n`, { schema })
    }
    default: {
      const made = yield* graphOf(options, plan!.main!)
      if ("problems" in made) return refused(operand === "" ? `plugins ${word}` : operand, made.problems)
      return shownGraph(word, operand, made.graph, needs)
    }
  }
})

/** The command `plugins`, for the list of a program's commands. */
export const pluginsCommand = (options: PluginsCommandOptions): Command => {
  const { main } = options
  return command<typeof flags, PluginsPlan | undefined>({
    name: "plugins",
    noConfigFile: true,
    summary: "Show the parts that this program is made of, and check a config file that exchanges some",
    details: [
      `list [FILE]: every part, with stability, also those that FILE brings along · explain ID [FILE]: what one provides, requires and takes · ` +
      `graph [FILE]: who uses whom in a ${main.name}, and whom nobody uses · ` +
      `validate FILE: every problem of ${main.name}'s flags and of plugins, with line and column, exit code 2 when there is one · schema: JSON Schema of the file.`,
      `A config file has the flags of ${main.name} under its name and, beside it, plugins: a list of { use: ID, with: {…}, from: FILE or PACKAGE }. ` +
      "Each takes the place of the part of its kind; a flag that would then do nothing is a problem. Nothing is started here."
    ],
    operands: { name: "WORD", least: 1, most: 3, help: `one of ${Object.keys(words).join(", ")}` },
    flags,
    examples: [
      { args: "plugins list", says: "Every part that can be named" },
      { args: `plugins explain ${options.registry[0]?.id ?? "ID"}`, says: "What one part takes" },
      { args: "plugins list run.yaml", says: "Those that a config brings along as well" },
      { args: "plugins graph run.yaml --json", says: "How the parts of a config are put together, as JSON" },
      { args: "plugins validate run.yaml", says: "Whether it would start" }
    ],
    check: (_settings, operands, context, problem) => {
      const wrong = operands.length === 0 ? undefined : wordProblem(operands)
      if (wrong !== undefined) problem(wrong)
      const [word, operand, further] = operands
      if (wrong !== undefined || operands.length === 0) return undefined
      if (word === "graph" || word === "validate") return { main: readMain(options, operand, context) }
      const path = word === "list" ? operand : further
      return path === undefined ? {} : { file: textOf(path, context, problem) }
    },
    run: (input) => run(options, input as Input)
  })
}
