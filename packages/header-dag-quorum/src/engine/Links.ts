/**
 * How nodes hang together: one record of ten integers a node with parent, children, level, and the other headers of the level. All walks
 * follow these links without recursion, for a chain may be a million long.
 */
import { grownInts } from "./Bits.ts"

/** Fields of a record. Siblings and headers of one level are doubly linked, so that a node leaves its lists in O(1). */
export const recordInts = 10
const parent = 0
const firstChild = 1
const next = 2
const previous = 3
const level = 4
const slot = 5
const nextAtLevel = 6
const previousAtLevel = 7
const below = 8
const state = 9

/** Levels of nodes without a header. */
export const namedLevel = -1
export const freeLevel = -2

/** Flags in `state`; the peer that delivered the header, plus one, stands above them. */
export const connectedFlag = 1
export const supportedFlag = 2
export const queuedFlag = 4
export const provenFlag = 8
export const markedFlag = 16
const ownerShift = 8

export class Links {
  records: Int32Array
  /** Nodes in use, and the end of the indices that were ever used. */
  count = 0
  end = 0
  private free = -1

  constructor(capacity: number) {
    this.records = new Int32Array(capacity * recordInts)
  }

  get capacity(): number {
    return this.records.length / recordInts
  }

  grow(capacity: number): void {
    this.records = grownInts(this.records, capacity * recordInts)
  }

  /** A free index, or the end of the used ones, where the columns may have to grow first. */
  get nextIndex(): number {
    return this.free >= 0 ? this.free : this.end
  }

  /** Takes `nextIndex` for a node that is only named. */
  allocate(): number {
    const { records } = this
    const node = this.nextIndex
    if (node === this.end) this.end++
    else this.free = records[node * recordInts + parent]!
    const at = node * recordInts
    records.fill(-1, at, at + recordInts)
    records[at + below] = node
    records[at + state] = 0
    this.count++
    return node
  }

  release(node: number): void {
    this.records[node * recordInts + level] = freeLevel
    this.records[node * recordInts + parent] = this.free
    this.free = node
    this.count--
  }

  clear(): void {
    this.count = 0
    this.end = 0
    this.free = -1
  }

  parentOf(node: number): number {
    return this.records[node * recordInts + parent]!
  }

  firstChildOf(node: number): number {
    return this.records[node * recordInts + firstChild]!
  }

  nextOf(node: number): number {
    return this.records[node * recordInts + next]!
  }

  levelOf(node: number): number {
    return this.records[node * recordInts + level]!
  }

  setLevel(node: number, value: number): void {
    this.records[node * recordInts + level] = value
  }

  /** Slot of the level in the level table; −1 for the base and for nodes that are only named. */
  slotOf(node: number): number {
    return this.records[node * recordInts + slot]!
  }

  setSlot(node: number, value: number): void {
    this.records[node * recordInts + slot] = value
  }

  nextAtLevelOf(node: number): number {
    return this.records[node * recordInts + nextAtLevel]!
  }

  has(node: number, flag: number): boolean {
    return (this.records[node * recordInts + state]! & flag) !== 0
  }

  set(node: number, flag: number): void {
    this.records[node * recordInts + state]! |= flag
  }

  unset(node: number, flag: number): void {
    this.records[node * recordInts + state]! &= ~flag
  }

  /** The peer that delivered the header first, −1 = nobody. */
  ownerOf(node: number): number {
    return (this.records[node * recordInts + state]! >> ownerShift) - 1
  }

  setOwner(node: number, peer: number): void {
    const at = node * recordInts + state
    this.records[at] = (this.records[at]! & ((1 << ownerShift) - 1)) | ((peer + 1) << ownerShift)
  }

  /** Makes `node` the first child of `under`. */
  adopt(under: number, node: number): void {
    const { records } = this
    const first = records[under * recordInts + firstChild]!
    records[node * recordInts + parent] = under
    records[node * recordInts + previous] = -1
    records[node * recordInts + next] = first
    if (first >= 0) records[first * recordInts + previous] = node
    records[under * recordInts + firstChild] = node
  }

  /** Takes a node out of the children of its parent. */
  orphan(node: number): void {
    const { records } = this
    const at = node * recordInts
    const before = records[at + previous]!
    const after = records[at + next]!
    const under = records[at + parent]!
    if (under < 0) return
    if (before >= 0) records[before * recordInts + next] = after
    else records[under * recordInts + firstChild] = after
    if (after >= 0) records[after * recordInts + previous] = before
    records[at + parent] = -1
    records[at + previous] = -1
    records[at + next] = -1
  }

  /** Puts a node before `first` in the list of its level. */
  listAtLevel(node: number, first: number): void {
    const { records } = this
    records[node * recordInts + nextAtLevel] = first
    records[node * recordInts + previousAtLevel] = -1
    if (first >= 0) records[first * recordInts + previousAtLevel] = node
  }

  /** Takes a node out of the list of its level; returns the new first when it was the first itself, the old one otherwise. */
  unlistAtLevel(node: number, first: number): number {
    const { records } = this
    const before = records[node * recordInts + previousAtLevel]!
    const after = records[node * recordInts + nextAtLevel]!
    if (after >= 0) records[after * recordInts + previousAtLevel] = before
    if (before < 0) return after
    records[before * recordInts + nextAtLevel] = after
    return first
  }

  /** Tells `lowestOf` that an unconnected header has a known parent now. */
  join(node: number, under: number): void {
    this.records[node * recordInts + below] = under
  }

  /** The lowest known ancestor of a header that is not connected, itself possible. Shortens the path for the next time. */
  lowestOf(node: number): number {
    const { records } = this
    let at = node
    for (;;) {
      const one = records[at * recordInts + below]!
      if (one === at) return at
      const two = records[one * recordInts + below]!
      records[at * recordInts + below] = two
      at = two
    }
  }

  /** The node that follows in a walk over the subtree of `root`, parents before children; −1 at the end. */
  following(root: number, node: number): number {
    const { records } = this
    const child = records[node * recordInts + firstChild]!
    if (child >= 0) return child
    for (let at = node; at !== root; at = records[at * recordInts + parent]!) {
      const sibling = records[at * recordInts + next]!
      if (sibling >= 0) return sibling
    }
    return -1
  }
}
