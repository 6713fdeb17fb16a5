/**
 * `Grouping` in typed arrays: ids and tags once per series in an arena, one row of cells per group. No object per report, no
 * string; growth by doubling up to a maximum, beyond which reports are refused.
 *
 *   report ─► cursor of the peer ──hit────────────────────────► cells ─► missing = 0? ─► ready order ─► drainReady
 *                  │miss                                           ▲
 *                  └► hash of id ─► series ─► its first group? ────┤
 *                                               │other start       │
 *                                               └► (series, start) ┘
 *
 * Most jobs list one block start, so the hash table over (series, start) holds a series' second and later groups only.
 * The cursor: replicas list a shard in nearly the same order, so after group g a peer most often reports g + 1. One
 * comparison tells, and saves the hash.
 */
import { type Grouping, noChecksum, type ReportColumns, type RowWatch } from "../contract/Grouping.ts"
import { Limits } from "../contract/Limits.ts"
import { absent, GroupColumns, withChecksum, withoutChecksum } from "./GroupColumns.ts"
import { halfSipHash, halfSipHashWords } from "./HalfSipHash.ts"
import { MemoryBound } from "./MemoryBound.ts"
import { SeriesIndex, tagsConflict, tagsRefused } from "./SeriesIndex.ts"
import { SlotTable } from "./SlotTable.ts"

export interface PackedGroupingOptions {
  /** 1 … `Limits.maxPeers`. */
  readonly peerCount: number
  /** 1 … `Limits.maxGroups`. A report that would make one more group is refused. */
  readonly maxGroups: number
  /** Bytes of columns, slots and arena beyond which growth is refused. Default: no bound but `maxGroups`. */
  readonly maxBytes?: number
  /** Groups for which there is room before the first growth. Default `Limits.initialGroups`. */
  readonly initialGroups?: number
  /**
   * Key of the hash, an integer 0 … 2^53 − 1. Give a random one wherever ids come from peers that are not trusted: it keeps
   * them from choosing ids that collide. Does not change any result. Default 0.
   */
  readonly seed?: number
}

/** A `Grouping` in typed arrays, with figures about itself. */
export interface PackedGrouping extends Grouping {
  /** Distinct ids since the last `clear`. */
  readonly seriesCount: number
  /** Occupied slots looked at in all hash lookups since the last `clear`: what collisions cost. */
  readonly probes: number
}

/** Makes an empty grouping. Throws a `RangeError` that names the option when one is out of range. */
export const makePackedGrouping = (options: PackedGroupingOptions): PackedGrouping => {
  const initialGroups = options.initialGroups ?? Math.min(Limits.initialGroups, options.maxGroups)
  checkInteger("peerCount", options.peerCount, 1, Limits.maxPeers)
  checkInteger("maxGroups", options.maxGroups, 1, Limits.maxGroups)
  checkInteger("initialGroups", initialGroups, 1, options.maxGroups)
  checkInteger("seed", options.seed ?? 0, 0, Number.MAX_SAFE_INTEGER)
  const maxBytes = options.maxBytes ?? Infinity
  if (!(maxBytes > 0)) throw new RangeError(`makePackedGrouping: maxBytes must be above 0, got ${maxBytes}`)
  return new Packed(options.peerCount, options.maxGroups, maxBytes, initialGroups, options.seed ?? 0)
}

const checkInteger = (name: string, value: number, min: number, max: number): void => {
  if (Number.isInteger(value) && value >= min && value <= max) return
  throw new RangeError(`makePackedGrouping: ${name} must be an integer from ${min} to ${max}, got ${value}`)
}

/** Values of a peer's `state`. */
const waited = 0
const unwaited = 1
const finished = 2

