/**
 * `Grouping` in typed arrays: ids and tags once per series in an arena, one row of words per group. No object per report, no
 * string; growth by doubling up to a maximum, beyond which reports are refused.
 *
 *   report ─► cursor of the peer ──hit─────────────────────────► cell ─► missing = 0? ─► ready order ─► drainReady
 *                  │miss                                           ▲
 *                  └► last series? next one? hash of id ─► series ─┼─► its first group?
 *                                                                  │        │other start
 *                                                                  └────────┴► (series, start)
 *
 * Most jobs list one block start, so the hash table over (series, start) holds a series' second and later groups only.
 * The cursor: replicas list a shard in nearly the same order, so after group g a peer most often reports g + 1. One
 * comparison tells, and saves the hash. Where only the start is another, the series of the peer's last report (all starts of a
 * series in a row) or the one after it (all series of a start in a row) saves it, too. Hints decide nothing: whatever they miss, the
 * hash finds.
 */
import { type Grouping, noChecksum, type ReportColumns, type RowWatch } from "../contract/Grouping.ts"
import { Limits } from "../contract/Limits.ts"
import {
  absent,
  cellWords,
  countsWord,
  hiWord,
  loWord,
  markOf,
  missingMask,
  oneReporter,
  presenceShift,
  readyWord,
  reportersShift,
  seriesWord,
  sizeMask,
  withChecksum
} from "./GroupRow.ts"
import { GroupTable } from "./GroupTable.ts"
import { MemoryBound } from "./MemoryBound.ts"

/** How many peers and groups, and how many bytes they may take. */
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

/** After so many rows that were not where the cursor expected them, the next ones are hashed ahead. */
const missesInOrder = 2

class Packed implements PackedGrouping {
  readonly peerCount: number
  private readonly memory: MemoryBound
  private readonly table: GroupTable
  private readonly state: Uint8Array
  /** Per peer the group that it will probably report next. */
  private readonly cursors: Int32Array
  private waitedFor: number
  private readyCount = 0
  private drainedCount = 0
  /** Reports come by the page, so the view of the last buffer nearly always serves the next report. */
  private lastBuffer: Uint8Array = new Uint8Array(0)
  private lastView = new DataView(this.lastBuffer.buffer)

  duplicates = 0
  late = 0
  additions = 0
  refused = 0

  constructor(peerCount: number, maxGroups: number, maxBytes: number, initialGroups: number, seed: number) {
    this.peerCount = peerCount
    this.memory = new MemoryBound(maxBytes)
    this.table = new GroupTable(this.memory, peerCount, maxGroups, initialGroups, seed)
    this.state = new Uint8Array(peerCount)
    this.cursors = new Int32Array(peerCount)
    this.waitedFor = peerCount
  }

  get groupCount(): number {
    return this.table.count
  }

  get seriesCount(): number {
    return this.table.series.count
  }

  get probes(): number {
    return this.table.probes
  }

  get tagConflicts(): number {
    return this.table.tagConflicts
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
    const mark = markOf(size, checksum)
    return this.take(
      peer,
      view,
      idOffset,
      idLength,
      tagsOffset,
      tagsLength,
      startHi | 0,
      startLo | 0,
      mark,
      checksum | 0
    )
  }

  reportPage(peer: number, page: ReportColumns, watch?: RowWatch): number {
    this.checkPeer(peer)
    try {
      return this.reportRows(peer, page, watch)
    } finally {
      this.table.series.ahead.reset()
    }
  }

  unwait(peer: number): void {
    this.checkPeer(peer)
    if (this.state[peer] !== waited) return
    this.state[peer] = unwaited
    this.waitedFor--
    for (let group = 0; group < this.table.count; group++) {
      const words = this.table.chunkOf(group)
      const row = this.table.rowOf(group)
      const counts = words[row + countsWord]!
      if ((counts & missingMask) === 0 || words[row + cellWords + 2 * peer + 1]! >>> presenceShift !== absent) continue
      words[row + countsWord] = counts - 1
      if (((counts - 1) & missingMask) === 0) this.becomesReady(group)
    }
  }

