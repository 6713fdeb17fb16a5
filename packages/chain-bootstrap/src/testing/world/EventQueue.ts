/** What is to happen, by virtual time; events of one instant in an order drawn by the seed, so that many seeds try many interleavings. */

interface Queued {
  readonly atMillis: number
  readonly lot: number
  readonly run: () => void
}

const before = (one: Queued, other: Queued): boolean =>
  one.atMillis < other.atMillis || (one.atMillis === other.atMillis && one.lot < other.lot)

export class EventQueue {
  private readonly heap: Array<Queued> = []
  private readonly lot: () => number

  /** `lot`: numbers in [0, 1), seeded. */
  constructor(lot: () => number) {
    this.lot = lot
  }

  get nextMillis(): number {
    return this.heap[0]?.atMillis ?? Infinity
  }

  push(atMillis: number, run: () => void): void {
    const { heap } = this
    let place = heap.length
    const queued = { atMillis, lot: this.lot(), run }
    while (place > 0) {
      const parent = (place - 1) >> 1
      const above = heap[parent]!
      if (!before(queued, above)) break
      heap[place] = above
      place = parent
    }
    heap[place] = queued
  }

  pop(): (() => void) | undefined {
    const { heap } = this
    const first = heap[0]
    const last = heap.pop()
    if (first === undefined || last === undefined || heap.length === 0) return first?.run
    let place = 0
    for (;;) {
      let child = 2 * place + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++
      if (!before(heap[child]!, last)) break
      heap[place] = heap[child]!
      place = child
    }
    heap[place] = last
    return first.run
  }
}
