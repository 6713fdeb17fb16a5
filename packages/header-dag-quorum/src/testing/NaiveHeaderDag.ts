/** The reference: the contract of a header DAG answered from the naive rules. Nodes are ids; their numbers are handed out as asked for. */
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
import { ascending, bytesOf, hex, type NaiveHeader, NaiveRules, sure } from "./NaiveRules.ts"

export class NaiveHeaderDag extends NaiveRules implements HeaderDag {
  private readonly indices = new Map<string, number>()
  private readonly idsByIndex: Array<string> = []

  constructor(options: HeaderDagOptions) {
    super(options)
    this.reset(options.base?.id ?? new Uint8Array(options.idBytes), options.base?.level ?? 0)
  }

  get headers(): number {
    return this.known.size
  }

  get nodes(): number {
    return this.nodeIds().size
  }

  get baseId(): Uint8Array {
    return bytesOf(this.base)
  }

  get electors(): number {
    return this.votes.size
  }

  indexOf(id: string): NodeIndex {
    const index = this.indices.get(id) ?? this.idsByIndex.push(id) - 1
    this.indices.set(id, index)
    return index
  }

  /** The id of a node that exists. */
  id(node: NodeIndex): string {
    const id = this.idsByIndex[node]
    if (id === undefined || !this.nodeIds().has(id)) throw new RangeError(`node ${node} does not exist`)
    return id
  }

  find(id: Uint8Array, at = 0): NodeIndex {
    const key = hex(id, at, this.options.idBytes)
    return this.nodeIds().has(key) ? this.indexOf(key) : -1
  }

  idOf(node: NodeIndex): Uint8Array {
    return bytesOf(this.id(node))
  }

  hasHeader(node: NodeIndex): boolean {
    return this.levelOf(node) >= 0
  }

  levelOf(node: NodeIndex): number {
    return this.levelOfId(this.id(node))
  }

  parentOf(node: NodeIndex): NodeIndex {
    const header = this.known.get(this.id(node))
    return header === undefined ? -1 : this.indexOf(header.parent)
  }

  childrenOf(node: NodeIndex): ReadonlyArray<NodeIndex> {
    return this.childIds(this.id(node)).map((id) => this.indexOf(id))
  }

  insert(idBytes: Uint8Array, parentBytes: Uint8Array, level: number, peer: number): Insertion {
    const id = hex(idBytes, 0, this.options.idBytes)
    const parent = hex(parentBytes, 0, this.options.idBytes)
    if (level <= this.baseLevel) return { outcome: "below" }
    if (id === this.base || this.known.has(id)) return { outcome: "known", node: this.indexOf(id) }
    if (id === parent) return { outcome: "contradiction", relative: this.find(idBytes), relation: "parent" }
    const parentLevel = this.levelOfId(parent)
    if (parentLevel >= 0 && parentLevel !== level - 1) {
      return { outcome: "contradiction", relative: this.indexOf(parent), relation: "parent" }
    }
    const misfit = this.misfits(id, level)[0]
    if (misfit !== undefined) return { outcome: "contradiction", relative: this.indexOf(misfit), relation: "child" }
    if (peer >= 0 && this.unprovenOf(peer) >= this.options.maxUnprovenPerPeer) return { outcome: "unproven" }
    if (this.nodeIds().add(id).add(parent).size > this.options.maxNodes) return { outcome: "full" }
    this.known.set(id, { id, parent, level, peer, proven: false })
    return { outcome: "added", node: this.indexOf(id) }
  }

  claim(peer: number, idBytes: Uint8Array, at = 0): NodeIndex {
    const id = hex(idBytes, at, this.options.idBytes)
    const claimed = this.claims.get(peer) ?? new Set()
    this.claims.set(peer, claimed)
    if (!claimed.has(id)) {
      if (this.levelOfId(id) < 0 && this.namedOf(peer) >= (this.options.maxNamedPerPeer ?? 1100)) return -1
      if (this.nodeIds().add(id).size > this.options.maxNodes) return -1
      claimed.add(id)
    }
    return this.indexOf(id)
  }

