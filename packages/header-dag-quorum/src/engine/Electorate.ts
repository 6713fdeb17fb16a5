/**
 * Which peers vote on which level. Electors are sorted by settled level once after a change; then the electorate of a level is one of a
 * few stored sets (A8, A14).
 */

export class Electorate {
  readonly words: number
  private readonly settled: Float64Array
  /** All electors. */
  readonly all: Int32Array
  count = 0
  /** Distinct finite settled levels, ascending. */
  private steps = new Float64Array(0)
  /** For each step, and one more for the levels above all: electors settled there; the same without those that have not said. */
  private sets = new Int32Array(0)
  private sizes = new Int32Array(0)
  private stale = true
  private step = 0

  constructor(maxPeers: number, words: number) {
    this.words = words
    this.settled = new Float64Array(maxPeers).fill(NaN)
    this.all = new Int32Array(words)
  }

  /** Settled level of an elector; undefined when it is none. */
  settledLevel(peer: number): number | undefined {
    const level = this.settled[peer]!
    return Number.isNaN(level) ? undefined : level
  }

  set(peer: number, level: number | undefined): void {
    const before = this.settledLevel(peer)
    if (before === level) return
    this.settled[peer] = level ?? NaN
    this.stale = true
    if (before === undefined) {
      this.count++
      this.all[peer >>> 5]! |= 1 << (peer & 31)
    } else if (level === undefined) {
      this.count--
      this.all[peer >>> 5]! &= ~(1 << (peer & 31))
    }
  }

  /** Chooses the level that `settledWord`, `saidWord` and `size` speak of. */
  at(level: number): void {
    if (this.stale) this.rebuild()
    const { steps } = this
    let step = this.step
    while (step > 0 && steps[step - 1]! >= level) step--
    while (step < steps.length && steps[step]! < level) step++
    this.step = step
  }

  /** Electors whose chain has passed the level for good. */
  settledWord(word: number): number {
    return this.sets[2 * this.step * this.words + word]!
  }

  /** The same without those that have not said how far they are. */
  saidWord(word: number): number {
    return this.sets[(2 * this.step + 1) * this.words + word]!
  }

  get size(): number {
    return this.sizes[this.step]!
  }

  private rebuild(): void {
    const { settled, words } = this
    this.steps = new Float64Array(new Set(settled.filter((level) => Number.isFinite(level)))).toSorted()
    this.sets = new Int32Array(2 * (this.steps.length + 1) * words)
    this.sizes = new Int32Array(this.steps.length + 1)
    for (let peer = 0; peer < settled.length; peer++) {
      const level = settled[peer]!
      for (let step = 0; step <= this.steps.length; step++) {
        if (!(level >= (this.steps[step] ?? Infinity))) break
        this.sizes[step]!++
        this.sets[2 * step * words + (peer >>> 5)]! |= 1 << (peer & 31)
        if (level !== Infinity) this.sets[(2 * step + 1) * words + (peer >>> 5)]! |= 1 << (peer & 31)
      }
    }
    this.step = 0
    this.stale = false
  }
}
