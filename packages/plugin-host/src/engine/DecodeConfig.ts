/** Decodes a part's config and tells everything that is wrong with it, each with the path into it. */
import { didYouMean, nearest, shown } from "@peerstrap/command-line"
import * as Cause from "effect/Cause"
import * as Exit from "effect/Exit"
import * as SchemaIssue from "effect/SchemaIssue"
import * as SchemaParser from "effect/SchemaParser"
import type { PlacedPart } from "../contract/Composition.ts"
import type { Problem } from "../contract/Problem.ts"
import { configKeyDescription, configKeys, hasNoKeys } from "./ConfigKeys.ts"

export type DecodedConfig = { readonly config: unknown } | { readonly problems: ReadonlyArray<Problem> }

/** What marks these issues among the formatted ones. */
const marks = { UnexpectedKey: "\u0000unexpected key", MissingKey: "\u0000missing key" } as const

const format = SchemaIssue.makeFormatterStandardSchemaV1({
  leafHook: (issue) =>
    issue._tag === "UnexpectedKey" || issue._tag === "MissingKey"
      ? marks[issue._tag]
      : SchemaIssue.defaultLeafHook(issue)
})

const keyOf = (segment: unknown): PropertyKey =>
  typeof segment === "object" && segment !== null && "key" in segment
    ? segment.key as PropertyKey
    : segment as PropertyKey

const isRecord = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** An empty struct takes anything: what is given to a plugin without a config is told here. */
const givenInVain = ({ config, plugin, where }: PlacedPart): ReadonlyArray<Problem> => {
  if (!hasNoKeys(plugin.config) || config === undefined || config === null) return []
  const remedy = "it has no config"
  if (!isRecord(config)) {
    const what = Array.isArray(config) ? "a list" : shown(String(config))
    const message = `${plugin.id} takes no config, and ${what} is given`
    return [{ kind: "config", where: where([]), message, remedy: "leave it out" }]
  }
  return Object.keys(config).map((key) => ({
    kind: "unknown-key",
    where: where([key]),
    message: `${plugin.id} has no key ${shown(key)}`,
    remedy
  }))
}

export const decodeConfig = (part: PlacedPart): DecodedConfig => {
  const { plugin } = part
  const surplus = givenInVain(part)
  if (surplus.length > 0) return { problems: surplus }
  const exit = SchemaParser.decodeExit(plugin.config, {
    errors: "all",
    onExcessProperty: "error",
    reportInput: true
  })(part.config ?? {})
  if (Exit.isSuccess(exit)) return { config: exit.value }
  const issue = Cause.findErrorOption(exit.cause)
  if (issue._tag === "None") throw new Error(`config schema of plugin ${plugin.id}: ${Cause.pretty(exit.cause)}`)
  const issues = format(issue.value).issues.map((each) => ({ ...each, path: (each.path ?? []).map(keyOf) }))
  // A key that is written wrongly is missing as well: that is one problem.
  const meant = new Set<string>()
  const problems = issues.map(({ message, path }): Problem & { readonly missing?: string } => {
    const where = part.where(path)
    const name = path.length === 0 ? "config" : path.map(String).join(".")
    if (message === marks.MissingKey) {
      const about = configKeyDescription(plugin.config, path)
      const remedy = about === "" ? `write ${name}` : about
      return { kind: "missing-key", where, message: `${plugin.id} needs the key ${name}`, remedy, missing: name }
    }
    if (message !== marks.UnexpectedKey) {
      return { kind: "config", where, message: `${name} of ${plugin.id}: ${message}`, remedy: "" }
    }
    const known = configKeys(plugin.config, path.slice(0, -1))
    const near = nearest(String(path.at(-1)), known)
    if (near !== undefined) meant.add([...path.slice(0, -1), near].map(String).join("."))
    return {
      kind: "unknown-key",
      where,
      message: `${plugin.id} has no key ${shown(name)}${didYouMean(String(path.at(-1)), known)}`,
      remedy: `keys are ${known.join(", ")}`
    }
  })
  return {
    problems: problems.filter(({ missing }) => missing === undefined || !meant.has(missing))
      .map(({ kind, message, remedy, where }) => ({ kind, message, remedy, where }))
  }
}
