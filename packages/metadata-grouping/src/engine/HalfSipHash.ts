/**
 * HalfSipHash-1-3: a keyed 32-bit hash of 32-bit words. Keyed, because peers choose the ids: whoever does not know the key
 * cannot make ids that fall on the same slot. An order of magnitude cheaper than a lookup through a string.
 * (Aumasson, Bernstein: SipHash; the 32-bit variant as used in kernels' hash tables)
 */

/** Hashes `view[offset, offset + length)` under the key (k0, k1). Returns a signed 32-bit number. */
export const halfSipHash = (k0: number, k1: number, view: DataView, offset: number, length: number): number => {
  let v0 = k0 | 0
  let v1 = k1 | 0
  let v2 = 0x6c796765 ^ k0
  let v3 = 0x74656462 ^ k1
  const wordsEnd = offset + (length & ~3)
  let last = length << 24
  for (let i = length & 3; i > 0; i--) last |= view.getUint8(wordsEnd + i - 1) << ((i - 1) << 3)
  // The loop has no branch but its end: the last words, which need one, have a loop of their own.
  for (let at = offset; at < wordsEnd; at += 4) {
    const word = view.getInt32(at, true)
    v3 ^= word
    v0 = (v0 + v1) | 0
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0
    v0 = (v0 << 16) | (v0 >>> 16)
    v2 = (v2 + v3) | 0
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2
    v0 = (v0 + v3) | 0
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0
    v2 = (v2 + v1) | 0
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2
    v2 = (v2 << 16) | (v2 >>> 16)
    v0 ^= word
  }
  // The rest and the length, then three empty words that finish.
  for (let word = last, left = 4; left > 0; word = 0, left--) {
    v3 ^= word
    v0 = (v0 + v1) | 0
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0
    v0 = (v0 << 16) | (v0 >>> 16)
    v2 = (v2 + v3) | 0
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2
    v0 = (v0 + v3) | 0
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0
    v2 = (v2 + v1) | 0
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2
    v2 = (v2 << 16) | (v2 >>> 16)
    v0 ^= word
    if (left === 4) v2 ^= 0xff
  }
  return v1 ^ v3
}

/** Hashes three words under the key (k0, k1), as `halfSipHash` hashes their twelve little-endian bytes. */
export const halfSipHashWords = (k0: number, k1: number, first: number, second: number, third: number): number => {
  let v0 = k0 | 0
  let v1 = k1 | 0
  let v2 = 0x6c796765 ^ k0
  let v3 = 0x74656462 ^ k1
  for (let block = 0; block < 7; block++) {
    const word = block === 0 ? first : block === 1 ? second : block === 2 ? third : block === 3 ? 12 << 24 : 0
    v3 ^= word
    v0 = (v0 + v1) | 0
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0
    v0 = (v0 << 16) | (v0 >>> 16)
    v2 = (v2 + v3) | 0
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2
    v0 = (v0 + v3) | 0
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0
    v2 = (v2 + v1) | 0
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2
    v2 = (v2 << 16) | (v2 >>> 16)
    v0 ^= word
    if (block === 3) v2 ^= 0xff
  }
  return v1 ^ v3
}
