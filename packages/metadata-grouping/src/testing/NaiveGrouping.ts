/**
 * The same contract in plain maps of objects, written to be read: the reference in the model test, and the base of the
 * mutants. Its parts are protected methods so that a mutant can break exactly one.
 */
import { type Grouping, noChecksum } from "../contract/Grouping.ts"

export interface NaiveReport {
  size: number
  checksum: number
}

export interface NaiveSeries {
  readonly id: Uint8Array
  tags: Uint8Array
}

export interface NaiveGroup {
  readonly index: number
  readonly series: NaiveSeries
  readonly startHi: number
  readonly startLo: number
  readonly reports: Map<number, NaiveReport>
  ready: boolean
}

export class NaiveGrouping implements Grouping {
  readonly peerCount: number
  readonly maxGroups: number
  protected groups: Array<NaiveGroup> = []
  protected byKey = new Map<string, NaiveGroup>()
  protected seriesById = new Map<string, NaiveSeries>()
  protected finished = new Set<number>()
  protected ready: Array<number> = []
  duplicates = 0
  late = 0
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
    checksum: number
  ): number {
    const id = buffer.slice(idOffset, idOffset + idLength)
    const tags = buffer.slice(tagsOffset, tagsOffset + tagsLength)
    let group = this.byKey.get(this.key(id, startHi, startLo))
    if (this.finished.has(peer) || (group !== undefined && this.ignoresLate(group))) {
      this.late++
      return group?.index ?? -1
    }
    if (group === undefined) {
      if (this.groups.length === this.maxGroups) {
        this.refused++
        return -1
      }
      group = this.add(id, startHi, startLo)
    }
    this.offerTags(group.series, tags)
    this.record(group, peer, { size, checksum })
    this.submitIfReady(group)
    return group.index
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
    this.ready = []
    this.duplicates = 0
    this.late = 0
    this.tagConflicts = 0
    this.refused = 0
  }

  protected key(id: Uint8Array, startHi: number, startLo: number): string {
    return `${startHi}/${startLo}/${id.join(",")}`
  }

  protected ignoresLate(group: NaiveGroup): boolean {
    return group.ready
  }

  protected add(id: Uint8Array, startHi: number, startLo: number): NaiveGroup {
    const name = id.join(",")
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
    else if (series.tags.join(",") !== tags.join(",")) this.tagConflicts++
  }

  protected record(group: NaiveGroup, peer: number, report: NaiveReport): void {
    if (group.reports.has(peer)) this.duplicates++
    group.reports.set(peer, report)
  }

  protected isComplete(group: NaiveGroup): boolean {
    for (let peer = 0; peer < this.peerCount; peer++) {
      if (!group.reports.has(peer) && !this.finished.has(peer)) return false
    }
    return true
  }

  protected submitIfReady(group: NaiveGroup): void {
    if (group.ready || !this.isComplete(group)) return
    group.ready = true
    this.ready.push(group.index)
  }
}

export const makeNaiveGrouping = (peerCount: number, maxGroups: number): Grouping =>
  new NaiveGrouping(peerCount, maxGroups)
