/** Notices that a run makes no progress, and names the cause from what its parts say they wait for. */
import { progressLimits } from "../contract/Limits.ts"
import type { Wait } from "../contract/Wait.ts"
import { formatDuration } from "./Format.ts"
import { formatWait, mergeWaits } from "./Why.ts"

/** A run that does not go on, since when and why. */
export interface Stall {
  /** Time of the last progress. */
  readonly sinceMillis: number
  readonly forMillis: number
  /** One line that a person can act on. */
  readonly cause: string
  readonly waits: ReadonlyArray<Wait>
}

/** Told of progress and time, says when there has been none for too long. */
export class StallDetector {
  private readonly intervalMillis: number
  private progress = Number.NaN
  private progressMillis: number
  private announced = false

  constructor(startMillis: number, intervalMillis: number = progressLimits.stallMillis) {
    if (!(intervalMillis > 0)) {
      throw new RangeError(`StallDetector: the interval must be above 0, got ${intervalMillis}`)
    }
    this.intervalMillis = intervalMillis
    this.progressMillis = startMillis
  }

  /** Time at which the run counts as stalled if nothing moves. */
  get dueMillis(): number {
    return this.progressMillis + this.intervalMillis
  }

  /** Any number that changes with progress, e.g. bytes + items + jobs done. Returns whether a stall that was announced has ended. */
  observe(progress: number, nowMillis: number): boolean {
    if (progress === this.progress) return false
    this.progress = progress
    this.progressMillis = nowMillis
    const ended = this.announced
    this.announced = false
    return ended
  }

  /** The stall, or undefined while there is none. */
  check(nowMillis: number, waits: ReadonlyArray<Wait>): Stall | undefined {
    const forMillis = nowMillis - this.progressMillis
    if (forMillis < this.intervalMillis) return undefined
    const first = mergeWaits(waits)[0]
    const cause = first === undefined
      ? "no part says what it waits for: this is a defect of the run, please report it"
      : `${formatWait(first)}; ${first.remedy}`
    return {
      sinceMillis: this.progressMillis,
      forMillis,
      cause: `no progress for ${formatDuration(forMillis)}: ${cause}`,
      waits
    }
  }

  /** As `check`, but each stall once: for the event and the warning. */
  announce(nowMillis: number, waits: ReadonlyArray<Wait>): Stall | undefined {
    if (this.announced) return undefined
    const stall = this.check(nowMillis, waits)
    this.announced = stall !== undefined
    return stall
  }
}
