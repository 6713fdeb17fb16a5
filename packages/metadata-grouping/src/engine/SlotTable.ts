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
   * Makes sure that one more entry fits at a load of at most 2/3; `false` when the memory bound refuses. `hashOf` gives the hash
   * under which an index was inserted.
   */
  reserve(hashOf: (index: number) => number): boolean {
    if ((this.count + 1) * 3 <= (this.mask + 1) * 2 && this.mask > 0) return true
    const current = this.mask === 0 ? 0 : this.mask + 1
    const wanted = current === 0 ? firstSlots : current * 2
    if (!this.memory.tryTake((wanted - current) * slotBytes)) return false
    const old = this.slots
    this.slots = new Int32Array(wanted)
    this.mask = wanted - 1
    for (let i = 0; i < old.length; i++) if (old[i] !== 0) this.put(hashOf((old[i]! & indexMask) - 1), old[i]!)
    return true
  }

  /** Adds an entry whose key is known to be absent. Call `reserve` before. */
  insert(hash: number, index: number): void {
    this.put(hash, (hash & ~indexMask) | (index + 1))
    this.count++
  }

  clear(): void {
    this.slots = new Int32Array(1)
    this.mask = 0
    this.count = 0
  }

  private put(hash: number, entry: number): void {
    const { mask, slots } = this
    let at = hash & mask
    while (slots[at] !== 0) at = (at + 1) & mask
    slots[at] = entry
  }
}
