/** Header DAGs that are wrong in one way each: the reference with one rule changed. The kit must reject every one. */
import type { HeaderDagOptions, NodeIndex } from "../contract/HeaderDag.ts"
import { NaiveHeaderDag } from "./NaiveHeaderDag.ts"
import type { NaiveHeader } from "./NaiveRules.ts"
import type { MakeHeaderDag } from "./Sketch.ts"

/** A DAG with one rule changed. */
export interface HeaderDagMutant {
  readonly name: string
  readonly make: MakeHeaderDag
}

const mutant = (name: string, dag: new(options: HeaderDagOptions) => NaiveHeaderDag): HeaderDagMutant => ({
  name,
  make: (options) => new dag(options)
})

/** All DAGs with a rule changed. */
export const headerDagMutants: ReadonlyArray<HeaderDagMutant> = [
  mutant(
    "counts a supporter twice",
    class extends NaiveHeaderDag {
      override together(strong: ReadonlyArray<number>, weak: ReadonlyArray<number>): Array<number> {
        return [...strong, ...weak]
      }
    }
  ),
  mutant(
    "takes two thirds for a quorum",
    class extends NaiveHeaderDag {
      override isQuorum(supporters: number, electorate: number): boolean {
        return 3 * supporters >= 2 * electorate && supporters >= (this.options.minSupporters ?? 3)
      }
    }
  ),
  mutant(
    "takes a majority for a quorum",
    class extends NaiveHeaderDag {
      override isQuorum(supporters: number, electorate: number): boolean {
        return 2 * supporters > electorate && supporters >= (this.options.minSupporters ?? 3)
      }
    }
  ),
  mutant(
    "knows no fewest supporters",
    class extends NaiveHeaderDag {
      override isQuorum(supporters: number, electorate: number): boolean {
        return 3 * supporters > 2 * electorate
      }
    }
  ),
  mutant(
    "lets any electorate decide",
    class extends NaiveHeaderDag {
      override isElectorate(): boolean {
        return true
      }
    }
  ),
  mutant(
    "lets every elector vote on every level",
    class extends NaiveHeaderDag {
      override electorate(): Array<number> {
        return [...this.votes.keys()]
      }
    }
  ),
  mutant(
    "leaves out electors that have not said how far they are",
    class extends NaiveHeaderDag {
      override electorate(level: number): Array<number> {
        return super.electorate(level).filter((peer) => this.votes.get(peer) !== Infinity)
      }
    }
  ),
  mutant(
    "counts a peer that left",
    class extends NaiveHeaderDag {
      override removePeer(peer: number): void {
        this.votes.delete(peer)
      }
    }
  ),
  mutant(
    "counts supporters that are no electors",
    class extends NaiveHeaderDag {
      override inElectorate(supporters: ReadonlyArray<number>): Array<number> {
        return [...supporters]
      }
    }
  ),
  mutant(
    "counts replies at a conflict",
    class extends NaiveHeaderDag {
      override countedWeak(id: string, level: number): Array<number> {
        return this.weakOn(id).filter((peer) => this.hasPassed(peer, level))
      }
    }
  ),
  mutant(
    "looks for conflicts at the level alone, not beneath",
    class extends NaiveHeaderDag {
      override rivals(id: string): Array<NaiveHeader> {
        return this.atLevel(this.levelOfId(id)).filter((other) => other.id !== id && this.supported(other.id))
      }
    }
  ),
  mutant(
    "takes a header without support for a conflict",
    class extends NaiveHeaderDag {
      override rivals(id: string): Array<NaiveHeader> {
        return this.ancestry(id).flatMap(({ id: own, level }) =>
          this.atLevel(level).filter((other) => other.id !== own)
        )
      }
    }
  ),
  mutant(
    "counts a reply above what the replier has settled",
    class extends NaiveHeaderDag {
      override hasPassed(peer: number): boolean {
        return this.votes.has(peer)
      }
      override electorate(level: number): Array<number> {
        return super.electorate(level - 1)
      }
    }
  ),
  mutant(
    "counts the reply of an elector that has not said how far it is",
    class extends NaiveHeaderDag {
      override hasPassed(peer: number, level: number): boolean {
        return level <= (this.votes.get(peer) ?? -1)
      }
    }
  ),
  mutant(
    "counts an equivocator for both sides",
    class extends NaiveHeaderDag {
      override countedStrong(id: string): Array<number> {
        return this.strongOn(id)
      }
    }
  ),
  mutant(
    "counts replies near the tip",
    class extends NaiveHeaderDag {
      override countedStrong(id: string): Array<number> {
        return [...new Set([...super.countedStrong(id), ...this.weakOn(id)])]
      }
    }
  ),
  mutant(
    "forgets to link a header to children that were there before it",
    class extends NaiveHeaderDag {
      override childIds(id: string): Array<string> {
        const order = [...this.known.keys()]
        return super.childIds(id).filter((child) => order.indexOf(child) > order.indexOf(id))
      }
    }
  ),
  mutant(
    "spreads support to the parent only",
    class extends NaiveHeaderDag {
      override strongOn(id: string): Array<number> {
        const near = [id, ...this.childIds(id)]
        return [...this.claims].filter(([, ids]) => near.some((at) => ids.has(at))).map(([peer]) => peer).toSorted()
      }
    }
  ),
  mutant(
    "ignores claims on headers that it does not know yet",
    class extends NaiveHeaderDag {
      override claim(peer: number, id: Uint8Array, at = 0): NodeIndex {
        return this.find(id, at) < 0 ? -1 : super.claim(peer, id, at)
      }
    }
  ),
  mutant(
    "prunes headers and keeps what builds on them",
    class extends NaiveHeaderDag {
      override prunedWith(top: string): Set<string> {
        return new Set(this.contradicting(top))
      }
    }
  ),
  mutant(
    "keeps a header above the top that names another parent",
    class extends NaiveHeaderDag {
      override contradicting(top: string): Array<string> {
        return super.contradicting(top).filter((id) => this.levelOfId(id) <= this.levelOfId(top))
      }
    }
  ),
  mutant(
    "remembers claims on what was removed",
    class extends NaiveHeaderDag {
      override forget(ids: Iterable<string>): void {
        for (const id of ids) this.known.delete(id)
      }
    }
  ),
  mutant(
    "forgets claims on ids that a removed header named",
    class extends NaiveHeaderDag {
      override prunedWith(top: string): Set<string> {
        const pruned = super.prunedWith(top)
        const parents = [...pruned].flatMap((id) => this.known.get(id)?.parent ?? [])
        return new Set([...pruned, ...parents.filter((id) => this.levelOfId(id) < 0)])
      }
    }
  ),
  mutant(
    "forgets the replies with a replaced branch",
    class extends NaiveHeaderDag {
      override clearClaims(peer: number): void {
        super.clearClaims(peer)
        this.replies.delete(peer)
      }
    }
  ),
  mutant(
    "keeps the claims of a replaced branch",
    class extends NaiveHeaderDag {
      override clearClaims(): void {}
    }
  ),
  mutant(
    "stops at the first level without a quorum of its own",
    class extends NaiveHeaderDag {
      override highestQuorum(maxLevels: number): NodeIndex {
        let top = -1
        for (let level = this.baseLevel + 1; level <= this.baseLevel + maxLevels; level++) {
          const next = this.atLevel(level).find(({ id }) => this.isLinked(id) && this.votesFor(id).rule !== undefined)
          if (next === undefined) break
          top = this.indexOf(next.id)
        }
        return top
      }
    }
  ),
  mutant(
    "chooses headers that are not linked to the base",
    class extends NaiveHeaderDag {
      override highestQuorum(maxLevels: number): NodeIndex {
        const linked = super.highestQuorum(maxLevels)
        const free = [...this.known.values()].find(({ id, level }) =>
          level <= this.baseLevel + maxLevels && this.votesFor(id).rule !== undefined
        )
        return linked < 0 && free !== undefined ? this.indexOf(free.id) : linked
      }
    }
  ),
  mutant(
    "takes any level for a child's",
    class extends NaiveHeaderDag {
      override misfits(): Array<string> {
        return []
      }
    }
  ),
  mutant(
    "counts proven headers against the peer",
    class extends NaiveHeaderDag {
      override unprovenOf(peer: number): number {
        return [...this.known.values()].filter((header) => header.peer === peer).length
      }
    }
  ),
  mutant(
    "counts removed headers against the peer",
    class extends NaiveHeaderDag {
      private readonly removed = new Map<number, number>()
      override forget(ids: Iterable<string>): void {
        const all = [...ids]
        for (const id of all) {
          const peer = this.known.get(id)?.peer ?? -1
          this.removed.set(peer, (this.removed.get(peer) ?? 0) + 1)
        }
        super.forget(all)
      }
      override unprovenOf(peer: number): number {
        return super.unprovenOf(peer) + (this.removed.get(peer) ?? 0)
      }
    }
  ),
  mutant(
    "lets a peer name any number of ids",
    class extends NaiveHeaderDag {
      override namedOf(): number {
        return 0
      }
    }
  ),
  mutant(
    "does not count named ids as nodes",
    class extends NaiveHeaderDag {
      override nodeIds(): Set<string> {
        const nodes = super.nodeIds()
        for (const id of nodes) if (this.levelOfId(id) < 0 && this.childIds(id).length === 0) nodes.delete(id)
        return nodes
      }
    }
  )
]
