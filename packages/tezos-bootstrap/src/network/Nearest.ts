/** The name that was most likely meant: the only thing that is worth saying first about a name that is not known. */

/** Letters to insert, leave out or replace, case aside. */
const distance = (a: string, b: string): number => {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at)
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1]
    for (let j = 0; j < b.length; j++) {
      const replaced = row[j]! + (a[i] === b[j] ? 0 : 1)
      next.push(Math.min(replaced, row[j + 1]! + 1, next[j]! + 1))
    }
    row = next
  }
  return row[b.length]!
}

/** Longer texts are no misspelt names. */
const longest = 40

/** `; did you mean mainnet?`, or nothing when no name is near. */
export const didYouMean = (given: string, known: ReadonlyArray<string>): string => {
  if (given.length > longest) return ""
  const near = known
    .map((name) => ({ name, far: distance(given.toLowerCase(), name.toLowerCase()) }))
    .filter(({ far, name }) => far <= Math.max(1, Math.floor(name.length / 4)))
    .toSorted((a, b) => a.far - b.far)[0]
  return near === undefined ? "" : `; did you mean ${near.name}?`
}
