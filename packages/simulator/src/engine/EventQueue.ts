/** A binary heap of events by time, then by order of insertion. */

export interface QueuedEvent {
  readonly atMillis: number
  readonly sequence: number
  readonly label: string
  readonly chain: number | undefined
  run: (() => void) | undefined
}

const before = (a: QueuedEvent, b: QueuedEvent): boolean =>
  a.atMillis < b.atMillis || (a.atMillis === b.atMillis && a.sequence < b.sequence)

export class EventQueue {
  private readonly heap: Array<QueuedEvent> = []

  get size(): number {
    return this.heap.length
  }

  peek(): QueuedEvent | undefined {
    return this.heap[0]
  }

  push(event: QueuedEvent): void {
    const heap = this.heap
    let at = heap.length
    heap.push(event)
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!before(event, heap[parent]!)) break
      heap[at] = heap[parent]!
      at = parent
    }
    heap[at] = event
  }

  pop(): QueuedEvent | undefined {
    const heap = this.heap
    const first = heap[0]
    const last = heap.pop()
    if (first === undefined || last === undefined || heap.length === 0) return first
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++
      if (!before(heap[child]!, last)) break
      heap[at] = heap[child]!
      at = child
    }
    heap[at] = last
    return first
  }
}
