/** Differences of paired measurements, for goals that allow so much more than another thing takes. */
import { median, seededRandom } from "./Statistics.ts"

export interface Difference {
  /** Mean of a − b. */
  readonly mean: number
  /** Bounds of the 95 % bootstrap interval (percentiles of 10,000 resamples of the pairs). */
  readonly low: number
  readonly high: number
  readonly pairs: number
}

const resamples = 10_000
const bootstrapSeed = 20_261_121

const meanOf = (values: ReadonlyArray<number>): number => values.reduce((sum, value) => sum + value, 0) / values.length

/** a − b over pairs measured side by side. */
export const differenceOfPairs = (pairs: ReadonlyArray<readonly [a: number, b: number]>): Difference => {
  if (pairs.length === 0) throw new RangeError("a difference needs at least one pair")
  const differences = pairs.map(([a, b]) => a - b)
  const random = seededRandom(bootstrapSeed)
  const means = Array.from(
    { length: resamples },
    () => meanOf(differences.map(() => differences[Math.floor(random() * differences.length)]!))
  ).toSorted((a, b) => a - b)
  return {
    mean: meanOf(differences),
    low: means[Math.floor(resamples * 0.025)]!,
    high: means[Math.ceil(resamples * 0.975) - 1]!,
    pairs: pairs.length
  }
}

/** Met when the whole interval is at or below the most allowed, missed when it is above it. */
export const differenceVerdict = ({ high, low }: Difference, most: number): string =>
  high <= most ? "met" : low > most ? "missed" : "not decided by these pairs"

/** `median` of one side, in whole milliseconds. */
export const medianMillis = (seconds: ReadonlyArray<number>): string => `${(median(seconds) * 1000).toFixed(0)} ms`
