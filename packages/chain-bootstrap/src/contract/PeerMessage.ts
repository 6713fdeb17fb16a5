/** What is said between peers, free of any wire. A `ChainProtocol` translates. */
import type { BlockId, HeaderFacts } from "./Block.ts"

/** One (block, unit) of a body. */
export interface UnitKey {
  readonly block: BlockId
  readonly unit: number
}

/** An entry of a peer's branch: the head itself is the first, exact one. */
export interface BranchEntry {
  readonly id: BlockId
  /** Reconstructed from the steps; undefined where it cannot be. */
  readonly level: number | undefined
  /** The last entry of a locator is only an upper bound in distance. */
  readonly exact: boolean
}

/** What we ask. */
export type Request =
  | { readonly kind: "get-branch" }
  | { readonly kind: "get-head" }
  | { readonly kind: "get-headers"; readonly ids: ReadonlyArray<BlockId> }
  /** The header `offset` blocks below `of` on its ancestry. */
  | { readonly kind: "get-ancestor"; readonly of: BlockId; readonly offset: number }
  | { readonly kind: "get-units"; readonly items: ReadonlyArray<UnitKey> }
  | { readonly kind: "get-peers" }
  /** Offers a peer of ours in exchange for one of theirs. */
  | { readonly kind: "swap-request"; readonly point: string; readonly id: string }

/** What a peer answers or tells unasked. */
export type Answer =
  | { readonly kind: "branch"; readonly head: HeaderFacts; readonly entries: ReadonlyArray<BranchEntry> }
  | { readonly kind: "head"; readonly header: HeaderFacts }
  | { readonly kind: "header"; readonly header: HeaderFacts }
  | { readonly kind: "ancestor"; readonly of: BlockId; readonly offset: number; readonly header: HeaderFacts }
  | {
    readonly kind: "unit"
    readonly block: BlockId
    readonly unit: number
    readonly body: Uint8Array
    readonly proof: Uint8Array
  }
  | { readonly kind: "peers"; readonly points: ReadonlyArray<string> }
  | { readonly kind: "swap-ack"; readonly point: string; readonly id: string }
  /** Well formed, and proof of a fault by itself: a head that does not hash, a locator that cannot be. Ends the connection. */
  | { readonly kind: "bogus"; readonly what: "branch" | "head"; readonly detail: string }
  /** Concerns another chain: ignored, no penalty (A33). */
  | { readonly kind: "other-chain" }
  /** Legal, of no use here (mempool operations, protocols, deactivation). */
  | { readonly kind: "ignored"; readonly what: string }

/** The applied chain, as far as a locator needs it. */
export interface LocatorSource {
  readonly head: HeaderFacts
  /** Lowest level that `idAt` knows. */
  readonly lowestLevel: number
  /** Id of the applied chain's block at a level between `lowestLevel` and the head's. */
  idAt(level: number): BlockId
}

/** What we say when asked, or tell unasked. */
export type Reply =
  | { readonly kind: "branch"; readonly chain: LocatorSource }
  | { readonly kind: "head"; readonly header: HeaderFacts }
  | { readonly kind: "header"; readonly header: HeaderFacts }
  | { readonly kind: "ancestor"; readonly of: BlockId; readonly offset: number; readonly header: HeaderFacts }
  /** All units of the block, from which the proof of the one asked for is made. */
  | { readonly kind: "unit"; readonly block: BlockId; readonly unit: number; readonly units: ReadonlyArray<Uint8Array> }
  | { readonly kind: "peers"; readonly points: ReadonlyArray<string> }
  | { readonly kind: "swap-ack"; readonly point: string; readonly id: string }

/** What goes out: our requests, and replies to a peer's. */
export type Outgoing = Request | Reply
/** What comes in: answers, and a peer's own requests. */
export type Incoming = Answer | { readonly kind: "request"; readonly request: Request }
