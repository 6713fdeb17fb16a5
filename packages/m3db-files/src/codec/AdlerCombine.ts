/** The Adler-32 of two runs of bytes from the sums of each, so that a file's digest needs no second pass over series data. */

const modulus = 65521

/** `first` covers the bytes before, `second` (from start value 1) the `secondLength` bytes after. */
export const adler32Combine = (first: number, second: number, secondLength: number): number => {
  const rest = secondLength % modulus
  const a1 = first & 0xffff
  const a = (a1 + (second & 0xffff) + modulus - 1) % modulus
  // b2 + b1 + rest * (a1 - 1): the start value 1 of the second sum is replaced by a1.
  const b = ((first >>> 16) + (second >>> 16) + rest * (a1 + modulus - 1)) % modulus
  return ((b << 16) | a) >>> 0
}
