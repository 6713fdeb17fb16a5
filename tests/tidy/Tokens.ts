/**
 * Cuts TypeScript text into the tokens that the tidy rules look at. TypeScript 7 has no API to ask, and the rules need only words,
 * punctuation and string literals, so this knows just enough to skip comments, templates and regular expressions.
 */
export interface Token {
  readonly kind: "word" | "punctuation" | "string"
  /** The word or sign; for a string its content without quotes. */
  readonly text: string
  /** From 1. */
  readonly line: number
}

const wordStart = /[\p{L}_$]/u
const wordPart = /[\p{L}\p{N}_$]/u
// After these a slash begins a regular expression although a word stands before it.
const beforeRegex = new Set([
  "return",
  "typeof",
  "case",
  "in",
  "of",
  "delete",
  "void",
  "throw",
  "new",
  "else",
  "do",
  "yield",
  "await"
])

class Scanner {
  readonly tokens: Array<Token> = []
  private at = 0
  private line = 1
  private readonly text: string

  constructor(text: string) {
    this.text = text
  }

  private step(count = 1): void {
    for (let i = 0; i < count; i++) if (this.text[this.at++] === "\n") this.line++
  }

  private skipTo(end: string): void {
    while (this.at < this.text.length && !this.text.startsWith(end, this.at)) this.step()
    this.step(end.length)
  }

  private push(kind: Token["kind"], text: string, line = this.line): void {
    this.tokens.push({ kind, text, line })
  }

  private quoted(quote: string): void {
    const line = this.line
    let content = ""
    this.step()
    while (this.at < this.text.length && this.text[this.at] !== quote && this.text[this.at] !== "\n") {
      if (this.text[this.at] === "\\") this.step()
      content += this.text[this.at]
      this.step()
    }
    this.step()
    this.push("string", content, line)
  }

  private template(): void {
    this.step()
    while (this.at < this.text.length && this.text[this.at] !== "`") {
      if (this.text[this.at] === "\\") this.step(2)
      else if (this.text.startsWith("${", this.at)) {
        this.step(2)
        this.scan("}")
        this.step()
      } else this.step()
    }
    this.step()
    this.push("punctuation", "`")
  }

  private regexMayBegin(): boolean {
    const before = this.tokens.at(-1)
    if (before === undefined) return true
    if (before.kind === "word") return beforeRegex.has(before.text)
    return before.kind === "punctuation" && !/^[)\]}`]$/.test(before.text)
  }

  private regex(): void {
    let inClass = false
    this.step()
    while (this.at < this.text.length && this.text[this.at] !== "\n") {
      const char = this.text[this.at]
      if (char === "\\") this.step()
      else if (char === "[") inClass = true
      else if (char === "]") inClass = false
      else if (char === "/" && !inClass) break
      this.step()
    }
    this.step()
    this.push("punctuation", "`")
  }

  /** Scans to the end, or to the closing sign that belongs to a template's `${`. */
  scan(until?: string): void {
    let depth = 0
    while (this.at < this.text.length) {
      const char = this.text[this.at]!
      if (until !== undefined && depth === 0 && char === until) return
      if (/\s/.test(char)) this.step()
      else if (this.text.startsWith("//", this.at)) this.skipTo("\n")
      else if (this.text.startsWith("/*", this.at)) this.skipTo("*/")
      else if (char === "\"" || char === "'") this.quoted(char)
      else if (char === "`") this.template()
      else if (char === "/" && this.regexMayBegin()) this.regex()
      else if (wordStart.test(char)) {
        const start = this.at
        while (this.at < this.text.length && wordPart.test(this.text[this.at]!)) this.at++
        this.push("word", this.text.slice(start, this.at))
      } else {
        if (char === "{") depth++
        if (char === "}") depth--
        this.push("punctuation", char)
        this.step()
      }
    }
  }
}

export const tokensOf = (text: string): ReadonlyArray<Token> => {
  const scanner = new Scanner(text)
  scanner.scan()
  return scanner.tokens
}
