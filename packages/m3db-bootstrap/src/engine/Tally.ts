/** Counts of a run and the cut lists of its report: what is missing, what differs, who was not listed. */
import type { CutList, DamagedBlock, Divergence, FailedCalls, MissingBlock } from "../contract/RunReport.ts"

class Cut<A> {
  total = 0
  readonly entries: Array<A> = []
  private readonly limit: number

  constructor(limit: number) {
    this.limit = limit
  }

  add(entry: () => A): void {
    this.total++
    if (this.entries.length < this.limit) this.entries.push(entry())
  }

  value(): CutList<A> {
    return { total: this.total, entries: this.entries }
  }
}

/** One entry for each series-block, however often it was asked for; beyond the limit each time counts. */
class Damage extends Cut<DamagedBlock> {
  private readonly at = new Map<string, number>()

  note(subject: string, block: () => Omit<DamagedBlock, "times">): void {
    const known = this.at.get(subject)
    if (known !== undefined) {
      const before = this.entries[known]!
      this.entries[known] = { ...before, times: before.times + 1 }
      return
    }
    this.add(() => {
      this.at.set(subject, this.entries.length)
      return { ...block(), times: 1 }
    })
  }
}

export class Tally {
  listed = 0
  stored = 0
  merged = 0
  dropped = 0
  retries = 0
  /** Asked of a second peer because the first was overdue. */
  hedgedItems = 0
  hedgedBytes = 0
  bytes = 0
  blocksCommitted = 0
  blocksEmpty = 0
  readonly missing: Cut<MissingBlock>
  readonly unlisted: Cut<{ readonly shard: number; readonly peer: string; readonly reason: string }>
  readonly divergences: Cut<Divergence>
  readonly divergenceCounts: Record<Divergence["kind"], number> = { different: 0, unknown: 0, "absent-on-some": 0 }
  /** By peer: what of its data is wrong. */
  readonly damaged: ReadonlyArray<Damage>
  /** By peer, then reason and verdict. */
  private readonly failedCalls: ReadonlyArray<Map<string, FailedCalls>>
  readonly peerSeriesBlocks: Float64Array
  readonly peerPages: Float64Array
  readonly peerFailures: Float64Array
  readonly peerBytes: Float64Array

  constructor(peers: number, reportEntries: number) {
    this.missing = new Cut(reportEntries)
    this.unlisted = new Cut(reportEntries)
    this.divergences = new Cut(reportEntries)
    this.damaged = Array.from({ length: peers }, () => new Damage(reportEntries))
    this.failedCalls = Array.from({ length: peers }, () => new Map())
    this.peerSeriesBlocks = new Float64Array(peers)
    this.peerPages = new Float64Array(peers)
    this.peerFailures = new Float64Array(peers)
    this.peerBytes = new Float64Array(peers)
  }

  /** The first of each kind is kept, with their number. */
  noteFailedCall(peer: number, call: Omit<FailedCalls, "times">): void {
    const name = `${call.reason} ${call.verdict}`
    const known = this.failedCalls[peer]!.get(name)
    this.failedCalls[peer]!.set(
      name,
      known === undefined ? { ...call, times: 1 } : { ...known, times: known.times + 1 }
    )
    this.peerFailures[peer]!++
  }

  failedCallsOf(peer: number): ReadonlyArray<FailedCalls> {
    return [...this.failedCalls[peer]!.values()]
  }
}
