/** Groupings that are wrong in one way each; the kit rejects every one, for the reason that stands with it. */
import type { Mutant } from "@peerstrap/conformance"
import type { Grouping, ReportColumns, RowWatch } from "../contract/Grouping.ts"
import { type CheckedGrouping, groupingLayer } from "./GroupingCheck.ts"
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

class WaitsForFinishedPeersInNewGroups extends NaiveGrouping {
  private readonly asked = new Map<NaiveGroup, number>()

  protected override isComplete(group: NaiveGroup): boolean {
    const before = this.asked.get(group) ?? this.finished.size
    this.asked.set(group, before)
    return super.isComplete(group) && (before === 0 || group.reports.size === this.peerCount)
  }
}

class NeedsTwoPeers extends NaiveGrouping {
  protected override isComplete(group: NaiveGroup): boolean {
    return super.isComplete(group) && this.peerCount > 1
  }
}

type Made = new(peerCount: number, maxGroups: number) => Grouping

export type GroupingMutant = Mutant<CheckedGrouping>

const mutant = (Made: Made, name: string, rejectedBy: string, because: RegExp): GroupingMutant => ({
  name,
  rejectedBy,
  because,
  layer: groupingLayer((peerCount, maxGroups) => new Made(peerCount, maxGroups))
})

const finishes = "finish makes ready what waited for that peer alone, in order of first appearance"
const once = "a group is submitted once, in the order in which groups became ready"
const unwaits = "unwait makes ready what waited for that peer alone, in order of first appearance"
const halves = "both halves of the start tell groups apart, negative ones too"
const whole = "ids are compared whole: prefixes, first, middle and last bytes, the empty id"
const firstTags = "the first tags that are not empty win for the series, others are counted"
const clears = "clear forgets everything and gives the memory back"
const readyTakes =
  "a ready group takes the first report of an unwaited peer, ignores its second, and is not drained again"
const pageRows = "a page reports its rows in order and tells how many said something new"
const admitted = "a row that may not make a group is left out without a count; known groups are not asked about"
const noRoom = "rows that find no room or come from a finished peer make nothing and are not told of"

