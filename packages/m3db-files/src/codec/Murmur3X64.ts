/**
 * Murmur3 x64_128 with seed 0 in 32-bit limbs (BigInt costs ten times as much): the hash under M3DB's bloom filter.
 * (specs: storage 5.5, vectors A.5)
 */

/** h1 high, h1 low, h2 high, h2 low of a hash, as unsigned 32-bit numbers. */
export type Hash128 = Uint32Array

const c1High = 0x87c37b91
const c1Low = 0x114253d5
const c2High = 0x4cf5ad43
const c2Low = 0x2745937f

/** The high half of the product that `multiply` returned last; module state because a pair would be an allocation per call. */
let high = 0

const multiply = (aHigh: number, aLow: number, bHigh: number, bLow: number): number => {
  const a0 = aLow & 0xffff
  const a1 = aLow >>> 16
  const b0 = bLow & 0xffff
  const b1 = bLow >>> 16
  const p00 = a0 * b0
  const p01 = a0 * b1
  const p10 = a1 * b0
  const middle = (p00 >>> 16) + (p01 & 0xffff) + (p10 & 0xffff)
  const carry = a1 * b1 + (p01 >>> 16) + (p10 >>> 16) + (middle >>> 16)
  high = (carry + Math.imul(aHigh, bLow) + Math.imul(aLow, bHigh)) >>> 0
  return ((middle << 16) | (p00 & 0xffff)) >>> 0
}

const rotateHigh = (h: number, l: number, by: number): number =>
  by < 32 ? ((h << by) | (l >>> (32 - by))) >>> 0 : ((l << (by - 32)) | (h >>> (64 - by))) >>> 0

const rotateLow = (h: number, l: number, by: number): number =>
  by < 32 ? ((l << by) | (h >>> (32 - by))) >>> 0 : ((h << (by - 32)) | (l >>> (64 - by))) >>> 0

const finalise = (out: Hash128, at: number): void => {
  let h = out[at]!
  let l = out[at + 1]!
  // k ^= k >>> 33 touches the low limb only.
  l = (l ^ (h >>> 1)) >>> 0
  l = multiply(h, l, 0xff51afd7, 0xed558ccd)
  h = high
  l = (l ^ (h >>> 1)) >>> 0
  l = multiply(h, l, 0xc4ceb9fe, 0x1a85ec53)
  h = high
  l = (l ^ (h >>> 1)) >>> 0
  out[at] = h
  out[at + 1] = l
}

/** h[at] += h[from], 64 bits. */
const add = (out: Hash128, at: number, from: number): void => {
  const low = out[at + 1]! + out[from + 1]!
  out[at] = out[at]! + out[from]! + (low >= 4_294_967_296 ? 1 : 0)
  out[at + 1] = low
}

const mixFirst = (out: Hash128, kHigh: number, kLow: number): void => {
  const l1 = multiply(kHigh, kLow, c1High, c1Low)
  const h1 = high
  const l2 = multiply(rotateHigh(h1, l1, 31), rotateLow(h1, l1, 31), c2High, c2Low)
  out[0] = out[0]! ^ high
  out[1] = out[1]! ^ l2
}

const mixSecond = (out: Hash128, kHigh: number, kLow: number): void => {
  const l1 = multiply(kHigh, kLow, c2High, c2Low)
  const h1 = high
  const l2 = multiply(rotateHigh(h1, l1, 33), rotateLow(h1, l1, 33), c1High, c1Low)
  out[2] = out[2]! ^ high
  out[3] = out[3]! ^ l2
}

/** h[at] = rotate(h[at], by) + h[other], then * 5 + constant. */
const advance = (out: Hash128, at: number, other: number, by: number, constant: number): void => {
  const h = out[at]!
  const l = out[at + 1]!
  out[at] = rotateHigh(h, l, by)
  out[at + 1] = rotateLow(h, l, by)
  add(out, at, other)
  const low = multiply(out[at]!, out[at + 1]!, 0, 5) + constant
  out[at] = high + (low >= 4_294_967_296 ? 1 : 0)
  out[at + 1] = low
}

const word = (bytes: Uint8Array, at: number): number =>
  (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0

const tail = new Uint8Array(16)

/** Mixes all whole groups of 16 bytes in; answers where they end. */
const mixGroups = (out: Hash128, bytes: Uint8Array, start: number, end: number): number => {
  out.fill(0)
  let at = start
  for (; at + 16 <= end; at += 16) {
    mixFirst(out, word(bytes, at + 4), word(bytes, at))
    advance(out, 0, 2, 27, 0x52dce729)
    mixSecond(out, word(bytes, at + 12), word(bytes, at + 8))
    advance(out, 2, 0, 31, 0x38495ab5)
  }
  return at
}

/** What follows the groups: `bytes[at, end)`, the byte 0x01 when `suffix` is set, and the length of all. */
const finish = (out: Hash128, bytes: Uint8Array, start: number, at: number, end: number, suffix: boolean): void => {
  let rest = 0
  for (let from = at; from < end;) tail[rest++] = bytes[from++]!
  if (suffix) tail[rest++] = 1
  const length = end - start + (suffix ? 1 : 0)
  tail.fill(0, rest)
  if (rest === 16) {
    mixFirst(out, word(tail, 4), word(tail, 0))
    advance(out, 0, 2, 27, 0x52dce729)
    mixSecond(out, word(tail, 12), word(tail, 8))
    advance(out, 2, 0, 31, 0x38495ab5)
  } else {
    if (rest > 8) mixSecond(out, word(tail, 12), word(tail, 8))
    if (rest > 0) mixFirst(out, word(tail, 4), word(tail, 0))
  }
  out[1] = out[1]! ^ length
  out[3] = out[3]! ^ length
  add(out, 0, 2)
  add(out, 2, 0)
  finalise(out, 0)
  finalise(out, 2)
  add(out, 0, 2)
  add(out, 2, 0)
}

/**
 * Hashes `bytes[start, end)` into `plain` and the same followed by one byte 0x01 into `suffixed` (four words each): what both
 * have in common is mixed once.
 */
export const murmur3X64Pair = (
  plain: Hash128,
  suffixed: Hash128,
  bytes: Uint8Array,
  start: number,
  end: number
): void => {
  const at = mixGroups(plain, bytes, start, end)
  suffixed.set(plain)
  finish(plain, bytes, start, at, end, false)
  finish(suffixed, bytes, start, at, end, true)
}
