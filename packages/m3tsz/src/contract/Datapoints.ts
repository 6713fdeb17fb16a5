/** Decoded points of one block as columns, and the merge rule contract. */

/** Time unit ids of M3. Only these four encode timestamps. */
export type TimeUnit = 1 | 2 | 3 | 4

/** Column i is one datapoint; arrays may be longer than `count`. */
export interface Datapoints {
  count: number
  /** ns since the Unix epoch. */
  timestamps: BigInt64Array
  /** float64 values; compare by bits, not by ==. */
  values: Float64Array
  /** 1 s, 2 ms, 3 µs, 4 ns. */
  units: Uint8Array
  /** Sparse: point index → annotation bytes, only where the stream carried one. */
  annotations: Map<number, Uint8Array>
}

/** One replica's copy of a block for a merge. */
export interface Copy {
  /** Peer id; ties go to the smallest (compared as strings by UTF-16 code units). */
  readonly peer: string
  readonly points: Datapoints
}

/** A deterministic rule: the same copies in any order give the same points. Timestamps in copies are strictly ascending. */
export interface MergeRule {
  readonly name: string
  merge(copies: ReadonlyArray<Copy>): Datapoints
}
