/**
 * What a peer did, recorded as proof. Nothing else may lower a peer's standing: local faults, rate limits and silence on data
 * are no evidence.
 */

/** Who is at fault. Only `peer`, with stored proof, may cost a peer anything. */
export type Verdict = "self" | "peer" | "downstream" | "unknown"

/** One thing that a peer did. */
export interface EvidenceRecord {
  readonly peer: string
  /** Machine-readable, kebab case, e.g. `delivered-differs-from-advertised`. */
  readonly kind: string
  readonly verdict: Verdict
  /** What it concerns, e.g. `shard 3 block 1795226400000000000 id 666f6f`. */
  readonly subject: string
  /** The proof in words and numbers, e.g. `advertised 0x1a2b3c4d, delivered 0x11111111`. */
  readonly detail: string
  readonly atMillis: number
}

/** Bounded: counts every record by peer and kind, keeps the first `keepPerKind` of each. */
export interface EvidenceBook {
  add(record: EvidenceRecord): void
  count(peer: string, kind?: string): number
  /** Kept records in the order of arrival. */
  records(peer?: string): ReadonlyArray<EvidenceRecord>
  /** Counts by peer, then kind. */
  summary(): Record<string, Record<string, number>>
}
