/** Groupings that are wrong in one way each. The kit must reject every one; a kit that accepts one has a hole. */
import type { Grouping, ReportColumns, RowWatch } from "../contract/Grouping.ts"
import type { MakeGrouping } from "./GroupingCheck.ts"
import { type NaiveGroup, NaiveGrouping, type NaiveReport, type NaiveSeries } from "./NaiveGrouping.ts"

class ReadyTooEarly extends NaiveGrouping {
  protected override isComplete(group: NaiveGroup): boolean {
    return group.reports.size + this.finished.size >= this.peerCount - 1
  }
}

class CountsFinishedReportersTwice extends NaiveGrouping {
  protected override isComplete(group: NaiveGroup): boolean {
    return group.reports.size + this.finished.size >= this.peerCount
  }
}

class ForgetsToFlushOnFinish extends NaiveGrouping {
  override finish(peer: number): void {
    this.finished.add(peer)
  }
}

class SubmitsTwice extends NaiveGrouping {
  protected override submitIfReady(group: NaiveGroup): void {
    if (this.isComplete(group)) this.ready.push(group.index)
    group.ready ||= this.isComplete(group)
  }
}

class DrainsWithoutTaking extends NaiveGrouping {
  override drainReady(out: Array<number>): void {
    out.push(...this.ready)
  }
}

class ComparesIdsByPrefix extends NaiveGrouping {
  protected override key(id: Uint8Array, startHi: number, startLo: number): string {
    return super.key(id.subarray(0, 8), startHi, startLo)
  }
}

class IgnoresStartHi extends NaiveGrouping {
  protected override key(id: Uint8Array, _startHi: number, startLo: number): string {
    return super.key(id, 0, startLo)
  }
}

class IgnoresStartLo extends NaiveGrouping {
  protected override key(id: Uint8Array, startHi: number, _startLo: number): string {
    return super.key(id, startHi, 0)
  }
}

class KeepsTheOlderReport extends NaiveGrouping {
  protected override record(group: NaiveGroup, peer: number, report: NaiveReport): void {
    if (group.reports.has(peer)) this.duplicates++
    else group.reports.set(peer, report)
  }
}

class TakesReportsOfReadyGroups extends NaiveGrouping {
  protected override ignoresLate(): boolean {
    return false
  }
}

class LastTagsWin extends NaiveGrouping {
  protected override offerTags(series: NaiveSeries, tags: Uint8Array): void {
    const held = series.tags
    super.offerTags(series, tags)
    series.tags = tags.length > 0 ? tags : held
  }
}

class EmptyTagsErase extends NaiveGrouping {
  protected override offerTags(series: NaiveSeries, tags: Uint8Array): void {
    super.offerTags(series, tags)
    if (tags.length === 0) series.tags = tags
  }
}

class KeepsTheCallersBuffer extends NaiveGrouping {
  override report(...args: Parameters<Grouping["report"]>): number {
    const known = this.groups.length
    const group = super.report(...args)
    if (group === known) {
      const made = this.groups[group]!
      const series = { id: args[1].subarray(args[2], args[2] + args[3]), tags: made.series.tags }
      this.groups[group] = { ...made, series }
    }
    return group
  }
}

class SignedChecksum extends NaiveGrouping {
  override checksum(group: number, peer: number): number {
    return super.checksum(group, peer) | 0
  }
}

class TakesReportsAfterFinish extends NaiveGrouping {
  override report(...args: Parameters<Grouping["report"]>): number {
    const finished = this.finished.delete(args[0])
    const group = super.report(...args)
    if (finished) this.finished.add(args[0])
    return group
  }
}

class RefusesKnownGroupsWhenFull extends NaiveGrouping {
  override report(...args: Parameters<Grouping["report"]>): number {
    if (this.groups.length < this.maxGroups) return super.report(...args)
    this.refused++
    return -1
  }
}

class ClearKeepsFinishedPeers extends NaiveGrouping {
  override clear(): void {
    const finished = [...this.finished]
    super.clear()
    for (const peer of finished) this.finished.add(peer)
  }
}

class ClearKeepsUnwaitedPeers extends NaiveGrouping {
  override clear(): void {
    const unwaited = [...this.unwaited]
    super.clear()
    for (const peer of unwaited) this.unwaited.add(peer)
  }
}

class UnwaitFinishes extends NaiveGrouping {
  override unwait(peer: number): void {
    this.finish(peer)
  }
}

class UnwaitForgetsToFlush extends NaiveGrouping {
  override unwait(peer: number): void {
    this.unwaited.add(peer)
  }
}

class UnwaitedCountTwice extends NaiveGrouping {
  protected override isComplete(group: NaiveGroup): boolean {
    return group.reports.size + this.finished.size + this.unwaited.size >= this.peerCount
  }
}

