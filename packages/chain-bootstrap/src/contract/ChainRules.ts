/** What the engine must know of a protocol, as plain synchronous functions. */
import type { BlockId, HeaderFacts } from "./Block.ts"

/** A chain's rules: sizes, hashes, weights and checks of headers and bodies. Synchronous and without I/O. */
export interface ChainRules {
  readonly idBytes: number
  /** Text of an id for people, e.g. `BL…`. */
  displayId(id: BlockId): string
  /** Negative: `a` is lighter. A heavier branch wins (Tezos: fitness). */
  compareWeight(a: Uint8Array, b: Uint8Array): number
  /** The header of stored or received bytes, or what is wrong with them. Copies what it keeps. */
  decodeHeader(bytes: Uint8Array): HeaderFacts | string
  /** What a header violates on its own at this time (future, sizes), or undefined. */
  checkAlone(header: HeaderFacts, nowSeconds: number): string | undefined
  /** What a header violates with respect to its parent's header, or undefined (specs: chain bootstrap 2.7). */
  checkLink(child: HeaderFacts, parent: HeaderFacts): string | undefined
  /** What is wrong with a unit, or undefined when `proof` leads from `body` to the header's `bodyRoot` at this very position. */
  verifyUnit(header: HeaderFacts, unit: number, body: Uint8Array, proof: Uint8Array): string | undefined
  /** What is wrong with a whole body (all units, no proofs), or undefined. */
  verifyBody(header: HeaderFacts, units: ReadonlyArray<Uint8Array>): string | undefined
  /** Items a request may name (Tezos: 10). */
  readonly itemsPerRequest: number
  /** Least time between two messages of a kind on one connection, which the other side enforces. */
  readonly spacingMillis: {
    readonly branch: number
    readonly head: number
    readonly ancestor: number
    readonly peers: number
    readonly swap: number
  }
  /** Blocks below which an honest peer's chain does not change any more (Tenderbake: 2). */
  readonly finality: number
}
