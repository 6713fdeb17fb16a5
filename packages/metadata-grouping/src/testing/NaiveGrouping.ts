/**
 * The same contract in plain maps of objects, written to be read: the reference in the model test, and the base of the
 * mutants. Its parts are protected methods so that a mutant can break exactly one.
 */
import { type Grouping, noChecksum, type ReportColumns, type RowWatch } from "../contract/Grouping.ts"

/** What one peer reported of a group: size in bytes, checksum. */
export interface NaiveReport {
  size: number
  checksum: number
}

/** One series: id and tags. */
export interface NaiveSeries {
  readonly id: Uint8Array
  tags: Uint8Array
}

/** One (series, start) with its reports. */
export interface NaiveGroup {
  readonly index: number
  readonly series: NaiveSeries
  readonly startHi: number
  readonly startLo: number
  readonly reports: Map<number, NaiveReport>
  ready: boolean
}

/** One character a byte. */
const nameOf = (bytes: Uint8Array): string => String.fromCharCode(...bytes)

/** The reference, of which mutants override one part. */
export class NaiveGrouping implements Grouping {
  readonly peerCount: number
  readonly maxGroups: number
  protected groups: Array<NaiveGroup> = []
  protected byKey = new Map<string, NaiveGroup>()
  protected seriesById = new Map<string, NaiveSeries>()
  protected finished = new Set<number>()
  protected unwaited = new Set<number>()
  protected ready: Array<number> = []
  duplicates = 0
  late = 0
  additions = 0
  tagConflicts = 0
  refused = 0

  constructor(peerCount: number, maxGroups: number) {
    this.peerCount = peerCount
    this.maxGroups = maxGroups
  }

  get groupCount(): number {
    return this.groups.length
  }

  /** Objects have no exact size: 1 per group stands for "something". */
  get bytes(): number {
    return this.groups.length
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
    checksum: number,
    admits: (seriesKnown: boolean) => boolean = () => true
  ): number {
    const id = buffer.slice(idOffset, idOffset + idLength)
    const tags = buffer.slice(tagsOffset, tagsOffset + tagsLength)
    let group = this.byKey.get(this.key(id, startHi, startLo))
    if (this.finished.has(peer) || (group !== undefined && this.ignoresLate(group, peer))) {
      this.late++
      return group?.index ?? -1
    }
    if (group === undefined) {
      if (!admits(this.seriesById.has(nameOf(id)))) return -1
      if (this.groups.length === this.maxGroups) {
        this.refused++
        return -1
      }
      group = this.add(id, startHi, startLo)
    }
    this.offerTags(group.series, tags)
    if (group.ready) this.additions++
    this.record(group, peer, { size, checksum })
    this.submitIfReady(group)
    return group.index
  }

  reportPage(peer: number, page: ReportColumns, watch?: RowWatch): number {
    let fresh = 0
    for (let row = 0; row < page.count; row++) fresh += this.reportRow(peer, page, row, watch)
    return fresh
  }

  unwait(peer: number): void {
    this.unwaited.add(peer)
    for (const group of this.groups) this.submitIfReady(group)
  }

  finish(peer: number): void {
    if (this.finished.has(peer)) return
    this.finished.add(peer)
    for (const group of this.groups) this.submitIfReady(group)
  }

  drainReady(out: Array<number>): void {
    out.push(...this.ready)
    this.ready = []
  }

  has(group: number, peer: number): boolean {
    return this.groups[group]!.reports.has(peer)
  }

  checksum(group: number, peer: number): number {
    return this.groups[group]!.reports.get(peer)?.checksum ?? noChecksum
  }

  size(group: number, peer: number): number {
    return this.groups[group]!.reports.get(peer)?.size ?? 0
  }

  reporters(group: number): number {
    return this.groups[group]!.reports.size
  }

  startHi(group: number): number {
    return this.groups[group]!.startHi
  }

  startLo(group: number): number {
    return this.groups[group]!.startLo
  }

  id(group: number): Uint8Array {
    return this.groups[group]!.series.id
  }

  idLength(group: number): number {
    return this.id(group).length
  }

  copyId(group: number, target: DataView, at: number): void {
    for (const [i, byte] of this.id(group).entries()) target.setUint8(at + i, byte)
  }

  tags(group: number): Uint8Array {
    return this.groups[group]!.series.tags
  }

  find(buffer: Uint8Array, idOffset: number, idLength: number, startHi: number, startLo: number): number {
    return this.byKey.get(this.key(buffer.slice(idOffset, idOffset + idLength), startHi, startLo))?.index ?? -1
  }

  clear(): void {
    this.groups = []
    this.byKey.clear()
    this.seriesById.clear()
    this.finished.clear()
    this.unwaited.clear()
    this.ready = []
    this.duplicates = 0
    this.late = 0
    this.additions = 0
    this.tagConflicts = 0
    this.refused = 0
  }

  protected key(id: Uint8Array, startHi: number, startLo: number): string {
    return `${startHi}/${startLo}/${nameOf(id)}`
  }

  protected reportRow(peer: number, page: ReportColumns, row: number, watch: RowWatch | undefined): number {
    const { additions, duplicates, late } = this
    const known = this.groups.length
    const group = this.report(
      peer,
      page.buffer,
      page.idOffset[row]!,
      page.idLength[row]!,
      page.tagsOffset[row]!,
      page.tagsLength[row]!,
      page.startHi[row]!,
      page.startLo[row]!,
      page.size[row]!,
      page.checksum[row]!,
      (seriesKnown) => watch?.admits(row, seriesKnown) ?? true
    )
    if (group >= known) watch?.made(row, group)
    if (this.additions > additions) watch?.added(row, group)
    return group >= 0 && this.duplicates === duplicates && this.late === late ? 1 : 0
  }

  protected ignoresLate(group: NaiveGroup, peer: number): boolean {
    return group.ready && (!this.unwaited.has(peer) || group.reports.has(peer))
  }

  protected add(id: Uint8Array, startHi: number, startLo: number): NaiveGroup {
    const name = nameOf(id)
    const series = this.seriesById.get(name) ?? { id, tags: new Uint8Array(0) }
    this.seriesById.set(name, series)
    const group = { index: this.groups.length, series, startHi, startLo, reports: new Map(), ready: false }
    this.groups.push(group)
    this.byKey.set(this.key(id, startHi, startLo), group)
    return group
  }

  protected offerTags(series: NaiveSeries, tags: Uint8Array): void {
    if (tags.length === 0) return
    if (series.tags.length === 0) series.tags = tags
    else if (nameOf(series.tags) !== nameOf(tags)) this.tagConflicts++
  }

  protected record(group: NaiveGroup, peer: number, report: NaiveReport): void {
    if (group.reports.has(peer)) this.duplicates++
    group.reports.set(peer, report)
  }

  protected isWaitedFor(peer: number): boolean {
    return !this.finished.has(peer) && !this.unwaited.has(peer)
  }

  protected isComplete(group: NaiveGroup): boolean {
    for (let peer = 0; peer < this.peerCount; peer++) {
      if (!group.reports.has(peer) && this.isWaitedFor(peer)) return false
    }
    return true
  }

  protected submitIfReady(group: NaiveGroup): void {
    if (group.ready || !this.isComplete(group)) return
    group.ready = true
    this.ready.push(group.index)
  }
}

/** Makes the reference. */
export const makeNaiveGrouping = (peerCount: number, maxGroups: number): Grouping =>
  new NaiveGrouping(peerCount, maxGroups)