  finish(peer: number): void {
    this.unwait(peer)
    this.state[peer] = finished
    this.forgetBuffer()
  }

  drainReady(out: Array<number>): void {
    for (; this.drainedCount < this.readyCount; this.drainedCount++) {
      out.push(this.table.chunkOf(this.drainedCount)[this.table.rowOf(this.drainedCount) + readyWord]!)
    }
  }

  has(group: number, peer: number): boolean {
    return this.mark(group, peer) >>> presenceShift !== absent
  }

  checksum(group: number, peer: number): number {
    if (this.mark(group, peer) >>> presenceShift !== withChecksum) return noChecksum
    return this.word(group, cellWords + 2 * peer) >>> 0
  }

  size(group: number, peer: number): number {
    return this.mark(group, peer) & sizeMask
  }

  reporters(group: number): number {
    return this.word(group, countsWord) >>> reportersShift
  }

  startHi(group: number): number {
    return this.word(group, hiWord)
  }

  startLo(group: number): number {
    return this.word(group, loWord)
  }

  id(group: number): Uint8Array {
    return this.table.series.id(this.word(group, seriesWord))
  }

  idLength(group: number): number {
    return this.table.series.idLength(this.word(group, seriesWord))
  }

  copyId(group: number, target: DataView, at: number): void {
    this.table.series.copyId(this.word(group, seriesWord), target, at)
  }

  tags(group: number): Uint8Array {
    return this.table.series.tags(this.word(group, seriesWord))
  }

  find(buffer: Uint8Array, idOffset: number, idLength: number, startHi: number, startLo: number): number {
    checkRange("id", buffer, idOffset, idLength)
    const view = this.viewOf(buffer)
    return this.table.find(view, idOffset, idLength, startHi | 0, startLo | 0)
  }

  clear(): void {
    this.memory.reset()
    this.table.clear()
    this.state.fill(waited)
    this.cursors.fill(0)
    this.waitedFor = this.peerCount
    this.readyCount = 0
    this.drainedCount = 0
    this.duplicates = 0
    this.late = 0
    this.additions = 0
    this.refused = 0
    this.forgetBuffer()
  }

  private reportRows(peer: number, page: ReportColumns, watch: RowWatch | undefined): number {
    const { checksum, count, idLength, idOffset, size, startHi, startLo, tagsLength, tagsOffset } = page
    const view = this.viewOf(page.buffer)
    const { ahead } = this.table.series
    const usual = this.state[peer] === waited
    let fresh = 0
    let misses = 0
    for (let row = 0; row < count; row++) {
      const id = idOffset[row]!
      const idBytes = idLength[row]!
      const tags = tagsOffset[row]!
      const tagsBytes = tagsLength[row]!
      const hi = startHi[row]!
      const lo = startLo[row]!
      // As whole numbers from here on: fractional ones would be boxed at every call.
      const mark = markOf(size[row]!, checksum[row]!)
      const sum = checksum[row]! | 0
      checkRange("id", page.buffer, id, idBytes)
      checkRange("tags", page.buffer, tags, tagsBytes)
      if (usual && this.takeExpected(peer, view, id, idBytes, tags, tagsBytes, hi, lo, mark, sum)) {
        fresh++
        misses = 0
        continue
      }
      // A peer that is ahead of all others makes groups: its look-ups find free slots and wait for little.
      if (this.cursors[peer]! < this.table.count && ++misses > missesInOrder && row >= ahead.end) {
        this.table.series.lookAhead(view, idOffset, idLength, row, count)
      }
      const { additions, duplicates, late } = this
      const groups = this.table.count
      const group = this
        .take(peer, view, id, idBytes, tags, tagsBytes, hi, lo, mark, sum, watch, row)
      if (group < 0) continue
      if (group === groups) watch?.made(row, group)
      if (this.additions > additions) watch?.added(row, group)
      if (this.duplicates === duplicates && this.late === late) fresh++
    }
    return fresh
  }

