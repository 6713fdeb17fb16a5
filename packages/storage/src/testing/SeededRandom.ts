/** A small seeded generator for the laws of the kits, so that a failure comes with a seed that repeats it (mulberry32). */
export interface SeededRandom {
  /** An integer of 0 … limit − 1. */
  below(limit: number): number
  bytes(length: number): Uint8Array
}

export const seededRandom = (seed: number): SeededRandom => {
  let state = seed | 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
  const below = (limit: number): number => Math.floor(next() * limit)
  return { below, bytes: (length) => Uint8Array.from({ length }, () => below(256)) }
}
