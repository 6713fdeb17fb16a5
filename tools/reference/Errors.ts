/** `errors.md`: tagged errors that packages export, with their fields and reasons, and the exit codes that programs make of them. */
import type { CommandError } from "@peerstrap/command-line"
import { PluginStartError } from "@peerstrap/plugin-host"
import { existsSync } from "node:fs"
import { join } from "node:path"
import { code, docBefore, load, page, root, type Source, sourcesOf, table } from "./Sources.ts"

/** As much of a Schema's AST as is read here. */
interface Ast {
  readonly _tag: string
  readonly literal?: unknown
  readonly types?: ReadonlyArray<Ast>
  readonly context?: { readonly isOptional: boolean } | undefined
}

interface ErrorClass {
  readonly fields?: Readonly<Record<string, { readonly ast: Ast }>>
  new(values: Readonly<Record<string, unknown>>): { readonly _tag: string; readonly message: string }
}

interface TaggedError {
  readonly name: string
  readonly package: string
  readonly doc: string
  readonly class: ErrorClass
}

const declaration = /^export class (\w+) extends (?:Schema|Data)\.Tagged\w*Error\b/gm

const declaredIn = ({ path, text }: Source) =>
  [...text.matchAll(declaration)].map((found) => ({ name: found[1]!, path, doc: docBefore(text, found.index) }))

const isModule = (value: unknown): value is object =>
  typeof value === "object" && value !== null &&
  (value as { [Symbol.toStringTag]?: string })[Symbol.toStringTag] === "Module"

/** What a package gives to others: also what it exports in a namespace. */
const exportedBy = async (folder: string): Promise<ReadonlySet<unknown>> => {
  const entries = ["index.ts", "plugin/index.ts"].map((entry) => `packages/${folder}/src/${entry}`)
  const modules = await Promise.all(entries.filter((path) => existsSync(join(root, path))).map(load))
  const values = modules.flatMap((module) => Object.values(module))
  return new Set([...values, ...values.filter(isModule).flatMap((module) => Object.values(module))])
}

const taggedErrors = async (): Promise<ReadonlyArray<TaggedError>> => {
  const errors: Array<TaggedError> = []
  for (const { doc, name, path } of sourcesOf("packages/*").flatMap(declaredIn)) {
    const folder = path.split("/")[1]!
    const found = (await load(path))[name] as ErrorClass
    if ((await exportedBy(folder)).has(found)) errors.push({ name, package: `@peerstrap/${folder}`, doc, class: found })
  }
  return errors
}

const literalsOf = ({ _tag, literal, types = [] }: Ast): ReadonlyArray<string> =>
  _tag === "Literal"
    ? [String(literal)]
    : types.every((each) => each._tag === "Literal")
    ? types.flatMap(literalsOf)
    : []

const words: Readonly<Record<string, string>> = {
  String: "string",
  Number: "number",
  Boolean: "boolean",
  BigInt: "bigint",
  Objects: "object",
  Arrays: "list",
  Undefined: "undefined",
  Declaration: "any value"
}

const typeWords = (ast: Ast): string => {
  const literals = literalsOf(ast)
  if (literals.length > 0) return literals.map(code).join(" ")
  if (ast._tag === "Union") return (ast.types ?? []).map(typeWords).join(" or ")
  return words[ast._tag] ?? ast._tag
}

const fieldsOf = (error: TaggedError): ReadonlyArray<readonly [name: string, ast: Ast]> =>
  Object.entries(error.class.fields ?? {}).filter(([name]) => name !== "_tag").map(([name, { ast }]) => [name, ast])

/** Where a program turns an error into the end of a command. */
interface Mapping {
  readonly program: string
  readonly tags: ReadonlyArray<string>
  readonly path: string
  /** The mapping itself, out of the module's exports. */
  readonly of: (module: Readonly<Record<string, unknown>>) => unknown
}

/** Of a part that does not start, the cause decides. */
const startFault = (map: unknown) => (cause: unknown): unknown =>
  (map as (error: PluginStartError) => unknown)(new PluginStartError({ plugin: "a part", message: "", cause }))

const chainStart = "apps/chain-bootstrapper/src/sync/StartFaults.ts"
const replicasStart = "apps/m3db-bootstrapper/src/bootstrap/StartErrors.ts"

