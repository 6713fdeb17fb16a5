/**
 * What flags say of the parts that they make: each of a program's flags that describes parts has its row in a table, from which it is known
 * whether a part of the config file leaves it without effect.
 *
 *   { memory: [feeds(boundedMemory, "bytes")], ranking: chooses({ "least-loaded": …, "throughput-weighted": … }) }
 */
import type { AnyPlugin, Plugin } from "./Plugin.ts"

/** The key of a part's config that a flag gives. */
export interface FedKey {
  readonly plugin: AnyPlugin
  readonly key: string
}

/** The plugins among which the value of a flag chooses, by value. */
export interface Choice {
  readonly chooses: Readonly<Record<string, AnyPlugin>>
}

/** Where the value of one flag goes. Of several keys each is of the part that other flags may make of the same kind. */
export type FlagTarget = Choice | ReadonlyArray<FedKey>

/** The flags of a command that describe parts and nothing else, by key; `S` are its settings. */
export type FlagTargets<S = Readonly<Record<string, unknown>>> = { readonly [K in keyof S]?: FlagTarget }

/** The flag gives `key` of the plugin's config. */
export const feeds = <Encoded>(
  plugin: Plugin<Encoded, unknown, unknown, unknown>,
  key: keyof Encoded & string
): FedKey => ({ plugin, key })

/** The flag's value says which plugin it is. */
export const chooses = (plugins: Readonly<Record<string, AnyPlugin>>): Choice => ({ chooses: plugins })
