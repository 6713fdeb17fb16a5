/** Ratios of paired measurements: the mean log-ratio with a bootstrap interval, from a seeded generator. */

export const median = (values: ReadonlyArray<number>): number => {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** mulberry32, in [0, 1). */
export const seededRandom = (seed: number): () => number => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

export interface Ratio {
  /** exp of the mean of ln(a / b). */
  readonly ratio: number
  /** Bounds of the 95 % bootstrap interval (percentiles of 10,000 resamples of the pairs). */
  readonly low: number
  readonly high: number
  readonly pairs: number
}

const resamples = 10_000
const bootstrapSeed = 20_261_121

const mean = (values: ReadonlyArray<number>): number => values.reduce((sum, value) => sum + value, 0) / values.length

export interface Interval {
  readonly mean: number
  /** Bounds of the 95 % bootstrap interval (percentiles of 10,000 resamples). */
  readonly low: number
  readonly high: number
}

/** The mean of some values with its bootstrap interval, the same for the same values. */
export const meanInterval = (values: ReadonlyArray<number>): Interval => {
  if (values.length === 0) throw new RangeError("a comparison needs at least one pair")
  const random = seededRandom(bootstrapSeed)
  const means = Array.from(
    { length: resamples },
    () => mean(values.map(() => values[Math.floor(random() * values.length)]!))
  ).toSorted((a, b) => a - b)
  return {
    mean: mean(values),
    low: means[Math.floor(resamples * 0.025)]!,
    high: means[Math.ceil(resamples * 0.975) - 1]!
  }
}

/** The ratio a / b over pairs measured side by side. */
export const ratioOfPairs = (pairs: ReadonlyArray<readonly [a: number, b: number]>): Ratio => {
  const logs = meanInterval(pairs.map(([a, b]) => Math.log(a / b)))
  return { ratio: Math.exp(logs.mean), low: Math.exp(logs.low), high: Math.exp(logs.high), pairs: pairs.length }
}
