/** Who is not connected with at all: by the operator until he lifts it, or by the reconnection counter until its window ends (R101). */
import { ConnectionLimits } from "../../contract/ConnectionLimits.ts"
import { BoundedRecords } from "./BoundedRecords.ts"

export interface BanRecord {
  /** Infinity: until it is lifted. */
  readonly untilMillis: number
  readonly reason: string
}

export class Bans {
  private readonly records = new BoundedRecords<BanRecord>({
    capacity: ConnectionLimits.standings,
    spent: (record, now) => record.untilMillis <= now,
    kept: (record) => record.untilMillis === Infinity
  })

  /** False when there is no room left. Never shortens a ban. */
  add(key: string, record: BanRecord, nowMillis: number): boolean {
    const before = this.records.get(key)
    if (before !== undefined && before.untilMillis >= record.untilMillis) return true
    return this.records.set(key, record, nowMillis)
  }

  at(key: string, nowMillis: number): BanRecord | undefined {
    const record = this.records.get(key)
    return record !== undefined && record.untilMillis > nowMillis ? record : undefined
  }

  clear(key: string, nowMillis: number): boolean {
    const held = this.at(key, nowMillis) !== undefined
    this.records.delete(key)
    return held
  }

  entries(): ReadonlyArray<readonly [string, BanRecord]> {
    return [...this.records.entries()]
  }
}