class UnwaitRevivesFinishedPeers extends NaiveGrouping {
  override unwait(peer: number): void {
    this.finished.delete(peer)
    super.unwait(peer)
  }
}

class UnwaitedReplaceInReadyGroups extends NaiveGrouping {
  protected override ignoresLate(group: NaiveGroup, peer: number): boolean {
    return group.ready && !this.unwaited.has(peer)
  }
}

class IgnoresUnwaitedInReadyGroups extends NaiveGrouping {
  protected override ignoresLate(group: NaiveGroup): boolean {
    return group.ready
  }
}

class AdditionsAreDrainedAgain extends NaiveGrouping {
  protected override record(group: NaiveGroup, peer: number, report: NaiveReport): void {
    super.record(group, peer, report)
    if (group.ready) this.ready.push(group.index)
  }
}

class CountsRepeatedRowsAsNew extends NaiveGrouping {
  override reportPage(peer: number, page: ReportColumns, watch?: RowWatch): number {
    super.reportPage(peer, page, watch)
    return page.count
  }
}

class DropsTheLastRow extends NaiveGrouping {
  override reportPage(peer: number, page: ReportColumns, watch?: RowWatch): number {
    return super.reportPage(peer, { ...page, count: Math.max(0, page.count - 1) }, watch)
  }
}

class ReportsPagesBackwards extends NaiveGrouping {
  override reportPage(peer: number, page: ReportColumns, watch?: RowWatch): number {
    let fresh = 0
    for (let row = page.count - 1; row >= 0; row--) fresh += this.reportRow(peer, page, row, watch)
    return fresh
  }
}

class AdmitsWithoutAsking extends NaiveGrouping {
  protected override reportRow(peer: number, page: ReportColumns, row: number, watch: RowWatch | undefined): number {
    return super.reportRow(peer, page, row, watch && { ...watch, admits: () => true })
  }
}

class AsksAboutKnownGroups extends NaiveGrouping {
  protected override reportRow(peer: number, page: ReportColumns, row: number, watch: RowWatch | undefined): number {
    const known = this.find(
      page.buffer,
      page.idOffset[row]!,
      page.idLength[row]!,
      page.startHi[row]!,
      page.startLo[row]!
    )
    if (known >= 0 && watch?.admits(row, true) === false) return 0
    return super.reportRow(peer, page, row, watch)
  }
}

class CallsEverySeriesUnknown extends NaiveGrouping {
  protected override reportRow(peer: number, page: ReportColumns, row: number, watch: RowWatch | undefined): number {
    return super.reportRow(peer, page, row, watch && { ...watch, admits: (at) => watch.admits(at, false) })
  }
}

class KeepsSilentAboutNewGroups extends NaiveGrouping {
  protected override reportRow(peer: number, page: ReportColumns, row: number, watch: RowWatch | undefined): number {
    return super.reportRow(peer, page, row, watch && { ...watch, made: () => undefined })
  }
}

class KeepsSilentAboutAdditions extends NaiveGrouping {
  protected override reportRow(peer: number, page: ReportColumns, row: number, watch: RowWatch | undefined): number {
    return super.reportRow(peer, page, row, watch && { ...watch, added: () => undefined })
  }
}

type Made = new(peerCount: number, maxGroups: number) => Grouping

const all: ReadonlyArray<Made> = [
  ReadyTooEarly,
  CountsFinishedReportersTwice,
  ForgetsToFlushOnFinish,
  SubmitsTwice,
  DrainsWithoutTaking,
  ComparesIdsByPrefix,
  IgnoresStartHi,
  IgnoresStartLo,
  KeepsTheOlderReport,
  TakesReportsOfReadyGroups,
  LastTagsWin,
  EmptyTagsErase,
  KeepsTheCallersBuffer,
  SignedChecksum,
  TakesReportsAfterFinish,
  RefusesKnownGroupsWhenFull,
  ClearKeepsFinishedPeers,
  ClearKeepsUnwaitedPeers,
  UnwaitFinishes,
  UnwaitForgetsToFlush,
  UnwaitedCountTwice,
  UnwaitRevivesFinishedPeers,
  UnwaitedReplaceInReadyGroups,
  IgnoresUnwaitedInReadyGroups,
  AdditionsAreDrainedAgain,
  CountsRepeatedRowsAsNew,
  DropsTheLastRow,
  ReportsPagesBackwards,
  AdmitsWithoutAsking,
  AsksAboutKnownGroups,
  CallsEverySeriesUnknown,
  KeepsSilentAboutNewGroups,
  KeepsSilentAboutAdditions
]

/** Each mutant by its name. */
export const groupingMutants: ReadonlyArray<{ readonly name: string; readonly make: MakeGrouping }> = all.map(
  (Mutant) => ({ name: Mutant.name, make: (peerCount, maxGroups) => new Mutant(peerCount, maxGroups) })
)
