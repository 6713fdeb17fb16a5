/** Sets of peers as bits in 32-bit words: counting and listing. */

/** How many bits of a 32-bit word are set. */
export const popcount = (word: number): number => {
  let v = word - ((word >>> 1) & 0x55555555)
  v = (v & 0x33333333) + ((v >>> 2) & 0x33333333)
  return Math.imul((v + (v >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
}

/** The numbers whose bits are set in `count` words from `at`, ascending. */
export const listBits = (words: Int32Array, at: number, count: number): Array<number> => {
  const out: Array<number> = []
  for (let word = 0; word < count; word++) {
    for (let rest = words[at + word]!; rest !== 0; rest &= rest - 1) {
      out.push(word * 32 + 31 - Math.clz32(rest & -rest))
    }
  }
  return out
}

/** The next length of a column that must hold `needed` records: doubled, at most `max`. */
export const grownCapacity = (capacity: number, needed: number, max: number): number => {
  let next = Math.max(capacity, 64)
  while (next < needed) next *= 2
  return Math.min(next, Math.max(max, needed))
}

/** A longer copy of a column. */
export const grownInts = (column: Int32Array, length: number): Int32Array => {
  const out = new Int32Array(length)
  out.set(column)
  return out
}