class Packed implements PackedGrouping {
  readonly peerCount: number
  private readonly maxGroups: number
  private readonly initialGroups: number
  private readonly key0: number
  private readonly key1: number
  private readonly memory: MemoryBound
  private readonly series: SeriesIndex
  private readonly columns: GroupColumns
  private readonly table: SlotTable
  private readonly state: Uint8Array
  /** Per peer the group that it will probably report next. */
  private readonly cursors: Int32Array
  private waitedFor: number
  private groups = 0
  private readyCount = 0
  private drainedCount = 0
  private groupProbes = 0
  /** What `locate` found out on its last search. */
  private foundSeries = -1
  private idHash = 0
  private groupHash = 0
  /** Reports come by the page, so the view of the last buffer nearly always serves the next report. */
  private lastBuffer: Uint8Array = new Uint8Array(0)
  private lastView = new DataView(this.lastBuffer.buffer)

  duplicates = 0
  late = 0
  additions = 0
  tagConflicts = 0
  refused = 0

  constructor(peerCount: number, maxGroups: number, maxBytes: number, initialGroups: number, seed: number) {
    this.peerCount = peerCount
    this.maxGroups = maxGroups
    this.initialGroups = initialGroups
    this.key0 = seed | 0
    this.key1 = (seed / 2 ** 32) | 0
    this.memory = new MemoryBound(maxBytes)
    this.series = new SeriesIndex(this.memory, initialGroups)
    this.columns = new GroupColumns(this.memory, peerCount)
    this.table = new SlotTable(this.memory)
    this.state = new Uint8Array(peerCount)
    this.cursors = new Int32Array(peerCount)
    this.waitedFor = peerCount
  }

  get groupCount(): number {
    return this.groups
  }

  get seriesCount(): number {
    return this.series.count
  }

  get probes(): number {
    return this.groupProbes + this.series.probes
  }

  get bytes(): number {
    return this.memory.used
  }

  report(
    peer: number,
    buffer: Uint8Array,
    idOffset: number,
    idLength: number,
    tagsOffset: number,
    tagsLength: number,
    startHi: number,
    startLo: number,
    size: number,
    checksum: number
  ): number {
    this.checkPeer(peer)
    checkRange("id", buffer, idOffset, idLength)
    checkRange("tags", buffer, tagsOffset, tagsLength)
    const view = this.viewOf(buffer)
    return this.take(peer, view, idOffset, idLength, tagsOffset, tagsLength, startHi | 0, startLo | 0, size, checksum)
  }

  reportPage(peer: number, page: ReportColumns, watch?: RowWatch): number {
    this.checkPeer(peer)
    const { buffer } = page
    const view = this.viewOf(buffer)
    let fresh = 0
    for (let row = 0; row < page.count; row++) {
      const idOffset = page.idOffset[row]!
      const idLength = page.idLength[row]!
      const tagsOffset = page.tagsOffset[row]!
      const tagsLength = page.tagsLength[row]!
      checkRange("id", buffer, idOffset, idLength)
      checkRange("tags", buffer, tagsOffset, tagsLength)
      const { additions, duplicates, groups, late } = this
      const group = this.take(
        peer,
        view,
        idOffset,
        idLength,
        tagsOffset,
        tagsLength,
        page.startHi[row]!,
        page.startLo[row]!,
        page.size[row]!,
        page.checksum[row]!,
        watch,
        row
      )
      if (group < 0) continue
      if (group === groups) watch?.made(row, group)
      if (this.additions > additions) watch?.added(row, group)
      if (this.duplicates === duplicates && this.late === late) fresh++
    }
    return fresh
  }

  private take(
    peer: number,
    view: DataView,
    idOffset: number,
    idLength: number,
    tagsOffset: number,
    tagsLength: number,
    hi: number,
    lo: number,
    size: number,
    checksum: number,
    watch?: RowWatch,
    row = 0
  ): number {
    let group = this.cursors[peer]!
    if (!this.isGroup(group, view, idOffset, idLength, hi, lo)) group = this.locate(view, idOffset, idLength, hi, lo)
    if (this.state[peer] === finished || (group >= 0 && this.ignoresLate(group, peer))) {
      this.late++
      return group
    }
    if (group < 0 && watch !== undefined && !watch.admits(row, this.foundSeries >= 0)) return -1
    const series = group >= 0 ? this.columns.series[group]! : this.seriesForNewGroup(view, idOffset, idLength)
    if (series < 0) return this.refuse()
    const tags = this.series.offerTags(series, view, tagsOffset, tagsLength)
    if (tags === tagsRefused) return this.refuse()
    if (group >= 0 && this.columns.missing[group] === 0) this.additions++
    if (group < 0) group = this.add(series, hi, lo)
    if (group < 0) return this.refuse()
    if (tags === tagsConflict) this.tagConflicts++
    this.record(group, peer, size, checksum)
    this.cursors[peer] = group + 1
    return group
  }

