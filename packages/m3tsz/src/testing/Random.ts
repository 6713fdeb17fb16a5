/** A small seeded generator (32-bit state, multiply and xor-shift), so that series are the same on every machine. */
export class Random {
  private state: number
  constructor(seed: number) {
    this.state = seed | 0
  }

  /** An integer in [0, 2^32). */
  word(): number {
    this.state = (this.state + 0x9e3779b9) | 0
    let bits = this.state
    bits = Math.imul(bits ^ (bits >>> 16), 0x21f0aaad)
    bits = Math.imul(bits ^ (bits >>> 15), 0x735a2d97)
    return (bits ^ (bits >>> 15)) >>> 0
  }

  /** In [0, 1). */
  fraction(): number {
    return this.word() / 0x100000000
  }

  /** An integer in [0, bound), bound ≤ 2^32. */
  below(bound: number): number {
    return Math.floor(this.fraction() * bound)
  }

  /** An integer in [from, to]. */
  between(from: number, to: number): number {
    return from + this.below(to - from + 1)
  }
}
