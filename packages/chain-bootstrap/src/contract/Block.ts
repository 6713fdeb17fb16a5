/** Blocks as the engine sees them: links, time, weight and a commitment to the body. Nothing here knows a protocol. */

/** Lower-case hex of the id's bytes. */
export type BlockId = string

/** A header whose id was computed from its bytes. */
export interface HeaderFacts {
  readonly id: BlockId
  readonly parent: BlockId
  readonly level: number
  /** Seconds since 1970. */
  readonly timeSeconds: number
  /** What decides between branches; compared by `ChainRules.compareWeight` only. */
  readonly weight: Uint8Array
  /** Units of the body, 0…units − 1 (Tezos: validation passes). */
  readonly units: number
  /** What all units together must lead to (Tezos: operations_hash). */
  readonly bodyRoot: Uint8Array
  /** The header as it came; the id is its hash. Owned by this value, never a view on a receive buffer. */
  readonly bytes: Uint8Array
}

/** A place in a chain. */
export interface BlockRef {
  readonly id: BlockId
  readonly level: number
}

/** One unit of a body, as it is stored. */
export interface BodyUnit {
  readonly block: BlockId
  readonly unit: number
  /** Canonical bytes (Tezos: u32 length + branch ‖ data for each operation). Owned. */
  readonly body: Uint8Array
}

/** A whole block for an applier. */
export interface Block {
  readonly header: HeaderFacts
  /** One entry a unit, in order; empty when the applier asked for none. */
  readonly units: ReadonlyArray<Uint8Array>
}