  /**
   * Records the usual report: of the group that the cursor expects, which waits for the peer's first report, with the tags that the
   * series has. False, with nothing done, for any other.
   */
  private takeExpected(
    peer: number,
    view: DataView,
    idOffset: number,
    idLength: number,
    tagsOffset: number,
    tagsLength: number,
    hi: number,
    lo: number,
    mark: number,
    sum: number
  ): boolean {
    const group = this.cursors[peer]!
    if (group >= this.table.count) return false
    const words = this.table.chunkOf(group)
    const row = this.table.rowOf(group)
    const cell = row + cellWords + 2 * peer
    if (words[row + loWord] !== lo || words[row + hiWord] !== hi || words[cell + 1]! >>> presenceShift !== absent) {
      return false
    }
    const series = words[row + seriesWord]!
    if (
      !this.table.series.hasId(series, view, idOffset, idLength) ||
      !this.table.series.hasTags(series, view, tagsOffset, tagsLength)
    ) return false
    words[cell] = sum
    words[cell + 1] = mark
    const counts = words[row + countsWord]! + oneReporter - 1
    words[row + countsWord] = counts
    if ((counts & missingMask) === 0) this.becomesReady(group)
    this.cursors[peer] = group + 1
    return true
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
    mark: number,
    sum: number,
    watch?: RowWatch,
    row = 0
  ): number {
    let group = this.table.groupOf(this.cursors[peer]!, view, idOffset, idLength, hi, lo)
    if (this.state[peer] === finished || (group >= 0 && this.ignoresLate(group, peer))) {
      this.late++
      return group
    }
    if (group < 0) {
      if (watch !== undefined && !watch.admits(row, this.table.foundSeries >= 0)) return -1
      group = this.table.add(view, idOffset, idLength, tagsOffset, tagsLength, hi, lo, this.waitedFor)
      if (group < 0) return this.refuse()
      if (this.waitedFor === 0) this.becomesReady(group)
    } else {
      if (!this.table.offerTags(this.word(group, seriesWord), view, tagsOffset, tagsLength)) return this.refuse()
      if ((this.word(group, countsWord) & missingMask) === 0) this.additions++
    }
    this.record(group, peer, mark, sum)
    this.cursors[peer] = group + 1
    return group
  }

  /** A ready group takes the first report of an unwaited peer only. */
  private ignoresLate(group: number, peer: number): boolean {
    if ((this.word(group, countsWord) & missingMask) !== 0) return false
    return this.state[peer] !== unwaited || this.has(group, peer)
  }

  private record(group: number, peer: number, mark: number, sum: number): void {
    const words = this.table.chunkOf(group)
    const row = this.table.rowOf(group)
    const cell = row + cellWords + 2 * peer
    const again = words[cell + 1]! >>> presenceShift !== absent
    words[cell] = sum
    words[cell + 1] = mark
    if (again) {
      this.duplicates++
      return
    }
    const awaited = this.state[peer] === waited
    const counts = words[row + countsWord]! + oneReporter - (awaited ? 1 : 0)
    words[row + countsWord] = counts
    if (awaited && (counts & missingMask) === 0) this.becomesReady(group)
  }

  private becomesReady(group: number): void {
    const at = this.readyCount++
    this.table.chunkOf(at)[this.table.rowOf(at) + readyWord] = group
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

  private mark(group: number, peer: number): number {
    this.checkPeer(peer)
    return this.word(group, cellWords + 2 * peer + 1)
  }

  private word(group: number, word: number): number {
    if (group >= 0 && group < this.table.count) {
      const found = this.table.chunkOf(group)[this.table.rowOf(group) + word]
      if (found !== undefined) return found
    }
    throw new RangeError(`Grouping: group ${group} does not exist, there are ${this.table.count}`)
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
