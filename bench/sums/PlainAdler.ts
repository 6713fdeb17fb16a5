/** Adler-32 as a plain JavaScript loop, unrolled by hand: the rival of S5, and what the hand-written reader of S1 uses. */

/** Continues `previous` (1 to begin) over `bytes[from, to)`. */
export const plainAdler = (previous: number, bytes: Uint8Array, from: number, to: number): number => {
  let a = previous & 0xffff
  let b = previous >>> 16
  let p = from
  while (p < to) {
    const stop = Math.min(p + 3800, to)
    for (; p + 8 <= stop; p += 8) {
      a += bytes[p]!
      b += a
      a += bytes[p + 1]!
      b += a
      a += bytes[p + 2]!
      b += a
      a += bytes[p + 3]!
      b += a
      a += bytes[p + 4]!
      b += a
      a += bytes[p + 5]!
      b += a
      a += bytes[p + 6]!
      b += a
      a += bytes[p + 7]!
      b += a
    }
    while (p < stop) {
      a += bytes[p++]!
      b += a
    }
    a %= 65521
    b %= 65521
  }
  return ((b << 16) | a) >>> 0
}
