/**
 * Each distinct id once, with its tags: the same series appears once for every block start, so ids and tags are stored per
 * series and groups refer to a series by its number (order of first appearance).
 */
import { ByteArena } from "./ByteArena.ts"
import type { MemoryBound } from "./MemoryBound.ts"
import { SlotTable } from "./SlotTable.ts"

/** Uint32 words of a row: where the id lies and how long it is, the same for the tags, the first group + 1. */
const rowWords = 7
const idChunk = 0
const idOffset = 1
const idLength = 2
const tagsChunk = 3
const tagsOffset = 4
const tagsLength = 5
const firstGroup = 6

/** Outcome of `offerTags`. */
export const tagsAgree = 0
export const tagsConflict = 1
export const tagsRefused = 2

export class SeriesIndex {
  private readonly memory: MemoryBound
  private readonly arena: ByteArena
  private readonly table: SlotTable
  private readonly firstRows: number
  private rows: Uint32Array = new Uint32Array(0)
  private seriesCount = 0

  /** Slots looked at so far beyond the free one that ends a search; the measure of a collision flood. */
  probes = 0

  constructor(memory: MemoryBound, firstRows: number) {
    this.memory = memory
    this.firstRows = firstRows
    this.arena = new ByteArena(memory)
    this.table = new SlotTable(memory)
  }

  get count(): number {
    return this.seriesCount
  }

  hasId(series: number, view: DataView, offset: number, length: number): boolean {
    const row = series * rowWords
    return this.rows[row + idLength] === length &&
      this.arena.equals(this.rows[row + idChunk]!, this.rows[row + idOffset]!, length, view, offset)
  }

  /** The number of an id, or −1. `hash` is that of the id's bytes. */
  find(hash: number, view: DataView, offset: number, length: number): number {
    const { mask, slots } = this.table
    let at = hash & mask
    for (let entry = slots[2 * at + 1]!; entry !== 0; entry = slots[2 * at + 1]!) {
      this.probes++
      if (slots[2 * at] === hash && this.hasId(entry - 1, view, offset, length)) return entry - 1
      at = (at + 1) & mask
    }
    return -1
  }

  /** Adds an id that `find` did not find; −1 when the memory bound refuses. */
  add(hash: number, view: DataView, offset: number, length: number): number {
    const series = this.seriesCount
    if (!this.table.reserve() || !this.reserveRow(series) || !this.arena.append(view, offset, length)) return -1
    const row = series * rowWords
    this.rows[row + idChunk] = this.arena.lastChunk
    this.rows[row + idOffset] = this.arena.lastOffset
    this.rows[row + idLength] = length
    this.table.insert(hash, series)
    this.seriesCount++
    return series
  }

  /** The group in which the series appeared first, or −1 before there is one. */
  firstGroup(series: number): number {
    return this.rows[series * rowWords + firstGroup]! - 1
  }

  setFirstGroup(series: number, group: number): void {
    this.rows[series * rowWords + firstGroup] = group + 1
  }

  /** Keeps the tags if the series has none yet, else compares. Empty tags agree with anything. */
  offerTags(series: number, view: DataView, offset: number, length: number): number {
    if (length === 0) return tagsAgree
    const { arena, rows } = this
    const row = series * rowWords
    const held = rows[row + tagsLength]!
    if (held === 0) {
      if (!arena.append(view, offset, length)) return tagsRefused
      rows[row + tagsChunk] = arena.lastChunk
      rows[row + tagsOffset] = arena.lastOffset
      rows[row + tagsLength] = length
      return tagsAgree
    }
    return held === length && arena.equals(rows[row + tagsChunk]!, rows[row + tagsOffset]!, length, view, offset)
      ? tagsAgree
      : tagsConflict
  }

  id(series: number): Uint8Array {
    const row = series * rowWords
    return this.arena.view(this.rows[row + idChunk]!, this.rows[row + idOffset]!, this.rows[row + idLength]!)
  }

  tags(series: number): Uint8Array {
    const row = series * rowWords
    return this.arena.view(this.rows[row + tagsChunk]!, this.rows[row + tagsOffset]!, this.rows[row + tagsLength]!)
  }

  clear(): void {
    this.arena.clear()
    this.table.clear()
    this.rows = new Uint32Array(0)
    this.seriesCount = 0
    this.probes = 0
  }

  private reserveRow(series: number): boolean {
    const capacity = this.rows.length / rowWords
    if (series < capacity) return true
    const wanted = capacity === 0 ? this.firstRows : capacity * 2
    if (!this.memory.tryTake((wanted - capacity) * rowWords * Uint32Array.BYTES_PER_ELEMENT)) return false
    const rows = new Uint32Array(wanted * rowWords)
    rows.set(this.rows)
    this.rows = rows
    return true
  }
}
