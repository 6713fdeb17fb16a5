/**
 * A block header as its fields. The hash of a block is blake2b-256 of the bytes as they came: `raw` is kept beside the fields and no
 * header is written again to hash it (specs: chain bootstrap 2.3).
 *
 * ```
 * level i32 | proto u8 | predecessor 32 | timestamp i64 | passes u8 | operations hash 32 |
 * fitness: u32 bytes, then u32 + bytes each | context 32 | protocol data to the end
 * ```
 */

/** Fields of a header. All byte arrays of a decoded header are views on the bytes it was decoded from. */
export interface HeaderContent {
  /** i32. */
  readonly level: number
  /** u8: counts changes of protocol, wraps at 256. */
  readonly proto: number
  /** Block hash, 32 bytes. */
  readonly predecessor: Uint8Array
  /** Seconds since 1970; a safe integer. */
  readonly timestamp: number
  /** u8: number of passes, that is, of lists of operations. */
  readonly validationPass: number
  /** Root over the lists of all passes (LLo), 32 bytes. */
  readonly operationsHash: Uint8Array
  /** Elements in order, see `compareFitness`. */
  readonly fitness: ReadonlyArray<Uint8Array>
  /** Context hash, 32 bytes. */
  readonly context: Uint8Array
  /** Whatever the protocol put there, of any length. */
  readonly protocolData: Uint8Array
}

/** A decoded header with the bytes it came from. */
export interface HeaderFields extends HeaderContent {
  /** The whole header, a view on the bytes it was decoded from. */
  readonly raw: Uint8Array
}
