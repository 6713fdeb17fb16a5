/** Differences of paired measurements, for goals that allow so much more than another thing takes. */
import { type Interval, meanInterval, median } from "./Statistics.ts"

/** Of a − b. */
export interface Difference extends Interval {
  readonly pairs: number
}

/** a − b over pairs measured side by side. */
export const differenceOfPairs = (pairs: ReadonlyArray<readonly [a: number, b: number]>): Difference => ({
  ...meanInterval(pairs.map(([a, b]) => a - b)),
  pairs: pairs.length
})

/** Met when the whole interval is at or below the most allowed, missed when it is above it. */
export const differenceVerdict = ({ high, low }: Difference, most: number): string =>
  high <= most ? "met" : low > most ? "missed" : "not decided by these pairs"

/** `median` of one side, in whole milliseconds. */
export const medianMillis = (seconds: ReadonlyArray<number>): string => `${(median(seconds) * 1000).toFixed(0)} ms`
