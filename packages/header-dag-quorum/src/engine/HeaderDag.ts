/**
 * The header DAG over packed columns: checks what callers give, and composes the steps of `HeaderGraph`, `QuorumSearch`, `Pruning` and `Evidence`.
 */
import type {
  Equivocation,
  HeaderDag,
  HeaderDagOptions,
  Insertion,
  NodeIndex,
  QuorumCount,
  Removed,
  Segment,
  SegmentEvidence
} from "../contract/HeaderDag.ts"
import { HeaderDagLimits } from "../contract/HeaderDagLimits.ts"
import { listBits } from "./Bits.ts"
import { evidenceOf } from "./Evidence.ts"
import { HeaderGraph } from "./HeaderGraph.ts"
import { checkInteger, insertHeader } from "./Insertion.ts"
import { connectedFlag, queuedFlag } from "./Links.ts"
import { advanceBase, forgetPeer, prune, removeSubtree } from "./Pruning.ts"

class PackedHeaderDag implements HeaderDag {
  private readonly graph: HeaderGraph
  private readonly idBytes: number
  private readonly maxUnproven: number
  private readonly maxNamed: number
  private readonly minSupporters: number
  /** Peers that claimed, replied or delivered since they were last forgotten: only for them is the pass over all nodes needed. */
  private readonly claimed: Uint8Array
  private readonly heard: Uint8Array

  constructor(options: HeaderDagOptions) {
    const { maxIdBytes, maxLevel, maxNamedPerPeer, maxNodes, maxPeers, minSupporters } = HeaderDagLimits
    checkInteger("HeaderDag: idBytes", options.idBytes, 1, maxIdBytes)
    checkInteger("HeaderDag: maxPeers", options.maxPeers, 1, maxPeers)
    checkInteger("HeaderDag: maxNodes", options.maxNodes, 1, maxNodes)
    checkInteger("HeaderDag: maxUnprovenPerPeer", options.maxUnprovenPerPeer, 0, maxNodes)
    this.minSupporters = options.minSupporters ?? minSupporters
    this.maxNamed = options.maxNamedPerPeer ?? maxNamedPerPeer
    checkInteger("HeaderDag: minSupporters", this.minSupporters, 1, maxPeers)
    checkInteger("HeaderDag: maxNamedPerPeer", this.maxNamed, 0, maxNodes)
    checkInteger("HeaderDag: level of the base", options.base?.level ?? 0, 0, maxLevel)
    this.idBytes = options.idBytes
    this.maxUnproven = options.maxUnprovenPerPeer
    this.claimed = new Uint8Array(options.maxPeers)
    this.heard = new Uint8Array(options.maxPeers)
    this.graph = new HeaderGraph({
      idBytes: options.idBytes,
      maxPeers: options.maxPeers,
      maxNodes: options.maxNodes,
      minSupporters: this.minSupporters,
      hashSeed: options.hashSeed ?? 0
    })
    this.reset(options.base?.id ?? new Uint8Array(options.idBytes), options.base?.level ?? 0)
  }

  get headers(): number {
    return this.graph.headers
  }

  get nodes(): number {
    return this.graph.links.count
  }

  get baseId(): Uint8Array {
    return this.graph.ids.copyOf(this.graph.base)
  }

  get baseLevel(): number {
    return this.graph.links.levelOf(this.graph.base)
  }

  get electors(): number {
    return this.graph.electorate.count
  }

  find(id: Uint8Array, at = 0): NodeIndex {
    this.checkId(id, at)
    const { ids } = this.graph
    return ids.find(id, at, ids.hash(id, at))
  }

  idOf(node: NodeIndex): Uint8Array {
    this.checkNode(node)
    return this.graph.ids.copyOf(node)
  }

  hasHeader(node: NodeIndex): boolean {
    this.checkNode(node)
    return this.graph.isHeader(node)
  }

  levelOf(node: NodeIndex): number {
    this.checkNode(node)
    return this.graph.links.levelOf(node)
  }

  parentOf(node: NodeIndex): NodeIndex {
    this.checkNode(node)
    return this.graph.links.parentOf(node)
  }

  childrenOf(node: NodeIndex): ReadonlyArray<NodeIndex> {
    this.checkNode(node)
    const { links } = this.graph
    const out: Array<NodeIndex> = []
    for (let child = links.firstChildOf(node); child >= 0; child = links.nextOf(child)) out.push(child)
    return out
  }

  insert(id: Uint8Array, parent: Uint8Array, level: number, peer: number): Insertion {
    this.checkId(id, 0)
    this.checkId(parent, 0)
    if (peer !== -1) this.checkPeer(peer)
    const inserted = insertHeader(this.graph, id, parent, level, peer, this.maxUnproven)
    if (peer >= 0 && inserted.outcome === "added") this.heard[peer] = 1
    return inserted
  }

