/**
 * Tabulation hashing: one table of random words for each byte of the key, all looked-up words xored. It is 3-independent, so that
 * linear probing stays O(1) even for keys chosen by an adversary who does not know the seed. Claims name ids that nobody has to be
 * able to hash to, and levels are whatever a header says: cheaper mixes of such keys have collisions that hold for every seed.
 */

/** 256 words a key byte, drawn from the seed (splitmix32). */
export const tabulationOf = (keyBytes: number, seed: number): Int32Array => {
  const table = new Int32Array(keyBytes * 256)
  let state = seed | 0
  for (let n = 0; n < table.length; n++) {
    state = (state + 0x9e3779b9) | 0
    let z = state ^ (state >>> 16)
    z = Math.imul(z, 0x21f0aaad)
    z ^= z >>> 15
    z = Math.imul(z, 0x735a2d97)
    table[n] = z ^ (z >>> 15)
  }
  return table
}

/** Hash of `length` bytes from `at`. */
export const hashBytes = (table: Int32Array, bytes: Uint8Array, at: number, length: number): number => {
  let hash = 0
  let n = 0
  for (; n + 3 < length; n += 4) {
    const row = n << 8
    hash ^= table[row | bytes[at + n]!]! ^ table[(row + 256) | bytes[at + n + 1]!]! ^
      table[(row + 512) | bytes[at + n + 2]!]! ^ table[(row + 768) | bytes[at + n + 3]!]!
  }
  for (; n < length; n++) hash ^= table[(n << 8) | bytes[at + n]!]!
  return hash
}

/** Hash of one 32-bit integer, by its four bytes. */
export const hashInt = (table: Int32Array, key: number): number =>
  table[key & 255]! ^ table[256 | ((key >>> 8) & 255)]! ^ table[512 | ((key >>> 16) & 255)]! ^
  table[768 | (key >>> 24)]!
