/** `plugins.md`: kinds and plugins that the packages export under `/plugin`, with config, limits and budgets. */
import { type AnyKind, type AnyPlugin, configJsonSchema, isPlugin } from "@peerstrap/plugin-host"
import { globSync } from "node:fs"
import { code, load, page, root, table } from "./Sources.ts"

interface PluginModule {
  /** `@peerstrap/transport/plugin`. */
  readonly name: string
  readonly plugins: ReadonlyArray<readonly [exported: string, plugin: AnyPlugin]>
  readonly kinds: ReadonlyArray<readonly [exported: string, kind: AnyKind]>
}

const isKind = (value: unknown): value is AnyKind =>
  typeof value === "object" && value !== null && "multiplicity" in value && "tag" in value && "metered" in value

const moduleOf = async (path: string, name: string): Promise<PluginModule> => {
  const exported = Object.entries(await load(path))
  return {
    name,
    plugins: exported.flatMap(([name, value]) => isPlugin(value) ? [[name, value] as const] : []),
    kinds: exported.flatMap(([name, value]) => isKind(value) ? [[name, value] as const] : [])
  }
}

/** What packages export under `/plugin`; kinds of the host itself are among its own exports. */
export const pluginModules = async (): Promise<ReadonlyArray<PluginModule>> => {
  const paths = globSync("packages/*/src/plugin/index.ts", { cwd: root }).toSorted()
  const found = await Promise.all(paths.map((path) => moduleOf(path, `@peerstrap/${path.split("/")[1]}/plugin`)))
  return [...found, await moduleOf("packages/plugin-host/src/index.ts", "@peerstrap/plugin-host")]
}

interface JsonSchema {
  readonly type?: string | ReadonlyArray<string>
  readonly description?: string
  readonly enum?: ReadonlyArray<unknown>
  readonly const?: unknown
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: ReadonlyArray<string>
  readonly items?: JsonSchema
  readonly prefixItems?: ReadonlyArray<JsonSchema>
  readonly minItems?: number
  readonly anyOf?: ReadonlyArray<JsonSchema>
  readonly oneOf?: ReadonlyArray<JsonSchema>
  readonly allOf?: ReadonlyArray<JsonSchema>
  readonly minimum?: number
  readonly maximum?: number
  readonly additionalProperties?: boolean | JsonSchema
}

/** Bounds may stand in `allOf` beside the type. */
const merged = (schema: JsonSchema): JsonSchema => Object.assign({}, schema, ...schema.allOf ?? [])

/** `configValue` writes `About. Default x. what is wanted`; the middle is there for `configDefault` only. */
const scalarText = /^(.*?[.!?])(?: Default (.+?)\.)? ([a-z0-9].*)$/

interface Described {
  readonly takes: string
  readonly fallback: string | undefined
  readonly about: string
}

const described = (given: JsonSchema): Described => {
  const schema = merged(given)
  const found = schema.anyOf === undefined ? null : scalarText.exec(schema.description ?? "")
  return found === null
    ? { takes: typeWords(schema), fallback: undefined, about: schema.description ?? "" }
    : { takes: found[3]!, fallback: found[2], about: found[1]! }
}

/** What may stand there, in words. */
const typeWords = (given: JsonSchema): string => {
  const schema = merged(given)
  const choices = schema.anyOf ?? schema.oneOf
  if (choices !== undefined) return [...new Set(choices.map(typeWords))].join(" or ")
  if (schema.const !== undefined) return String(schema.const)
  if (schema.enum !== undefined) return schema.enum.map(String).join(", ")
  if (schema.type === "array") {
    const item = schema.items ?? schema.prefixItems?.[0]
    const least = schema.minItems ?? 0
    const list = least > 0 ? `a list of ${least} or more` : "a list"
    return item === undefined ? list : `${list}${least > 0 ? ": " : " of "}${typeWords(item)}`
  }
  if (schema.properties !== undefined) {
    const needed = new Set(schema.required)
    const keys = Object.entries(schema.properties).map(([key, value]) =>
      `${key}${needed.has(key) ? "" : "?"}: ${described(value).takes}`
    )
    return `{ ${keys.join(", ")} }`
  }
  const bounds = schema.minimum === undefined && schema.maximum === undefined
    ? ""
    : ` ${schema.minimum ?? ""}..${schema.maximum ?? ""}`
  return `${[schema.type ?? "any value"].flat().join(" or ")}${bounds}`
}

