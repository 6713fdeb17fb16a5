/**
 * What is known of each level that has headers: the list of them, how many have support, which peers strongly support one of them,
 * and which more than one. Levels are whatever headers say, so they are looked up by hash and get a slot each.
 */
import { grownInts } from "./Bits.ts"
import { hashInt, tabulationOf } from "./Tabulation.ts"

const level = 0
const head = 1
const supported = 2
const firstPeerWord = 3
const firstSlots = 128

export class LevelTable {
  private readonly words: number
  private readonly stride: number
  private readonly tabulation: Int32Array
  /** Records: level, first header, supported headers, words of peers strong on one, words of peers strong on several. */
  private records: Int32Array
  private capacity = 64
  private used = 0
  /** Free slots, linked through `head`; −1 = none. */
  private free = -1
  /** Pairs: level, slot + 1 (0 = empty). */
  private index = new Int32Array(2 * firstSlots)
  private mask = firstSlots - 1
  private count = 0

  constructor(words: number, seed: number) {
    this.words = words
    this.stride = firstPeerWord + 2 * words
    this.tabulation = tabulationOf(4, seed)
    this.records = new Int32Array(this.capacity * this.stride)
  }

  /** The slot of a level, −1 when it has no headers. */
  find(key: number): number {
    const { index, mask } = this
    for (let at = hashInt(this.tabulation, key) & mask;; at = (at + 1) & mask) {
      const slot = index[2 * at + 1]!
      if (slot === 0) return -1
      if (index[2 * at] === key) return slot - 1
    }
  }

  findOrAdd(key: number): number {
    const found = this.find(key)
    if (found >= 0) return found
    let slot = this.free
    if (slot >= 0) this.free = this.records[slot * this.stride + head]!
    else {
      slot = this.used++
      if (slot === this.capacity) {
        this.capacity *= 2
        this.records = grownInts(this.records, this.capacity * this.stride)
      }
    }
    const at = slot * this.stride
    this.records.fill(0, at, at + this.stride)
    this.records[at + level] = key
    this.records[at + head] = -1
    if (++this.count * 8 > (this.mask + 1) * 5) this.rehash()
    this.place(key, slot + 1)
    return slot
  }

  /** Frees the slot of a level that has no header any more. */
  remove(slot: number): void {
    const { index, mask } = this
    let hole = hashInt(this.tabulation, this.levelOf(slot)) & mask
    while (index[2 * hole + 1] !== slot + 1) hole = (hole + 1) & mask
    for (let at = (hole + 1) & mask; index[2 * at + 1] !== 0; at = (at + 1) & mask) {
      const home = hashInt(this.tabulation, index[2 * at]!) & mask
      if (((at - home) & mask) < ((at - hole) & mask)) continue
      index[2 * hole] = index[2 * at]!
      index[2 * hole + 1] = index[2 * at + 1]!
      hole = at
    }
    index[2 * hole + 1] = 0
    this.count--
    this.records[slot * this.stride + head] = this.free
    this.free = slot
  }

  levelOf(slot: number): number {
    return this.records[slot * this.stride + level]!
  }

  headOf(slot: number): number {
    return this.records[slot * this.stride + head]!
  }

  setHead(slot: number, node: number): void {
    this.records[slot * this.stride + head] = node
  }

  supportedAt(slot: number): number {
    return this.records[slot * this.stride + supported]!
  }

  /** Changes the count of supported headers; returns the new one. */
  addSupported(slot: number, by: number): number {
    return (this.records[slot * this.stride + supported]! += by)
  }

  /** Notes that peers became strong on one more header of the level; returns those that were on another already and not known to be. */
  addStrong(slot: number, word: number, peers: number): number {
    const at = slot * this.stride + firstPeerWord + word
    const before = this.records[at]!
    this.records[at] = before | peers
    const doubled = before & peers
    if (doubled === 0) return 0
    const known = this.records[at + this.words]!
    this.records[at + this.words] = known | doubled
    return doubled & ~known
  }

  /** Peers, of one word, that are strong on several headers of the level. */
  equivocal(slot: number, word: number): number {
    return this.records[slot * this.stride + firstPeerWord + this.words + word]!
  }

  /** Forgets counts and peers of a level, to be noted anew. */
  resetSupport(slot: number): void {
    const at = slot * this.stride
    this.records.fill(0, at + supported, at + this.stride)
  }

  /** Forgets a peer at every level. */
  forgetPeer(peer: number): void {
    const { records, stride, words } = this
    const word = firstPeerWord + (peer >>> 5)
    const keep = ~(1 << (peer & 31))
    for (let slot = 0; slot < this.used; slot++) {
      records[slot * stride + word]! &= keep
      records[slot * stride + word + words]! &= keep
    }
  }

  clear(): void {
    this.capacity = 64
    this.records = new Int32Array(this.capacity * this.stride)
    this.used = 0
    this.free = -1
    this.index = new Int32Array(2 * firstSlots)
    this.mask = firstSlots - 1
    this.count = 0
  }

  private place(key: number, entry: number): void {
    const { index, mask } = this
    let at = hashInt(this.tabulation, key) & mask
    while (index[2 * at + 1] !== 0) at = (at + 1) & mask
    index[2 * at] = key
    index[2 * at + 1] = entry
  }

  private rehash(): void {
    const old = this.index
    this.mask = 2 * this.mask + 1
    this.index = new Int32Array(2 * old.length)
    for (let n = 0; n < old.length; n += 2) if (old[n + 1] !== 0) this.place(old[n]!, old[n + 1]!)
  }
}
