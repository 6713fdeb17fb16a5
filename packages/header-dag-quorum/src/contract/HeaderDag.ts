/**
 * Links between pending headers and who supports them. A DAG that need not be connected, because headers come in any order
 * (mission 003, notes on step 4; specs: chain bootstrap R85–R90, 5.5.3–5.5.5, A8, A11, A12, A14). It holds links and supporters only: ids are
 * bytes of one fixed length, peers are small integers, no header bytes.
 */

/** Index of a node. Stays valid until the node is removed; −1 = none. */
export type NodeIndex = number

/** Sizes of a DAG: bytes of an id, peers, nodes. */
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
  /** Ids whose header is unknown that one peer may claim at a time. Default 1,100: the 1000 entries of a locator and its head. */
  readonly maxNamedPerPeer?: number
  /** Mixed into the hash of ids, so that nobody can choose ids that collide. Default 0. */
  readonly hashSeed?: number
  /** Where the DAG begins; without it an id of zeros at level 0, until `reset`. */
  readonly base?: { readonly id: Uint8Array; readonly level: number }
}

/**
 * What became of an inserted header. `below`: level not above the base; `known`: nothing changes; `contradiction`: its level does not fit a
 * known parent or child by exactly one (nothing is stored; the relative is told, −1 when a header names itself as parent); `unproven`: the
 * peer's bound; `full`: `maxNodes`. Tried in this order.
 */
export type Insertion =
  | { readonly outcome: "added" | "known"; readonly node: NodeIndex }
  | { readonly outcome: "full" | "unproven" | "below" }
  | { readonly outcome: "contradiction"; readonly relative: NodeIndex; readonly relation: "parent" | "child" }

/** Why a node has quorum: `settled`: electorate of those whose chain has passed the level for good (A8); `tip`: strong claims of all electors. */
export type QuorumRule = "settled" | "tip"

/** How many stand behind a node, by both rules. */
export interface QuorumCount {
  readonly rule: QuorumRule | undefined
  /** Under the `settled` rule. Its electorate counts only when it is itself more than 2/3 of all electors. */
  readonly settledSupporters: number
  readonly settledElectorate: number
  /** Under the `tip` rule. */
  readonly strongSupporters: number
  readonly electors: number
  /**
   * The header has support, and another header with support (of anybody, electors or not) stands at its level or at that of a known
   * ancestor. Then weak support does not count. Ancestors matter because whoever supports a header supports them: without that, weak support
   * for a child would decide between two headers that are in conflict, and support(parent) ⊇ support(child) would not hold.
   */
  readonly conflict: boolean
}

/**
 * A node that was removed, and the peers that had supported it, implied support included. Level −1: an id that was only named, as the parent of
 * a removed header or by claims.
 */
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
 * Levels whose quorum is the same: that of the header `witnessId` at or above them, which all of them are ancestors of or are themselves (R47).
 * Under `settled` the electorate is more than 2/3 of all electors, under `tip` it is all of them.
 */
export interface EvidenceRun {
  readonly fromLevel: number
  readonly toLevel: number
  readonly witnessId: string
  readonly witnessLevel: number
  readonly rule: QuorumRule
  readonly supporters: ReadonlyArray<number>
  readonly electorate: ReadonlyArray<number>
}

/**
 * Who supported a segment at the moment of choice; runs of levels with equal supporters, lowest first. Checkable alone (`checkEvidence`): the
 * ids must link (each header names its predecessor; the caller hashes them), and every run must be a quorum of its electorate. Ids are
 * lower-case hex, peers ascending. No runs when `top` is the base.
 */
export interface SegmentEvidence {
  readonly baseId: string
  readonly baseLevel: number
  readonly topId: string
  readonly topLevel: number
  readonly minSupporters: number
  /** All electors, of any level. */
  readonly electors: ReadonlyArray<number>
  readonly runs: ReadonlyArray<EvidenceRun>
}

/** A peer that strongly supports several headers of one level, the lowest such level, and those headers (A12). */
export interface Equivocation {
  readonly peer: number
  readonly level: number
  readonly ids: ReadonlyArray<Uint8Array>
}

/**
 * All methods are synchronous. A node that does not exist, a peer outside 0…maxPeers − 1, an id of another length or a level that is no
 * 31-bit integer is a mistake of the caller: `RangeError`. Whatever peers send ends in the outcomes.
 */
export interface HeaderDag {
  /** Headers known above the base. */
  readonly headers: number
  /** All nodes: the base, headers, and named ids. */
  readonly nodes: number
  readonly baseId: Uint8Array
  readonly baseLevel: number

