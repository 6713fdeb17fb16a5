/** What every plugin says of itself, and how it takes a config: nothing is started here. */
import { type Check, CheckFailed, expectSame, expectTrue, fail, plainText } from "@peerstrap/conformance"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { budgetNames } from "../contract/Budgets.ts"
import { hostVersion, stabilities } from "../contract/Plugin.ts"
import type { Problem } from "../contract/Problem.ts"
import { configKeys } from "../engine/ConfigKeys.ts"
import { decodeConfig } from "../engine/DecodeConfig.ts"
import { answered, CheckedPlugin, type CheckedPluginShape, placed } from "./CheckedPlugin.ts"

/** What a plugin's maker can show to the kit, by name. */
export type PluginCapability = "counts-handles"

export type PluginCheck = Check<CheckedPlugin, PluginCapability>

const plain = (
  name: string,
  body: (subject: CheckedPluginShape) => Effect.Effect<unknown, CheckFailed>
): PluginCheck => ({
  name,
  run: Effect.asVoid(CheckedPlugin.use(body))
})

type Keys = Readonly<Record<string, unknown>>

const keysOf = ({ config }: CheckedPluginShape): Keys => config as Keys

const without = (config: Keys, key: string): Keys => {
  const { [key]: _, ...rest } = config
  return rest
}

const decoded = ({ plugin }: CheckedPluginShape, config: unknown) => decodeConfig(placed(plugin, config))

const problemsOf = (subject: CheckedPluginShape, config: unknown): ReadonlyArray<Problem> => {
  const outcome = decoded(subject, config)
  return "problems" in outcome ? outcome.problems : []
}

/** The decoded config, or a failure with every problem. */
const taken = (subject: CheckedPluginShape, what: string, config: unknown): Effect.Effect<unknown, CheckFailed> => {
  const outcome = decoded(subject, config)
  return "config" in outcome
    ? Effect.succeed(outcome.config)
    : fail(`${what} is refused: ${outcome.problems.map(({ message }) => message).join("; ")}`)
}

interface JsonSchema {
  readonly description?: unknown
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: ReadonlyArray<string>
  readonly items?: JsonSchema
}

const schemaOf = ({ plugin }: CheckedPluginShape): JsonSchema =>
  Schema.toJsonSchemaDocument(Schema.toEncoded(plugin.config)).schema as JsonSchema

/** Every key of a config with its path, those within keys and lists as well. */
const documented = (schema: JsonSchema, path: string): ReadonlyArray<readonly [path: string, about: string]> => [
  ...Object.entries(schema.properties ?? {}).flatMap(([name, property]) => [
    [`${path}${name}`, String(property.description ?? "")] as const,
    ...documented(property, `${path}${name}.`)
  ]),
  ...(schema.items === undefined ? [] : documented(schema.items, `${path}0.`))
]

const isRequired = (subject: CheckedPluginShape, key: string): boolean => {
  const { required = [] } = schemaOf(subject)
  return required.includes(key)
}

const semantic = /^\d+\.\d+\.\d+(?:-[\w.]+)?$/

