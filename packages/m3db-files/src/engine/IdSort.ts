/**
 * Sorts rows by id in steps of bounded work, so that a large block does not hold up the process: runs sorted in place, then
 * merged pairwise. Finds duplicates on the way out.
 */
import type { EntryColumns } from "./EntryColumns.ts"

const runLength = 1024

export class IdSort {
  private readonly columns: EntryColumns
  private from: Uint32Array
  private to: Uint32Array
  private width = 0
  private left = 0
  private a = 0
  private b = 0
  private out = 0
  private done: boolean

  constructor(columns: EntryColumns) {
    this.columns = columns
    this.from = Uint32Array.from({ length: columns.count }, (_, i) => i)
    this.done = columns.ascending
    this.to = new Uint32Array(this.done ? 0 : columns.count)
  }

  /** Rows in id order; complete once `step` has answered true. */
  get order(): Uint32Array {
    return this.from
  }

  /** Works for about `comparisons` comparisons; true when sorted. */
  step(comparisons: number): boolean {
    let budget = comparisons
    while (!this.done && budget > 0) budget -= this.width === 0 ? this.sortRun() : this.merge(budget)
    return this.done
  }

  private sortRun(): number {
    const end = Math.min(this.left + runLength, this.from.length)
    this.from.subarray(this.left, end).sort((x, y) => this.columns.compare(x, y))
    this.left = end
    if (end === this.from.length) this.startPass(runLength)
    return runLength * 10
  }

  private startPass(width: number): void {
    this.width = width
    if (width >= this.from.length) {
      this.done = true
      this.to = new Uint32Array(0)
      return
    }
    this.left = 0
    this.startPair()
  }

  private startPair(): void {
    this.a = this.left
    this.b = Math.min(this.left + this.width, this.from.length)
    this.out = this.left
  }

  private merge(budget: number): number {
    const { columns, from, to } = this
    const middle = Math.min(this.left + this.width, from.length)
    const end = Math.min(middle + this.width, from.length)
    const stop = Math.min(end, this.out + budget)
    const began = this.out
    let { a, b, out } = this
    while (out < stop) {
      if (b >= end || (a < middle && columns.compare(from[a]!, from[b]!) <= 0)) to[out++] = from[a++]!
      else to[out++] = from[b++]!
    }
    this.a = a
    this.b = b
    this.out = out
    if (out === end) this.endPair(end)
    return stop - began + 1
  }

  private endPair(end: number): void {
    this.left = end
    if (end < this.from.length) return this.startPair()
    const sorted = this.to
    this.to = this.from
    this.from = sorted
    this.startPass(this.width * 2)
  }
}

/** The first row in `order` whose id equals that of the row before it, -1 when all differ. */
export const findDuplicate = (columns: EntryColumns, order: Uint32Array, start: number, end: number): number => {
  for (let i = Math.max(1, start); i < end; i++) {
    if (columns.compare(order[i - 1]!, order[i]!) === 0) return order[i]!
  }
  return -1
}
