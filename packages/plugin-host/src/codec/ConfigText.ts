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
import { didYouMean, nearest, readYaml, shown, type YamlText } from "@peerstrap/command-line"
import { isMap, isScalar, isSeq, type Pair, type YAMLMap } from "yaml"
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
  /** Place of a value in `with`, or of the nearest thing around it: of `with` itself for no path. */
  readonly placeOf: (path: ReadonlyArray<PropertyKey>) => string
}

/** What stands under `plugins`, and what is wrong with it. */
export interface ParsedConfig {
  readonly entries: ReadonlyArray<ConfigEntry>
  readonly problems: ReadonlyArray<Problem>
  /** There is something that could not be read as an entry: nobody knows what it would provide. */
  readonly hasLost: boolean
}

/** How a text is read. */
export interface ParseOptions {
  /** There need not be `plugins`. */
  readonly mayBeAbsent?: boolean
  /** Somebody else tells what is wrong with the keys beside `plugins`. Without it, one that looks like `plugins` is told. */
  readonly keysAreTold?: boolean
}

const entryKeys = ["use", "with", "from", "as"] as const
type EntryKey = (typeof entryKeys)[number]

type ProblemAt = (kind: Problem["kind"], where: unknown, message: string, remedy: string) => void

const inWords = (node: unknown): string => {
  if (isMap(node)) return "a map"
  if (isSeq(node)) return "a list"
  const value = isScalar(node) ? node.value : undefined
  if (value === null || value === undefined) return "nothing"
  return typeof value === "string" ? shown(value) : String(value)
}

/** A value as JSON would give it. */
const plain = (yaml: YamlText, problem: ProblemAt, node: unknown): unknown => {
  const at = yaml.followed(node)
  if (isMap(at)) {
    return Object.fromEntries(at.items.map(({ key, value }) => [nameOf(key), plain(yaml, problem, value)]))
  }
  if (isSeq(at)) return at.items.map((item) => plain(yaml, problem, item))
  if (!isScalar(at)) return null
  if (typeof at.value !== "bigint") return at.value
  if (BigInt(Number(at.value)) !== at.value || !Number.isSafeInteger(Number(at.value))) {
    const message =
      `${shown(at.source ?? String(at.value)).slice(1, -1)} is beyond the integers that are kept exactly, ` +
      `${Number.MAX_SAFE_INTEGER} on both sides of 0`
    problem("config", node, message, "put it in quotes, if the key takes a text")
  }
  return Number(at.value)
}

const nameOf = (key: unknown): string => isScalar(key) ? String(key.value) : ""

class Reader {
  readonly problems: Array<Problem> = []
  hasLost = false
  private readonly yaml: YamlText
  private readonly indices = new Map<YAMLMap, ReadonlyMap<string, Pair>>()

  constructor(path: string, text: string) {
    this.yaml = readYaml({ path, text })
    for (const problem of this.yaml.problems) this.problems.push({ kind: "syntax", ...problem })
  }

  private readonly problem: ProblemAt = (kind, node, message, remedy) => {
    this.problems.push({ kind, where: this.yaml.place(node), message, remedy })
  }

  /** Tells what is there instead of an entry, or of all. */
  private lost(node: unknown, message: string, remedy: string): ReadonlyArray<ConfigEntry> {
    this.hasLost = true
    this.problem("syntax", node, message, remedy)
    return []
  }

  /** The pairs of a map by key: a place is asked for each problem, and a map may have many keys. */
  private pairs(map: YAMLMap): ReadonlyMap<string, Pair> {
    const known = this.indices.get(map)
    if (known !== undefined) return known
    const made = new Map(map.items.map((pair) => [nameOf(pair.key), pair as Pair]))
    this.indices.set(map, made)
    return made
  }

  entries({ keysAreTold = false, mayBeAbsent = false }: ParseOptions): ReadonlyArray<ConfigEntry> {
    const { followed, root } = this.yaml
    const pair = isMap(root) ? this.pairs(root).get("plugins") : undefined
    if (pair === undefined) {
      const isEmpty = root === undefined || (isScalar(root) && root.value === null)
      const misspelt = isMap(root)
        ? root.items.find(({ key }) => nearest(nameOf(key), ["plugins"]) !== undefined)
        : undefined
      if (mayBeAbsent && (keysAreTold || isEmpty || (isMap(root) && misspelt === undefined))) return []
      return misspelt === undefined
        ? this.lost(root, "want a list under plugins", "write plugins: [{ use: ID }]")
        : this.lost(misspelt.key, `no key ${shown(nameOf(misspelt.key))} here; did you mean plugins?`, "write plugins")
    }
    const list = followed(pair.value)
    if (!isSeq(list)) {
      return this.lost(pair.value ?? pair.key, "want a list under plugins", "write plugins: [{ use: ID }]")
    }
    if (list.items.length > hostLimits.maxParts) {
      const message = `${list.items.length} plugins, at most ${hostLimits.maxParts} are taken`
      return this.lost(list, message, "leave some out")
    }
    return list.items.flatMap((item) => this.entry(followed(item)))
  }

