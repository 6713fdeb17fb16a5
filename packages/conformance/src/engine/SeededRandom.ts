/** Numbers that follow from a seed (mulberry32), for the laws of kits: a failure comes with the seed that repeats it. Never for secrets. */
export class SeededRandom {
  private state: number

  constructor(seed: number) {
    this.state = seed | 0
  }

  /** 0 ≤ x < 1. Can be handed on alone. */
  readonly next = (): number => {
    this.state = (this.state + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }

  /** A whole number of 0 … limit − 1. Can be handed on alone. */
  readonly below = (limit: number): number => Math.floor(this.next() * limit)

  /** A whole number, both ends included. */
  int(least: number, most: number): number {
    return least + this.below(most - least + 1)
  }

  /** True about once in `count` times. */
  oneIn(count: number): boolean {
    return this.below(count) === 0
  }

  /** One of some, of which there must be one. */
  pick<A>(items: ReadonlyArray<A>): A {
    if (items.length === 0) throw new RangeError("nothing to pick from")
    return items[this.below(items.length)] as A
  }

  /** So many bytes. */
  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.below(256))
  }
}
