/** A level from text: what `set-level` carries, what a level file holds, what a flag says. */
import { type Level, levels, UnknownLevelError } from "../contract/Level.ts"
import { Limits } from "../contract/Limits.ts"

/** Tells whether a text is exactly the name of a level. */
export const isLevel = (text: string): text is Level => (levels as ReadonlyArray<string>).includes(text)

/** Surrounding whitespace is allowed, nothing else. The error lists the six words, and the one that was probably meant. */
export const parseLevel = (text: string): Level | UnknownLevelError => {
  const word = text.trim()
  if (isLevel(word)) return word
  const given = word.length > Limits.quotedCharacters ? `${word.slice(0, Limits.quotedCharacters)}…` : word
  const meant = word.toLowerCase().replaceAll(/[- ]/g, "_")
  const hint = isLevel(meant) ? `; did you mean ${meant}?` : ""
  const said = word === "" ? "no consistency level given" : `${JSON.stringify(given)} is not a consistency level`
  return new UnknownLevelError({ given, message: `${said}; use one of ${levels.join(", ")}${hint}` })
}
