/** Finds what a module imports: static and dynamic imports, re-exports, over as many lines as they take. */
import { type Token, tokensOf } from "./Tokens.ts"

export interface Import {
  readonly specifier: string
  readonly line: number
  /** `import type` and `export type` vanish at run time; `import { type X }` does not, under verbatimModuleSyntax. */
  readonly typeOnly: boolean
  readonly kind: "static" | "dynamic" | "re-export"
}

const isWord = (token: Token | undefined, text: string): boolean => token?.kind === "word" && token.text === text
const isSign = (token: Token | undefined, text: string): boolean => token?.kind === "punctuation" && token.text === text

// A clause between the keyword and `from` holds only names, braces, commas, stars and quoted names.
const fromAfter = (tokens: ReadonlyArray<Token>, start: number): Token | undefined => {
  for (let i = start; i < tokens.length; i++) {
    const token = tokens[i]!
    if (isWord(token, "from") && tokens[i + 1]?.kind === "string") return tokens[i + 1]
    if (token.kind === "punctuation" && !"{},*".includes(token.text)) return undefined
  }
  return undefined
}

export const importsIn = (tokens: ReadonlyArray<Token>): ReadonlyArray<Import> => {
  const found: Array<Import> = []
  const add = (source: Token | undefined, typeOnly: boolean, kind: Import["kind"]): void => {
    if (source?.kind === "string") found.push({ specifier: source.text, line: source.line, typeOnly, kind })
  }
  for (const [i, token] of tokens.entries()) {
    if (isSign(tokens[i - 1], ".")) continue
    const next = tokens[i + 1]
    if (isWord(token, "import")) {
      if (isSign(next, "(")) add(tokens[i + 2], false, "dynamic")
      else if (next?.kind === "string") add(next, false, "static")
      else if (!isSign(next, ".")) {
        const typeOnly = isWord(next, "type") && !isWord(tokens[i + 2], "from") && !isSign(tokens[i + 2], ",")
        add(fromAfter(tokens, i + 1), typeOnly, "static")
      }
    } else if (isWord(token, "export")) {
      const typeOnly = isWord(next, "type")
      const clause = typeOnly ? tokens[i + 2] : next
      if (isSign(clause, "{") || isSign(clause, "*")) {
        add(fromAfter(tokens, i + (typeOnly ? 2 : 1)), typeOnly, "re-export")
      }
    } else if (isWord(token, "require") && isSign(next, "(")) add(tokens[i + 2], false, "dynamic")
  }
  return found
}

export const importsOf = (text: string): ReadonlyArray<Import> => importsIn(tokensOf(text))