const mappings: ReadonlyArray<Mapping> = [
  {
    program: "every program, of a running one that it asks",
    tags: ["ControlError", "ControlSocketError"],
    path: "packages/command-line/src/adapter/RunningProcess.ts",
    of: ({ controlFailure }) => (controlFailure as (options: object) => unknown)({ remedy: "" })
  },
  {
    program: "peerstrap-chain",
    tags: ["StoreError", "ApplierFailed", "ListenError", "SyncDefect"],
    path: "apps/chain-bootstrapper/src/sync/RunFaults.ts",
    of: ({ runFault }) => runFault
  },
  {
    program: "peerstrap-chain",
    tags: ["FileError", "NetworkUnusable", "IdentityUnusable", "CryptoUnavailable", "BaseNotFound", "StrategyUnfit"],
    path: chainStart,
    of: ({ partFault }) => startFault(partFault)
  },
  { program: "peerstrap-chain", tags: ["CompositionError"], path: chainStart, of: ({ partFault }) => partFault },
  { program: "peerstrap-chain", tags: ["PluginFatalError"], path: chainStart, of: ({ fatalPlugin }) => fatalPlugin },
  {
    program: "peerstrap-m3db",
    tags: ["FileError", "SinkError"],
    path: replicasStart,
    of: ({ partError }) => startFault(partError)
  },
  { program: "peerstrap-m3db", tags: ["CompositionError"], path: replicasStart, of: ({ partError }) => partError }
]

const sampleOf = (ast: Ast, choice: string | undefined): unknown => {
  const literals = literalsOf(ast)
  if (literals.length > 0) return literals.includes(choice ?? "") ? choice : literals[0]
  return ({ String: "", Number: 0, Boolean: false, Arrays: [] } as Record<string, unknown>)[ast._tag]
}

/** Exit codes by reason, as the mapping answers for an error with each of them. */
const exitCodes = async (error: TaggedError): Promise<ReadonlyArray<string>> => {
  const lines: Array<string> = []
  for (const { of, path, program } of mappings.filter(({ tags }) => tags.includes(error.name))) {
    const map = of(await load(path)) as (error: unknown) => CommandError
    const reasons = fieldsOf(error).map(([, ast]) => literalsOf(ast)).find((literals) => literals.length > 1) ?? []
    const byCode = new Map<number, Array<string>>()
    for (const reason of reasons.length === 0 ? [""] : reasons) {
      const values = Object.fromEntries(fieldsOf(error).map(([name, ast]) => [name, sampleOf(ast, reason)]))
      const { exitCode } = map(new error.class(values))
      byCode.set(exitCode, [...byCode.get(exitCode) ?? [], reason])
    }
    const all = [...byCode].toSorted(([a], [b]) => a - b).map(([exitCode, of]) =>
      byCode.size === 1 ? String(exitCode) : `${exitCode} (${of.map(code).join(" ")})`
    )
    lines.push(`Exit code in ${program}: ${all.join(", ")}.`)
  }
  return lines
}

const section = async (error: TaggedError): Promise<string> => {
  const fields = fieldsOf(error)
  const codes = await exitCodes(error)
  return `### ${error.name}\n\n${error.doc === "" ? "" : `${error.doc}\n\n`}` +
    (fields.length === 0 ? "" : table(
      ["field", "holds"],
      fields.map(([name, ast]) => [
        code(`${name}${ast.context?.isOptional === true ? "?" : ""}`),
        typeWords(ast)
      ])
    )) +
    (codes.length === 0 ? "" : `\n${codes.join("\n")}\n`)
}

export const errorsPage = async (): Promise<string> => {
  const errors = await taggedErrors()
  if (errors.length < 20) throw new Error(`only ${errors.length} tagged errors found`)
  const unknown = mappings.flatMap(({ tags }) => tags).filter((tag) => errors.every(({ name }) => name !== tag))
  if (unknown.length > 0) throw new Error(`no such errors: ${unknown.join(", ")}`)
  const packages = [...new Set(errors.map((error) => error.package))].toSorted()
  const sections: Array<string> = []
  for (const name of packages) {
    const own = errors.filter((error) => error.package === name).toSorted((a, b) => a.name < b.name ? -1 : 1)
    sections.push(`## ${name}\n\n${(await Promise.all(own.map(section))).join("\n")}`)
  }
  return page(
    "Errors",
    "Errors that the packages export, also under `/plugin`. `_tag` is the name, for `Effect.catchTag`; each has a `message`. An exit code stands where a program has one place that\n" +
      "maps the error; other commands choose by what they were doing. Programs tell every failure with what to do.",
    sections.join("\n")
  )
}
