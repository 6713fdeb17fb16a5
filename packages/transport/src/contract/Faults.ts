/** What can go wrong on a connection, as plain values: the language of `Faulty`. */
import type { DialReason } from "./Transport.ts"

/** Faults of one direction. Positions count the bytes of that direction from the start of the connection, from 0. */
export interface DirectionFaults {
  /** Each piece arrives this much later. Pieces in flight overlap; their order is kept. */
  readonly latencyMillis?: number
  /** Up to this much is added to the latency, by the seed. */
  readonly jitterMillis?: number
  /** The direction carries no more than this. */
  readonly bytesPerSecond?: number
  /** Bytes come in pieces of at most this size. */
  readonly chopBytes?: number
  /** The connection breaks (kind `error`) after this many bytes. */
  readonly cutAfterBytes?: number
  /** What follows this many bytes, the end included, never arrives, while the connection stays up: half-open. */
  readonly silenceAfterBytes?: number
  /** One bit of the byte at this position is inverted; which one is chosen by the seed. */
  readonly flipBitAtByte?: number
}

/** The faults of one connection, by direction. */
export interface ConnectionFaults {
  /** From the other side to us. */
  readonly inbound?: DirectionFaults
  /** From us to the other side. */
  readonly outbound?: DirectionFaults
  /** A dial fails with this reason instead of being tried. */
  readonly refuseDial?: DialReason
}

/** What a rule may look at. `index` counts dials and accepted connections from 0, in the order in which they began. */
export interface ConnectionFacts {
  readonly index: number
  readonly remote: string
  readonly side: "dialled" | "accepted"
}

/** Chooses the faults of a connection. Asked again for every chunk, so that a rule may change its mind. */
export type FaultRule = (connection: ConnectionFacts) => ConnectionFaults
