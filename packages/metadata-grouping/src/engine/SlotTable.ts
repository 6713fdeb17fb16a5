/**
 * The slots of an open-addressing hash table with linear probing: one 32-bit number each, the top bits of the hash and an index + 1,
 * 0 for free. Those few bits keep nearly all probes for other keys inside of the table, at half the memory of a whole hash. Whoever
 * looks up walks `slots` and compares keys.
 */
import type { MemoryBound } from "./MemoryBound.ts"

const firstSlots = 16
const slotBytes = 4

/** Bits of a slot that hold index + 1: enough for `Limits.maxGroups`. */
export const indexMask = 0x3ff_ffff

export class SlotTable {
  private readonly memory: MemoryBound
  slots: Int32Array = new Int32Array(1)
  /** Slots − 1; slots are a power of two. 0 before the first growth: one slot that is always free. */
  mask = 0
  private count = 0

  constructor(memory: MemoryBound) {
    this.memory = memory
  }

  /**
   * Makes sure that one more entry fits at a load of at most 2/3; `false` when the memory bound refuses. When it grows it is empty, and
   * `refill` must insert again all that was there: in the order of their rows that costs a tenth of looking each one's hash up.
   */
  reserve(refill: () => void): boolean {
    return (this.count + 1) * 3 <= (this.mask + 1) * 2 && this.mask > 0 || this.grow(refill)
  }

  /** Adds an entry whose key is known to be absent. Call `reserve` before. */
  insert(hash: number, index: number): void {
    const { mask, slots } = this
    let at = hash & mask
    while (slots[at] !== 0) at = (at + 1) & mask
    slots[at] = (hash & ~indexMask) | (index + 1)
    this.count++
  }

  clear(): void {
    this.slots = new Int32Array(1)
    this.mask = 0
    this.count = 0
  }

  private grow(refill: () => void): boolean {
    const current = this.mask === 0 ? 0 : this.mask + 1
    const wanted = current === 0 ? firstSlots : current * 2
    if (!this.memory.tryTake((wanted - current) * slotBytes)) return false
    this.slots = new Int32Array(wanted)
    this.mask = wanted - 1
    this.count = 0
    refill()
    return true
  }
}
