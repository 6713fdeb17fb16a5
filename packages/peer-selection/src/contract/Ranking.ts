/** Which peer gets a piece of work. A ranking is a plain comparison, so that it can be swapped and tested alone. */

/** What is known of one candidate when a piece of work is given out. */
export interface Candidate {
  /** Index of the peer, 0…N−1. */
  readonly peer: number
  readonly id: string
  /** Times this very piece of work was already tried on this peer. */
  readonly attempts: number
  /** Bytes queued for or in flight from the peer. */
  readonly outstandingBytes: number
  /** Sequence number of the last piece of work given to the peer, 0 when none yet: smaller = less recently tried. */
  readonly lastTried: number
  /** Measured bytes/s, 0 while unknown. */
  readonly bytesPerSecond: number
}

/** Negative when `a` is the better choice. Total: never 0 for two different peers. */
export interface Ranking {
  readonly name: string
  compare(a: Candidate, b: Candidate): number
  /** The same ranking fitted to these candidates, for rankings that need to know them all. `best` calls it when it is there. */
  over?(candidates: ReadonlyArray<Candidate>): Ranking
}
