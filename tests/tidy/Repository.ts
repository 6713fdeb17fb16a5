/** Reads the repository into plain values, so that each rule is a function from files to violations and can be tested on its own. */
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { dirname, join, relative, resolve } from "node:path"
import { fileURLToPath } from "node:url"
import { type Import, importsIn } from "./Imports.ts"
import { type Token, tokensOf } from "./Tokens.ts"

export interface Module {
  /** From the repository's root, with forward slashes. */
  readonly path: string
  readonly text: string
  readonly tokens: ReadonlyArray<Token>
  readonly imports: ReadonlyArray<Import>
}

export interface Workspace {
  /** `packages/storage` or `apps/lab`. */
  readonly folder: string
  readonly name: string
  readonly dependencies: ReadonlyArray<string>
  readonly devDependencies: ReadonlyArray<string>
  readonly modules: ReadonlyArray<Module>
  readonly hasReadme: boolean
  /** Folders of the packages that the two tsconfig files refer to. */
  readonly sourceReferences: ReadonlyArray<string>
  readonly testReferences: ReadonlyArray<string>
}

export interface Repository {
  readonly workspaces: ReadonlyArray<Workspace>
  readonly rootDependencies: ReadonlyArray<string>
  /** Hand-written modules outside workspaces: tests, tools, bench, examples, interop. */
  readonly otherModules: ReadonlyArray<Module>
}

export const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..")

const skipped = new Set(["node_modules", "dist", "generated", ".tscache", ".turbo", "coverage"])

export const moduleOf = (path: string, text: string): Module => {
  const tokens = tokensOf(text)
  return { path, text, tokens, imports: importsIn(tokens) }
}

const modulesUnder = (folder: string): Array<Module> => {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && /\.(ts|mts|cjs|mjs)$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !relative(folder, path).split("/").some((part) => skipped.has(part)))
    .toSorted()
    .map((path) => moduleOf(relative(root, path), readFileSync(path, "utf8")))
}

const readJson = (path: string): Record<string, unknown> => JSON.parse(readFileSync(path, "utf8"))

const keysOf = (value: unknown): ReadonlyArray<string> =>
  typeof value === "object" && value !== null ? Object.keys(value) : []

const referencesOf = (path: string): ReadonlyArray<string> => {
  if (!existsSync(path)) return []
  const references = readJson(path)["references"] as ReadonlyArray<{ readonly path: string }> | undefined
  return (references ?? []).map((each) => relative(root, dirname(resolve(dirname(path), each.path))))
}

const workspaceOf = (folder: string): Workspace => {
  const at = join(root, folder)
  const manifest = readJson(join(at, "package.json"))
  return {
    folder,
    name: String(manifest["name"]),
    dependencies: [...keysOf(manifest["dependencies"]), ...keysOf(manifest["peerDependencies"])],
    devDependencies: keysOf(manifest["devDependencies"]),
    modules: ["src", "test", "bench"].flatMap((each) => modulesUnder(join(at, each))),
    hasReadme: existsSync(join(at, "README.md")),
    sourceReferences: referencesOf(join(at, "tsconfig.src.json")),
    testReferences: referencesOf(join(at, "tsconfig.test.json"))
  }
}

/** `packages/x` and `apps/y`, sorted. */
export const workspaceFolders = (): ReadonlyArray<string> =>
  ["packages", "apps"].flatMap((group) =>
    readdirSync(join(root, group)).toSorted().map((name) => `${group}/${name}`).filter((folder) =>
      existsSync(join(root, folder, "package.json"))
    )
  )

export const readRepository = (): Repository => {
  const manifest = readJson(join(root, "package.json"))
  return {
    workspaces: workspaceFolders().map(workspaceOf),
    rootDependencies: [...keysOf(manifest["devDependencies"]), ...keysOf(manifest["dependencies"])],
    otherModules: ["tests", "tools", "bench", "examples", "interop"].flatMap((each) => modulesUnder(join(root, each)))
  }
}
