/**
 * The rows of groups, and the ways to find one: by a guess, else by its series and start.
 *
 *   guess ─hit─► group                                     id ─hash─► series ─► its first group? ─► group
 *     └miss► series of the last report? of the one after? ──────────────▲           └other start► (series, start) ─► group
 *
 * Most jobs list one block start, so the hash table over (series, start) holds a series' second and later groups only.
 */
import { countsWord, hiWord, loWord, seriesWord, strideOf } from "./GroupRow.ts"
import { halfSipHashWords } from "./HalfSipHash.ts"
import type { MemoryBound } from "./MemoryBound.ts"
import { chunkMask, chunkShift, RowChunks } from "./RowChunks.ts"
import { SeriesIndex, tagsConflict, tagsRefused } from "./SeriesIndex.ts"
import { indexMask, SlotTable } from "./SlotTable.ts"

export class GroupTable {
  readonly series: SeriesIndex
  private readonly maxGroups: number
  private readonly key0: number
  private readonly key1: number
  private readonly stride: number
  private readonly rows: RowChunks
  private readonly table: SlotTable
  count = 0
  tagConflicts = 0
  /** The series of the id that was sought last, or −1. */
  foundSeries = -1
  private groupHash = 0
  private secondProbes = 0
  private readonly refill = (): void => {
    for (let group = 0; group < this.count; group++) {
      const words = this.chunkOf(group)
      const row = this.rowOf(group)
      const series = words[row + seriesWord]!
      if (this.series.firstGroup(series) === group) continue
      this.table.insert(this.hashOf(series, words[row + hiWord]!, words[row + loWord]!), group)
    }
  }

  constructor(memory: MemoryBound, peerCount: number, maxGroups: number, initialGroups: number, seed: number) {
    this.maxGroups = maxGroups
    this.key0 = seed | 0
    this.key1 = (seed / 2 ** 32) | 0
    this.stride = strideOf(peerCount)
    this.series = new SeriesIndex(memory, initialGroups, this.key0, this.key1)
    this.rows = new RowChunks(memory, this.stride, initialGroups)
    this.table = new SlotTable(memory)
  }

  get probes(): number {
    return this.secondProbes + this.series.probes
  }

  /** The group of an (id, start), or −1. */
  find(view: DataView, offset: number, length: number, hi: number, lo: number): number {
    return this.locate(this.series.find(view, offset, length), hi, lo)
  }

  /** The group of an (id, start), or −1; `expected` is the group where it probably is, and may be any. */
  groupOf(expected: number, view: DataView, offset: number, length: number, hi: number, lo: number): number {
    // Of the group before, which the peer reported last, and of the one expected: the start may be another, the series hardly.
    let next = this.series.count
    if (expected < this.count) {
      next = this.seriesOf(expected)
      if (this.series.hasId(next, view, offset, length)) {
        this.foundSeries = next
        return this.startsAt(expected, hi, lo) ? expected : this.locate(next, hi, lo)
      }
    }
    if (expected > 0) {
      const last = this.seriesOf(expected - 1)
      if (last !== next && this.series.hasId(last, view, offset, length)) return this.locate(last, hi, lo)
      if (last + 1 < this.series.count && last + 1 !== next && this.series.hasId(last + 1, view, offset, length)) {
        return this.locate(last + 1, hi, lo)
      }
    }
    return this.find(view, offset, length, hi, lo)
  }

  /** The series' group at a start, or −1; leaves the series and the hash behind for the insertion that may follow. */
  locate(series: number, hi: number, lo: number): number {
    this.foundSeries = series
    if (series < 0) return -1
    const first = this.series.firstGroup(series)
    return this.startsAt(first, hi, lo) ? first : this.locateLater(series, hi, lo)
  }

  /** Looks for a series' second or later group. */
  private locateLater(series: number, hi: number, lo: number): number {
    const { mask, slots } = this.table
    const hash = this.hashOf(series, hi, lo)
    this.groupHash = hash
    let at = hash & mask
    for (let entry = slots[at]!; entry !== 0; entry = slots[at]!) {
      this.secondProbes++
      if (((entry ^ hash) & ~indexMask) === 0) {
        const group = (entry & indexMask) - 1
        if (this.seriesOf(group) === series && this.startsAt(group, hi, lo)) return group
      }
      at = (at + 1) & mask
    }
    return -1
  }

  private hashOf(series: number, hi: number, lo: number): number {
    return halfSipHashWords(this.key0, this.key1, series, hi, lo)
  }

  private startsAt(group: number, hi: number, lo: number): boolean {
    const words = this.chunkOf(group)
    const row = this.rowOf(group)
    return words[row + loWord] === lo && words[row + hiWord] === hi
  }

  /** Adds the group that `groupOf` did not find; −1, with nothing kept but room, when it finds none. */
  add(
    view: DataView,
    idOffset: number,
    idLength: number,
    tagsOffset: number,
    tagsLength: number,
    hi: number,
    lo: number,
    missing: number
  ): number {
    const group = this.count
    if (group === this.maxGroups || !this.rows.reserve(group)) return -1
    let series = this.foundSeries
    if (series < 0) {
      series = this.series.add(view, idOffset, idLength, tagsOffset, tagsLength, group)
      if (series < 0) return -1
    } else {
      if (!this.table.reserve(this.refill) || !this.offerTags(series, view, tagsOffset, tagsLength)) return -1
      this.table.insert(this.groupHash, group)
    }
    const words = this.chunkOf(group)
    const row = this.rowOf(group)
    words[row + seriesWord] = series
    words[row + hiWord] = hi
    words[row + loWord] = lo
    words[row + countsWord] = missing
    this.count++
    return group
  }

  /** False when the tags are new and find no room. */
  offerTags(series: number, view: DataView, offset: number, length: number): boolean {
    const outcome = this.series.offerTags(series, view, offset, length)
    if (outcome === tagsConflict) this.tagConflicts++
    return outcome !== tagsRefused
  }

  clear(): void {
    this.series.clear()
    this.rows.clear()
    this.table.clear()
    this.count = 0
    this.tagConflicts = 0
    this.secondProbes = 0
  }

  chunkOf(group: number): Int32Array {
    return this.rows.chunks[group >>> chunkShift]!
  }

  rowOf(group: number): number {
    return (group & chunkMask) * this.stride
  }

  seriesOf(group: number): number {
    return this.chunkOf(group)[this.rowOf(group) + seriesWord]!
  }
}
