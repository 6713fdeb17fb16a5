/** Names of the keys that a config Schema knows, for suggestions and for `explain`. */
import * as Schema from "effect/Schema"
import type * as SchemaAST from "effect/SchemaAST"
import type { ConfigSchema } from "../contract/Plugin.ts"

const astAt = (ast: SchemaAST.AST, path: ReadonlyArray<PropertyKey>): SchemaAST.AST | undefined => {
  if (path.length === 0) return ast
  if (ast._tag !== "Objects") return undefined
  const next = ast.propertySignatures.find(({ name }) => name === path[0])
  return next === undefined ? undefined : astAt(next.type, path.slice(1))
}

/** Keys of the struct at `path`, as they are written in a config file; empty when it is no struct. */
export const configKeys = (schema: ConfigSchema, path: ReadonlyArray<PropertyKey> = []): ReadonlyArray<string> => {
  const ast = astAt(Schema.toEncoded(schema).ast, path)
  return ast?._tag === "Objects" ? ast.propertySignatures.map(({ name }) => String(name)) : []
}

/** What the key at `path` is for, from its annotation; empty when it has none. */
export const configKeyDescription = (schema: ConfigSchema, path: ReadonlyArray<PropertyKey>): string => {
  const description = astAt(Schema.toEncoded(schema).ast, path)?.annotations?.["description"]
  return typeof description === "string" ? description : ""
}

/** Whether a config is a struct without keys. */
export const hasNoKeys = (schema: ConfigSchema): boolean => {
  const { ast } = Schema.toEncoded(schema)
  return ast._tag === "Objects" && ast.propertySignatures.length === 0 && ast.indexSignatures.length === 0
}
