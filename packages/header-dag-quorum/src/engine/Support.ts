/**
 * Who supports a node, as bits: strong and weak, each the node's own and with what its descendants imply (R43, R88–R90). A bit that
 * is set at a node is set at all its known ancestors, so that spreading stops at the first one that has it.
 */
import { grownInts } from "./Bits.ts"

export class Support {
  readonly words: number
  /** Words of one node: own strong, strong, own weak, weak. */
  readonly stride: number
  readonly ownStrongAt = 0
  readonly strongAt: number
  readonly ownWeakAt: number
  readonly weakAt: number
  bits: Int32Array

  constructor(words: number, capacity: number) {
    this.words = words
    this.stride = 4 * words
    this.strongAt = words
    this.ownWeakAt = 2 * words
    this.weakAt = 3 * words
    this.bits = new Int32Array(capacity * this.stride)
  }

  grow(capacity: number): void {
    this.bits = grownInts(this.bits, capacity * this.stride)
  }

  erase(node: number): void {
    this.bits.fill(0, node * this.stride, (node + 1) * this.stride)
  }

  has(node: number, column: number, peer: number): boolean {
    return (this.bits[node * this.stride + column + (peer >>> 5)]! & (1 << (peer & 31))) !== 0
  }

  add(node: number, column: number, peer: number): void {
    this.bits[node * this.stride + column + (peer >>> 5)]! |= 1 << (peer & 31)
  }

  /** Whether anybody supports the node. */
  any(node: number): boolean {
    const { bits, strongAt, weakAt, words } = this
    for (let word = 0, at = node * this.stride; word < words; word++) {
      if ((bits[at + strongAt + word]! | bits[at + weakAt + word]!) !== 0) return true
    }
    return false
  }

  /** Whether anybody claimed the node itself. */
  claimed(node: number): boolean {
    for (let word = 0; word < this.words; word++) if (this.bits[node * this.stride + word] !== 0) return true
    return false
  }

  /** Clears every bit of a peer at a node: strong, and weak when told. */
  forget(node: number, peer: number, weakToo: boolean): void {
    const { bits, words } = this
    const keep = ~(1 << (peer & 31))
    const at = node * this.stride + (peer >>> 5)
    bits[at]! &= keep
    bits[at + words]! &= keep
    if (!weakToo) return
    bits[at + 2 * words]! &= keep
    bits[at + 3 * words]! &= keep
  }
}
