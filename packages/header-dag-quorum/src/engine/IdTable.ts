/** Ids of nodes and the way back: packed id bytes, and an open-addressing table of (hash, node) pairs with linear probing. */
import { hashBytes, tabulationOf } from "./Tabulation.ts"

const firstSlots = 128

export class IdTable {
  readonly idBytes: number
  private readonly tabulation: Int32Array
  private bytes: Uint8Array
  /** Pairs: hash, node + 1 (0 = empty). At most 5/8 full. */
  private slots = new Int32Array(2 * firstSlots)
  private mask = firstSlots - 1
  private count = 0

  constructor(idBytes: number, seed: number, capacity: number) {
    this.idBytes = idBytes
    this.tabulation = tabulationOf(idBytes, seed)
    this.bytes = new Uint8Array(capacity * idBytes)
  }

  /** Makes room for the ids of nodes below `capacity`. */
  grow(capacity: number): void {
    const out = new Uint8Array(capacity * this.idBytes)
    out.set(this.bytes)
    this.bytes = out
  }

  hash(id: Uint8Array, at: number): number {
    return hashBytes(this.tabulation, id, at, this.idBytes)
  }

  /** The node of the id at `id[at]`, whose hash the caller has; −1 when there is none. */
  find(id: Uint8Array, at: number, hash: number): number {
    const { mask, slots } = this
    for (let slot = hash & mask;; slot = (slot + 1) & mask) {
      const node = slots[2 * slot + 1]!
      if (node === 0) return -1
      if (slots[2 * slot] === hash && this.equals(node - 1, id, at)) return node - 1
    }
  }

  equals(node: number, id: Uint8Array, at: number): boolean {
    const { bytes, idBytes } = this
    const from = node * idBytes
    for (let n = 0; n < idBytes; n++) if (bytes[from + n] !== id[at + n]) return false
    return true
  }

  /** Adds an id that is not there. */
  add(node: number, id: Uint8Array, at: number, hash: number): void {
    const { bytes, idBytes } = this
    for (let n = 0, to = node * idBytes; n < idBytes; n++) bytes[to + n] = id[at + n]!
    if (++this.count * 8 > (this.mask + 1) * 5) this.rehash()
    this.place(hash, node + 1)
  }

  /** Removes the id of a node; what was pushed past it moves back, so that no tombstone stays. */
  remove(node: number): void {
    const { mask, slots } = this
    let hole = hashBytes(this.tabulation, this.bytes, node * this.idBytes, this.idBytes) & mask
    while (slots[2 * hole + 1] !== node + 1) hole = (hole + 1) & mask
    for (let slot = (hole + 1) & mask; slots[2 * slot + 1] !== 0; slot = (slot + 1) & mask) {
      const home = slots[2 * slot]! & mask
      if (((slot - home) & mask) < ((slot - hole) & mask)) continue
      slots[2 * hole] = slots[2 * slot]!
      slots[2 * hole + 1] = slots[2 * slot + 1]!
      hole = slot
    }
    slots[2 * hole + 1] = 0
    this.count--
  }

  copyOf(node: number): Uint8Array {
    return this.bytes.slice(node * this.idBytes, (node + 1) * this.idBytes)
  }

  copyInto(node: number, target: Uint8Array, at: number): void {
    const { bytes, idBytes } = this
    for (let n = 0, from = node * idBytes; n < idBytes; n++) target[at + n] = bytes[from + n]!
  }

  clear(): void {
    this.slots = new Int32Array(2 * firstSlots)
    this.mask = firstSlots - 1
    this.count = 0
  }

  private place(hash: number, entry: number): void {
    const { mask, slots } = this
    let slot = hash & mask
    while (slots[2 * slot + 1] !== 0) slot = (slot + 1) & mask
    slots[2 * slot] = hash
    slots[2 * slot + 1] = entry
  }

  private rehash(): void {
    const old = this.slots
    this.mask = 2 * this.mask + 1
    this.slots = new Int32Array(2 * old.length)
    for (let n = 0; n < old.length; n += 2) if (old[n + 1] !== 0) this.place(old[n]!, old[n + 1]!)
  }
}
