/**
 * The rules of a header DAG over plain maps and sets, each in one place and computed from nothing but headers, claims, replies and votes.
 * Slow, and meant to be read. Mutants override one of them.
 */
import type { HeaderDagOptions, QuorumRule } from "../contract/HeaderDag.ts"

export interface NaiveHeader {
  readonly id: string
  readonly parent: string
  readonly level: number
  peer: number
  proven: boolean
}

export const hex = (bytes: Uint8Array, at: number, length: number): string =>
  Array.from(bytes.subarray(at, at + length), (byte) => byte.toString(16).padStart(2, "0")).join("")

export const bytesOf = (id: string): Uint8Array =>
  Uint8Array.from(id.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16))

export const ascending = (peers: Iterable<number>): Array<number> => [...new Set(peers)].toSorted((a, b) => a - b)

export const sure = <A>(value: A | undefined): A => {
  if (value === undefined) throw new Error("the reference lost something")
  return value
}

/** What is known, and what follows from it. */
export class NaiveRules {
  readonly options: HeaderDagOptions
  readonly known = new Map<string, NaiveHeader>()
  readonly claims = new Map<number, Set<string>>()
  readonly replies = new Map<number, Set<string>>()
  readonly votes = new Map<number, number>()
  base = ""
  baseLevel = 0

  constructor(options: HeaderDagOptions) {
    this.options = options
  }

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

  /** Strong and weak supporters, each peer once. */
  together(strong: ReadonlyArray<number>, weak: ReadonlyArray<number>): Array<number> {
    return ascending([...strong, ...weak])
  }

  /** Supporters whose vote counts now. */
  inElectorate(supporters: ReadonlyArray<number>, electorate: ReadonlyArray<number>): Array<number> {
    return supporters.filter((peer) => electorate.includes(peer))
  }

  electorate(level: number): Array<number> {
    return ascending([...this.votes].filter(([, settled]) => settled >= level).map(([peer]) => peer))
  }

  /** Strong supporters that count: not those who strongly support a rival as well. */
  countedStrong(id: string): Array<number> {
    const rivals = this.rivals(id)
    return this.strongOn(id).filter((peer) => !rivals.some((rival) => this.strongOn(rival.id).includes(peer)))
  }

  /** Whether the chain of a peer has passed a level for good, so that its reply tells something. */
  hasPassed(peer: number, level: number): boolean {
    const settled = this.votes.get(peer)
    return settled !== undefined && settled !== Infinity && level <= settled
  }

  countedWeak(id: string, level: number): Array<number> {
    return this.rivals(id).length > 0 ? [] : this.weakOn(id).filter((peer) => this.hasPassed(peer, level))
  }

  votesFor(
    id: string
  ): { readonly rule: QuorumRule | undefined; readonly settled: Array<number>; readonly tip: Array<number> } {
    const level = this.levelOfId(id)
    const tip = this.countedStrong(id).filter((peer) => this.votes.has(peer))
    if (level < 0) return { rule: undefined, settled: [], tip }
    const electorate = this.electorate(level)
    const settled = this.inElectorate(this.together(this.countedStrong(id), this.countedWeak(id, level)), electorate)
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

  /** What goes with the headers that contradict the chain to `top`. */
  prunedWith(top: string): Set<string> {
    return new Set(this.contradicting(top).flatMap((id) => this.subtree(id)))
  }

  /** Whether the header of an id can stand at a level: the known children that do not fit. */
  misfits(id: string, level: number): Array<string> {
    return this.childIds(id).filter((child) => this.levelOfId(child) !== level + 1)
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
}