  /** The node of the id at `id[at]`, −1 when there is none. */
  find(id: Uint8Array, at?: number): NodeIndex
  /** Fresh copy of the id. */
  idOf(node: NodeIndex): Uint8Array
  /** Whether the header is known; true for the base. */
  hasHeader(node: NodeIndex): boolean
  /** Level of a known header or of the base, −1 otherwise. */
  levelOf(node: NodeIndex): number
  /** Node of the parent of a known header (perhaps only named), −1 when the header is unknown and for the base. */
  parentOf(node: NodeIndex): NodeIndex
  /** Known headers that name the node as their parent, in no order. */
  childrenOf(node: NodeIndex): ReadonlyArray<NodeIndex>

  /** Adds a header that `peer` delivered (−1: nobody's, e.g. from disk; never counts as unproven). No support comes of it: see `reply`. */
  insert(id: Uint8Array, parent: Uint8Array, level: number, peer: number): Insertion
  /**
   * `peer` asserts that the block is in its main chain: strong support, implied for all known ancestors. The header may be unknown yet. −1, and
   * nothing is noted, at the bound of ids named by the peer or of nodes.
   */
  claim(peer: number, id: Uint8Array, at?: number): NodeIndex
  /** `peer` sent the header on request: weak support, implied for all known ancestors. Ignored when the header is unknown. */
  reply(peer: number, id: Uint8Array): void
  /** The same for a node at hand, as `insert` returns it: saves looking the id up again. */
  replyAt(peer: number, node: NodeIndex): void
  /** Forgets the strong claims of a peer (its branch was replaced). Costs a pass over all nodes when there are any. */
  clearClaims(peer: number): void
  /** Forgets everything of a peer that left, its vote too; its headers stay and are nobody's. The number may be used again. */
  removePeer(peer: number): void

  /**
   * Makes a peer an elector up to a level: `settledLevel` = claimed head level − finality, Infinity for one that has not said (it counts against
   * every quorum, and its replies for none). Undefined: it counts on neither side.
   */
  setElector(peer: number, settledLevel: number | undefined): void
  readonly electors: number

  /** Peers that claimed the node or a known descendant, ascending, whether electors or not. */
  strongSupporters(node: NodeIndex): ReadonlyArray<number>
  /** Peers that replied with the node or a known descendant, ascending, whether that counts or not. */
  weakSupporters(node: NodeIndex): ReadonlyArray<number>
  /** Strong or weak. */
  hasSupport(node: NodeIndex, peer: number): boolean
  /**
   * Supporters and electorate at the node's level, now. All zero but `strongSupporters` and `electors` for a node that is only named. Both
   * rules leave out who strongly supports several headers at the level of the node or of one of its known ancestors (A12).
   */
  quorum(node: NodeIndex): QuorumCount
  /** Peers that strongly support several headers of one level, ascending; each with the lowest such level. */
  equivocators(): ReadonlyArray<Equivocation>

  /** Whether known headers link the node down to the base. */
  connected(node: NodeIndex): boolean
  /**
   * The lowest ancestor whose header is known: where a descent by parents has to go on, with its parent. The base for connected nodes,
   * the node itself when its header or parent is unknown.
   */
  lowestAncestor(node: NodeIndex): NodeIndex
  /**
   * Highest node that is linked to the base and has quorum, its own or by implication (R47), at most `maxLevels` above the base; −1 when none.
   * Where the highest of its own stands above the bound this is its ancestor at the bound.
   */
  highestQuorum(maxLevels: number): NodeIndex
  /** From the base (exclusive) up to `top` (inclusive); `top` must be connected. */
  segment(top: NodeIndex): Segment
  /** `top` must be connected and have quorum, its own or by implication; `RangeError` otherwise. */
  evidence(top: NodeIndex): SegmentEvidence

  /**
   * Removes at every level from the base to `top` (connected) all headers beside the chain to `top`, with their subtrees; headers one
   * level above `top` that name another parent; and ids only named by what was removed. Claims on removed ids are forgotten; an id with claims
   * of its own that no remaining header names stays, for only the removed header said at which level it stands. The chain counts as proven.
   */
  prune(top: NodeIndex): ReadonlyArray<Removed>
  /** Removes a node with all that builds on it, and its parent when that is only named by it. Not the base. */
  removeSubtree(node: NodeIndex): ReadonlyArray<Removed>
  /** Makes a connected node the base: prunes, and forgets its ancestors. Returns what stood beside the chain, as `prune`. */
  advanceBase(node: NodeIndex): ReadonlyArray<Removed>
  /** Starts again from another base; claims and headers are forgotten, electors stay. */
  reset(baseId: Uint8Array, baseLevel: number): void
  /** Headers that the peer delivered first, and that are neither removed nor on a chain that was pruned to or advanced over. */
  unprovenOf(peer: number): number
  /** Ids that the peer claims and whose header is unknown. */
  namedOf(peer: number): number
}
