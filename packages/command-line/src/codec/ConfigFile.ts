/**
 * The config file: one YAML document, the command's name with its flags' names under it.
 *
 *   bootstrap:
 *     peer: [a=10.0.0.1:9000, b=10.0.0.2:9000]
 *     namespace: metrics
 */
import { isCollection, isMap, isScalar, isSeq } from "yaml"
import type { Scalar } from "yaml"
import type { ConfigText } from "../contract/Command.ts"
import type { Given } from "../contract/Flag.ts"
import type { Problem } from "../contract/Problem.ts"
import { didYouMean, shown } from "../engine/ProblemText.ts"
import { readYaml, type YamlText } from "./YamlText.ts"

/** A value under a key. `items` are the scalars of a list, or the one scalar; undefined when it is neither. */
export interface ConfigEntry {
  readonly name: string
  /** `config.yaml:4:3`. */
  readonly place: string
  readonly items: ReadonlyArray<Given & { readonly place: string }> | undefined
  readonly isList: boolean
  /** What it is instead of scalars, in words. */
  readonly otherwise: string
}

/** What the file says to one command. */
export interface ConfigSection {
  readonly entries: ReadonlyArray<ConfigEntry>
  readonly problems: ReadonlyArray<Problem>
}

const kindOf = (value: unknown): Given["kind"] | undefined => {
  switch (typeof value) {
    case "string":
      return "text"
    case "bigint":
      return "integer"
    case "number":
      return "number"
    case "boolean":
      return "boolean"
    default:
      return undefined
  }
}

const inWords = (node: unknown): string => isMap(node) ? "a map" : isSeq(node) ? "a list" : "nothing"

const scalarItem = ({ followed, place }: YamlText, node: unknown) => {
  const at = followed(node)
  if (!isScalar(at)) return undefined
  const kind = kindOf(at.value)
  if (kind === undefined) return undefined
  const text = kind === "text" ? String(at.value) : at.source ?? String(at.value)
  return { kind, text, place: place(node) }
}

const readEntry = (yaml: YamlText, key: Scalar, value: unknown): ConfigEntry => {
  const node = yaml.followed(value)
  const entry = { name: String(key.value), place: yaml.place(key), isList: isSeq(node), otherwise: inWords(node) }
  if (isSeq(node)) {
    const items = node.items.map((item) => scalarItem(yaml, item))
    const wrong = node.items.find((_, at) => items[at] === undefined)
    return wrong === undefined && items.every((item) => item !== undefined)
      ? { ...entry, items }
      : { ...entry, items: undefined, otherwise: `a list with ${inWords(yaml.followed(wrong))} in it` }
  }
  const item = scalarItem(yaml, value)
  return { ...entry, items: item === undefined ? undefined : [item] }
}

/** The section of one command; other commands may have theirs in the same file. Never throws. */
export const readConfig = (
  file: ConfigText,
  commandName: string,
  commandNames: ReadonlyArray<string>
): ConfigSection => {
  const yaml = readYaml(file)
  const problems: Array<Problem> = yaml.problems.map(({ message, remedy, where }) => ({
    where,
    message: `${message}; ${remedy}`
  }))
  const { followed, place, root } = yaml
  if (root === undefined) return { entries: [], problems }
  if (!isMap(root)) {
    const message = `want a map with the command's name, e.g. ${commandName}: {…}, not ${inWords(root)}`
    return { entries: [], problems: [{ where: place(root), message }] }
  }
  const entries: Array<ConfigEntry> = []
  for (const { key, value } of root.items) {
    const name = String((key as Scalar).value)
    const section = followed(value)
    if (!commandNames.includes(name)) {
      const near = didYouMean(name, commandNames)
      const message = `this program has no command ${shown(name)}${near}; it has ${commandNames.join(", ")}`
      problems.push({ where: place(key), message })
    } else if (name === commandName && isMap(section)) {
      entries.push(...section.items.map((pair) => readEntry(yaml, pair.key as Scalar, pair.value)))
    } else if (name === commandName && (isCollection(section) || (isScalar(section) && section.value !== null))) {
      problems.push({ where: place(value), message: "want a map of flags, e.g. namespace: metrics" })
    }
  }
  return { entries, problems }
}
