/** What a plugin is, for people (`list`, `explain`) and for editors (`schema`: JSON Schema of a config). */
import * as Schema from "effect/Schema"
import type { AnyPlugin } from "../contract/Plugin.ts"

/** One line a plugin. */
export const listText = (plugins: ReadonlyArray<AnyPlugin>): string => {
  const width = Math.max(0, ...plugins.map(({ id }) => id.length))
  return plugins.map(({ id, stability, summary, version }) =>
    `${id.padEnd(width)}  ${version}  ${stability.padEnd(12)}  ${summary}\n`
  ).join("")
}

interface JsonProperty {
  readonly type?: unknown
  readonly description?: unknown
  readonly default?: unknown
  readonly enum?: ReadonlyArray<unknown>
}

const propertiesOf = (plugin: AnyPlugin): ReadonlyArray<readonly [string, JsonProperty, boolean]> => {
  const { schema } = Schema.toJsonSchemaDocument(Schema.toEncoded(plugin.config))
  const properties = schema["properties"] as Readonly<Record<string, JsonProperty>> | undefined
  const required = new Set(schema["required"] as ReadonlyArray<string> | undefined)
  return Object.entries(properties ?? {}).map(([name, property]) => [name, property, required.has(name)])
}

const sort = ({ enum: literals, type }: JsonProperty): string =>
  literals === undefined ? String(type ?? "value") : literals.join(" | ")

const section = (title: string, lines: ReadonlyArray<string>): string =>
  lines.length === 0 ? "" : `${title}\n${lines.map((line) => `  ${line}\n`).join("")}`

/** Everything there is to say about one plugin. */
export const explainText = (plugin: AnyPlugin): string =>
  `${plugin.id} ${plugin.version} (${plugin.stability})\n${plugin.summary}\n` +
  section("provides", plugin.provides.map(({ id, multiplicity, summary }) => `${id} (${multiplicity}): ${summary}`)) +
  section("requires", plugin.requires.map(({ id, summary }) => `${id}: ${summary}`)) +
  section(
    "config",
    propertiesOf(plugin).map(([name, property, required]) => {
      const about = typeof property.description === "string" ? `  ${property.description}` : ""
      return `${name}: ${sort(property)}${required ? ", required" : ""}${about}`
    })
  ) +
  section("limits", Object.entries(plugin.limits).map(([name, { reason, value }]) => `${name} = ${value}: ${reason}`))

/** The same as `explainText` as a plain value, ready for JSON. `config` is the JSON Schema of what stands under `with`. */
export const explainJson = (plugin: AnyPlugin) => ({
  id: plugin.id,
  version: plugin.version,
  stability: plugin.stability,
  summary: plugin.summary,
  provides: plugin.provides.map(({ id, multiplicity, summary }) => ({ id, multiplicity, summary })),
  requires: plugin.requires.map(({ id }) => id),
  config: Schema.toJsonSchemaDocument(Schema.toEncoded(plugin.config)).schema,
  limits: plugin.limits
})

/**
 * JSON Schema (draft 2020-12) of a config whose plugins are among these; modules from outside are allowed with any config. `sections`: what stands
 * beside `plugins`, by key; without any, `plugins` is required.
 */
export const configJsonSchema = (
  plugins: ReadonlyArray<AnyPlugin>,
  sections: Readonly<Record<string, unknown>> = {}
): Readonly<Record<string, unknown>> => ({
  $schema: "https://json-schema.org/draft/2020-12/schema",
  type: "object",
  ...(Object.keys(sections).length === 0 ? { required: ["plugins"] } : {}),
  properties: {
    ...sections,
    plugins: {
      type: "array",
      items: {
        anyOf: [
          ...plugins.map((plugin) => ({
            type: "object",
            required: ["use"],
            additionalProperties: false,
            description: plugin.summary,
            properties: {
              use: { const: plugin.id },
              as: { type: "string" },
              with: Schema.toJsonSchemaDocument(Schema.toEncoded(plugin.config)).schema
            }
          })),
          {
            type: "object",
            required: ["use", "from"],
            additionalProperties: false,
            properties: {
              use: { type: "string" },
              from: { type: "string" },
              as: { type: "string" },
              with: { type: "object" }
            }
          }
        ]
      }
    }
  }
})