/** Each with the check that finds it out, and what that check sees. */
export const groupingMutants: ReadonlyArray<GroupingMutant> = [
  mutant(
    ReadyTooEarly,
    "does not wait for the last peer",
    "a group is ready when the last peer reports it, not before",
    /saw \[0\], expected \[\]/
  ),
  mutant(
    CountsFinishedReportersTwice,
    "counts peers that reported and finished twice",
    "a peer that reported and then finished counts once",
    /saw \[0\], expected \[\]/
  ),
  mutant(ForgetsToFlushOnFinish, "forgets who waited for a finished peer", finishes, /saw \[\], expected \[0,2\]/),
  mutant(SubmitsTwice, "submits groups twice", once, /saw \[0,2,0,1,2\], expected \[1\]/),
  mutant(DrainsWithoutTaking, "drains without taking", once, /saw \[2,0,1\], expected \[1\]/),
  mutant(
    WaitsForFinishedPeersInNewGroups,
    "waits for finished peers in groups that appear later",
    "a group that appears after other peers finished waits for the rest only",
    /saw \[\], expected \[0\]/
  ),
  mutant(
    NeedsTwoPeers,
    "is never ready with one peer",
    "with one peer every report is ready at once",
    /saw \[\], expected \[0,1\]/
  ),
  mutant(ComparesIdsByPrefix, "compares eight bytes of an id", whole, /saw 3, expected 4/),
  mutant(IgnoresStartHi, "ignores the high half of a start", halves, /saw 0, expected 2/),
  mutant(IgnoresStartLo, "ignores the low half of a start", halves, /saw 0, expected 1/),
  mutant(
    KeepsTheOlderReport,
    "keeps the older report of a peer",
    "the newer report of a peer replaces the older while the group waits",
    /saw 11, expected -1/
  ),
  mutant(
    TakesReportsOfReadyGroups,
    "takes reports for ready groups",
    "a report for a ready group is ignored and counted as late",
    /saw 2, expected 1/
  ),
  mutant(LastTagsWin, "lets the last tags win", firstTags, /saw 2, expected 1/),
  mutant(EmptyTagsErase, "lets empty tags erase others", firstTags, /saw "", expected "first"/),
  mutant(KeepsTheCallersBuffer, "keeps the caller's buffer", whole, /saw "[^"a]+", expected "a"/),
  mutant(
    SignedChecksum,
    "has signed checksums",
    "cells are per peer, checksums unsigned, absent peers have none",
    /saw \[-1,-1,0\], expected \[4294967295,-1,0\]/
  ),
  mutant(
    TakesReportsAfterFinish,
    "takes reports of finished peers",
    "a report of a finished peer is ignored and counted as late",
    /saw 1, expected -1/
  ),
  mutant(
    RefusesKnownGroupsWhenFull,
    "refuses known groups when it is full",
    "beyond the maximum of groups new ones are refused and known ones still taken",
    /saw -1, expected 1/
  ),
  mutant(ClearKeepsFinishedPeers, "remembers finished peers beyond clear", clears, /saw -1, expected 0/),
  mutant(ClearKeepsUnwaitedPeers, "remembers unwaited peers beyond clear", clears, /saw \[0\], expected \[\]/),
  mutant(
    UnwaitFinishes,
    "takes unwait for finish",
    "a new group of an unwaited peer waits for the others, for nobody when there is none",
    /saw -1, expected 0/
  ),
  mutant(UnwaitForgetsToFlush, "forgets who waited for an unwaited peer", unwaits, /saw \[\], expected \[0,2\]/),
  mutant(
    UnwaitedCountTwice,
    "counts unwaited peers that report twice",
    "a report of an unwaited peer counts where the group still waits for others, and is not waited for twice",
    /saw \[0\], expected \[\]/
  ),
  mutant(
    UnwaitRevivesFinishedPeers,
    "lets unwait revive finished peers",
    "a report of a peer that was unwaited and then finished is ignored; finished peers cannot be unwaited",
    /saw 1, expected -1/
  ),
  mutant(
    UnwaitedReplaceInReadyGroups,
    "lets unwaited peers replace what ready groups have",
    readyTakes,
    /saw \[4,1,3\], expected \[1,1,2\]/
  ),
  mutant(
    IgnoresUnwaitedInReadyGroups,
    "ignores unwaited peers in ready groups",
    readyTakes,
    /saw \[1,1,-1\], expected/
  ),
  mutant(AdditionsAreDrainedAgain, "drains groups again that got an addition", readyTakes, /saw \[0\], expected \[\]/),
  mutant(CountsRepeatedRowsAsNew, "counts repeated rows as new", pageRows, /saw 6, expected 4/),
  mutant(
    DropsTheLastRow,
    "drops the last row of a page",
    "pages in the same, the reverse and a broken order meet in the same groups",
    /saw 7, expected 8/
  ),
  mutant(ReportsPagesBackwards, "takes pages from the end", pageRows, /saw \["refused",.*expected \["a","b"/),
  mutant(
    AdmitsWithoutAsking,
    "does not ask who may make a group",
    admitted,
    /saw \[\["made".* expected \[\["admits",0,false\]/
  ),
  mutant(AsksAboutKnownGroups, "asks about known groups", noRoom, /saw \[\["admits",0,true\]\], expected \[\]/),
  mutant(CallsEverySeriesUnknown, "calls every series unknown", admitted, /saw .*expected .*"admits",\d,true\]/),
  mutant(
    KeepsSilentAboutNewGroups,
    "does not tell of new groups",
    noRoom,
    /saw \[\["admits",0,false\],\["admits",1,false\]\], expected .*"made"/
  ),
  mutant(
    KeepsSilentAboutAdditions,
    "does not tell of additions",
    "a row for a ready group tells of its addition, once a peer",
    /saw \[\["admits".* expected \[\["added",0,1\]/
  )
]
