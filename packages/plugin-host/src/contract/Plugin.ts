/**
 * A plugin is a value: an id, what it gives and needs, a config Schema with docs and defaults, and a layer. Calling it with a config
 * makes a part of a composition; the same plugin is named by its id in a config file.
 */
import type * as Layer from "effect/Layer"
import type * as Schema from "effect/Schema"
import type { Budgets } from "./Budgets.ts"
import type { AnyKind, IdentifiersOf, SingleIdentifiersOf } from "./Kind.ts"
import type { PluginRuntime } from "./PluginRuntime.ts"

/** Version of the contract between host and plugins. A plugin written for another one is refused. */
export const hostVersion = 1

/** What tells this copy of the package from another one that the same process has loaded: their Schemas and tags do not fit together. */
export const hostCopy: object = {}

/** How far a plugin can be relied on; a composition refuses what is below the level it was given. */
export const stabilities = ["experimental", "beta", "stable"] as const
/** How settled a plugin is. */
export type Stability = (typeof stabilities)[number]

/** One bound of a plugin, for the catalogue. */
export interface PluginLimit {
  readonly value: number
  readonly reason: string
}

/** A Schema whose decoding needs no services; what it decodes from is what a config file or a caller gives. */
export type ConfigSchema = Schema.Codec<unknown, unknown>

/** What a plugin says of itself. */
export interface PluginFacts {
  /** Kind's id, a dot, and a name: `transport.tcp`, `m3db.source.peers`. */
  readonly id: string
  readonly version: string
  readonly stability: Stability
  /** One sentence for `list` and `explain`. */
  readonly summary: string
  readonly provides: ReadonlyArray<AnyKind>
  readonly requires: ReadonlyArray<AnyKind>
  readonly config: ConfigSchema
  readonly limits: Readonly<Record<string, PluginLimit>>
  /** Of the decoded config. */
  readonly budgets: (config: never) => Budgets
  /** `hostVersion` of the host that it was written for. */
  readonly host: number
  /** `hostCopy` of the package that made it. */
  readonly "~copy": object
}

/** A plugin of whatever types. */
export interface AnyPlugin extends PluginFacts {
  readonly layer: (config: never) => Layer.Layer<never, unknown, never>
}

/** A plugin with the config that it is to have, not decoded yet. */
export interface Part<out Provided, out Single, out Required> {
  readonly plugin: AnyPlugin
  readonly config: unknown
  /** A name of its own, to tell it from other parts of the same plugin. */
  readonly name?: string
  readonly "~types"?: () => readonly [Provided, Single, Required]
}

/** Gives a part a name of its own, which stands in statuses, edges and `why` as `ID(NAME)`: to tell parts of one plugin apart. */
export const named = <Provided, Single, Required>(
  name: string,
  part: Part<Provided, Single, Required>
): Part<Provided, Single, Required> => ({ ...part, name })

/** A part of whatever types. */
export type AnyPart = Part<unknown, unknown, unknown>

/** A plugin: call it with a config to get a part of a composition. */
export interface Plugin<in Encoded, out Provided, out Single, out Required> extends AnyPlugin {
  (config: Encoded): Part<Provided, Single, Required>
}

/** What a caller may give: to a plugin without keys nothing but `{}`, which as a type would take anything. */
export type GivenConfig<Encoded> = unknown extends Encoded ? Encoded
  : Encoded extends unknown ?
    {} extends Encoded ? keyof Encoded extends never ? Readonly<Record<string, never>> : Encoded : Encoded
  : never

/** What `definePlugin` takes. */
export interface PluginDefinition<
  Config extends ConfigSchema,
  Provides extends ReadonlyArray<AnyKind>,
  Requires extends ReadonlyArray<AnyKind>
> {
  readonly id: string
  readonly version: string
  readonly stability: Stability
  readonly summary: string
  readonly provides: Provides
  readonly requires: Requires
  readonly config: Config
  readonly limits?: Readonly<Record<string, PluginLimit>>
  readonly budgets?: (config: Config["Type"]) => Budgets
  readonly layer: (
    config: Config["Type"]
  ) => Layer.Layer<IdentifiersOf<Provides>, unknown, IdentifiersOf<Requires> | PluginRuntime>
}

/** Makes a plugin; throws a TypeError on an id that does not begin with the id of its first kind. */
export const definePlugin = <
  Config extends ConfigSchema,
  const Provides extends ReadonlyArray<AnyKind>,
  const Requires extends ReadonlyArray<AnyKind>
>(
  definition: PluginDefinition<Config, Provides, Requires>
): Plugin<
  GivenConfig<Config["Encoded"]>,
  IdentifiersOf<Provides>,
  SingleIdentifiersOf<Provides>,
  IdentifiersOf<Requires>
> => {
  const kind = definition.provides[0]?.id
  const idPattern = /^[a-z0-9]+(?:[.-][a-z0-9]+)*$/
  if (kind === undefined || !definition.id.startsWith(`${kind}.`) || !idPattern.test(definition.id)) {
    throw new TypeError(
      `plugin id "${definition.id}": want the id of the first kind it provides${
        kind === undefined ? "" : ` ("${kind}")`
      }, a dot and a name in lower case`
    )
  }
  const facts = {
    limits: {},
    budgets: () => ({}),
    ...definition,
    host: hostVersion,
    "~copy": hostCopy
  }
  const make = (config: unknown) => ({ plugin, config })
  const plugin = Object.assign(make, facts) as unknown as AnyPlugin
  return plugin as never
}
