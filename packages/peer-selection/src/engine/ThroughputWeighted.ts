/**
 * Ranks by the time at which a peer would be done with one more batch, so that a fast busy peer beats a slow idle one.
 */
import type { Candidate, Ranking } from "../contract/Ranking.ts"
import { compareByAge } from "./LeastLoaded.ts"

/** What is assumed of a batch and of peers not measured yet. */
export interface ThroughputWeightedOptions {
  /** Size of the batch that is about to be given. Default 256 KiB, the first batch of a peer. */
  readonly batchBytes?: number
  /** Rate assumed while no candidate's rate is known. Default 10 MB/s; only its sameness for all peers matters then. */
  readonly assumedBytesPerSecond?: number
}

const medianKnownRate = (candidates: ReadonlyArray<Candidate>, otherwise: number): number => {
  const known = candidates.map((candidate) => candidate.bytesPerSecond).filter((rate) => rate > 0).toSorted((a, b) =>
    a - b
  )
  if (known.length === 0) return otherwise
  const middle = known.length >> 1
  const upper = known[middle] ?? otherwise
  return known.length % 2 === 1 ? upper : (upper + (known[middle - 1] ?? upper)) / 2
}

/**
 * Fewest attempts, then the smallest (outstanding bytes + one batch) / rate, then as in least-loaded. An unknown rate counts as the
 * median of the known ones among the candidates that `over` was given, so that a new peer is neither favoured nor starved.
 */
export const makeThroughputWeighted = (options: ThroughputWeightedOptions = {}): Ranking => {
  const batchBytes = options.batchBytes ?? 256 * 1024
  const ranking = (unknownRate: number): Ranking => {
    const seconds = (candidate: Candidate): number =>
      (candidate.outstandingBytes + batchBytes) /
      (candidate.bytesPerSecond > 0 ? candidate.bytesPerSecond : unknownRate)
    return {
      name: "throughput-weighted",
      compare: (a, b) => a.attempts - b.attempts || seconds(a) - seconds(b) || compareByAge(a, b),
      over: (candidates) => ranking(medianKnownRate(candidates, unknownRate))
    }
  }
  return ranking(options.assumedBytesPerSecond ?? 10_000_000)
}

/** `makeThroughputWeighted()` with its defaults. */
export const throughputWeighted: Ranking = makeThroughputWeighted()
