/** Adler-32 as a plain loop: what the vector kernel is compared with, and what sums where it does not run or does not pay. */

/** Continues `previous` over `bytes[offset, offset + length)`. Unsigned 32-bit. */
export const plainAdler32Update = (previous: number, bytes: Uint8Array, offset: number, length: number): number => {
  let a = previous & 0xffff
  let b = previous >>> 16
  let position = offset
  const end = offset + length
  while (position < end) {
    // 3800 is the longest run in which b stays below 2^31 (all bytes 0xff).
    const stop = position + 3800 < end ? position + 3800 : end
    const unrolled = stop - 7
    while (position < unrolled) {
      a += bytes[position]!
      b += a
      a += bytes[position + 1]!
      b += a
      a += bytes[position + 2]!
      b += a
      a += bytes[position + 3]!
      b += a
      a += bytes[position + 4]!
      b += a
      a += bytes[position + 5]!
      b += a
      a += bytes[position + 6]!
      b += a
      a += bytes[position + 7]!
      b += a
      position += 8
    }
    while (position < stop) {
      a += bytes[position++]!
      b += a
    }
    a %= 65521
    b %= 65521
  }
  return ((b << 16) | a) >>> 0
}
