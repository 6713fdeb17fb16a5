/**
 * Links between pending headers and who supports them. A DAG that need not be connected, because headers come in any order
 * (mission 003, notes on step 4; specs: chain bootstrap R85–R90, 5.5.3–5.5.5, A8, A11, A12, A14). It holds links and supporters only: ids are
 * bytes of one fixed length, peers are small integers, no header bytes.
 */

/** Index of a node. Stays valid until the node is removed; −1 = none. */
export type NodeIndex = number

export interface HeaderDagOptions {
  /** Bytes of an id, e.g. 32. */
  readonly idBytes: number
  /** Peers are 0…maxPeers − 1. */
  readonly maxPeers: number
  /** Nodes in all: headers, and ids that were only named (by a claim or as a parent). */
  readonly maxNodes: number
  /** Headers that one peer delivered first and that are not on a chain with quorum. */
  readonly maxUnprovenPerPeer: number
  /** Fewest supporters of a quorum, whatever the electorate (A16). Default 3. */
  readonly minSupporters?: number
  /** Mixed into the hash of ids, so that nobody can choose ids that collide. Default 0. */
  readonly hashSeed?: number
}

/**
 * What became of an inserted header. `full`: `maxNodes`; `unproven`: the peer's bound; `below`: level not above the base;
 * `contradiction`: its level does not fit a known parent or child by exactly one (nothing is stored; the ids and children are told).
 */
export type Insertion =
  | { readonly outcome: "added" | "known"; readonly node: NodeIndex }
  | { readonly outcome: "full" | "unproven" | "below" }
  | { readonly outcome: "contradiction"; readonly relative: NodeIndex; readonly relation: "parent" | "child" }

/** Why a node has quorum: `settled`: electorate of those whose chain has passed the level for good (A8); `tip`: strong claims of all electors. */
export type QuorumRule = "settled" | "tip"

export interface QuorumCount {
  readonly rule: QuorumRule | undefined
  /** Under the `settled` rule. Its electorate counts only when it is itself more than 2/3 of all electors. */
  readonly settledSupporters: number
  readonly settledElectorate: number
  /** Under the `tip` rule. */
  readonly strongSupporters: number
  readonly electors: number
  /** Another header with support stands at the same level. */
  readonly conflict: boolean
}

/** A header that was removed, and the peers that had supported it, implied support included. */
export interface Removed {
  readonly id: Uint8Array
  readonly level: number
  readonly strong: ReadonlyArray<number>
  readonly weak: ReadonlyArray<number>
}

/** A connected chain, lowest first. `ids`: count × idBytes. */
export interface Segment {
  readonly count: number
  readonly ids: Uint8Array
  readonly firstLevel: number
  /** Nodes, lowest first; valid until the next removal. */
  readonly nodes: Int32Array
}

/**
 * Who supported a segment at the moment of choice; runs of levels with equal supporters. Checkable alone: the ids must link (each header names
 * its predecessor; the caller hashes them), and every run must be a quorum of its electorate.
 */
export interface SegmentEvidence {
  readonly baseId: string
  readonly baseLevel: number
  readonly topId: string
  readonly topLevel: number
  readonly minSupporters: number
  readonly runs: ReadonlyArray<{
    readonly fromLevel: number
    readonly toLevel: number
    readonly rule: QuorumRule
    readonly supporters: ReadonlyArray<number>
    readonly electorate: ReadonlyArray<number>
  }>
}

export interface HeaderDag {
  /** Headers known above the base. */
  readonly headers: number
  /** All nodes, named ids included. */
  readonly nodes: number
  readonly baseId: Uint8Array
  readonly baseLevel: number

  find(id: Uint8Array, at?: number): NodeIndex
  /** Fresh copy of the id. */
  idOf(node: NodeIndex): Uint8Array
  hasHeader(node: NodeIndex): boolean
  /** Level of a known header, −1 otherwise. */
  levelOf(node: NodeIndex): number
  /** Node of the parent of a known header (perhaps only named), −1 when the header is unknown; the base has a node as well. */
  parentOf(node: NodeIndex): NodeIndex
  childrenOf(node: NodeIndex): ReadonlyArray<NodeIndex>

  /** Adds a header that `peer` delivered (−1: nobody's, e.g. from disk; never counts as unproven). No support comes of it: see `reply`. */
  insert(id: Uint8Array, parent: Uint8Array, level: number, peer: number): Insertion
  /** `peer` asserts that the block is in its main chain: strong support, implied for all ancestors. The header may be unknown yet. */
  claim(peer: number, id: Uint8Array, at?: number): NodeIndex
  /** `peer` sent the header on request: weak support. Ignored when the header is unknown. */
  reply(peer: number, id: Uint8Array): void
  /** Forgets the strong claims of a peer (its branch was replaced). */
  clearClaims(peer: number): void
  /** Forgets everything of a peer that left; its headers stay and are nobody's. The number may be used again. */
  removePeer(peer: number): void

  /**
   * Makes a peer an elector up to a level: `settledLevel` = claimed head level − finality, Infinity for one that has not said (it counts against
   * every quorum). Undefined: it counts on neither side.
   */
  setElector(peer: number, settledLevel: number | undefined): void
  readonly electors: number

  strongSupporters(node: NodeIndex): ReadonlyArray<number>
  weakSupporters(node: NodeIndex): ReadonlyArray<number>
  hasSupport(node: NodeIndex, peer: number): boolean
  quorum(node: NodeIndex): QuorumCount

  /** Whether known headers link the node down to the base. */
  connected(node: NodeIndex): boolean
  /** The lowest known ancestor (itself possible): where a descent by parents has to go on. */
  lowestAncestor(node: NodeIndex): NodeIndex
  /** Highest node that is linked to the base and has quorum, at most `maxLevels` above the base; −1 when none. Ancestors have it by implication. */
  highestQuorum(maxLevels: number): NodeIndex
  /** From the base (exclusive) up to `top` (inclusive); `top` must be connected. */
  segment(top: NodeIndex): Segment
  evidence(top: NodeIndex): SegmentEvidence

  /** Removes at every level from the base to `top` all headers beside the chain to `top`, with their subtrees, and ids only named by them. */
  prune(top: NodeIndex): ReadonlyArray<Removed>
  /** Removes a header with all that builds on it. */
  removeSubtree(node: NodeIndex): ReadonlyArray<Removed>
  /** Makes a connected node the base: its ancestors and whatever does not build on it at or below its level are removed. */
  advanceBase(node: NodeIndex): ReadonlyArray<Removed>
  /** Starts again from another base; claims and headers are forgotten, electors stay. */
  reset(baseId: Uint8Array, baseLevel: number): void
  unprovenOf(peer: number): number
}