  claim(peer: number, id: Uint8Array, at = 0): NodeIndex {
    const { graph } = this
    const { ids, links, support } = graph
    this.checkPeer(peer)
    this.checkId(id, at)
    const hash = ids.hash(id, at)
    let node = ids.find(id, at, hash)
    if (node >= 0 && support.has(node, support.ownStrongAt, peer)) return node
    if (node < 0 || !graph.isHeader(node)) {
      if (graph.named[peer]! >= this.maxNamed) return -1
      if (node < 0) {
        if (links.count >= graph.maxNodes) return -1
        node = graph.allocate(id, at, hash)
      }
      graph.named[peer]!++
    }
    this.claimed[peer] = 1
    support.add(node, support.ownStrongAt, peer)
    graph.spreadBit(node, support.strongAt, peer)
    return node
  }

  reply(peer: number, id: Uint8Array): void {
    const node = this.find(id)
    if (node >= 0) this.replyAt(peer, node)
    else this.checkPeer(peer)
  }

  replyAt(peer: number, node: NodeIndex): void {
    const { graph } = this
    const { support } = graph
    this.checkPeer(peer)
    this.checkNode(node)
    if (!graph.isHeader(node)) return
    this.heard[peer] = 1
    support.add(node, support.ownWeakAt, peer)
    graph.spreadBit(node, support.weakAt, peer)
  }

  clearClaims(peer: number): void {
    this.checkPeer(peer)
    if (this.claimed[peer] === 0) return
    this.claimed[peer] = 0
    forgetPeer(this.graph, peer, false)
  }

  removePeer(peer: number): void {
    this.setElector(peer, undefined)
    if (this.claimed[peer] === 0 && this.heard[peer] === 0) return
    this.claimed[peer] = 0
    this.heard[peer] = 0
    forgetPeer(this.graph, peer, true)
  }

  setElector(peer: number, settledLevel: number | undefined): void {
    this.checkPeer(peer)
    if (settledLevel !== undefined && Number.isNaN(settledLevel)) {
      throw new RangeError("setElector: settledLevel must be a number, Infinity or undefined, got NaN")
    }
    const { electorate, search } = this.graph
    const before = electorate.settledLevel(peer)
    if (before === settledLevel) return
    electorate.set(peer, settledLevel)
    if (before === undefined || settledLevel === undefined || before === Infinity || settledLevel === Infinity) {
      return search.recountAll()
    }
    const lower = Math.min(before, settledLevel)
    search.doubt(lower)
    this.recountLevels(Math.max(lower, search.highestLevel, this.baseLevel), Math.max(before, settledLevel))
  }

  strongSupporters(node: NodeIndex): ReadonlyArray<number> {
    this.checkNode(node)
    const { support, words } = this.graph
    return listBits(support.bits, node * support.stride + support.strongAt, words)
  }

  weakSupporters(node: NodeIndex): ReadonlyArray<number> {
    this.checkNode(node)
    const { support, words } = this.graph
    return listBits(support.bits, node * support.stride + support.weakAt, words)
  }

  hasSupport(node: NodeIndex, peer: number): boolean {
    this.checkNode(node)
    this.checkPeer(peer)
    const { support } = this.graph
    return support.has(node, support.strongAt, peer) || support.has(node, support.weakAt, peer)
  }

  quorum(node: NodeIndex): QuorumCount {
    this.checkNode(node)
    const { search } = this.graph
    const rule = search.count(node)
    return {
      rule,
      settledSupporters: search.settledSupporters,
      settledElectorate: search.settledElectorate,
      strongSupporters: search.strongSupporters,
      electors: this.electors,
      conflict: search.conflict
    }
  }

  equivocators(): ReadonlyArray<Equivocation> {
    const { conflicts, ids, levels, links, maxPeers, support } = this.graph
    const out: Array<Equivocation> = []
    for (let peer = 0; peer < maxPeers; peer++) {
      const level = conflicts.equivocalLevel(peer)
      if (level === Infinity) continue
      const supported: Array<Uint8Array> = []
      for (let node = levels.headOf(levels.find(level)); node >= 0; node = links.nextAtLevelOf(node)) {
        if (support.has(node, support.strongAt, peer)) supported.push(ids.copyOf(node))
      }
      out.push({ peer, level, ids: supported })
    }
    return out
  }

  connected(node: NodeIndex): boolean {
    this.checkNode(node)
    return this.graph.links.has(node, connectedFlag)
  }

