/**
 * The default ranking: spread retries first, then load. Ends ties by age and id, so that equal peers take turns and the
 * same history gives the same choice.
 */
import type { Candidate, Ranking } from "../contract/Ranking.ts"

const compareIds = (a: Candidate, b: Candidate): number => a.id < b.id ? -1 : a.id > b.id ? 1 : a.peer - b.peer

/** The tail that all rankings share: least recently tried, then id by code units, then index. Never 0 for two peers. */
export const compareByAge = (a: Candidate, b: Candidate): number => a.lastTried - b.lastTried || compareIds(a, b)

/**
 * Fewest attempts for this work, then least outstanding bytes, then least recently tried, then id by UTF-16 code units.
 * Source: specs: peer streaming 3.6 step 4, with bytes in place of blocks and age before the id.
 */
export const leastLoaded: Ranking = {
  name: "least-loaded",
  compare: (a, b) => a.attempts - b.attempts || a.outstandingBytes - b.outstandingBytes || compareByAge(a, b)
}

/** The candidate that the ranking puts first, or undefined for an empty list. One pass, O(n). */
export const best = (ranking: Ranking, candidates: ReadonlyArray<Candidate>): Candidate | undefined => {
  const fitted = ranking.over === undefined ? ranking : ranking.over(candidates)
  let first: Candidate | undefined
  for (const candidate of candidates) {
    if (first === undefined || fitted.compare(candidate, first) < 0) first = candidate
  }
  return first
}