  unwait(peer: number): void {
    this.checkPeer(peer)
    if (this.state[peer] !== waited) return
    this.state[peer] = unwaited
    this.waitedFor--
    const { missing, presence } = this.columns
    for (let group = 0, cell = peer; group < this.groups; group++, cell += this.peerCount) {
      if (presence[cell] !== absent || missing[group] === 0) continue
      missing[group]!--
      if (missing[group] === 0) this.columns.readyOrder[this.readyCount++] = group
    }
  }

  finish(peer: number): void {
    this.unwait(peer)
    this.state[peer] = finished
    this.forgetBuffer()
  }

  drainReady(out: Array<number>): void {
    const { readyOrder } = this.columns
    while (this.drainedCount < this.readyCount) out.push(readyOrder[this.drainedCount++]!)
  }

  has(group: number, peer: number): boolean {
    return this.columns.presence[this.cell(group, peer)] !== absent
  }

  checksum(group: number, peer: number): number {
    const cell = this.cell(group, peer)
    return this.columns.presence[cell] === withChecksum ? this.columns.checksum[cell]! : noChecksum
  }

  size(group: number, peer: number): number {
    return this.columns.sizeBytes[this.cell(group, peer)]!
  }

  reporters(group: number): number {
    return this.columns.reporters[this.checked(group)]!
  }

  startHi(group: number): number {
    return this.columns.startHi[this.checked(group)]!
  }

  startLo(group: number): number {
    return this.columns.startLo[this.checked(group)]!
  }

  id(group: number): Uint8Array {
    return this.series.id(this.columns.series[this.checked(group)]!)
  }

  tags(group: number): Uint8Array {
    return this.series.tags(this.columns.series[this.checked(group)]!)
  }

  find(buffer: Uint8Array, idOffset: number, idLength: number, startHi: number, startLo: number): number {
    checkRange("id", buffer, idOffset, idLength)
    return this.locate(this.viewOf(buffer), idOffset, idLength, startHi | 0, startLo | 0)
  }

  clear(): void {
    this.memory.reset()
    this.series.clear()
    this.columns.clear()
    this.table.clear()
    this.state.fill(waited)
    this.cursors.fill(0)
    this.waitedFor = this.peerCount
    this.groups = 0
    this.readyCount = 0
    this.drainedCount = 0
    this.groupProbes = 0
    this.duplicates = 0
    this.late = 0
    this.additions = 0
    this.tagConflicts = 0
    this.refused = 0
    this.forgetBuffer()
  }

  private isGroup(group: number, view: DataView, offset: number, length: number, hi: number, lo: number): boolean {
    return group < this.groups && this.startsAt(group, hi, lo) &&
      this.series.hasId(this.columns.series[group]!, view, offset, length)
  }

  /** The group or −1; leaves the hashes and the series behind for the insertion that may follow. */
  private locate(view: DataView, offset: number, length: number, hi: number, lo: number): number {
    this.idHash = halfSipHash(this.key0, this.key1, view, offset, length)
    const series = this.series.find(this.idHash, view, offset, length)
    this.foundSeries = series
    const first = series < 0 ? -1 : this.series.firstGroup(series)
    return first < 0 || this.startsAt(first, hi, lo) ? first : this.locateLater(series, hi, lo)
  }

