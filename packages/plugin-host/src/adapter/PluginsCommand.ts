/**
 * `plugins` of a program: what parts there are, what they take, how they are put together, whether a config file is right. Nothing is started.
 *
 *   plugins list · plugins explain ID · plugins graph [FILE] · plugins validate FILE · plugins schema
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
  didYouMean,
  ExitCode,
  type Problem,
  type ReadCommand,
  readConfig,
  readSettings,
  withoutRepeats
} from "@peerstrap/command-line"
import * as Effect from "effect/Effect"
import type { Composition } from "../contract/Composition.ts"
import type { AnyPlugin } from "../contract/Plugin.ts"
import { configJsonSchema, explainJson, explainText, listText } from "../engine/Explain.ts"
import { type Graph, graphJson, graphText } from "../engine/Graph.ts"
import { resolve } from "../engine/Resolve.ts"
import { toldProblem } from "./PartsOfFlags.ts"

/** The plugins and the main command of the program whose `plugins` command this is. */
export interface PluginsCommandOptions {
  readonly registry: ReadonlyArray<AnyPlugin>
  /** The command whose section stands beside `plugins` in a config file. Its `resolve` gives the `Composition`. */
  readonly main: Command
  /** Flags for a composition without a file, or of a file that has plugins only: `["--peer", "a=127.0.0.1:9000", …]`. */
  readonly sample: ReadonlyArray<string>
  /** Names of all commands of the program, which may have sections in the file. */
  readonly commandNames: () => ReadonlyArray<string>
}

interface Words {
  readonly takes: "nothing" | "an ID" | "a FILE" | "maybe a FILE"
}

const words: Readonly<Record<string, Words>> = {
  list: { takes: "nothing" },
  explain: { takes: "an ID" },
  graph: { takes: "maybe a FILE" },
  validate: { takes: "a FILE" },
  schema: { takes: "nothing" }
}

const wordProblem = ([word = "", operand]: ReadonlyArray<string>): Problem | undefined => {
  const known = Object.hasOwn(words, word) ? words[word] : undefined
  const names = Object.keys(words)
  if (known === undefined) {
    return { where: "argument 1", message: `want one of ${names.join(", ")}${didYouMean(word, names)}` }
  }
  const { takes } = known
  if (takes === "nothing" && operand !== undefined) {
    return { where: "argument 2", message: `${word} takes nothing more` }
  }
  return (takes === "an ID" || takes === "a FILE") && operand === undefined
    ? { where: "argument 2", message: `is missing: ${word} takes ${takes}` }
    : undefined
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

const validated = (file: string, graph: Graph): CommandResult =>
  done(`${file}: fits, ${graph.nodes.length} parts\n`, { plugins: graphJson(graph).plugins })

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
type Input = CommandInput<typeof flags, ReadCommand | undefined>

const run = Effect.fnUntraced(function*(options: PluginsCommandOptions, { operands, plan }: Input) {
  const { main, registry } = options
  const [word = "", operand = ""] = operands
  switch (word) {
    case "list":
      return done(listText(registry), { plugins: registry.map(explainJson) })
    case "explain": {
      const plugin = yield* pluginOf(registry, operand)
      return done(explainText(plugin), explainJson(plugin))
    }
    case "schema": {
      const schema = configJsonSchema(registry, { [main.name]: commandJsonSchema(main) })
      return done(`${JSON.stringify(schema, undefined, 2)}\n`, { schema })
    }
    default: {
      const made = yield* graphOf(options, plan!)
      if ("problems" in made) return refused(operand === "" ? `plugins ${word}` : operand, made.problems)
      return word === "validate"
        ? validated(operand, made.graph)
        : done(graphText(made.graph), graphJson(made.graph))
    }
  }
})

/** The command `plugins`, for the list of a program's commands. */
export const pluginsCommand = (options: PluginsCommandOptions): Command => {
  const { main } = options
  return command<typeof flags, ReadCommand | undefined>({
    name: "plugins",
    summary: "Show the parts that this program is made of, and check a config file that exchanges some",
    details: [
      `list: every part, with stability · explain ID: what it provides, requires and takes · graph [FILE]: who uses whom in a ${main.name} · ` +
      `validate FILE: every problem of ${main.name}'s flags and of plugins, with line and column, exit code 2 when there is one · schema: JSON Schema of the file.`,
      `A config file has the flags of ${main.name} under its name and, beside it, plugins: a list of { use: ID, with: {…}, from: FILE or PACKAGE }. ` +
      "Each takes the place of the part of its kind; a flag that would then do nothing is a problem. Nothing is started here."
    ],
    operands: { name: "WORD", least: 1, most: 2, help: `one of ${Object.keys(words).join(", ")}` },
    flags,
    examples: [
      { args: "plugins list", says: "Every part that can be named" },
      { args: `plugins explain ${options.registry[0]?.id ?? "ID"}`, says: "What one part takes" },
      { args: "plugins graph run.yaml --json", says: "How the parts of a config are put together, as JSON" },
      { args: "plugins validate run.yaml", says: "Whether it would start" }
    ],
    check: (_settings, operands, context, problem) => {
      const wrong = operands.length === 0 ? undefined : wordProblem(operands)
      if (wrong !== undefined) problem(wrong)
      const [word, operand] = operands
      return wrong === undefined && (word === "graph" || word === "validate")
        ? readMain(options, operand, context)
        : undefined
    },
    run: (input) => run(options, input as Input)
  })
}
