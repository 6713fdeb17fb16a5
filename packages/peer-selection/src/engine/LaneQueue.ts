/**
 * Queued items of one lane: a ring buffer, because batches leave at the head and refused ones come back there. Halves when it is
 * three quarters empty, so that memory follows the number of queued items. O(1) amortised at both ends.
 */
const smallestCapacity = 8

export class LaneQueue {
  readonly lane: number
  /** Neighbours in the peer's ring of lanes with work; managed by `LaneRing`. */
  before: LaneQueue = this
  after: LaneQueue = this
  private slots = new Float64Array(2 * smallestCapacity)
  private head = 0
  private size = 0

  constructor(lane: number) {
    this.lane = lane
  }

  get length(): number {
    return this.size
  }

  pushBack(item: number, bytes: number): void {
    this.reserve()
    this.write(this.head + this.size, item, bytes)
    this.size++
  }

  pushFront(item: number, bytes: number): void {
    this.reserve()
    this.head = (this.head - 1) & (this.capacity - 1)
    this.write(this.head, item, bytes)
    this.size++
  }

  /** Bytes of the first item; 0 when empty. */
  frontBytes(): number {
    return this.size === 0 ? 0 : (this.slots[2 * this.head + 1] ?? 0)
  }

  /** Item at a position from the head. The caller stays below `length`. */
  itemAt(position: number): number {
    return this.slots[2 * ((this.head + position) & (this.capacity - 1))] ?? 0
  }

  bytesAt(position: number): number {
    return this.slots[2 * ((this.head + position) & (this.capacity - 1)) + 1] ?? 0
  }

  /** The first `count` items and their bytes. */
  front(count: number): { readonly items: Array<number>; readonly bytes: Float64Array } {
    const items: Array<number> = []
    const bytes = new Float64Array(count)
    const { head, slots } = this
    const mask = this.capacity - 1
    for (let position = 0; position < count; position++) {
      const at = 2 * ((head + position) & mask)
      items.push(slots[at]!)
      bytes[position] = slots[at + 1]!
    }
    return { items, bytes }
  }

  dropFront(count: number): void {
    this.head = (this.head + count) & (this.capacity - 1)
    this.size -= count
    let capacity = this.capacity
    while (capacity > smallestCapacity && this.size <= capacity / 4) capacity /= 2
    if (capacity !== this.capacity) this.resize(capacity)
  }

  private get capacity(): number {
    return this.slots.length >>> 1
  }

  private write(position: number, item: number, bytes: number): void {
    const at = 2 * (position & (this.capacity - 1))
    this.slots[at] = item
    this.slots[at + 1] = bytes
  }

  private reserve(): void {
    if (this.size === this.capacity) this.resize(2 * this.capacity)
  }

  private resize(capacity: number): void {
    const slots = new Float64Array(2 * capacity)
    for (let position = 0; position < this.size; position++) {
      slots[2 * position] = this.itemAt(position)
      slots[2 * position + 1] = this.bytesAt(position)
    }
    this.slots = slots
    this.head = 0
  }
}

/** The lanes of one peer that have work, as a circle with a place for whose turn it is. Every operation O(1). */
export class LaneRing {
  private readonly byLane = new Map<number, LaneQueue>()
  private turn: LaneQueue | undefined

  get(lane: number): LaneQueue | undefined {
    return this.byLane.get(lane)
  }

  lanes(): Iterable<LaneQueue> {
    return this.byLane.values()
  }

  current(): LaneQueue | undefined {
    return this.turn
  }

  /** Passes the turn on. */
  advance(): void {
    this.turn = this.turn?.after
  }

  /** The lane's queue, created at the end of the circle when the lane had no work. */
  add(lane: number): LaneQueue {
    const known = this.byLane.get(lane)
    if (known !== undefined) return known
    const queue = new LaneQueue(lane)
    this.byLane.set(lane, queue)
    if (this.turn === undefined) {
      this.turn = queue
    } else {
      queue.after = this.turn
      queue.before = this.turn.before
      queue.before.after = queue
      this.turn.before = queue
    }
    return queue
  }

  /** Gives the turn to this lane. */
  giveTurn(queue: LaneQueue): void {
    if (this.turn === queue) return
    this.unlink(queue)
    const turn = this.turn
    if (turn !== undefined) {
      queue.after = turn
      queue.before = turn.before
      queue.before.after = queue
      turn.before = queue
    }
    this.turn = queue
  }

  remove(queue: LaneQueue): void {
    this.byLane.delete(queue.lane)
    if (this.turn === queue) this.turn = queue.after === queue ? undefined : queue.after
    this.unlink(queue)
  }

  private unlink(queue: LaneQueue): void {
    queue.before.after = queue.after
    queue.after.before = queue.before
    queue.before = queue
    queue.after = queue
  }
}
