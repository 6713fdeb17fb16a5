/** Names of a journal's segments: the number of the first record in 16 hexadecimal digits, so that names in order are records in order. */
const pattern = /^[0-9a-f]{16}\.journal$/

export const segmentName = (first: number): string => `${first.toString(16).padStart(16, "0")}.journal`

/** The number in the name of a segment, or undefined for any other file. */
export const firstOfName = (name: string): number | undefined => {
  if (!pattern.test(name)) return undefined
  const first = Number.parseInt(name.slice(0, 16), 16)
  return Number.isSafeInteger(first) ? first : undefined
}