const names: ReadonlyArray<PluginCheck> = [
  plain(
    "says who it is",
    Effect.fnUntraced(function*({ plugin }) {
      const kind = plugin.provides[0]?.id ?? "(none)"
      yield* expectTrue(
        `the id ${plugin.id} is "${kind}.", its first kind, and a name`,
        plugin.id.startsWith(`${kind}.`)
      )
      yield* expectTrue(`${plugin.version} is a version like 1.2.3`, semantic.test(plugin.version))
      yield* expectTrue(
        `"${plugin.stability}" is one of ${stabilities.join(", ")}`,
        stabilities.includes(plugin.stability)
      )
      yield* expectTrue(`"${plugin.summary}" is a sentence`, /^\S.*\S$/.test(plugin.summary))
      yield* expectSame("version of the plugin contract", plugin.host, hostVersion)
    })
  ),
  plain(
    "provides each kind once, and none that it requires",
    Effect.fnUntraced(function*({ plugin }) {
      const kinds = [...plugin.provides, ...plugin.requires].map(({ id }) => id)
      const doubled = kinds.filter((id, at) => kinds.indexOf(id) !== at)
      yield* expectSame("kinds that stand twice", doubled, [])
    })
  ),
  plain(
    "has limits with a reason, and budgets that are finite and not negative",
    Effect.fnUntraced(function*(subject) {
      for (const [name, { reason, value }] of Object.entries(subject.plugin.limits)) {
        yield* expectTrue(`limit ${name} has a reason`, typeof reason === "string" && reason !== "")
        yield* expectTrue(`limit ${name} = ${value} is finite`, Number.isFinite(value))
      }
      const config = yield* taken(subject, "the config", subject.config)
      const budgets = yield* answered("it says its budgets", () => subject.plugin.budgets(config as never))
      for (const [name, value] of Object.entries(budgets)) {
        yield* expectTrue(`budget ${name} is one of ${budgetNames.join(", ")}`, budgetNames.some((one) => one === name))
        yield* expectTrue(`budget ${name} = ${value} is finite and not negative`, Number.isFinite(value) && value >= 0)
      }
    })
  )
]

/** Nothing that a plugin takes has such a shape. */
const wrongValue = { "no such key": [null] }

const configs: ReadonlyArray<PluginCheck> = [
  plain(
    "says what each config key is for",
    (subject) =>
      expectSame(
        "config keys without a description",
        documented(schemaOf(subject), "").filter(([, about]) => about.trim() === "").map(([path]) => path),
        []
      )
  ),
  plain(
    "takes its config, and does without the keys that are not required",
    Effect.fnUntraced(function*(subject) {
      yield* taken(subject, "the config", subject.config)
      for (const key of configKeys(subject.plugin.config)) {
        if (isRequired(subject, key)) continue
        yield* taken(subject, `a config without ${key}`, without(keysOf(subject), key))
      }
    })
  ),
  plain(
    "has the defaults that it documents",
    Effect.fnUntraced(function*(subject) {
      for (const [key, { description }] of Object.entries(schemaOf(subject).properties ?? {})) {
        const told = /Default ([^\s:]+)\.(?:\s|$)/.exec(String(description))?.[1]
        if (told === undefined) continue
        const rest = without(keysOf(subject), key)
        const absent = plainText(yield* taken(subject, `a config without ${key}`, rest))
        const given = [told, Number(told), told === "true"].map((value) => decoded(subject, { ...rest, [key]: value }))
        const texts = given.flatMap((one) => "config" in one ? [plainText(one.config)] : [])
        yield* expectTrue(`${key} is "${told}" when it is absent, as documented`, texts.includes(absent))
      }
    })
  ),
  plain(
    "refuses a key that it does not know, by name",
    Effect.fnUntraced(function*(subject) {
      const problems = problemsOf(subject, { ...keysOf(subject), unheardOf: 1 })
      yield* expectSame(
        "problems of a config with the key unheardOf",
        problems.map(({ kind, where }) => [kind, where]),
        [["unknown-key", "config.unheardOf"]]
      )
    })
  ),
  plain(
    "asks for a required key by name",
    Effect.fnUntraced(function*(subject) {
      for (const key of configKeys(subject.plugin.config)) {
        if (!isRequired(subject, key)) continue
        const problems = problemsOf(subject, without(keysOf(subject), key))
        yield* expectTrue(
          `a config without ${key} is refused with the place config.${key}`,
          problems.some(({ where }) => where === `config.${key}`)
        )
      }
    })
  ),
  plain(
    "refuses a value of the wrong type, and says where",
    Effect.fnUntraced(function*(subject) {
      for (const key of configKeys(subject.plugin.config)) {
        const problems = problemsOf(subject, { ...keysOf(subject), [key]: wrongValue })
        const places = problems.map(({ where }) => where)
        yield* expectTrue(
          `${key}: ${JSON.stringify(wrongValue)} is refused with the place config.${key}`,
          places.some((place) => place === `config.${key}` || place.startsWith(`config.${key}.`))
        )
      }
    })
  )
]

export const pluginConfigChecks: ReadonlyArray<PluginCheck> = [...names, ...configs]
