/** The state of a directed link between two nodes. */

/** How a link carries bytes. Absent members cost nothing: no delay, no limit. */
export interface LinkShape {
  readonly latencyMillis?: number
  /** Up to this much more than the latency, by the seed; order is kept. */
  readonly jitterMillis?: number
  readonly bytesPerSecond?: number
  /** Bytes arrive in pieces of at most this size. */
  readonly chopBytes?: number
}

/** How a link is at the moment. */
export interface LinkState {
  shape: LinkShape
  /** Partitioned: what is sent waits, and arrives after healing. */
  stalled: boolean
  /** Half-open: what is sent is never heard of, while the connection stays up. */
  silent: boolean
}