  /** What stands under each key, also under one that is written wrongly: then what is wrong behind it is told in the same report. */
  private values(item: YAMLMap): Partial<Readonly<Record<EntryKey, Pair>>> {
    const found: Partial<Record<EntryKey, Pair>> = {}
    const meant: Partial<Record<EntryKey, Pair>> = {}
    for (const [name, pair] of this.pairs(item)) {
      const key = entryKeys.find((each) => each === name)
      if (key !== undefined) {
        found[key] = pair
        continue
      }
      const near = nearest(name, entryKeys) as EntryKey | undefined
      if (near !== undefined && this.isFit(near, pair.value)) meant[near] = pair
      this.problem(
        "unknown-key",
        pair.key,
        `no key ${shown(name)} here${didYouMean(name, entryKeys)}`,
        `keys are ${entryKeys.join(", ")}`
      )
    }
    return { ...meant, ...found }
  }

  private isFit(key: EntryKey, value: unknown): boolean {
    const node = this.yaml.followed(value)
    return key === "with" ? isMap(node) : isScalar(node) && typeof node.value === "string" && node.value !== ""
  }

  /** The text under a key; undefined with a problem when it is something else. */
  private text({ key, value }: Pair, want: string, remedy: string): string | undefined {
    const node = this.yaml.followed(value)
    if (isScalar(node) && typeof node.value === "string" && node.value !== "") return node.value
    const is = isScalar(node) && node.value === "" ? "an empty text" : inWords(node)
    this.problem("syntax", value ?? key, `want ${want} under ${nameOf(key)}, not ${is}`, remedy)
    return undefined
  }

  private entry(item: unknown): ReadonlyArray<ConfigEntry> {
    if (!isMap(item)) return this.lost(item, "want a map with use: ID", "write - use: ID")
    const { as, from, use, with: given } = this.values(item)
    if (use === undefined) return this.lost(item, "want the id of a plugin under use", "write use: ID")
    const id = this.text(use, "the id of a plugin", "write use: ID")
    const module = from === undefined
      ? undefined
      : this.text(
        from,
        "a file or an npm package",
        "write from: ./FILE.ts, or leave it out for a plugin of the program"
      )
    const name = as === undefined ? undefined : this.text(as, "a name in letters", "write as: NAME; a number in quotes")
    const config = given === undefined ? undefined : plain(this.yaml, this.problem, given.value)
    // Not the program's own plugin of that id: another was asked for.
    if (id === undefined || (from !== undefined && module === undefined)) {
      this.hasLost = true
      return []
    }
    return [{
      id,
      from: module,
      as: name,
      config: config ?? {},
      place: this.yaml.place(use.value),
      fromPlace: this.yaml.place(from?.value ?? use.value),
      placeOf: (path) => this.placeOf(given?.value ?? use.value, path)
    }]
  }

  private placeOf(start: unknown, path: ReadonlyArray<PropertyKey>): string {
    const { followed, place } = this.yaml
    let node = followed(start)
    let found = place(start)
    for (const key of path) {
      if (isMap(node)) {
        const pair = this.pairs(node).get(String(key))
        if (pair === undefined) return found
        found = place(pair.key)
        node = followed(pair.value)
      } else if (isSeq(node)) {
        const item = node.items[Number(key)]
        if (item === undefined) return found
        found = place(item)
        node = followed(item)
      } else return found
    }
    return found
  }
}

/** Never throws: what is wrong with the text are problems, with line and column. */
export const parseConfig = (path: string, text: string, options: ParseOptions = {}): ParsedConfig => {
  const reader = new Reader(path, text)
  const hasRead = reader.problems.length === 0
  const entries = hasRead ? reader.entries(options) : []
  return { entries, problems: reader.problems, hasLost: reader.hasLost || !hasRead }
}
