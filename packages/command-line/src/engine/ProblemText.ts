/** Problems as text for a person, safe for a terminal. */
import type { Problem } from "../contract/Problem.ts"

/** Control characters of what was given must not reach the terminal; long texts are cut. */
export const shown = (given: string): string => {
  const safe = JSON.stringify(given.length > 80 ? `${given.slice(0, 80)}…` : given)
  return safe.replace(/[\u007f-\u009f]/g, "?")
}

/** Each problem once: two readers of the same file find the same syntax error. */
export const withoutRepeats = (problems: ReadonlyArray<Problem>): ReadonlyArray<Problem> => [
  ...new Map(problems.map((problem) => [`${problem.where}: ${problem.message}`, problem])).values()
]

/** The whole report: one line a problem, and where the help is. */
export const formatProblems = (program: string, problems: ReadonlyArray<Problem>, helpCommand: string): string => {
  const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`
  return [
    `${program}: ${count}, nothing was started`,
    ...problems.map(({ message, where }) => `  ${where}: ${message}`),
    `All flags and examples: ${helpCommand}`,
    ""
  ].join("\n")
}

/** Edits from one word to another: letters left out, put in, exchanged, or two neighbours swapped. */
const distance = (a: string, b: string): number => {
  let before: ReadonlyArray<number> = []
  let row = Array.from({ length: b.length + 1 }, (_, at) => at)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      let least = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1))
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) least = Math.min(least, before[j - 2]! + 1)
      next.push(least)
    }
    before = row
    row = next
  }
  return row[b.length]!
}

/** The name that was most likely meant; undefined when none is near. */
export const nearest = (given: string, known: ReadonlyArray<string>): string | undefined => {
  if (given.length > 40) return undefined
  return known
    .map((name) => ({ name, far: name.startsWith(given) && given.length > 2 ? 0 : distance(given, name) }))
    .filter(({ far, name }) => far <= Math.max(1, Math.floor(name.length / 4)))
    .toSorted((a, b) => a.far - b.far)[0]?.name
}

/** `; did you mean block-size?`, or nothing when no name is near. */
export const didYouMean = (given: string, known: ReadonlyArray<string>): string => {
  const near = nearest(given, known)
  return near === undefined ? "" : `; did you mean ${near}?`
}
