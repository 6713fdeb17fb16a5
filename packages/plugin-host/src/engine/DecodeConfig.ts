/** Decodes a part's config and tells everything that is wrong with it, each with the path into it. */
import { didYouMean, shown } from "@peerstrap/command-line"
import * as Cause from "effect/Cause"
import * as Exit from "effect/Exit"
import * as SchemaIssue from "effect/SchemaIssue"
import * as SchemaParser from "effect/SchemaParser"
import type { PlacedPart } from "../contract/Composition.ts"
import type { Problem } from "../contract/Problem.ts"
import { configKeys } from "./ConfigKeys.ts"

export type DecodedConfig = { readonly config: unknown } | { readonly problems: ReadonlyArray<Problem> }

/** What marks an issue as an unknown key among the formatted ones. */
const unexpectedKey = "\u0000unexpected key"

const format = SchemaIssue.makeFormatterStandardSchemaV1({
  leafHook: (issue) => issue._tag === "UnexpectedKey" ? unexpectedKey : SchemaIssue.defaultLeafHook(issue)
})

const keyOf = (segment: unknown): PropertyKey =>
  typeof segment === "object" && segment !== null && "key" in segment
    ? segment.key as PropertyKey
    : segment as PropertyKey

export const decodeConfig = (part: PlacedPart): DecodedConfig => {
  const { plugin } = part
  const exit = SchemaParser.decodeExit(plugin.config, {
    errors: "all",
    onExcessProperty: "error",
    reportInput: true
  })(part.config ?? {})
  if (Exit.isSuccess(exit)) return { config: exit.value }
  const issue = Cause.findErrorOption(exit.cause)
  if (issue._tag === "None") throw new Error(`config schema of plugin ${plugin.id}: ${Cause.pretty(exit.cause)}`)
  const { issues } = format(issue.value)
  return {
    problems: issues.map((each): Problem => {
      const path = (each.path ?? []).map(keyOf)
      const where = part.where(path)
      const name = path.length === 0 ? "config" : path.map(String).join(".")
      if (each.message !== unexpectedKey) {
        return { kind: "config", where, message: `${name} of ${plugin.id}: ${each.message}`, remedy: "" }
      }
      const known = configKeys(plugin.config, path.slice(0, -1))
      return {
        kind: "unknown-key",
        where,
        message: `${plugin.id} has no key ${shown(name)}${didYouMean(String(path.at(-1)), known)}`,
        remedy: known.length === 0 ? "it has no config" : `keys are ${known.join(", ")}`
      }
    })
  }
}
