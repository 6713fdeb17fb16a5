/** Plugins from outside: a module, named by file or package, whose exports are searched for plugins. */
import * as Effect from "effect/Effect"
import { isBuiltin, registerHooks } from "node:module"
import { dirname, resolve } from "node:path"
import { fileURLToPath, pathToFileURL } from "node:url"
import type { AnyPlugin } from "../contract/Plugin.ts"

/** The plugins of a module, or why there are none and what to do. */
export type Loaded = { readonly plugins: ReadonlyArray<AnyPlugin> } | {
  readonly failure: string
  readonly remedy: string
}

/** Whether a value has the shape of a plugin, whichever host it was written for. */
export const isPlugin = (value: unknown): value is AnyPlugin => {
  if (typeof value !== "function" || !("host" in value) || !("layer" in value) || !("config" in value)) return false
  if (!("id" in value) || !("provides" in value) || !("requires" in value)) return false
  return typeof value.host === "number" && typeof value.layer === "function" && typeof value.id === "string" &&
    Array.isArray(value.provides) && Array.isArray(value.requires)
}

/**
 * What `import` of a package means in another folder: of ESM or CommonJS packages, `exports` with the conditions of `import`. Node has no
 * call for that without a flag, but asks hooks of ours, which are there for this one question.
 */
const resolvedFrom = (specifier: string, parentURL: string): string => {
  const hooks = registerHooks({
    resolve: (asked, context, next) => next(asked, asked === specifier ? { ...context, parentURL } : context)
  })
  try {
    return import.meta.resolve(specifier)
  } finally {
    hooks.deregister()
  }
}

/** The folder of the config; the working directory when it comes from a pipe, as `/dev/stdin` or `<(…)`, beside which no file can lie. */
const folderOf = (configPath: string): string => {
  const path = resolve(configPath)
  return /^\/(?:dev|proc)\//.test(path) ? process.cwd() : dirname(path)
}

const isPath = (from: string): boolean => from.startsWith(".") || from.startsWith("/")

const urlOf = (from: string, configPath: string): string => {
  const folder = folderOf(configPath)
  return isPath(from)
    ? pathToFileURL(resolve(folder, from)).href
    : resolvedFrom(from, pathToFileURL(resolve(folder, "config")).href)
}

const whyNoModule = (from: string): Loaded | undefined => {
  const remedy = `write from: ./${
    from.replace(/^node:/, "")
  } for a file beside the config, or the name of an npm package`
  if (isBuiltin(from)) return { failure: "it is a module of Node itself, which has no plugins", remedy }
  return /^[a-z][a-z\d+.-]*:/i.test(from) && !from.startsWith("file:")
    ? { failure: "it is neither a file nor an npm package", remedy: "write from: ./FILE.ts or from: PACKAGE" }
    : undefined
}

/** Exports, and what is in a list among them or in the default: all that Node knows of some CommonJS modules. */
const exportsOf = (loaded: Readonly<Record<string, unknown>>): ReadonlyArray<unknown> => {
  const inside = loaded["default"]
  const more = typeof inside === "object" && inside !== null ? Object.values(inside) : []
  return [...Object.values(loaded), ...more].flat()
}

const stripped = "write it without enums, namespaces and parameter properties: types are stripped, not compiled"

/** Why a module could not be loaded, in words that fit where it is from. */
const whyNot = (cause: unknown, from: string, url: string): Extract<Loaded, { readonly failure: string }> => {
  const failure = cause instanceof Error ? cause.message : String(cause)
  const { code, url: missing } = (cause ?? {}) as { readonly code?: unknown; readonly url?: unknown }
  if (!isPath(from)) return { failure, remedy: "install it, or mend its name" }
  if (code === "ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX") return { failure, remedy: stripped }
  if (code !== "ERR_MODULE_NOT_FOUND") return { failure, remedy: "mend the file" }
  if (missing === url) return { failure: `there is no file ${fileURLToPath(url)}`, remedy: "mend the path" }
  return typeof missing === "string"
    ? { failure, remedy: "mend the file's imports" }
    : { failure, remedy: "install it in a node_modules beside the file, or above" }
}

/**
 * All plugins that a module exports, by name, in lists or in its default. `configPath`: files and packages are looked for from its folder, or from the
 * working directory when it is a pipe.
 */
export const loadPlugins = (from: string, configPath: string): Effect.Effect<Loaded> => {
  const refused = whyNoModule(from)
  if (refused !== undefined) return Effect.succeed(refused)
  let url = ""
  return Effect.tryPromise(async () => {
    url = urlOf(from, configPath)
    const loaded: Readonly<Record<string, unknown>> = await import(url)
    return [...new Set(exportsOf(loaded).filter(isPlugin))]
  }).pipe(
    Effect.map((plugins): Loaded => ({ plugins })),
    Effect.catch((error) => Effect.succeed<Loaded>(whyNot(error.cause, from, url)))
  )
}
