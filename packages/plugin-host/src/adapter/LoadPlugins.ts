/** Plugins from outside: a module, named by file or package, whose exports are searched for plugins. */
import * as Effect from "effect/Effect"
import { createRequire } from "node:module"
import { dirname, resolve } from "node:path"
import { pathToFileURL } from "node:url"
import type { AnyPlugin } from "../contract/Plugin.ts"

/** The plugins of a module, or why there are none. */
export type Loaded = { readonly plugins: ReadonlyArray<AnyPlugin> } | { readonly failure: string }

/** Whether a value has the shape of a plugin, whichever host it was written for. */
export const isPlugin = (value: unknown): value is AnyPlugin => {
  if (typeof value !== "function" || !("host" in value) || !("layer" in value) || !("config" in value)) return false
  if (!("id" in value) || !("provides" in value) || !("requires" in value)) return false
  return typeof value.host === "number" && typeof value.layer === "function" && typeof value.id === "string" &&
    Array.isArray(value.provides) && Array.isArray(value.requires)
}

const urlOf = (from: string, configPath: string): string => {
  const folder = dirname(resolve(configPath))
  if (from.startsWith(".") || from.startsWith("/")) return pathToFileURL(resolve(folder, from)).href
  return pathToFileURL(createRequire(resolve(folder, "config")).resolve(from)).href
}

/** All plugins that a module exports, by name or in lists. `configPath`: files and packages are looked for from its folder. */
export const loadPlugins = (from: string, configPath: string): Effect.Effect<Loaded> =>
  Effect.tryPromise(async () => {
    const loaded: Record<string, unknown> = await import(urlOf(from, configPath))
    return Object.values(loaded).flat().filter(isPlugin)
  }).pipe(
    Effect.map((plugins): Loaded => ({ plugins })),
    Effect.catch((error) => {
      const cause: unknown = error.cause
      return Effect.succeed<Loaded>({ failure: cause instanceof Error ? cause.message : String(cause) })
    })
  )
