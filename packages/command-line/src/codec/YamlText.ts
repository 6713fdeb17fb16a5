/**
 * A YAML text (JSON is one, too) within bounds of size, depth and time, with the place of everything in it. All that reads a config file
 * reads it through here, so that it is refused in the same words whoever looks.
 */
import { Composer, type Document, isAlias, isMap, isScalar, isSeq, Lexer, LineCounter, type Node, Parser } from "yaml"
import type { ConfigText } from "../contract/Command.ts"
import { configLimits } from "../contract/ConfigLimits.ts"
import { shown } from "../engine/ProblemText.ts"

const { maxConfigBytes, maxConfigDepth, maxConfigTokens } = configLimits

/** What is wrong with the text, with its place and what to do. */
export interface YamlProblem {
  /** `config.yaml:4:7`. */
  readonly where: string
  readonly message: string
  readonly remedy: string
}

/** A text that was read. Its integers are `bigint`. */
export interface YamlText {
  /** Undefined when the text is empty, or wrong. */
  readonly root: Node | undefined
  /** With one of them there is no root. */
  readonly problems: ReadonlyArray<YamlProblem>
  /** `config.yaml:4:7`; the beginning of the text for what is not in it. */
  readonly place: (node: unknown) => string
  /** What an alias stands for; anything else as it is. */
  readonly followed: (node: unknown) => unknown
}

/** Problems of one text that are told; a file that is no YAML at all can have one a character. */
const toldProblems = 100

/** Characters of one: some repeat what the text says, whatever its length. */
const toldCharacters = 200

/** The document of which the text is more than the stack of the parser may hold: itself and one scalar. */
const stackAroundCollections = 2

const tooDeep = `maps and lists are more than ${maxConfigDepth} deep, aliases written out`

const inWords = (node: unknown): string => isMap(node) ? "a map" : isSeq(node) ? "a list" : "nothing"

/** How much a node is when every alias in it is written out. */
interface Extent {
  readonly values: number
  readonly depth: number
}

/** One pass over the nodes in the order of the text: aliases find what they stand for, keys are compared. */
class Walk {
  readonly problems: Array<YamlProblem> = []
  readonly targets = new Map<unknown, Node>()
  private readonly anchors = new Map<string, Node>()
  private readonly open = new Set<Node>()
  private readonly extents = new Map<Node, Extent>()
  private readonly place: (node: unknown) => string
  private isTold = false

  constructor(place: (node: unknown) => string) {
    this.place = place
  }

  private problem(node: unknown, message: string, remedy: string): void {
    this.problems.push({ where: this.place(node), message, remedy })
  }

  walk(node: unknown): Extent {
    const leaf = { values: 1, depth: 0 }
    if (isAlias(node)) {
      const target = this.anchors.get(node.source)
      if (target === undefined) {
        this.problem(
          node,
          `nothing above has the anchor &${shown(node.source).slice(1, -1)}`,
          "name one, or quote the *"
        )
        return leaf
      }
      if (this.open.has(target)) {
        this.problem(node, `*${shown(node.source).slice(1, -1)} stands for what it is a part of`, "write it out")
        return leaf
      }
      this.targets.set(node, target)
      return this.extents.get(target)!
    }
    if (!isScalar(node) && !isMap(node) && !isSeq(node)) return leaf
    if (node.anchor !== undefined) this.anchors.set(node.anchor, node)
    const extent = isScalar(node) ? leaf : this.inside(node)
    this.extents.set(node, extent)
    return extent
  }

  private inside(node: Node): Extent {
    this.open.add(node)
    const extents = isMap(node)
      ? this.pairs(node)
      : isSeq(node)
      ? node.items.map((item) => this.walk(item))
      : []
    this.open.delete(node)
    const values = extents.reduce((sum, each) => sum + each.values, 1)
    const depth = extents.reduce((most, each) => Math.max(most, each.depth), 0) + 1
    if (!this.isTold && (values > maxConfigTokens || depth > maxConfigDepth)) {
      this.isTold = true
      this.problem(
        node,
        values > maxConfigTokens
          ? `has more than ${maxConfigTokens} values when its aliases are written out`
          : tooDeep,
        "make it simpler"
      )
    }
    return { values, depth }
  }

