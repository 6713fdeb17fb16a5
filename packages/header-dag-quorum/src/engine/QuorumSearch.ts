/**
 * Counts supporters of one node, and keeps the highest node with quorum that is linked to the base. Only nodes that gained
 * support (or a link, or an elector) since the last question are counted; the whole is counted again only after something was lost that
 * the answer may have stood on.
 */
import { popcount } from "./Bits.ts"
import type { Conflicts } from "./Conflicts.ts"
import type { Electorate } from "./Electorate.ts"
import type { LevelTable } from "./LevelTable.ts"
import { connectedFlag, freeLevel, type Links, queuedFlag, supportedFlag } from "./Links.ts"
import type { Support } from "./Support.ts"

/** What `count` found; the fields of `QuorumCount`. */
export type Verdict = "settled" | "tip" | undefined

export class QuorumSearch {
  settledSupporters = 0
  settledElectorate = 0
  strongSupporters = 0
  conflict = false
  /** Peers that count for nothing at the node last counted. */
  readonly equivocal: Int32Array
  /** Nodes at or below this level need not be queued: they could not be the highest. */
  highestLevel = -Infinity
  /** Everything has to be counted again: queueing is pointless. */
  full = false
  /** Node of the base, where counting everything begins. */
  base = 0
  private highest = -1
  private doubtful = false
  /** No header above this level is linked to the base. */
  private topLevel = -1
  private queue = new Int32Array(64)
  private queued = 0
  /** The last count left peers in `equivocal`. */
  private excludedBefore = false
  private readonly links: Links
  private readonly levels: LevelTable
  private readonly support: Support
  private readonly conflicts: Conflicts
  private readonly electorate: Electorate
  private readonly minSupporters: number

  constructor(
    links: Links,
    levels: LevelTable,
    support: Support,
    conflicts: Conflicts,
    electorate: Electorate,
    minSupporters: number
  ) {
    this.links = links
    this.levels = levels
    this.support = support
    this.conflicts = conflicts
    this.electorate = electorate
    this.minSupporters = minSupporters
    this.equivocal = new Int32Array(support.words)
  }

  /** Remembers a connected node, higher than the highest with quorum, that gained support. */
  push(node: number): void {
    if (this.queued === this.queue.length) {
      if (this.queued >= this.links.count) return this.recountAll()
      const longer = new Int32Array(2 * this.queued)
      longer.set(this.queue)
      this.queue = longer
    }
    this.links.set(node, queuedFlag)
    this.queue[this.queued++] = node
  }

  /** A header at the level lost support, or gained a rival: does the highest still have quorum? */
  doubt(level: number): void {
    if (level <= this.highestLevel) this.doubtful = true
  }

  /** Something that nodes above the highest lacked may be gone, such as a conflict: counts them again at the next question. */
  recountAll(): void {
    this.full = true
    this.doubtful = true
    this.emptyQueue()
  }

  /** The highest is no more. */
  forgetHighest(): void {
    this.highest = -1
    this.highestLevel = -Infinity
    this.recountAll()
  }

  /** A header was linked to the base. */
  reached(level: number): void {
    if (level > this.topLevel) this.topLevel = level
  }

  /** The highest as last answered, −1 when it is not known. */
  get knownHighest(): number {
    return this.highest
  }

  get highestNode(): number {
    if (this.doubtful) {
      if (this.highest >= 0 && this.count(this.highest) === undefined) this.forgetHighest()
    }
    this.doubtful = false
    if (this.full) this.countConnected()
    // Chains are queued from below: from the end, most of them need no count.
    else for (let n = this.queued - 1; n >= 0; n--) this.consider(this.queue[n]!)
    this.emptyQueue()
    return this.highest
  }

  /** Counts one header under both rules. A node that is only named has no level, hence no quorum. */
  count(node: number): Verdict {
    const { conflicts, electorate, equivocal, links, support } = this
    const { bits, strongAt, stride, weakAt, words } = support
    const level = links.levelOf(node)
    const known = level >= 0
    let excluded = false
    this.conflict = false
    if (known && links.has(node, connectedFlag)) {
      this.conflict = links.has(node, supportedFlag) && conflicts.lowest <= level
      excluded = conflicts.lowestEquivocal <= level
      if (excluded) conflicts.equivocalUpTo(level, equivocal)
    } else if (known && links.has(node, supportedFlag)) {
      this.conflict = conflicts.within(links.levelOf(links.lowestOf(node)), level, equivocal)
      excluded = this.conflict
    }
    if (!excluded && this.excludedBefore) equivocal.fill(0)
    this.excludedBefore = excluded
    electorate.at(known ? level : Infinity)
    let settledSupporters = 0
    let strongSupporters = 0
    for (let word = 0, at = node * stride; word < words; word++) {
      const strong = bits[at + strongAt + word]! & ~equivocal[word]!
      strongSupporters += popcount(strong & electorate.all[word]!)
      if (!known) continue
      const weak = this.conflict ? 0 : bits[at + weakAt + word]! & electorate.saidWord(word)
      settledSupporters += popcount((strong | weak) & electorate.settledWord(word))
    }
    this.settledSupporters = settledSupporters
    this.strongSupporters = strongSupporters
    this.settledElectorate = known ? electorate.size : 0
    return known ? this.verdict() : undefined
  }

  private verdict(): Verdict {
    const { minSupporters, settledElectorate, settledSupporters, strongSupporters } = this
    const electors = this.electorate.count
    if (
      3 * settledElectorate > 2 * electors && 3 * settledSupporters > 2 * settledElectorate &&
      settledSupporters >= minSupporters
    ) return "settled"
    return 3 * strongSupporters > 2 * electors && strongSupporters >= minSupporters ? "tip" : undefined
  }

  private consider(node: number): void {
    const { links } = this
    const level = links.levelOf(node)
    if (level <= this.highestLevel || level === freeLevel || links.slotOf(node) < 0) return
    if (!links.has(node, connectedFlag) || this.count(node) === undefined) return
    this.highest = node
    this.highestLevel = level
  }

  /** From the highest level that is linked down to the highest with quorum so far. Linked levels have no gap. */
  private countConnected(): void {
    const { levels, links } = this
    this.full = false
    let linked = false
    const floor = Math.max(this.highestLevel, links.levelOf(this.base))
    for (let level = this.topLevel; level > floor; level--) {
      const slot = levels.find(level)
      for (let node = slot < 0 ? -1 : levels.headOf(slot); node >= 0; node = links.nextAtLevelOf(node)) {
        if (!links.has(node, connectedFlag)) continue
        linked = true
        if (links.has(node, supportedFlag)) this.consider(node)
      }
      if (!linked) this.topLevel = level - 1
      if (this.highestLevel === level) return
    }
  }

  private emptyQueue(): void {
    for (let n = 0; n < this.queued; n++) this.links.unset(this.queue[n]!, queuedFlag)
    this.queued = 0
  }
}
