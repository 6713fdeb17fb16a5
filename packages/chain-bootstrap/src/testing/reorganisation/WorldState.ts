/**
 * The state of the small engine around a strategy, and how it changes by seed: a tree of headers, our chain, what the applier has beside it, and the
 * quorum that moves about.
 */
import { SeededRandom } from "@peerstrap/conformance"
import type { BlockId, BlockRef, HeaderFacts } from "../../contract/Block.ts"
import type { ReorganisationParts, Rival } from "../../contract/Reorganisation.ts"
import { HeaderTree, weightOf } from "./HeaderTree.ts"

/** What strategies are held to; each is a check of the kit. */
export type Law =
  | "fork"
  | "path"
  | "ready"
  | "quorum"
  | "idle"
  | "depth"
  | "applier"
  | "branches"
  | "retry"
  | "pause"
  | "notice"
  | "waits"
  | "end"
  | "retention"
  | "declared"

export class LawBroken extends Error {
  readonly law: Law

  constructor(law: Law, message: string) {
    super(message)
    this.law = law
  }
}

/** Levels that a chain may be left below our head. */
export const maxReorgDepth = 5
export const maxBranches = 2
/** What passes with each event. */
export const stepMillis = 100
export const retryTimers = { applyRetry: 300, applyRetryLongest: 1_000 }
/** Levels below our head at which blocks become final. */
export const finalityLevels = 8

export interface WorldOptions {
  readonly seed: number
  /** Whether the quorum moves to chains that leave ours too deep as well: then the run ends early. */
  readonly deep: boolean
}

export const show = (id: BlockId): string => `#${Number.parseInt(id, 16)}`
export const refOf = ({ id, level }: HeaderFacts): BlockRef => ({ id, level })

export abstract class WorldState {
  /** All that the strategy did, in order. */
  readonly log: Array<string> = []
  /** Moves that were carried out. */
  moves = 0
  halted: string | undefined
  protected readonly tree = new HeaderTree()
  protected readonly random: SeededRandom
  protected readonly deep: boolean
  /** Applied on our chain, by level; what stores say. */
  protected applied: Array<BlockId>
  protected chosen: Array<BlockId> = []
  /** Side blocks that the applier has. */
  protected readonly side = new Set<BlockId>()
  protected readonly invalid = new Set<BlockId>()
  /** Side blocks that the applier could not take when they were last tried: how often in a row, and when. */
  protected readonly failed = new Map<BlockId, { readonly times: number; readonly atMillis: number }>()
  protected readonly facts = new Map<BlockId, HeaderFacts>()
  protected baseLevel = 0
  protected quorum: BlockId | undefined
  protected readonly wanted = new Map<BlockId, boolean>()
  protected batches = 0
  protected given: number
  protected paused = false
  protected dirty = true
  protected rival: Rival | undefined

  protected abstract readonly core: ReorganisationParts["core"]

  constructor({ deep, seed }: WorldOptions) {
    this.random = new SeededRandom(seed)
    this.deep = deep
    let top = this.tree.root
    this.applied = [top.id]
    for (let level = 1; level <= 10; level++) {
      top = this.tree.grow(top.id, this.random)
      this.applied.push(top.id)
    }
    for (const facts of this.tree.all.values()) this.facts.set(facts.id, facts)
    this.given = top.level
    this.baseLevel = top.level - finalityLevels
  }

  protected must(law: Law, holds: boolean, message: () => string): void {
    if (!holds) throw new LawBroken(law, message())
  }

  protected get committed(): number {
    return Math.max(this.given, this.core.head.level)
  }

  protected get frontier(): BlockId {
    return this.chosen.at(-1) ?? this.applied.at(-1)!
  }

  protected chainAt(level: number): BlockId | undefined {
    return level < this.applied.length ? this.applied[level] : this.chosen[level - this.applied.length]
  }

  protected choose(ids: ReadonlyArray<BlockId>): void {
    this.chosen.push(...ids)
    this.log.push(`choose ${ids.map(show).join()}`)
    this.dirty = true
  }

  protected stands({ top }: Rival): boolean {
    return this.quorum !== undefined && this.facts.has(top.id) && this.tree.descends(this.quorum, top.id)
  }

  /** What the gate of the engine does: chooses what builds on our chain, or gives the chain that does not. */
  protected look(): Rival | undefined {
    const { frontier, quorum, tree } = this
    if (quorum === undefined || tree.descends(frontier, quorum)) return undefined
    const fork = tree.fork(frontier, quorum)
    const ids = tree.path(fork.level, quorum)
    const top = tree.at(quorum)
    if (fork.id !== frontier) {
      return weightOf(top) > weightOf(tree.at(frontier)) ? { forkLevel: fork.level, ids, top } : undefined
    }
    this.choose(ids)
    return undefined
  }

  protected isPending(id: BlockId): boolean {
    return this.facts.has(id) && this.tree.at(id).level > this.baseLevel
  }

  protected grow(): void {
    const { head } = this.core
    const lowest = Math.max(this.baseLevel, head.level - (this.deep ? finalityLevels : maxReorgDepth - 1))
    const ground = [...this.facts.values()].filter(({ id, level }) =>
      level >= lowest && level <= head.level + 6 && !this.isLost(id)
    )
    let top = this.random.pick(ground)
    for (let count = this.random.int(1, 4); count > 0; count--) {
      top = this.tree.grow(top.id, this.random)
      this.facts.set(top.id, top)
    }
    this.dirty = true
  }

  /** Builds on an invalid block, or is one. */
  protected isLost(id: BlockId): boolean {
    return [...this.invalid].some((one) => this.tree.descends(id, one))
  }

  protected candidates(): ReadonlyArray<HeaderFacts> {
    const heavier = weightOf(this.tree.at(this.frontier))
    return [...this.facts.values()].filter((one) => {
      const depth = this.core.head.level - this.tree.fork(this.core.head.id, one.id).level
      return weightOf(one) > heavier && !this.isLost(one.id) && one.level > this.baseLevel &&
        (this.deep || Math.max(depth, this.committed - this.core.head.level + depth) < maxReorgDepth)
    })
  }

  protected moveQuorum(): void {
    const candidates = this.candidates()
    this.quorum = candidates.length === 0 || this.random.oneIn(4) ? undefined : this.random.pick(candidates).id
    // Peers that leave make the gate look for nothing.
    if (this.quorum !== undefined || this.random.oneIn(2)) this.dirty = true
  }

  protected heaviest(): BlockId {
    return this.candidates().toSorted((a, b) => weightOf(b) - weightOf(a))[0]?.id ?? this.frontier
  }

  protected bodyComes(): void {
    const open = [...this.wanted].filter(([, isThere]) => !isThere)
    if (open.length > 0) this.wanted.set(this.random.pick(open)[0], true)
  }

  protected bodiesCome(): void {
    for (const id of this.wanted.keys()) this.wanted.set(id, true)
  }
}
