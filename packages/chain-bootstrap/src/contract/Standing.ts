/** What moves a peer's score: a table, so that a deployment may swap it (mission 003; specs: chain bootstrap 5.7.1, A39). */
import type { EvidenceRecord } from "@peerstrap/peer-selection"

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

/** What an offence costs. */
export interface OffenceRule {
  /** Taken from the score. */
  readonly points: number
  /** Counts towards `seriousLimit`, which no reward washes out. */
  readonly serious: boolean
  /** Ends the connection at once and greylists for the longest time. */
  readonly atOnce: boolean
}

/** What moves a score, and how far. */
export interface ScoreTable {
  readonly maximum: number
  readonly credits: Readonly<Record<Credit, number>>
  readonly offences: Readonly<Record<Offence, OffenceRule>>
  /** Serious offences until the greylist, whatever the score. */
  readonly seriousLimit: number
}

/** What a blame led to. */
export interface Blamed {
  readonly score: number
  /** `points`: the score fell, the peer stays. `greylisted`: disconnect it and end it with the ending `greylisted`. */
  readonly consequence: "points" | "greylisted"
  /** For the ending: greylisted for the longest time. */
  readonly longest: boolean
  /** The record that was added to the book. */
  readonly record: EvidenceRecord
}

/** Scores by identity. Integers in 0..maximum; an identity not heard of has the maximum (R18). */
export interface Standing {
  score(id: string): number
  /** Serious offences so far; never decays. */
  serious(id: string): number
  /** The peer connected: its last score, or half of the maximum after a greylisting. */
  joined(id: string): number
  /** `times` good deeds (default 1). Returns the score. */
  credit(id: string, credit: Credit, times?: number): number
  /** Every call is an evidence record: verdict peer, kind = the offence. */
  blame(id: string, offence: Offence, subject: string, detail: string, nowMillis: number): Blamed
}
