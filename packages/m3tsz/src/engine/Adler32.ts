/**
 * Adler-32 as in zlib (modulus 65521, start value 1): M3DB's checksum of series data, metadata and filesets.
 * Unsigned 32-bit numbers. (specs: storage 5.2, vectors adler32("") = 1, adler32("Wikipedia") = 0x11e60398)
 */
import { plainAdler32Update } from "./PlainAdler32.ts"
import { type AdlerUpdate, makeVectorAdler32 } from "./VectorAdler32.ts"

/** The checksum of no bytes. */
export const adler32Start = 1

/** From here on copying the bytes to the kernel and calling it takes less time than the loop. Measured: even at 64 bytes. */
const vectorLeastBytes = 80

const vectorUpdate: AdlerUpdate | undefined = makeVectorAdler32()

/** Continues `previous` over `bytes[offset, offset + length)`. */
export const adler32Update: AdlerUpdate = (previous, bytes, offset, length) =>
  length < vectorLeastBytes || vectorUpdate === undefined
    ? plainAdler32Update(previous, bytes, offset, length)
    : vectorUpdate(previous, bytes, offset, length)

/** The checksum of all bytes, unsigned 32-bit. */
export const adler32 = (bytes: Uint8Array): number => adler32Update(adler32Start, bytes, 0, bytes.length)

/** The checksum of a stream given as consecutive pieces (head, tail). */
export const adler32OfPieces = (pieces: ReadonlyArray<Uint8Array>): number => {
  let sum: number = adler32Start
  for (const piece of pieces) sum = adler32Update(sum, piece, 0, piece.length)
  return sum
}