  reply(peer: number, idBytes: Uint8Array): void {
    const id = hex(idBytes, 0, this.options.idBytes)
    if (this.levelOfId(id) < 0) return
    this.replies.set(peer, (this.replies.get(peer) ?? new Set()).add(id))
  }

  replyAt(peer: number, node: NodeIndex): void {
    this.reply(peer, this.idOf(node))
  }

  clearClaims(peer: number): void {
    this.claims.delete(peer)
  }

  removePeer(peer: number): void {
    this.claims.delete(peer)
    this.replies.delete(peer)
    this.votes.delete(peer)
    for (const header of this.known.values()) if (header.peer === peer) header.peer = -1
  }

  setElector(peer: number, settledLevel: number | undefined): void {
    if (settledLevel === undefined) this.votes.delete(peer)
    else this.votes.set(peer, settledLevel)
  }

  strongSupporters(node: NodeIndex): ReadonlyArray<number> {
    return this.strongOn(this.id(node))
  }

  weakSupporters(node: NodeIndex): ReadonlyArray<number> {
    return this.weakOn(this.id(node))
  }

  hasSupport(node: NodeIndex, peer: number): boolean {
    return this.strongSupporters(node).includes(peer) || this.weakSupporters(node).includes(peer)
  }

  quorum(node: NodeIndex): QuorumCount {
    const id = this.id(node)
    const level = this.levelOfId(id)
    const { rule, settled, tip } = this.votesFor(id)
    return {
      rule,
      settledSupporters: settled.length,
      settledElectorate: level < 0 ? 0 : this.electorate(level).length,
      strongSupporters: tip.length,
      electors: this.votes.size,
      conflict: this.supported(id) && this.rivals(id).length > 0
    }
  }

  equivocators(): ReadonlyArray<Equivocation> {
    const levels = ascending([...this.known.values()].map(({ level }) => level))
    return ascending(this.claims.keys()).flatMap((peer) => {
      for (const level of levels) {
        const ids = this.atLevel(level).map(({ id }) => id).filter((id) => this.strongOn(id).includes(peer))
        if (ids.length > 1) return [{ peer, level, ids: ids.map(bytesOf) }]
      }
      return []
    })
  }

  connected(node: NodeIndex): boolean {
    return this.isLinked(this.id(node))
  }

  lowestAncestor(node: NodeIndex): NodeIndex {
    const id = this.id(node)
    return this.indexOf(this.isLinked(id) ? this.base : this.ancestry(id).at(-1)?.id ?? id)
  }

  highestQuorum(maxLevels: number): NodeIndex {
    let highest: NaiveHeader | undefined
    for (const header of this.known.values()) {
      if (header.level - this.baseLevel > maxLevels || header.level <= (highest?.level ?? -1)) continue
      if (!this.isLinked(header.id)) continue
      if (this.subtree(header.id).some((id) => this.votesFor(id).rule !== undefined)) highest = header
    }
    return highest === undefined ? -1 : this.indexOf(highest.id)
  }

  segment(top: NodeIndex): Segment {
    const id = this.id(top)
    if (!this.isLinked(id)) throw new RangeError("segment: not connected")
    const chain = this.ancestry(id).toReversed()
    return {
      count: chain.length,
      ids: Uint8Array.from(chain.flatMap((header) => [...bytesOf(header.id)])),
      firstLevel: this.baseLevel + 1,
      nodes: Int32Array.from(chain.map((header) => this.indexOf(header.id)))
    }
  }

