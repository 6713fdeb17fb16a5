/** What moves a peer's score: a table, so that a deployment may swap it (mission 003; specs: chain bootstrap 5.7.1, A39). */

/** Good deeds. */
export type Credit = "branch" | "head" | "header" | "unit"

/** Faults, each with evidence. Silence on headers or operations is none. */
export type Offence =
  | "branch-unanswered"
  | "never-asked"
  | "pruned-support"
  | "dead-hash"
  | "bad-body-proof"
  | "bad-header"
  | "invalid-block"
  | "equivocation"
  | "base-mismatch"
  | "bogus-branch"
  | "malformed"

export interface OffenceRule {
  /** Taken from the score. */
  readonly points: number
  /** Counts towards `seriousLimit`, which no reward washes out. */
  readonly serious: boolean
  /** Ends the connection at once and greylists for the longest time. */
  readonly atOnce: boolean
}

export interface ScoreTable {
  readonly maximum: number
  readonly credits: Readonly<Record<Credit, number>>
  readonly offences: Readonly<Record<Offence, OffenceRule>>
  /** Serious offences until the greylist, whatever the score. */
  readonly seriousLimit: number
}
