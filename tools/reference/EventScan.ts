/**
 * Finds the events that programs tell, by looking at the places in the sources that tell them. TypeScript 7 has no API to ask, so it goes by
 * tokens: the calls are few and alike. A call whose name is no literal is reported, so that none is missed in silence.
 */
import { type Token, tokensOf } from "../../tests/tidy/Tokens.ts"

export interface FoundEvent {
  readonly name: string
  /** Undefined: the fields are a value that is named elsewhere. A spread is `…`. */
  readonly fields: ReadonlyArray<string> | undefined
  /** Told by a plugin through its runtime: programs decide what becomes of it. */
  readonly byPlugin: boolean
  readonly path: string
  readonly line: number
}

export interface Unnamed {
  readonly path: string
  readonly line: number
}

const opening = new Set(["(", "[", "{"])
const closing = new Set([")", "]", "}"])

const isSign = (token: Token | undefined, text: string): boolean => token?.kind === "punctuation" && token.text === text
const isWord = (token: Token | undefined, text: string): boolean => token?.kind === "word" && token.text === text

/** Tokens of the arguments of a call, or of the members of an object, `at` being behind the opening sign. */
const partsOf = (tokens: ReadonlyArray<Token>, at: number): ReadonlyArray<ReadonlyArray<Token>> => {
  const parts: Array<Array<Token>> = [[]]
  let depth = 0
  for (let i = at; i < tokens.length; i++) {
    const token = tokens[i]!
    const isPunctuation = token.kind === "punctuation"
    if (isPunctuation && closing.has(token.text) && depth-- === 0) break
    if (isPunctuation && opening.has(token.text)) depth++
    if (isPunctuation && token.text === "," && depth === 0) parts.push([])
    else parts.at(-1)!.push(token)
  }
  return parts.filter((part) => part.length > 0)
}

const fieldsIn = (part: ReadonlyArray<Token> | undefined): ReadonlyArray<string> | undefined =>
  part === undefined || !isSign(part[0], "{")
    ? undefined
    : partsOf(part, 1).map(([first, second]) => isSign(first, ".") || isSign(second, ".") ? "…" : first!.text)

/** Literals that an argument may be: one, or both of `a ? "x" : "y"`. */
const literalsIn = (part: ReadonlyArray<Token> | undefined): ReadonlyArray<string> => {
  const question = part?.findIndex((token) => isSign(token, "?")) ?? -1
  const strings = (part?.slice(question + 1) ?? []).filter(({ kind }) => kind === "string").map(({ text }) => text)
  return question >= 0 || part?.length === 1 ? strings : []
}

const memberOf = (parts: ReadonlyArray<ReadonlyArray<Token>>, name: string): ReadonlyArray<Token> | undefined =>
  parts.find(([first, second]) => isWord(first, name) && isSign(second, ":"))?.slice(2)

/** A function of the file that hands on a note whose name it was given. */
const hasNoteForwarder = (tokens: ReadonlyArray<Token>): boolean =>
  tokens.some((token, i) =>
    isWord(token, "_tag") && tokens[i + 2]?.text === "note" && isWord(tokens[i + 4], "name") &&
    isSign(tokens[i + 5], ",")
  )

/** What one call tells, `at` being behind its opening parenthesis: name and fields, or one object with the name under `kind`. */
const toldAt = (tokens: ReadonlyArray<Token>, at: number, form: "name, fields" | "kind") => {
  const [first, second] = partsOf(tokens, at)
  if (form === "name, fields") return { names: literalsIn(first), fields: fieldsIn(second) }
  const members = partsOf(first ?? [], 1)
  // Programs show ids of blocks as the hashes that people know.
  const fields = members.filter(([name]) => !isWord(name, "kind")).map(([name]) =>
    name!.text === "id" ? "hash" : name!.text
  )
  return { names: literalsIn(memberOf(members, "kind")), fields }
}

/** `{ _tag: "note", name: "x", fields: {…} }`, `at` being its first member. */
const noteAt = (tokens: ReadonlyArray<Token>, at: number) => {
  const members = partsOf(tokens, at)
  return { names: literalsIn(memberOf(members, "name")), fields: fieldsIn(memberOf(members, "fields")) }
}

const tellingAt = (tokens: ReadonlyArray<Token>, i: number, notes: boolean) => {
  const token = tokens[i]!
  const isCall = isSign(tokens[i + 1], "(")
  const isMember = isCall && isSign(tokens[i - 1], ".")
  if (isWord(token, "event") && (isMember || (isCall && tokens[i + 2]?.kind === "string"))) {
    return toldAt(tokens, i + 2, "name, fields")
  }
  // `onNote?.("name", …)`: an observer that may be absent.
  const observer = isWord(token, "onNote") && isSign(tokens[i + 1], "?") && isSign(tokens[i + 3], "(")
    ? i + 4
    : undefined
  if (observer !== undefined && tokens[observer]?.kind === "string") return toldAt(tokens, observer, "name, fields")
  if (isWord(token, "note") && isMember && notes) return toldAt(tokens, i + 2, "name, fields")
  if (isWord(token, "notice") && isMember) return toldAt(tokens, i + 2, "kind")
  const isNote = isWord(token, "_tag") && isSign(tokens[i + 1], ":") && tokens[i + 2]?.text === "note"
  return isNote && memberOf(partsOf(tokens, i), "name") !== undefined ? noteAt(tokens, i) : undefined
}

/** Events that a module tells, and calls that hand on a name which is not written there. */
export const eventsIn = (path: string, text: string) => {
  const tokens = tokensOf(text)
  const notes = hasNoteForwarder(tokens)
  const found: Array<FoundEvent> = []
  const unnamed: Array<Unnamed> = []
  for (let i = 0; i < tokens.length; i++) {
    const told = tellingAt(tokens, i, notes)
    if (told === undefined) continue
    const { line } = tokens[i]!
    const byPlugin = isWord(tokens[i - 2], "runtime")
    for (const name of told.names) found.push({ name, fields: told.fields, byPlugin, path, line })
    if (told.names.length === 0) unnamed.push({ path, line })
  }
  return { found, unnamed }
}
