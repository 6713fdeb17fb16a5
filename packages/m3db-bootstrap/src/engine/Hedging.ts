/**
 * Which batches have been out for much longer than others of their size take. When nothing else is left to give out, what an overdue batch
 * carries is asked of idle peers, too: the first good answer counts. A batch that is silent for far longer makes its peer suspect at any
 * time: others get its work, and merges do not wait for its copies where the level has enough.
 */
import type { StreamLimits } from "../contract/Limits.ts"

/** Batches remembered: enough for a median, few enough to follow a change. */
const remembered = 32

/** Batches are looked at at most this often: it costs one pass over those in flight. */
const minLookMillis = 20

interface Completed {
  readonly peer: number
  readonly bytes: number
  readonly tookMillis: number
}

interface Flight {
  readonly peer: number
  readonly bytes: number
  readonly sentMillis: number
}

export type Overdue = "tail" | "silent"

export class BatchTimes {
  /** Engine time at which a batch may become overdue; Infinity when none does. */
  dueMillis = Number.POSITIVE_INFINITY
  private readonly flights = new Map<number, Flight>()
  private readonly completed: Array<Completed> = []
  private next = 0
  private lastLookMillis = Number.NEGATIVE_INFINITY
  /** Something is overdue by the measure of the tail, which had not begun. */
  private waitsForTail = false
  private readonly limits: StreamLimits

  constructor(limits: StreamLimits) {
    this.limits = limits
  }

  sent(batch: number, peer: number, bytes: number, nowMillis: number): void {
    this.flights.set(batch, { peer, bytes, sentMillis: nowMillis })
    this.dueMillis = Math.min(this.dueMillis, nowMillis + this.limits.hedgeMillis)
  }

  /** The batch ended; only one that came whole says how long such a batch takes. */
  ended(batch: number, cameWhole: boolean, nowMillis: number): void {
    const flight = this.flights.get(batch)
    if (flight === undefined) return
    this.flights.delete(batch)
    if (!cameWhole) return
    const { bytes, peer, sentMillis } = flight
    this.completed[this.next++ % remembered] = { peer, bytes, tookMillis: nowMillis - sentMillis }
  }

  /** What batches of this size took at other peers, in the median; undefined while none of them has delivered any. */
  private usualMillis({ bytes, peer }: Flight): number | undefined {
    const times: Array<number> = []
    for (const one of this.completed) {
      if (one.peer !== peer) times.push(one.tookMillis * Math.max(1, bytes / Math.max(1, one.bytes)))
    }
    if (times.length === 0) return undefined
    return times.toSorted((a, b) => a - b)[times.length >> 1]
  }

  /** Calls `found` for every batch that is overdue now. `isTail`: nothing else is left to give out. */
  look(nowMillis: number, isTail: () => boolean, found: (batch: number, overdue: Overdue) => void): void {
    if (this.flights.size === 0) {
      this.dueMillis = Number.POSITIVE_INFINITY
      return
    }
    const isSoon = nowMillis < this.dueMillis && nowMillis < this.lastLookMillis + minLookMillis
    if (isSoon && !this.waitsForTail) return
    const inTail = isTail()
    if (isSoon && !inTail) return
    this.lastLookMillis = nowMillis
    this.waitsForTail = false
    this.dueMillis = Number.POSITIVE_INFINITY
    const { hedgeFactor, hedgeMillis, silentFactor, silentMillis } = this.limits
    for (const [batch, flight] of this.flights) {
      const usual = this.usualMillis(flight)
      const silentAt = flight.sentMillis + Math.max(silentMillis, silentFactor * (usual ?? 0))
      const tailAt = usual === undefined ? silentAt : flight.sentMillis + Math.max(hedgeMillis, hedgeFactor * usual)
      if (nowMillis >= silentAt) {
        found(batch, "silent")
        continue
      }
      if (nowMillis >= tailAt) {
        if (inTail) found(batch, "tail")
        else this.waitsForTail = true
      }
      for (const at of [tailAt, silentAt]) if (at > nowMillis) this.dueMillis = Math.min(this.dueMillis, at)
    }
  }

  clear(): void {
    this.flights.clear()
    this.dueMillis = Number.POSITIVE_INFINITY
  }
}
