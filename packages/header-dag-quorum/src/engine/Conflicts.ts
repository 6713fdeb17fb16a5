/**
 * Levels at which more than one header has support, and peers that strongly support several headers of one level. For nodes linked to the
 * base only the lowest such level counts, because whoever supports a node supports one header of every level beneath it.
 */
import type { LevelTable } from "./LevelTable.ts"

export class Conflicts {
  /** Levels with two or more supported headers. */
  readonly levels = new Set<number>()
  private readonly table: LevelTable
  private readonly words: number
  private lowestLevel = Infinity
  /** For each peer the lowest level at which it is strong on several headers. */
  private readonly equivocalLevels: Float64Array
  private lowestEquivocalLevel = Infinity
  /** Something was taken away: the lowest levels have to be looked for anew. */
  private stale = false

  constructor(table: LevelTable, maxPeers: number, words: number) {
    this.table = table
    this.words = words
    this.equivocalLevels = new Float64Array(maxPeers).fill(Infinity)
  }

  add(level: number): void {
    this.levels.add(level)
    if (level < this.lowestLevel) this.lowestLevel = level
  }

  /** Peers of one word turned out to be strong on several headers of a level. */
  addEquivocal(level: number, word: number, peers: number): void {
    if (level < this.lowestEquivocalLevel) this.lowestEquivocalLevel = level
    for (let rest = peers; rest !== 0; rest &= rest - 1) {
      const peer = word * 32 + 31 - Math.clz32(rest & -rest)
      if (level < this.equivocalLevels[peer]!) this.equivocalLevels[peer] = level
    }
  }

  /** A level lost support: it may be free of conflict now, or of some equivocation. */
  lessAt(level: number, slot: number): void {
    this.stale = true
    if (slot < 0 || this.table.supportedAt(slot) < 2) this.levels.delete(level)
  }

  /** A peer was forgotten at all levels. */
  collectAnew(): void {
    this.stale = true
  }

  get lowest(): number {
    this.refresh()
    return this.lowestLevel
  }

  get lowestEquivocal(): number {
    this.refresh()
    return this.lowestEquivocalLevel
  }

  /** The lowest level at which a peer is strong on several headers, Infinity when there is none. */
  equivocalLevel(peer: number): number {
    this.refresh()
    return this.equivocalLevels[peer]!
  }

  /** Sets, in `out`, the peers that are strong on several headers of one level at or below `level`. */
  equivocalUpTo(level: number, out: Int32Array): void {
    this.refresh()
    out.fill(0)
    for (let peer = 0; peer < this.equivocalLevels.length; peer++) {
      if (this.equivocalLevels[peer]! <= level) out[peer >>> 5]! |= 1 << (peer & 31)
    }
  }

  /** The same for the levels of a range; returns whether there is a conflict at one of them. Walks the shorter of range and conflicts. */
  within(from: number, to: number, out: Int32Array): boolean {
    out.fill(0)
    if (this.lowest > to) return false
    let found = false
    if (to - from < this.levels.size) {
      for (let level = from; level <= to; level++) if (this.levels.has(level) && this.collect(level, out)) found = true
    } else {
      for (const level of this.levels) if (level >= from && level <= to && this.collect(level, out)) found = true
    }
    return found
  }

  clear(): void {
    this.levels.clear()
    this.stale = true
  }

  private collect(level: number, out: Int32Array): true {
    const slot = this.table.find(level)
    for (let word = 0; word < this.words; word++) out[word]! |= this.table.equivocal(slot, word)
    return true
  }

  private refresh(): void {
    if (!this.stale) return
    this.stale = false
    this.lowestLevel = Infinity
    this.lowestEquivocalLevel = Infinity
    this.equivocalLevels.fill(Infinity)
    for (const level of this.levels) {
      if (level < this.lowestLevel) this.lowestLevel = level
      const slot = this.table.find(level)
      for (let word = 0; word < this.words; word++) {
        const peers = this.table.equivocal(slot, word)
        if (peers !== 0) this.addEquivocal(level, word, peers)
      }
    }
  }
}
