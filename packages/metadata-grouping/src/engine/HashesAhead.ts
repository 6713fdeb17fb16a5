/**
 * Hashes of the next ids of a page, computed before their turn. A look-up in a large table waits for memory several times, one after the
 * other; hashing some ids first and touching what their look-ups will read lets these waits overlap (a seventh of the time of a page in
 * an order of its own). It changes no result.
 */
import { halfSipHash } from "./HalfSipHash.ts"

/** Ids hashed at a time: enough to overlap what a processor can, few enough that little is lost when the order turns usual again. */
const ahead = 32

export class HashesAhead {
  private readonly hashes = new Int32Array(ahead)
  private readonly offsets = new Int32Array(ahead)
  private readonly lengths = new Int32Array(ahead)
  private count = 0
  private next = 0
  /** Rows before this one have been hashed. */
  end = 0
  /** The hash that `take` moved to. */
  taken = 0

  /** A new page, or the end of one: bytes at the same place may be others. */
  reset(): void {
    this.count = 0
    this.next = 0
    this.end = 0
  }

  /** Hashes ids from `row` on, those whose ranges lie within the view. Returns how many. */
  fill(
    key0: number,
    key1: number,
    view: DataView,
    idOffset: Int32Array,
    idLength: Int32Array,
    row: number,
    rows: number
  ): number {
    let count = 0
    for (; count < ahead && row + count < rows; count++) {
      const offset = idOffset[row + count]!
      const length = idLength[row + count]!
      if (offset < 0 || length < 0 || offset + length > view.byteLength) break
      this.hashes[count] = halfSipHash(key0, key1, view, offset, length)
      this.offsets[count] = offset
      this.lengths[count] = length
    }
    this.count = count
    this.next = 0
    this.end = row + Math.max(count, 1)
    return count
  }

  hash(index: number): number {
    return this.hashes[index]!
  }

  /** Moves to the hash of the id at this place of the page; false when it was not hashed ahead, or its turn has passed. */
  take(offset: number, length: number): boolean {
    for (let at = this.next; at < this.count; at++) {
      if (this.offsets[at] === offset && this.lengths[at] === length) {
        this.next = at + 1
        this.taken = this.hashes[at]!
        return true
      }
    }
    return false
  }
}
