/**
 * The `plugins` of a config text, YAML or JSON, with the place of everything in it.
 *
 *   plugins:
 *     - use: m3db.sink.filesets
 *       with: { out: ./data }
 *     - use: m3db.sink.columns      # from outside: a file beside the config, or an npm package
 *       from: ./ColumnSink.mjs
 *       as: columns                 # a name of its own, where a plugin has several parts
 */
import { didYouMean, shown } from "@peerstrap/command-line"
import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from "yaml"
import { hostLimits } from "../contract/Limits.ts"
import type { Problem } from "../contract/Problem.ts"

/** One plugin that is asked for. */
export interface ConfigEntry {
  readonly id: string
  /** Where its module is; undefined for plugins that the program knows. */
  readonly from: string | undefined
  /** A name of the part's own. */
  readonly as: string | undefined
  readonly config: unknown
  /** Place of the id, `config.yaml:3:10`. */
  readonly place: string
  readonly fromPlace: string
  /** Place of a value in `with`, or of the nearest thing around it. */
  readonly placeOf: (path: ReadonlyArray<PropertyKey>) => string
}

export interface ParsedConfig {
  readonly entries: ReadonlyArray<ConfigEntry>
  readonly problems: ReadonlyArray<Problem>
}

const entryKeys = ["use", "with", "from", "as"]

class Reader {
  readonly problems: Array<Problem> = []
  private readonly path: string
  private readonly lines = new LineCounter()
  private readonly document

  constructor(path: string, text: string) {
    this.path = path
    this.document = parseDocument(text, { lineCounter: this.lines, prettyErrors: false })
    for (const error of this.document.errors) {
      this.problem("syntax", this.at(error.pos[0]), error.message, "mend the YAML")
    }
  }

  problem(kind: Problem["kind"], where: string, message: string, remedy: string): void {
    this.problems.push({ kind, where, message, remedy })
  }

  at(offset: number): string {
    const { col, line } = this.lines.linePos(offset)
    return `${this.path}:${line}:${col}`
  }

  place(node: unknown): string {
    const range = (node as Node | null | undefined)?.range
    return this.at(range?.[0] ?? 0)
  }

  private followed(node: unknown): unknown {
    return isAlias(node) ? node.resolve(this.document) : node
  }

  entries(mayBeAbsent: boolean): ReadonlyArray<ConfigEntry> {
    const root = this.followed(this.document.contents)
    const list = isMap(root) ? this.followed(root.get("plugins", true)) : undefined
    if (list === undefined && mayBeAbsent) return []
    if (!isSeq(list)) {
      this.problem("syntax", this.place(list ?? root), "want a list under plugins", "write plugins: [{ use: ID }]")
      return []
    }
    if (list.items.length > hostLimits.maxParts) {
      const message = `${list.items.length} plugins, at most ${hostLimits.maxParts} are taken`
      this.problem("syntax", this.place(list), message, "leave some out")
      return []
    }
    return list.items.flatMap((item) => this.entry(this.followed(item)))
  }

  private entry(item: unknown): ReadonlyArray<ConfigEntry> {
    if (!isMap(item)) {
      this.problem("syntax", this.place(item), "want a map with use: ID", "write - use: ID")
      return []
    }
    for (const { key } of item.items) {
      const name = isScalar(key) ? String(key.value) : ""
      if (entryKeys.includes(name)) continue
      const near = didYouMean(name, entryKeys)
      this.problem(
        "unknown-key",
        this.place(key),
        `no key ${shown(name)} here${near}`,
        `keys are ${entryKeys.join(", ")}`
      )
    }
    const use = this.followed(item.get("use", true))
    const from = this.followed(item.get("from", true))
    const as = this.followed(item.get("as", true))
    if (!isScalar(use) || typeof use.value !== "string") {
      this.problem("syntax", this.place(use ?? item), "want the id of a plugin under use", "write use: ID")
      return []
    }
    const config = this.followed(item.get("with", true))
    return [{
      id: use.value,
      from: isScalar(from) && typeof from.value === "string" ? from.value : undefined,
      as: isScalar(as) && as.value !== null ? String(as.value) : undefined,
      config: config === undefined || config === null ? {} : (config as Node).toJS(this.document) ?? {},
      place: this.place(use),
      fromPlace: this.place(from ?? use),
      placeOf: (path) => this.placeOf(config ?? use, path)
    }]
  }

  private placeOf(start: unknown, path: ReadonlyArray<PropertyKey>): string {
    let node = start
    let place = this.place(node)
    for (const key of path) {
      if (isMap(node)) {
        const pair = node.items.find((each) => isScalar(each.key) && String(each.key.value) === String(key))
        if (pair === undefined) return place
        place = this.place(pair.key)
        node = this.followed(pair.value)
      } else if (isSeq(node)) {
        node = this.followed(node.items[Number(key)])
        if (node === undefined) return place
        place = this.place(node)
      } else return place
    }
    return place
  }
}

/** Never throws: what is wrong with the text are problems, with line and column. `mayBeAbsent`: there need not be `plugins`. */
export const parseConfig = (path: string, text: string, mayBeAbsent = false): ParsedConfig => {
  if (text.length > hostLimits.maxConfigBytes) {
    const message = `the config has ${text.length} characters, at most ${hostLimits.maxConfigBytes} are read`
    return { entries: [], problems: [{ kind: "syntax", where: path, message, remedy: "make it smaller" }] }
  }
  const reader = new Reader(path, text)
  return { entries: reader.problems.length > 0 ? [] : reader.entries(mayBeAbsent), problems: reader.problems }
}
