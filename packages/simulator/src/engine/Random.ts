/**
 * Seeded random numbers that can be split: a fork depends on its seed and label only, never on how many numbers were drawn
 * before, so that adding a draw in one place does not change every other place. (xoshiro128**, seeded by splitmix32.)
 */

const splitmix = (state: number): number => {
  let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad)
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97)
  return (mixed ^ (mixed >>> 15)) >>> 0
}

const hashText = (text: string, seed: number): number => {
  let hash = seed ^ 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return splitmix(hash >>> 0)
}

const rotate = (x: number, k: number): number => (x << k) | (x >>> (32 - k))

/** A seeded source of random numbers that can be split. */
export class Random {
  private readonly seedWord: number
  private a: number
  private b: number
  private c: number
  private d: number

  private constructor(seedWord: number) {
    this.seedWord = seedWord
    this.a = splitmix(seedWord + 0x9e3779b9)
    this.b = splitmix(seedWord + 0x3c6ef372)
    this.c = splitmix(seedWord + 0xdaa66d2b)
    this.d = splitmix(seedWord + 0x78dde6e4) | 1
  }

  /** A generator for a seed: any finite number (all 53 bits of an integer count) or a text. */
  static make(seed: number | string): Random {
    if (typeof seed === "string") return new Random(hashText(seed, 0))
    if (!Number.isFinite(seed)) throw new RangeError(`Random.make: the seed must be a finite number, got ${seed}`)
    return new Random(hashText(String(seed), 0x5eed))
  }

  /** Another generator, independent of this one: the same seed and label give the same fork at any time. */
  fork(label: string | number): Random {
    return new Random(hashText(String(label), this.seedWord))
  }

  /** 32 random bits, as an integer in [0, 2^32). */
  bits(): number {
    const result = Math.imul(rotate(Math.imul(this.b, 5), 7), 9) >>> 0
    const shifted = this.b << 9
    this.c ^= this.a
    this.d ^= this.b
    this.b ^= this.c
    this.a ^= this.d
    this.c ^= shifted
    this.d = rotate(this.d, 11)
    return result
  }

  /** A number in [0, 1) with 53 random bits. */
  float(): number {
    return ((this.bits() >>> 5) * 67_108_864 + (this.bits() >>> 6)) / 9_007_199_254_740_992
  }

  /** An integer in [min, max], both included. */
  int(min: number, max: number): number {
    if (!(max >= min)) throw new RangeError(`Random.int: the range [${min}, ${max}] is empty`)
    return min + Math.floor(this.float() * (max - min + 1))
  }

  /** True with this probability. */
  chance(probability: number): boolean {
    return this.float() < probability
  }

  pick<A>(items: ReadonlyArray<A>): A {
    if (items.length === 0) throw new RangeError("Random.pick: nothing to pick from")
    return items[this.int(0, items.length - 1)]!
  }

  /** A shuffled copy. */
  shuffle<A>(items: ReadonlyArray<A>): Array<A> {
    const out = [...items]
    for (let i = out.length - 1; i > 0; i--) {
      const j = this.int(0, i)
      const held = out[i]!
      out[i] = out[j]!
      out[j] = held
    }
    return out
  }

  bytes(length: number): Uint8Array {
    const out = new Uint8Array(length)
    for (let i = 0; i < length; i++) out[i] = this.bits() >>> 24
    return out
  }
}
