/**
 * Sorts rows by id in steps of bounded work, so that a large block does not hold up the process: runs sorted in place, then
 * merged pairwise. Ids of one shard begin alike; most comparisons are settled by the bytes after that, kept as one number a row.
 *
 *   prefix ──► keys ──► runs ──► merges
 */
import type { EntryColumns } from "./EntryColumns.ts"

const runLength = 1024

/** Bytes of an id in its key: as many as a double holds exactly. */
const keyBytes = 6

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
  private phase: "prefix" | "keys" | "sort" = "prefix"
  /** Bytes with which all ids begin. */
  private prefix: number
  private readonly keys: Float64Array

  constructor(columns: EntryColumns) {
    this.columns = columns
    this.from = Uint32Array.from({ length: columns.count }, (_, i) => i)
    this.done = columns.ascending
    this.to = new Uint32Array(this.done ? 0 : columns.count)
    this.keys = new Float64Array(this.done ? 0 : columns.count)
    this.prefix = this.done ? 0 : columns.idLength[0]!
  }

  /** Rows in id order; complete once `step` has answered true. */
  get order(): Uint32Array {
    return this.from
  }

  /** Works for about `comparisons` comparisons; true when sorted. */
  step(comparisons: number): boolean {
    let budget = comparisons
    while (!this.done && budget > 0) {
      if (this.phase !== "sort") budget -= this.prepare(budget)
      else budget -= this.width === 0 ? this.sortRun() : this.merge(budget)
    }
    return this.done
  }

  /** One pass over all rows for the prefix, then one for the keys. */
  private prepare(budget: number): number {
    const began = this.left
    const stop = Math.min(this.from.length, began + budget)
    const findsPrefix = this.phase === "prefix"
    for (let row = began; row < stop; row++) {
      if (findsPrefix) this.shortenPrefix(row)
      else this.keys[row] = this.keyOf(row)
    }
    this.left = stop
    if (stop === this.from.length) {
      this.left = 0
      this.phase = findsPrefix ? "keys" : "sort"
    }
    return stop - began + 1
  }

  private shortenPrefix(row: number): void {
    const { chunk, chunks, idLength, start } = this.columns
    const first = chunks[chunk[0]!]!
    const own = chunks[chunk[row]!]!
    const firstStart = start[0]!
    const ownStart = start[row]!
    const most = Math.min(this.prefix, idLength[row]!)
    let alike = 0
    while (alike < most && first[firstStart + alike] === own[ownStart + alike]) alike++
    this.prefix = alike
  }

  /** The bytes after the prefix, most significant first, zeros where the id has ended: equal keys say nothing. */
  private keyOf(row: number): number {
    const { chunk, chunks, idLength, start } = this.columns
    const bytes = chunks[chunk[row]!]!
    const end = start[row]! + idLength[row]!
    let key = 0
    for (let at = start[row]! + this.prefix, n = 0; n < keyBytes; at++, n++) {
      key = key * 256 + (at < end ? bytes[at]! : 0)
    }
    return key
  }

  private compare(a: number, b: number): number {
    const difference = this.keys[a]! - this.keys[b]!
    return difference === 0 ? this.columns.compare(a, b) : difference
  }

  private sortRun(): number {
    const end = Math.min(this.left + runLength, this.from.length)
    this.from.subarray(this.left, end).sort((x, y) => this.compare(x, y))
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
    const { from, to } = this
    const middle = Math.min(this.left + this.width, from.length)
    const end = Math.min(middle + this.width, from.length)
    const stop = Math.min(end, this.out + budget)
    const began = this.out
    let { a, b, out } = this
    while (out < stop) {
      if (b >= end || (a < middle && this.compare(from[a]!, from[b]!) <= 0)) to[out++] = from[a++]!
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
