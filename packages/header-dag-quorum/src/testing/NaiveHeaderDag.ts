/**
 * The reference: headers in a map, claims and replies in sets, and every answer computed from them anew. Slow, and meant to be
 * read. Mutants override one of its steps.
 */
import type {
  Equivocation,
  HeaderDag,
  HeaderDagOptions,
  Insertion,
  NodeIndex,
  QuorumCount,
  QuorumRule,
  Removed,
  Segment,
  SegmentEvidence
} from "../contract/HeaderDag.ts"

export interface NaiveHeader {
  readonly id: string
  readonly parent: string
  readonly level: number
  peer: number
  proven: boolean
}

const hex = (bytes: Uint8Array, at: number, length: number): string =>
  Array.from(bytes.subarray(at, at + length), (byte) => byte.toString(16).padStart(2, "0")).join("")

const bytesOf = (id: string): Uint8Array => Uint8Array.from(id.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16))

const ascending = (peers: Iterable<number>): Array<number> => [...new Set(peers)].toSorted((a, b) => a - b)

const sure = <A>(value: A | undefined): A => {
  if (value === undefined) throw new Error("the reference lost something")
  return value
}

export class NaiveHeaderDag implements HeaderDag {
  readonly options: HeaderDagOptions
  readonly known = new Map<string, NaiveHeader>()
  readonly claims = new Map<number, Set<string>>()
  readonly replies = new Map<number, Set<string>>()
  readonly votes = new Map<number, number>()
  base = ""
  baseLevel = 0
  private readonly indices = new Map<string, number>()
  private readonly idsByIndex: Array<string> = []

  constructor(options: HeaderDagOptions) {
    this.options = options
    this.reset(options.base?.id ?? new Uint8Array(options.idBytes), options.base?.level ?? 0)
  }

  // --- the rules, each in one place ---

  isQuorum(supporters: number, electorate: number): boolean {
    return 3 * supporters > 2 * electorate && supporters >= (this.options.minSupporters ?? 3)
  }

  isElectorate(electorate: number, electors: number): boolean {
    return 3 * electorate > 2 * electors
  }

  /** Known headers that name the id as their parent. */
  childIds(id: string): Array<string> {
    return [...this.known.values()].filter((header) => header.parent === id).map((header) => header.id)
  }

  /** The id and all known descendants, parents first. */
  subtree(id: string): Array<string> {
    const out = [id]
    for (const at of out) out.push(...this.childIds(at))
    return out
  }

  /** The node and its ancestors as far as headers are known, the base (or a named parent) not included. */
  ancestry(id: string): Array<NaiveHeader> {
    const out: Array<NaiveHeader> = []
    for (let at = this.known.get(id); at !== undefined; at = this.known.get(at.parent)) out.push(at)
    return out
  }

  strongOn(id: string): Array<number> {
    const subtree = this.subtree(id)
    return ascending([...this.claims].filter(([, ids]) => subtree.some((at) => ids.has(at))).map(([peer]) => peer))
  }

  weakOn(id: string): Array<number> {
    const subtree = this.subtree(id)
    return ascending([...this.replies].filter(([, ids]) => subtree.some((at) => ids.has(at))).map(([peer]) => peer))
  }

  supported(id: string): boolean {
    return this.strongOn(id).length + this.weakOn(id).length > 0
  }

  atLevel(level: number): Array<NaiveHeader> {
    return [...this.known.values()].filter((header) => header.level === level)
  }

  /** Headers with support beside the node and its known ancestors, at their levels. */
  rivals(id: string): Array<NaiveHeader> {
    return this.ancestry(id).flatMap(({ id: own, level }) =>
      this.atLevel(level).filter((other) => other.id !== own && this.supported(other.id))
    )
  }

  electorate(level: number): Array<number> {
    return ascending([...this.votes].filter(([, settled]) => settled >= level).map(([peer]) => peer))
  }

  /** Strong supporters that count: not those who strongly support a rival as well. */
  countedStrong(id: string): Array<number> {
    const rivals = this.rivals(id)
    return this.strongOn(id).filter((peer) => !rivals.some((rival) => this.strongOn(rival.id).includes(peer)))
  }

  countedWeak(id: string, level: number): Array<number> {
    if (this.rivals(id).length > 0) return []
    return this.weakOn(id).filter((peer) => {
      const settled = this.votes.get(peer)
      return settled !== undefined && settled !== Infinity && level <= settled
    })
  }

  votesFor(
    id: string
  ): { readonly rule: QuorumRule | undefined; readonly settled: Array<number>; readonly tip: Array<number> } {
    const level = this.levelOfId(id)
    const tip = this.countedStrong(id).filter((peer) => this.votes.has(peer))
    if (level < 0) return { rule: undefined, settled: [], tip }
    const electorate = this.electorate(level)
    const settled = ascending([...this.countedStrong(id), ...this.countedWeak(id, level)]).filter((peer) =>
      electorate.includes(peer)
    )
    const rule =
      this.isElectorate(electorate.length, this.votes.size) && this.isQuorum(settled.length, electorate.length)
        ? "settled"
        : this.isQuorum(tip.length, this.votes.size)
        ? "tip"
        : undefined
    return { rule, settled, tip }
  }

  /** Ids that are nodes: the base, headers, their parents, and what is claimed. */
  nodeIds(): Set<string> {
    const claimed = [...this.claims.values()].flatMap((ids) => [...ids])
    return new Set([this.base, ...[...this.known.values()].flatMap(({ id, parent }) => [id, parent]), ...claimed])
  }

  isLinked(id: string): boolean {
    return id === this.base || this.ancestry(id).at(-1)?.parent === this.base
  }

  /** Headers beside the chain to `top`, and those one level above it that name another parent. */
  contradicting(top: string): Array<string> {
    const topLevel = this.levelOfId(top)
    const chain = new Set(this.ancestry(top).map(({ id }) => id))
    return [...this.known.values()].filter(({ id, level, parent }) =>
      (level <= topLevel && !chain.has(id)) || (level === topLevel + 1 && parent !== top)
    ).map(({ id }) => id)
  }

  forget(ids: Iterable<string>): void {
    for (const id of ids) {
      this.known.delete(id)
      for (const claimed of this.claims.values()) claimed.delete(id)
      for (const replied of this.replies.values()) replied.delete(id)
    }
  }

  levelOfId(id: string): number {
    return id === this.base ? this.baseLevel : this.known.get(id)?.level ?? -1
  }

  // --- the contract ---

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
    const misfit = this.childIds(id).find((child) => this.levelOfId(child) !== level + 1)
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
    return this.remove(new Set(this.contradicting(id).flatMap((other) => this.subtree(other))))
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

export const makeNaiveHeaderDag = (options: HeaderDagOptions): NaiveHeaderDag => new NaiveHeaderDag(options)
