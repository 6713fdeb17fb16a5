/** Peers left alone for a time because of proof: the first time 15 min, doubled each time up to 24 h, or that at once (5.7.1). */
import { ConnectionLimits } from "../../contract/ConnectionLimits.ts"
import type { ConnectionOptions } from "../../contract/Connections.ts"
import { BoundedRecords } from "./BoundedRecords.ts"

export interface GreyRecord {
  readonly untilMillis: number
  /** Greylistings so far. */
  readonly times: number
  readonly reason: string
}

export class Greylist {
  private readonly options: ConnectionOptions
  private readonly records: BoundedRecords<GreyRecord>

  constructor(options: ConnectionOptions) {
    this.options = options
    this.records = new BoundedRecords({
      capacity: ConnectionLimits.standings,
      spent: (record, now) => record.untilMillis <= now
    })
  }

  /** Under all keys of the peer alike: as often as the most often listed of them, plus one. Never shortens a listing. */
  add(keys: ReadonlyArray<string>, reason: string, longest: boolean, nowMillis: number): void {
    const before = keys.map((key) => this.records.get(key))
    const times = Math.max(0, ...before.map((record) => record?.times ?? 0)) + 1
    const { greylistLongestMillis, greylistMillis } = this.options
    const forMillis = longest
      ? greylistLongestMillis
      : Math.min(greylistLongestMillis, greylistMillis * 2 ** Math.min(times - 1, 60))
    const untilMillis = Math.max(nowMillis + forMillis, ...before.map((record) => record?.untilMillis ?? 0))
    for (const key of keys) this.records.set(key, { untilMillis, times, reason }, nowMillis)
  }

  get(key: string): GreyRecord | undefined {
    return this.records.get(key)
  }

  clear(key: string, nowMillis: number): boolean {
    const record = this.records.get(key)
    this.records.delete(key)
    return record !== undefined && record.untilMillis > nowMillis
  }

  entries(): ReadonlyArray<readonly [string, GreyRecord]> {
    return [...this.records.entries()]
  }

  restore(key: string, record: GreyRecord, nowMillis: number): void {
    const untilMillis = Math.min(record.untilMillis, nowMillis + this.options.greylistLongestMillis)
    this.records.set(key, { ...record, untilMillis }, nowMillis)
  }
}
