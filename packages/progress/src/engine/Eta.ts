/** When a run will be done, and how far to trust that. */
import type { Eta } from "../contract/Snapshot.ts"

/** What an estimate is made of. */
export interface EtaInput {
  readonly done: number
  readonly total: number
  readonly totalIsGrowing: boolean
  /** Recent rate, e.g. `Meter.ratePerSecond`. */
  readonly ratePerSecond: number
  /** Long-term rate, e.g. `Meter.averagePerSecond`. */
  readonly averagePerSecond: number
  readonly elapsedMillis: number
}

/** Of a run that is done: nothing is left. */
export const doneEta: Eta = { millis: 0, confidence: "high", reason: "done" }

/** Of a run that has ended, or is ending, before it was done: nothing is estimated. */
export const overEta: Eta = { millis: null, confidence: "over", reason: "the run has ended" }

const unknown = (reason: string): Eta => ({ millis: null, confidence: "unknown", reason })

/**
 * Remaining amount over the long-term rate. Low: totals grow, the run is younger than 5 s or below 2 %, or the recent rate is more than
 * twice or less than half the long-term one; medium: below 10 %, or the rates differ by a quarter; else high.
 */
export const estimateEta = (input: EtaInput): Eta => {
  const { averagePerSecond, done, elapsedMillis, ratePerSecond, total, totalIsGrowing } = input
  if (!(total > 0)) return unknown("no totals yet")
  if (done >= total && !totalIsGrowing) return doneEta
  if (done >= total) return unknown("totals are still growing")
  if (!(averagePerSecond > 0)) return unknown("nothing has come yet")
  if (!(ratePerSecond > 0)) return unknown("nothing comes at present")
  const millis = Math.round((Math.max(0, total - done) * 1000) / averagePerSecond)
  const drift = Math.max(ratePerSecond / averagePerSecond, averagePerSecond / ratePerSecond)
  if (totalIsGrowing) return { millis, confidence: "low", reason: "totals are still growing" }
  if (elapsedMillis < 5000 || done < total * 0.02) return { millis, confidence: "low", reason: "just begun" }
  if (drift > 2) return { millis, confidence: "low", reason: "the rate changes a lot" }
  if (drift > 1.25) return { millis, confidence: "medium", reason: "the rate changes" }
  if (done < total * 0.1) return { millis, confidence: "medium", reason: "less than 10 % done" }
  return { millis, confidence: "high", reason: "steady rate, known totals" }
}
