/**
 * Adler-32 as in zlib (modulus 65521, start value 1): M3DB's checksum of series data, metadata and filesets.
 * Unsigned 32-bit numbers. (specs: storage 5.2, vectors adler32("") = 1, adler32("Wikipedia") = 0x11e60398)
 */

export const adler32Start = 1

/** Continues `previous` over `bytes[offset, offset + length)`. */
export const adler32Update = (previous: number, bytes: Uint8Array, offset: number, length: number): number => {
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

export const adler32 = (bytes: Uint8Array): number => adler32Update(adler32Start, bytes, 0, bytes.length)

/** The checksum of a stream given as consecutive pieces (head, tail). */
export const adler32OfPieces = (pieces: ReadonlyArray<Uint8Array>): number => {
  let sum: number = adler32Start
  for (const piece of pieces) sum = adler32Update(sum, piece, 0, piece.length)
  return sum
}
