/** Merges sources that are each sorted by id into one order: id, then block start. A binary heap of the sources' first rows. Pure. */
import { compareIds } from "../inspect/IdText.ts"
import type { DigestRow } from "./DigestRow.ts"

/** One fileset's rows, a batch at a time. */
export interface SortedRows {
  /** ns; different in every source of a merge. */
  readonly blockStart: bigint
  /** Of the batch, ids ascending. */
  rows: ReadonlyArray<DigestRow>
  /** The row that is next. */
  position: number
}

const compare = (a: SortedRows, b: SortedRows): number =>
  compareIds(a.rows[a.position]!.id, b.rows[b.position]!.id) || (a.blockStart < b.blockStart ? -1 : 1)

export class MergeHeap<A extends SortedRows> {
  private readonly items: Array<A> = []

  get first(): A | undefined {
    return this.items[0]
  }

  /** `source` must have a next row. */
  push(source: A): void {
    const { items } = this
    let at = items.push(source) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (compare(items[parent]!, source) <= 0) break
      items[at] = items[parent]!
      at = parent
    }
    items[at] = source
  }

  /** Puts the first source where it belongs after its position moved on, or takes it out when its batch is over. */
  settleFirst(): void {
    const { items } = this
    let source = items[0]!
    if (source.position >= source.rows.length) {
      const last = items.pop()!
      if (last === source) return
      source = last
    }
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= items.length) break
      if (child + 1 < items.length && compare(items[child + 1]!, items[child]!) < 0) child++
      if (compare(source, items[child]!) <= 0) break
      items[at] = items[child]!
      at = child
    }
    items[at] = source
  }
}
