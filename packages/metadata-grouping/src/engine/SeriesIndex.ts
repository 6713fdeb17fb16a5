/**
 * Each distinct id once, with its tags: the same series appears once for every block start, so ids and tags are stored per
 * series and groups refer to a series by its number (order of first appearance).
 */
import { ByteArena } from "./ByteArena.ts"
import { halfSipHash } from "./HalfSipHash.ts"
import { HashesAhead } from "./HashesAhead.ts"
import type { MemoryBound } from "./MemoryBound.ts"
import { chunkMask, chunkShift, RowChunks } from "./RowChunks.ts"
import { indexMask, SlotTable } from "./SlotTable.ts"

/** Words of a row, 32 bytes: hash of the id, where id and tags lie and how long they are, the first group. */
const rowWords = 8
const hashWord = 0
const idChunk = 1
const idOffset = 2
const idLength = 3
const tagsChunk = 4
const tagsOffset = 5
const tagsLength = 6
const firstGroup = 7

/** Outcome of `offerTags`. */
export const tagsAgree = 0
export const tagsConflict = 1
export const tagsRefused = 2

export class SeriesIndex {
  private readonly arena: ByteArena
  private readonly table: SlotTable
  private readonly key0: number
  private readonly key1: number
  private readonly rows: RowChunks
  private seriesCount = 0
  private readonly refill = (): void => {
    for (let series = 0; series < this.seriesCount; series++) {
      this.table.insert(this.chunkOf(series)[rowOf(series) + hashWord]!, series)
    }
  }
  /** Hash of the id that `find` looked for last, for the insertion that may follow. */
  private soughtHash = 0

  readonly ahead = new HashesAhead()
  /** What `lookAhead` has read; kept, so that its reads are not dropped as useless. */
  touched = 0

  /** Slots looked at so far beyond the free one that ends a search; the measure of a collision flood. */
  probes = 0

  constructor(memory: MemoryBound, firstRows: number, key0: number, key1: number) {
    this.rows = new RowChunks(memory, rowWords, firstRows)
    this.key0 = key0
    this.key1 = key1
    this.arena = new ByteArena(memory)
    this.table = new SlotTable(memory)
  }

  get count(): number {
    return this.seriesCount
  }

  hasId(series: number, view: DataView, offset: number, length: number): boolean {
    const rows = this.chunkOf(series)
    const row = rowOf(series)
    return rows[row + idLength] === length &&
      this.arena.equals(rows[row + idChunk]!, rows[row + idOffset]!, length, view, offset)
  }

  /** Whether the series has exactly these tags, or none are given. */
  hasTags(series: number, view: DataView, offset: number, length: number): boolean {
    if (length === 0) return true
    const rows = this.chunkOf(series)
    const row = rowOf(series)
    return rows[row + tagsLength] === length &&
      this.arena.equals(rows[row + tagsChunk]!, rows[row + tagsOffset]!, length, view, offset)
  }

  /** The number of an id, or −1. */
  find(view: DataView, offset: number, length: number): number {
    const hash = this.ahead.take(offset, length)
      ? this.ahead.taken
      : halfSipHash(this.key0, this.key1, view, offset, length)
    this.soughtHash = hash
    const { mask, slots } = this.table
    let at = hash & mask
    for (let entry = slots[at]!; entry !== 0; entry = slots[at]!) {
      this.probes++
      if (((entry ^ hash) & ~indexMask) === 0) {
        const series = (entry & indexMask) - 1
        if (this.chunkOf(series)[rowOf(series) + hashWord] === hash && this.hasId(series, view, offset, length)) {
          return series
        }
      }
      at = (at + 1) & mask
    }
    return -1
  }

