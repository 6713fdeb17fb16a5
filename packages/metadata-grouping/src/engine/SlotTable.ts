/**
 * The slots of an open-addressing hash table with linear probing: pairs (hash, index + 1), 0 for free. The hash lies in the
 * slot, so that growing needs no key and a probe seldom leaves the table. Whoever looks up walks `slots` and compares keys.
 */
import type { MemoryBound } from "./MemoryBound.ts"

const firstSlots = 16
const slotBytes = 8

export class SlotTable {
  private readonly memory: MemoryBound
  /** Pairs: hash at 2·i, index + 1 at 2·i + 1. */
  slots: Int32Array = new Int32Array(2)
  /** Slots − 1; slots are a power of two. 0 before the first growth: one slot that is always free. */
  mask = 0
  private count = 0

  constructor(memory: MemoryBound) {
    this.memory = memory
  }

  /** Makes sure that one more entry fits at a load of at most 2/3; `false` when the memory bound refuses. */
  reserve(): boolean {
    if ((this.count + 1) * 3 <= (this.mask + 1) * 2 && this.mask > 0) return true
    const current = this.mask === 0 ? 0 : this.mask + 1
    const wanted = current === 0 ? firstSlots : current * 2
    if (!this.memory.tryTake((wanted - current) * slotBytes)) return false
    const old = this.slots
    this.slots = new Int32Array(wanted * 2)
    this.mask = wanted - 1
    for (let i = 0; i < old.length; i += 2) if (old[i + 1] !== 0) this.put(old[i]!, old[i + 1]!)
    return true
  }

  /** Adds an entry whose key is known to be absent. Call `reserve` before. */
  insert(hash: number, index: number): void {
    this.put(hash, index + 1)
    this.count++
  }

  clear(): void {
    this.slots = new Int32Array(2)
    this.mask = 0
    this.count = 0
  }

  private put(hash: number, entry: number): void {
    let at = hash & this.mask
    while (this.slots[2 * at + 1] !== 0) at = (at + 1) & this.mask
    this.slots[2 * at] = hash
    this.slots[2 * at + 1] = entry
  }
}
