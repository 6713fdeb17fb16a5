/** Whole numbers that follow from a seed (mulberry32): enough for drawing cases of a kit. */
export class SeededRandom {
  private state: number

  constructor(seed: number) {
    this.state = Math.imul(seed, 0x9e3779b1) >>> 0
  }

  /** Both ends included. */
  int(least: number, most: number): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(this.state ^ (this.state >>> 15), this.state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return least + ((mixed ^ (mixed >>> 14)) >>> 0) % (most - least + 1)
  }

  /** True about once in `count` times. */
  oneIn(count: number): boolean {
    return this.int(1, count) === 1
  }

  /** One of some, of which there must be one. */
  pick<A>(items: ReadonlyArray<A>): A {
    const item = items[this.int(0, items.length - 1)]
    if (item === undefined) throw new RangeError("nothing to pick from")
    return item
  }
}