  /** Looks for a series' second or later group. */
  private locateLater(series: number, hi: number, lo: number): number {
    const { mask, slots } = this.table
    const hash = halfSipHashWords(this.key0, this.key1, series, hi, lo)
    this.groupHash = hash
    let at = hash & mask
    for (let entry = slots[2 * at + 1]!; entry !== 0; entry = slots[2 * at + 1]!) {
      this.groupProbes++
      const group = entry - 1
      if (slots[2 * at] === hash && this.columns.series[group] === series && this.startsAt(group, hi, lo)) return group
      at = (at + 1) & mask
    }
    return -1
  }

  /** A ready group takes the first report of an unwaited peer only. */
  private ignoresLate(group: number, peer: number): boolean {
    return this.columns.missing[group] === 0 &&
      (this.state[peer] !== unwaited || this.columns.presence[group * this.peerCount + peer] !== absent)
  }

  private startsAt(group: number, hi: number, lo: number): boolean {
    return this.columns.startLo[group] === lo && this.columns.startHi[group] === hi
  }

  /** The series of the id that `locate` looked for, made when new; −1 when there is no room for one more group. */
  private seriesForNewGroup(view: DataView, offset: number, length: number): number {
    if (this.groups === this.maxGroups) return -1
    return this.foundSeries >= 0 ? this.foundSeries : this.series.add(this.idHash, view, offset, length)
  }

  /** Adds the group that `locate` did not find; −1 when memory is refused. */
  private add(series: number, hi: number, lo: number): number {
    const { columns } = this
    const group = this.groups
    if (group === columns.capacity) {
      const wanted = group === 0 ? this.initialGroups : Math.min(group * 2, this.maxGroups)
      if (!columns.grow(wanted)) return -1
    }
    if (this.series.firstGroup(series) < 0) this.series.setFirstGroup(series, group)
    else if (this.table.reserve()) this.table.insert(this.groupHash, group)
    else return -1
    columns.series[group] = series
    columns.startHi[group] = hi
    columns.startLo[group] = lo
    columns.missing[group] = this.waitedFor
    if (this.waitedFor === 0) columns.readyOrder[this.readyCount++] = group
    this.groups++
    return group
  }

  private record(group: number, peer: number, size: number, checksum: number): void {
    const { columns } = this
    const cell = group * this.peerCount + peer
    const again = columns.presence[cell] !== absent
    columns.presence[cell] = checksum === noChecksum ? withoutChecksum : withChecksum
    columns.checksum[cell] = checksum
    columns.sizeBytes[cell] = size > 0 ? Math.min(size, Limits.maxSizeBytes) : 0
    if (again) {
      this.duplicates++
      return
    }
    columns.reporters[group]!++
    if (this.state[peer] !== waited) return
    columns.missing[group]!--
    if (columns.missing[group] === 0) columns.readyOrder[this.readyCount++] = group
  }

  private refuse(): number {
    this.refused++
    return -1
  }

  private viewOf(buffer: Uint8Array): DataView {
    if (buffer !== this.lastBuffer) {
      this.lastBuffer = buffer
      this.lastView = new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength)
    }
    return this.lastView
  }

  private forgetBuffer(): void {
    this.viewOf(new Uint8Array(0))
  }

  private cell(group: number, peer: number): number {
    this.checkPeer(peer)
    return this.checked(group) * this.peerCount + peer
  }

  private checked(group: number): number {
    if (group < this.groups && this.columns.missing[group] !== undefined) return group
    throw new RangeError(`Grouping: group ${group} does not exist, there are ${this.groups}`)
  }

  private checkPeer(peer: number): void {
    if (this.state[peer] !== undefined) return
    throw new RangeError(`Grouping: peer ${peer} does not exist, there are ${this.peerCount}`)
  }
}

const checkRange = (what: string, buffer: Uint8Array, offset: number, length: number): void => {
  if (length === 0 || (offset >= 0 && length > 0 && offset + length <= buffer.length)) return
  throw new RangeError(`Grouping: ${what} at ${offset}, ${length} bytes, leaves the buffer of ${buffer.length} bytes`)
}
