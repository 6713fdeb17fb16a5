/**
 * How often and how soon a lost peer is dialled again (R98–R102, A27): an attempt is allowed iff the counter is below the limit, and raises it;
 * success does not lower it, only the window's end does. By identity, else by point, so that one identity with many points has one counter.
 */
import { ConnectionLimits } from "../../contract/ConnectionLimits.ts"
import type { ConnectionOptions } from "../../contract/Connections.ts"
import { BoundedRecords } from "./BoundedRecords.ts"

export interface ReconnectRecord {
  /** Attempts counted in the window. */
  readonly count: number
  readonly windowStartMillis: number
  /** The connection was lost and has not been made again: the next attempt counts. */
  readonly lost: boolean
}

/** The delay before attempt `n` (from 0): base × 1.2ⁿ, capped; whole milliseconds, rounded up. */
export const reconnectDelay = (
  options: Pick<ConnectionOptions, "reconnectBaseMillis" | "reconnectCapMillis">,
  n: number
): number =>
  Math.min(
    options.reconnectCapMillis,
    Math.ceil(options.reconnectBaseMillis * 1.2 ** Math.min(n, ConnectionLimits.failures))
  )

export class Reconnection {
  private readonly options: ConnectionOptions
  private readonly records: BoundedRecords<ReconnectRecord>

  constructor(options: ConnectionOptions) {
    this.options = options
    this.records = new BoundedRecords({
      capacity: ConnectionLimits.standings,
      spent: (record, now) => !record.lost && this.over(record, now)
    })
  }

  /** The record as of now: a window that is over has no attempts. */
  at(key: string, nowMillis: number): ReconnectRecord {
    const record = this.records.get(key)
    if (record === undefined) return { count: 0, windowStartMillis: nowMillis, lost: false }
    return this.over(record, nowMillis) ? { ...record, count: 0, windowStartMillis: nowMillis } : record
  }

  windowEnd(key: string, nowMillis: number): number {
    return this.at(key, nowMillis).windowStartMillis + this.options.reconnectWindowMillis
  }

  allowed(key: string, nowMillis: number): boolean {
    return this.at(key, nowMillis).count < this.options.reconnectLimit
  }

  lost(key: string, nowMillis: number): void {
    this.records.set(key, { ...this.at(key, nowMillis), lost: true }, nowMillis)
  }

  /** Counts an attempt if the peer was lost. Returns whether it did. */
  attempt(key: string, nowMillis: number): boolean {
    const record = this.at(key, nowMillis)
    if (!record.lost || !this.allowed(key, nowMillis)) return false
    const windowStartMillis = record.count === 0 ? nowMillis : record.windowStartMillis
    return this.records.set(key, { count: record.count + 1, windowStartMillis, lost: true }, nowMillis)
  }

  /** The attempt that was counted last did not concern the peer. */
  refund(key: string): void {
    const record = this.records.get(key)
    if (record !== undefined && record.count > 0) {
      this.records.set(key, { ...record, count: record.count - 1 }, record.windowStartMillis)
    }
  }

  /** Not lost any more; the counter stays. */
  settled(key: string): void {
    const record = this.records.get(key)
    if (record === undefined || !record.lost) return
    if (record.count === 0) this.records.delete(key)
    else this.records.set(key, { ...record, lost: false }, record.windowStartMillis)
  }

  /** The peer behind a point turned out to be this identity: its attempts count there. */
  join(from: string, to: string, nowMillis: number): void {
    const [one, other] = [this.at(from, nowMillis), this.at(to, nowMillis)]
    this.records.delete(from)
    if (one.count === 0 && !one.lost) return
    this.records.set(to, {
      count: Math.min(this.options.reconnectLimit, one.count + other.count),
      windowStartMillis: Math.min(
        one.count > 0 ? one.windowStartMillis : nowMillis,
        other.count > 0 ? other.windowStartMillis : nowMillis
      ),
      lost: one.lost || other.lost
    }, nowMillis)
  }

  clear(key: string): boolean {
    return this.records.delete(key)
  }

  entries(): ReadonlyArray<readonly [string, ReconnectRecord]> {
    return [...this.records.entries()]
  }

  restore(key: string, record: ReconnectRecord, nowMillis: number): void {
    this.records.set(key, {
      ...record,
      count: Math.min(record.count, this.options.reconnectLimit),
      windowStartMillis: Math.min(record.windowStartMillis, nowMillis)
    }, nowMillis)
  }

  private over(record: ReconnectRecord, nowMillis: number): boolean {
    return nowMillis >= record.windowStartMillis + this.options.reconnectWindowMillis
  }
}
