/**
 * Counts an amount (bytes, items) and tells its rate: over a sliding window for what is happening now, and as a long-term average for
 * estimates. Time is an input; memory is fixed.
 */
import { progressLimits } from "../contract/Limits.ts"

/** The window of the rate and the time of the average, ms. */
export interface MeterOptions {
  readonly windowMillis?: number
  readonly slots?: number
  readonly averageMillis?: number
}

/** Counts an amount and tells its rate, a second. */
export class Meter {
  private readonly windowMillis: number
  private readonly slotMillis: number
  private readonly averageMillis: number
  private readonly slots: Float64Array
  private startedMillis: number
  /** Number of the present slot since the start. */
  private slot = 0
  private sum = 0
  private average = 0
  private totalAmount = 0
  private lastMillis: number | undefined

  /** Time counts from `startMillis`: a rate before the first amount is 0, not unknown. */
  constructor(startMillis: number, options: MeterOptions = {}) {
    const slots = options.slots ?? progressLimits.rateWindowSlots
    this.windowMillis = options.windowMillis ?? progressLimits.rateWindowMillis
    this.averageMillis = options.averageMillis ?? progressLimits.averageMillis
    if (!Number.isSafeInteger(slots) || slots < 1 || !(this.windowMillis > 0) || !(this.averageMillis > 0)) {
      throw new RangeError("Meter: slots must be an integer from 1, windowMillis and averageMillis above 0")
    }
    this.slotMillis = this.windowMillis / slots
    this.slots = new Float64Array(slots)
    this.startedMillis = startMillis
  }

  get total(): number {
    return this.totalAmount
  }

  /** Time of the last amount above 0, undefined before. */
  get lastProgressMillis(): number | undefined {
    return this.lastMillis
  }

  add(amount: number, nowMillis: number): void {
    if (!(amount >= 0)) throw new RangeError(`Meter: an amount must be from 0, got ${amount}`)
    this.moveTo(nowMillis)
    const at = this.slot % this.slots.length
    this.slots[at] = (this.slots[at] ?? 0) + amount
    this.sum += amount
    this.totalAmount += amount
    if (amount > 0) this.lastMillis = nowMillis
  }

  /** Amount a second over the window, or over the time since the start while that is shorter. */
  ratePerSecond(nowMillis: number): number {
    this.moveTo(nowMillis)
    const since = nowMillis - this.startedMillis
    // The window covers all full slots and the begun one.
    const begun = since - this.slot * this.slotMillis
    const covered = Math.min(since, (this.slots.length - 1) * this.slotMillis + Math.max(0, begun))
    return covered > 0 ? (this.sum * 1000) / covered : 0
  }

  /** Amount a second, averaged with weights that fall with age; the rate since the start while that is short. */
  averagePerSecond(nowMillis: number): number {
    this.moveTo(nowMillis)
    const since = nowMillis - this.startedMillis
    if (since <= this.windowMillis) return since > 0 ? (this.totalAmount * 1000) / since : 0
    // What is missing of the weights at the beginning is shared out over those that exist.
    return this.average / (1 - Math.exp(-(this.slot * this.slotMillis) / this.averageMillis))
  }

  /** Closes slots up to now. A clock that goes back changes nothing until it has caught up. */
  private moveTo(nowMillis: number): void {
    const target = Math.floor((nowMillis - this.startedMillis) / this.slotMillis)
    if (target <= this.slot) return
    const keep = Math.exp(-this.slotMillis / this.averageMillis)
    const closing = ((this.slots[this.slot % this.slots.length] ?? 0) * 1000) / this.slotMillis
    // The present slot closes with its amount, those skipped close empty.
    this.average = (this.average * keep + closing * (1 - keep)) * keep ** (target - this.slot - 1)
    for (let slot = this.slot + 1; slot <= Math.min(target, this.slot + this.slots.length); slot++) {
      const at = slot % this.slots.length
      this.sum -= this.slots[at] ?? 0
      this.slots[at] = 0
    }
    if (target - this.slot >= this.slots.length) this.sum = 0
    this.slot = target
  }
}