  evidence(top: NodeIndex): SegmentEvidence {
    const topId = this.id(top)
    if (!this.isLinked(topId)) throw new RangeError("evidence: not connected")
    const runs: Array<SegmentEvidence["runs"][number]> = []
    for (const { id, level } of this.ancestry(topId)) {
      const { rule, settled, tip } = this.votesFor(id)
      const last = runs.at(-1)
      if (rule === undefined && last === undefined) {
        const above = this.subtree(id).filter((other) => other !== id && this.votesFor(other).rule !== undefined)
          .toSorted((one, other) => this.levelOfId(one) - this.levelOfId(other))
        if (above[0] === undefined) throw new RangeError("evidence: no quorum")
        runs.push({ ...this.run(above[0]), fromLevel: level, toLevel: level })
        continue
      }
      const own = rule === undefined ? undefined : { rule, supporters: rule === "tip" ? tip : settled }
      const same = own === undefined ||
        (last?.rule === own.rule && String(last.supporters) === String(own.supporters) &&
          String(last.electorate) === String(this.run(id).electorate))
      if (same) runs[runs.length - 1] = { ...sure(last), fromLevel: level }
      else runs.push({ ...this.run(id), fromLevel: level, toLevel: level })
    }
    return {
      baseId: this.base,
      baseLevel: this.baseLevel,
      topId,
      topLevel: this.levelOfId(topId),
      minSupporters: this.options.minSupporters ?? 3,
      electors: ascending(this.votes.keys()),
      runs: runs.toReversed()
    }
  }

  private run(id: string): SegmentEvidence["runs"][number] {
    const level = this.levelOfId(id)
    const { rule, settled, tip } = this.votesFor(id)
    return {
      fromLevel: level,
      toLevel: level,
      witnessId: id,
      witnessLevel: level,
      rule: sure(rule),
      supporters: rule === "tip" ? tip : settled,
      electorate: rule === "tip" ? ascending(this.votes.keys()) : this.electorate(level)
    }
  }

  /** Removes nodes, and the parents that nothing names any more; says what they were. */
  private remove(ids: Set<string>): ReadonlyArray<Removed> {
    const describe = (id: string): Removed => ({
      id: bytesOf(id),
      level: this.levelOfId(id),
      strong: this.strongOn(id),
      weak: this.weakOn(id)
    })
    const told = new Map([...this.nodeIds()].map((id) => [id, describe(id)]))
    const parents = [...ids].flatMap((id) => this.known.get(id)?.parent ?? [])
    this.forget(ids)
    const left = this.nodeIds()
    return [...new Set([...ids, ...parents])].filter((id) => !left.has(id)).map((id) => sure(told.get(id)))
  }

  prune(top: NodeIndex): ReadonlyArray<Removed> {
    const id = this.id(top)
    if (!this.isLinked(id)) throw new RangeError("prune: not connected")
    for (const header of this.ancestry(id)) header.proven = true
    return this.remove(this.prunedWith(id))
  }

  removeSubtree(node: NodeIndex): ReadonlyArray<Removed> {
    const id = this.id(node)
    if (id === this.base) throw new RangeError("removeSubtree: the base")
    return this.remove(new Set(this.subtree(id)))
  }

  advanceBase(node: NodeIndex): ReadonlyArray<Removed> {
    const removed = this.prune(node)
    const id = this.id(node)
    if (id === this.base) return removed
    const level = this.levelOfId(id)
    this.forget([this.base, ...this.ancestry(id).slice(1).map((header) => header.id)])
    this.known.delete(id)
    this.base = id
    this.baseLevel = level
    return removed
  }

  reset(baseId: Uint8Array, baseLevel: number): void {
    this.known.clear()
    this.claims.clear()
    this.replies.clear()
    this.base = hex(baseId, 0, this.options.idBytes)
    this.baseLevel = baseLevel
  }

  unprovenOf(peer: number): number {
    return [...this.known.values()].filter((header) => header.peer === peer && !header.proven).length
  }

  namedOf(peer: number): number {
    return [...this.claims.get(peer) ?? []].filter((id) => this.levelOfId(id) < 0).length
  }
}

/** Makes the reference. */
export const makeNaiveHeaderDag = (options: HeaderDagOptions): NaiveHeaderDag => new NaiveHeaderDag(options)