  private pairs(map: { readonly items: ReadonlyArray<{ readonly key: unknown; readonly value: unknown }> }) {
    const seen = new Map<string, unknown>()
    return map.items.map(({ key, value }) => {
      if (!isScalar(key) || typeof key.value === "symbol" || key.value === null) {
        const what = isAlias(key) ? "an alias" : inWords(key)
        this.problem(key ?? map, `a key must be a word, not ${what}`, "write KEY: VALUE")
      } else {
        const name = String(key.value)
        const before = seen.get(name)
        if (before !== undefined) {
          const message = `map keys must be unique: ${shown(name)} is at ${this.place(before)} already`
          this.problem(key, message, "leave one of them out")
        }
        seen.set(name, key)
        this.walk(key)
      }
      return this.walk(value)
    })
  }
}

/** The document as far as the bounds allow; a text when they do not. */
const documentOf = (
  text: string,
  lines: LineCounter
): Document | { readonly offset: number; readonly message: string } => {
  const parser = new Parser(lines.addNewLine)
  lines.addNewLine(0)
  const tokens = []
  let count = 0
  for (const lexeme of new Lexer().lex(text)) {
    for (const token of parser.next(lexeme)) tokens.push(token)
    if (++count > maxConfigTokens) {
      return { offset: parser.offset, message: `the config has more than ${maxConfigTokens} words and signs` }
    }
    if (parser.stack.length > maxConfigDepth + stackAroundCollections) {
      return { offset: parser.offset, message: tooDeep }
    }
  }
  for (const token of parser.end()) tokens.push(token)
  const composer = new Composer({
    intAsBigInt: true,
    // Ours are found in one pass: theirs compare every key with every other.
    uniqueKeys: false,
    prettyErrors: false,
    resolveKnownTags: false
  })
  const [document, second] = composer.compose(tokens, true, text.length)
  return second === undefined ? document! : { offset: second.range[0], message: "a second document begins here" }
}

const byteCount = (text: string): number =>
  // Three bytes a UTF-16 unit are the most.
  text.length * 3 <= maxConfigBytes || text.length > maxConfigBytes
    ? text.length
    : new TextEncoder().encode(text).length

/** Never throws: what is wrong with the text are problems, with line and column. */
export const readYaml = ({ path, text }: ConfigText): YamlText => {
  const lines = new LineCounter()
  const at = (offset: number): string => {
    const { col, line } = lines.linePos(offset)
    return `${path}:${line}:${col}`
  }
  const place = (node: unknown): string => at((node as Partial<Node> | null | undefined)?.range?.[0] ?? 0)
  const refused = (problems: ReadonlyArray<YamlProblem>): YamlText => ({
    root: undefined,
    problems,
    place,
    followed: (node) => node
  })
  if (byteCount(text) > maxConfigBytes) {
    const message = `the config is longer than ${maxConfigBytes} bytes`
    return refused([{ where: path, message, remedy: "make it smaller" }])
  }
  const document = documentOf(text, lines)
  if ("message" in document) {
    return refused([{ where: at(document.offset), message: document.message, remedy: "make it simpler" }])
  }
  const wrong = [...document.errors, ...document.warnings]
  if (wrong.length > 0) {
    const remedy = "mend the YAML"
    const told = wrong.slice(0, toldProblems).map(({ message, pos }) => ({
      where: at(pos[0]),
      message: message.slice(0, toldCharacters).replace(/\p{Cc}/gu, "?"),
      remedy
    }))
    const further = wrong.length - told.length
    const more = { where: path, message: `${further} further problems of YAML are not told`, remedy }
    return refused(further === 0 ? told : [...told, more])
  }
  const walk = new Walk(place)
  walk.walk(document.contents)
  if (walk.problems.length > 0) return refused(walk.problems)
  return {
    root: document.contents ?? undefined,
    problems: [],
    place,
    followed: (node) => walk.targets.get(node) ?? node
  }
}