  /** Hashes the next ids of a page and touches what their look-ups will read. */
  lookAhead(view: DataView, offsets: Int32Array, lengths: Int32Array, row: number, rows: number): void {
    const { ahead } = this
    const { mask, slots } = this.table
    const count = ahead.fill(this.key0, this.key1, view, offsets, lengths, row, rows)
    let touched = 0
    for (let i = 0; i < count; i++) touched ^= slots[ahead.hash(i) & mask]!
    for (let i = 0; i < count; i++) {
      const series = (slots[ahead.hash(i) & mask]! & indexMask) - 1
      if (series >= 0) touched ^= this.chunkOf(series)[rowOf(series) + hashWord]!
    }
    for (let i = 0; i < count; i++) {
      const series = (slots[ahead.hash(i) & mask]! & indexMask) - 1
      if (series < 0) continue
      const rows = this.chunkOf(series)
      const row = rowOf(series)
      if (rows[row + idLength]! > 0) touched ^= this.arena.byteAt(rows[row + idChunk]!, rows[row + idOffset]!)
    }
    this.touched = touched
  }

  /** Adds the id that `find` just did not find, with its tags and first group; −1, with nothing kept, when the memory bound refuses. */
  add(view: DataView, id: number, idBytes: number, tags: number, tagsBytes: number, group: number): number {
    const series = this.seriesCount
    if (!this.table.reserve(this.refill) || !this.rows.reserve(series)) return -1
    const { arena } = this
    if (!arena.append(view, id, idBytes, tags, tagsBytes)) return -1
    const rows = this.chunkOf(series)
    const row = rowOf(series)
    rows[row + hashWord] = this.soughtHash
    rows[row + idChunk] = arena.lastChunk
    rows[row + idOffset] = arena.lastOffset
    rows[row + idLength] = idBytes
    rows[row + tagsChunk] = arena.lastChunk
    rows[row + tagsOffset] = arena.lastOffset + idBytes
    rows[row + tagsLength] = tagsBytes
    rows[row + firstGroup] = group
    this.table.insert(this.soughtHash, series)
    this.seriesCount++
    return series
  }

  /** The group in which the series appeared first. */
  firstGroup(series: number): number {
    return this.chunkOf(series)[rowOf(series) + firstGroup]!
  }

  /** Keeps the tags if the series has none yet, else compares. Empty tags agree with anything. */
  offerTags(series: number, view: DataView, offset: number, length: number): number {
    if (this.hasTags(series, view, offset, length)) return tagsAgree
    const { arena } = this
    const rows = this.chunkOf(series)
    const row = rowOf(series)
    if (rows[row + tagsLength] !== 0) return tagsConflict
    if (!arena.append(view, offset, length, 0, 0)) return tagsRefused
    rows[row + tagsChunk] = arena.lastChunk
    rows[row + tagsOffset] = arena.lastOffset
    rows[row + tagsLength] = length
    return tagsAgree
  }

  id(series: number): Uint8Array {
    const rows = this.chunkOf(series)
    const row = rowOf(series)
    return this.arena.view(rows[row + idChunk]!, rows[row + idOffset]!, rows[row + idLength]!)
  }

  idLength(series: number): number {
    return this.chunkOf(series)[rowOf(series) + idLength]!
  }

  copyId(series: number, target: DataView, at: number): void {
    const rows = this.chunkOf(series)
    const row = rowOf(series)
    const length = rows[row + idLength]!
    if (length > 0) this.arena.copyOut(rows[row + idChunk]!, rows[row + idOffset]!, length, target, at)
  }

  tags(series: number): Uint8Array {
    const rows = this.chunkOf(series)
    const row = rowOf(series)
    return this.arena.view(rows[row + tagsChunk]!, rows[row + tagsOffset]!, rows[row + tagsLength]!)
  }

  clear(): void {
    this.arena.clear()
    this.table.clear()
    this.rows.clear()
    this.seriesCount = 0
    this.probes = 0
    this.touched = 0
    this.ahead.reset()
  }

  private chunkOf(series: number): Int32Array {
    return this.rows.chunks[series >>> chunkShift]!
  }
}

const rowOf = (series: number): number => (series & chunkMask) * rowWords