  lowestAncestor(node: NodeIndex): NodeIndex {
    return this.connected(node) ? this.graph.base : this.graph.links.lowestOf(node)
  }

  highestQuorum(maxLevels: number): NodeIndex {
    const { levels, links, search } = this.graph
    const bound = this.baseLevel + maxLevels
    let node = search.highestNode
    if (node < 0 || links.levelOf(node) <= bound) return node
    const level = Math.floor(bound)
    if (!(level > this.baseLevel)) return -1
    // A level with one header only has nothing else on the way down to the base: no need to walk.
    const first = levels.headOf(levels.find(level))
    if (links.nextAtLevelOf(first) < 0) return first
    while (links.levelOf(node) > level) node = links.parentOf(node)
    return node
  }

  segment(top: NodeIndex): Segment {
    this.checkConnected("segment", top)
    const { base, ids, links } = this.graph
    const firstLevel = this.baseLevel + 1
    const nodes = new Int32Array(links.levelOf(top) + 1 - firstLevel)
    const bytes = new Uint8Array(nodes.length * this.idBytes)
    for (let node = top, n = nodes.length - 1; node !== base; node = links.parentOf(node), n--) {
      nodes[n] = node
      ids.copyInto(node, bytes, n * this.idBytes)
    }
    return { count: nodes.length, ids: bytes, firstLevel, nodes }
  }

  evidence(top: NodeIndex): SegmentEvidence {
    this.checkConnected("evidence", top)
    return evidenceOf(this.graph, top, this.minSupporters)
  }

  prune(top: NodeIndex): ReadonlyArray<Removed> {
    this.checkConnected("prune", top)
    return prune(this.graph, top)
  }

  removeSubtree(node: NodeIndex): ReadonlyArray<Removed> {
    this.checkNode(node)
    if (node === this.graph.base) throw new RangeError("removeSubtree: the base cannot be removed; use reset")
    return removeSubtree(this.graph, node)
  }

  advanceBase(node: NodeIndex): ReadonlyArray<Removed> {
    this.checkConnected("advanceBase", node)
    return advanceBase(this.graph, node)
  }

  reset(baseId: Uint8Array, baseLevel: number): void {
    this.checkId(baseId, 0)
    checkInteger("reset: level", baseLevel, 0, HeaderDagLimits.maxLevel)
    this.claimed.fill(0)
    this.heard.fill(0)
    this.graph.reset(baseId, baseLevel)
  }

  unprovenOf(peer: number): number {
    this.checkPeer(peer)
    return this.graph.unproven[peer]!
  }

  namedOf(peer: number): number {
    this.checkPeer(peer)
    return this.graph.named[peer]!
  }

  /** An elector's settled level moved over these levels (the lower excluded): headers there may have quorum now. */
  private recountLevels(above: number, upTo: number): void {
    const { levels, links, search } = this.graph
    if (search.full || !(upTo > above)) return
    if (upTo - above > HeaderDagLimits.recountedLevels) return search.recountAll()
    for (let level = Math.floor(above) + 1; level <= upTo; level++) {
      const slot = levels.find(level)
      for (let node = slot < 0 ? -1 : levels.headOf(slot); node >= 0; node = links.nextAtLevelOf(node)) {
        if (links.has(node, connectedFlag) && !links.has(node, queuedFlag)) search.push(node)
      }
    }
  }

  private checkPeer(peer: number): void {
    if (peer >= 0 && peer < this.claimed.length && Number.isInteger(peer)) return
    throw new RangeError(`peer must be an integer from 0 to ${this.claimed.length - 1}, got ${peer}`)
  }

  private checkId(id: Uint8Array, at: number): void {
    if (at >= 0 && at + this.idBytes <= id.length) return
    throw new RangeError(`an id of ${this.idBytes} bytes was expected at ${at}, the bytes end at ${id.length}`)
  }

  private checkNode(node: NodeIndex): void {
    const { links } = this.graph
    if (Number.isInteger(node) && node >= 0 && node < links.end && links.levelOf(node) >= -1) return
    throw new RangeError(`node ${node} does not exist, or was removed`)
  }

  private checkConnected(what: string, node: NodeIndex): void {
    if (!this.connected(node)) {
      throw new RangeError(`${what}: node ${node} is not linked to the base; ask connected first`)
    }
  }
}

/**
 * Makes an empty header DAG. Columns grow by doubling up to `maxNodes`. Throws a `RangeError` for options outside `HeaderDagLimits`.
 * (mission 003, step 4; specs: chain bootstrap 5.5.3–5.5.5)
 */
export const makeHeaderDag = (options: HeaderDagOptions): HeaderDag => new PackedHeaderDag(options)