interface ConfigKey {
  /** With dots where it lies deeper. */
  readonly key: string
  readonly takes: string
  readonly fallback: string
  readonly about: string
}

const keysOf = (schema: JsonSchema, under: string): ReadonlyArray<ConfigKey> => {
  const needed = new Set(schema.required)
  return Object.entries(schema.properties ?? {}).flatMap(([name, property]) => {
    const key = `${under}${name}`
    if (merged(property).properties !== undefined) return keysOf(merged(property), `${key}.`)
    const { about, fallback, takes } = described(property)
    return [{ key, takes, fallback: needed.has(name) ? "required" : fallback ?? "none", about }]
  })
}

/** Keys of a plugin's `with:`. */
const configKeysOf = (plugin: AnyPlugin): ReadonlyArray<ConfigKey> => {
  const items = configJsonSchema([plugin])["properties"] as {
    readonly plugins: { readonly items: { readonly anyOf: ReadonlyArray<JsonSchema> } }
  }
  return keysOf(items.plugins.items.anyOf[0]?.properties?.["with"] ?? {}, "")
}

export const configTable = (plugin: AnyPlugin): string => {
  const keys = configKeysOf(plugin)
  return keys.length === 0
    ? "No config: `with:` may be left out.\n"
    : table(
      ["key", "takes", "default", ""],
      keys.map(({ about, fallback, key, takes }) => [
        code(key),
        takes,
        fallback,
        about
      ])
    )
}

const list = (kinds: ReadonlyArray<AnyKind>): string => kinds.map(({ id }) => code(id)).join(", ")

const pluginSection = (module: string, exported: string, plugin: AnyPlugin): string => {
  const limits = Object.entries(plugin.limits)
  return `### ${plugin.id}\n\n${plugin.summary}\n\n` +
    `Version ${plugin.version}, ${plugin.stability}. In code: \`import { ${exported} } from "${module}"\`. ` +
    `Provides ${list(plugin.provides)}${
      plugin.requires.length === 0 ? "" : `, requires ${list(plugin.requires)}`
    }.\n\n` +
    configTable(plugin) +
    (limits.length === 0 ? "" : `\n${
      table(
        ["limit", "value", "reason"],
        limits.map(([name, { reason, value }]) => [
          code(name),
          value.toLocaleString("en"),
          reason
        ])
      )
    }`)
}

/** Keys of services name their package: `@peerstrap/transport/Transport`. */
const serviceOf = (key: string): string => {
  const at = key.lastIndexOf("/")
  return `\`${key.slice(at + 1)}\` of \`${key.slice(0, at)}\``
}

export const pluginsPage = async (): Promise<string> => {
  const modules = await pluginModules()
  const kinds = modules.flatMap(({ kinds, name }) =>
    kinds.map(([exported, { id, metered, multiplicity, summary, tag }]) => [
      code(id),
      multiplicity,
      summary,
      metered ? "yes" : "no",
      serviceOf(tag.key),
      `\`${exported}\` of \`${name}\``
    ])
  ).toSorted((a, b) => a[0]! < b[0]! ? -1 : 1)
  const plugins = modules.flatMap(({ name, plugins }) =>
    plugins.map(([exported, plugin]) => ({ id: plugin.id, text: pluginSection(name, exported, plugin) }))
  ).toSorted((a, b) => a.id < b.id ? -1 : 1)
  return page(
    "Plugins",
    "Kinds are contracts; of a kind `one` a composition has exactly one plugin, of `many` a list. *Metered*: calls over its edges are counted.\n" +
      "A plugin of a kind gives its service: a class that is imported from the package and has the contract in its type. " +
      "What the words mean: [Concepts](../concepts.md).",
    `## Kinds\n\n${table(["kind", "", "what it is", "metered", "service", "kind in code"], kinds)}\n## Plugins\n\n${
      plugins.map(({ text }) => text).join("\n")
    }`
  )
}
