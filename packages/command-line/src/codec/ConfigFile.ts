/**
 * The config file: one YAML document, the command's name with its flags' names under it.
 *
 *   bootstrap:
 *     peer: [a=10.0.0.1:9000, b=10.0.0.2:9000]
 *     namespace: metrics
 */
import { isAlias, isCollection, isMap, isScalar, isSeq, LineCounter, parseDocument } from "yaml"
import type { Document, Node, Scalar } from "yaml"
import type { Given } from "../contract/Flag.ts"
import type { Problem } from "../contract/Problem.ts"
import { didYouMean, shown } from "../engine/ProblemText.ts"

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

/** Bytes of a config file, which is read whole: far above any that a person writes. */
export const maxConfigBytes = 1024 * 1024

interface Reading {
  readonly document: Document
  readonly place: (node: { readonly range?: readonly [number, ...Array<number>] | null | undefined }) => string
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

const followed = ({ document }: Reading, node: Node | null | undefined): Node | null | undefined =>
  isAlias(node) ? node.resolve(document) : node

const inWords = (node: Node | null | undefined): string => isMap(node) ? "a map" : isSeq(node) ? "a list" : "nothing"

const scalarItem = (reading: Reading, node: Node | null | undefined) => {
  const at = followed(reading, node)
  if (!isScalar(at)) return undefined
  const kind = kindOf(at.value)
  if (kind === undefined) return undefined
  const text = kind === "text" ? String(at.value) : (at as Scalar & { source?: string }).source ?? String(at.value)
  return { kind, text, place: reading.place(node as Node) }
}

const readEntry = (reading: Reading, key: Scalar, value: Node | null | undefined): ConfigEntry => {
  const node = followed(reading, value)
  const entry = { name: String(key.value), place: reading.place(key), isList: isSeq(node), otherwise: inWords(node) }
  if (isSeq(node)) {
    const items = node.items.map((item) => scalarItem(reading, item as Node))
    const wrong = node.items.find((_, at) => items[at] === undefined) as Node | undefined
    return wrong === undefined && items.every((item) => item !== undefined)
      ? { ...entry, items }
      : { ...entry, items: undefined, otherwise: `a list with ${inWords(followed(reading, wrong))} in it` }
  }
  const item = scalarItem(reading, value)
  return { ...entry, items: item === undefined ? undefined : [item] }
}

/** The section of one command; other commands may have theirs in the same file. */
export const readConfig = (
  file: { readonly path: string; readonly text: string },
  commandName: string,
  commandNames: ReadonlyArray<string>
): ConfigSection => {
  const lines = new LineCounter()
  const document = parseDocument(file.text, {
    lineCounter: lines,
    intAsBigInt: true,
    uniqueKeys: true,
    prettyErrors: false
  })
  const at = (offset: number): string => {
    const { col, line } = lines.linePos(offset)
    return `${file.path}:${line}:${col}`
  }
  const problems: Array<Problem> = document.errors.map((error) => ({ where: at(error.pos[0]), message: error.message }))
  if (problems.length > 0) return { entries: [], problems }
  const reading: Reading = { document, place: (node) => at(node.range?.[0] ?? 0) }
  const root = document.contents
  if (root === null) return { entries: [], problems }
  if (!isMap(root)) {
    const message = `want a map with the command's name, e.g. ${commandName}: {…}, not ${inWords(root as Node)}`
    return { entries: [], problems: [{ where: reading.place(root), message }] }
  }
  const entries: Array<ConfigEntry> = []
  for (const { key, value } of root.items) {
    const name = isScalar(key) ? String(key.value) : ""
    const section = followed(reading, value as Node | null)
    if (!commandNames.includes(name)) {
      const near = didYouMean(name, commandNames)
      const message = `no command ${shown(name)}${near}; commands are ${commandNames.join(", ")}`
      problems.push({ where: reading.place(key as Node), message })
    } else if (name === commandName && isMap(section)) {
      for (const pair of section.items) {
        if (isScalar(pair.key)) entries.push(readEntry(reading, pair.key, pair.value as Node | null))
        else problems.push({ where: reading.place(pair.key as Node), message: "a key must be a flag's name" })
      }
    } else if (name === commandName && (isCollection(section) || (isScalar(section) && section.value !== null))) {
      problems.push({ where: reading.place(value as Node), message: "want a map of flags, e.g. namespace: metrics" })
    }
  }
  return { entries, problems }
}
