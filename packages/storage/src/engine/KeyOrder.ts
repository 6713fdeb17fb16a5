/** The order of keys: byte by byte, a prefix before what it begins. */

/** Negative, 0 or positive, as `a` comes before, is, or comes after `b`. */
export const compareKeys = (a: Uint8Array, b: Uint8Array): number => {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return a[i]! - b[i]!
  return a.length - b.length
}

/** The first key after all that begin with `prefix`, or undefined when nothing comes after them. */
export const keyAfterPrefix = (prefix: Uint8Array): Uint8Array | undefined => {
  const last = prefix.findLastIndex((byte) => byte < 255)
  if (last < 0) return undefined
  const after = prefix.slice(0, last + 1)
  after[last]!++
  return after
}
