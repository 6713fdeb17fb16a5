/**
 * What is known of each level that has headers: the list of them, how many have support, and, where there are several, which peers strongly
 * support one of them and which more than one. Levels are whatever headers say, so they are looked up by hash and get a slot each.
 */
import { grownInts } from "./Bits.ts"
import { hashInt, tabulationOf } from "./Tabulation.ts"

const level = 0
const head = 1
const supported = 2
const shared = 3
const recordInts = 4
const firstSlots = 128

export class LevelTable {
  private readonly words: number
  private readonly tabulation: Int32Array
  /** Records: level, first header, supported headers, place in `peers` or −1 while there is one header only. */
  private records: Int32Array
  /** For levels with several headers: words of peers strong on one, words of peers strong on several. */
  private peers: Int32Array = new Int32Array(0)
  private usedPeers = 0
  private readonly freePeers: Array<number> = []
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
    this.tabulation = tabulationOf(4, seed)
    this.records = new Int32Array(this.capacity * recordInts)
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
    if (slot >= 0) this.free = this.records[slot * recordInts + head]!
    else {
      slot = this.used++
      if (slot === this.capacity) {
        this.capacity *= 2
        this.records = grownInts(this.records, this.capacity * recordInts)
      }
    }
    const at = slot * recordInts
    this.records.fill(0, at, at + recordInts)
    this.records[at + level] = key
    this.records[at + head] = -1
    this.records[at + shared] = -1
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
    const place = this.records[slot * recordInts + shared]!
    if (place >= 0) this.freePeers.push(place)
    this.records[slot * recordInts + head] = this.free
    this.free = slot
  }

  levelOf(slot: number): number {
    return this.records[slot * recordInts + level]!
  }

  headOf(slot: number): number {
    return this.records[slot * recordInts + head]!
  }

  setHead(slot: number, node: number): void {
    this.records[slot * recordInts + head] = node
  }

  supportedAt(slot: number): number {
    return this.records[slot * recordInts + supported]!
  }

  /** Changes the count of supported headers; returns the new one. */
  addSupported(slot: number, by: number): number {
    return (this.records[slot * recordInts + supported]! += by)
  }

  /** A second header comes to the level: from now on peers are noted. Returns whether that is new, and the first one's are missing. */
  share(slot: number): boolean {
    const at = slot * recordInts + shared
    if (this.records[at]! >= 0) return false
    const length = 2 * this.words
    const place = this.freePeers.pop() ?? length * this.usedPeers++
    if (place === this.peers.length) this.peers = grownInts(this.peers, Math.max(64 * length, 2 * place))
    this.peers.fill(0, place, place + length)
    this.records[at] = place
    return true
  }

  /** Notes that peers became strong on one more header of the level; returns those that were on another already and not known to be. */
  addStrong(slot: number, word: number, strong: number): number {
    const place = this.records[slot * recordInts + shared]!
    if (place < 0) return 0
    const { peers, words } = this
    const before = peers[place + word]!
    peers[place + word] = before | strong
    const doubled = before & strong
    if (doubled === 0) return 0
    const known = peers[place + words + word]!
    peers[place + words + word] = known | doubled
    return doubled & ~known
  }

  /** Peers, of one word, that are strong on several headers of the level. */
  equivocal(slot: number, word: number): number {
    const place = this.records[slot * recordInts + shared]!
    return place < 0 ? 0 : this.peers[place + this.words + word]!
  }

  /** Forgets counts and peers of a level, to be noted anew. */
  resetSupport(slot: number): void {
    const at = slot * recordInts
    this.records[at + supported] = 0
    const place = this.records[at + shared]!
    if (place >= 0) this.peers.fill(0, place, place + 2 * this.words)
  }

  /** Forgets a peer at every level. */
  forgetPeer(peer: number): void {
    const { peers, words } = this
    const keep = ~(1 << (peer & 31))
    for (let at = peer >>> 5; at < words * 2 * this.usedPeers; at += words) peers[at]! &= keep
  }

  clear(): void {
    this.capacity = 64
    this.records = new Int32Array(this.capacity * recordInts)
    this.used = 0
    this.free = -1
    this.peers = new Int32Array(0)
    this.usedPeers = 0
    this.freePeers.length = 0
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
