/** A tree of made-up headers that grows by chance: ids are numbers, weights grow upward, every question is answered by walking. */
import { type SeededRandom } from "@peerstrap/conformance"
import type { BlockId, HeaderFacts } from "../../contract/Block.ts"

const idOf = (number: number): BlockId => number.toString(16).padStart(64, "0")
const weightBytes = 4
const none = new Uint8Array(0)

/** The number in the weight of a header of this tree. */
export const weightOf = ({ weight }: HeaderFacts): number =>
  new DataView(weight.buffer, weight.byteOffset, weightBytes).getUint32(0)

export class HeaderTree {
  /** All that exist, in the order in which they came. */
  readonly all = new Map<BlockId, HeaderFacts>()
  readonly root: HeaderFacts

  constructor() {
    this.root = this.add("", 0, 0)
  }

  private add(parent: BlockId, level: number, weight: number): HeaderFacts {
    const bytes = new Uint8Array(weightBytes)
    new DataView(bytes.buffer).setUint32(0, weight)
    const id = idOf(this.all.size + 1)
    const facts = { id, parent, level, timeSeconds: level, weight: bytes, units: 1, bodyRoot: none, bytes: none }
    this.all.set(id, facts)
    return facts
  }

  at(id: BlockId): HeaderFacts {
    const facts = this.all.get(id)
    if (facts === undefined) throw new RangeError(`no block ${id}`)
    return facts
  }

  /** A new block on another one, heavier than it by chance. */
  grow(parent: BlockId, random: SeededRandom): HeaderFacts {
    const below = this.at(parent)
    return this.add(parent, below.level + 1, weightOf(below) + random.int(1, 9))
  }

  /** The block at a level on the way down from another one; undefined above it. */
  below(id: BlockId, level: number): BlockId | undefined {
    let at = this.at(id)
    if (level > at.level || level < 0) return undefined
    while (at.level > level) at = this.at(at.parent)
    return at.id
  }

  /** Whether `below` lies on the way down from `id`, which itself does. */
  descends(id: BlockId, below: BlockId): boolean {
    return this.below(id, this.at(below).level) === below
  }

  /** From just above a level up to a block. */
  path(aboveLevel: number, top: BlockId): Array<BlockId> {
    const ids: Array<BlockId> = []
    for (let at = this.at(top); at.level > aboveLevel; at = this.at(at.parent)) ids.unshift(at.id)
    return ids
  }

  /** Highest block of both ways down. */
  fork(one: BlockId, other: BlockId): HeaderFacts {
    let level = Math.min(this.at(one).level, this.at(other).level)
    while (this.below(one, level) !== this.below(other, level)) level--
    return this.at(this.below(one, level)!)
  }
}
