/** Header DAGs that are wrong in one way each: the reference with one rule changed. The kit must reject every one, for the right reason. */
import type { Mutant } from "@peerstrap/conformance"
import * as Layer from "effect/Layer"
import type { HeaderDagOptions, NodeIndex } from "../contract/HeaderDag.ts"
import { HeaderDagMaker } from "./HeaderDagMaker.ts"
import { NaiveHeaderDag } from "./NaiveHeaderDag.ts"
import type { NaiveHeader } from "./NaiveRules.ts"

const mutant = (
  name: string,
  rejectedBy: string,
  because: RegExp,
  dag: new(options: HeaderDagOptions) => NaiveHeaderDag
): Mutant<HeaderDagMaker> => ({
  name,
  rejectedBy,
  because,
  layer: Layer.succeed(HeaderDagMaker)((options) => new dag(options))
})

/** The mutants of the kit of `HeaderDag`. */
export const headerDagMutants: ReadonlyArray<Mutant<HeaderDagMaker>> = [
  mutant(
    "counts a supporter twice",
    "a peer that claims and replies is one supporter (R89)",
    /counted: expected .*, saw \[6,"settled"\]/,
    class extends NaiveHeaderDag {
      override together(strong: ReadonlyArray<number>, weak: ReadonlyArray<number>): Array<number> {
        return [...strong, ...weak]
      }
    }
  ),
  mutant(
    "takes two thirds for a quorum",
    "quorum is strictly more than two thirds, in integers (R14)",
    /4 of 6: expected .*, saw \["settled",true\]/,
    class extends NaiveHeaderDag {
      override isQuorum(supporters: number, electorate: number): boolean {
        return 3 * supporters >= 2 * electorate && supporters >= (this.options.minSupporters ?? 3)
      }
    }
  ),
  mutant(
    "takes a majority for a quorum",
    "electors whose chain has not passed the level count on neither side (A8)",
    /three of five: expected .*, saw \["settled","a101"\]/,
    class extends NaiveHeaderDag {
      override isQuorum(supporters: number, electorate: number): boolean {
        return 2 * supporters > electorate && supporters >= (this.options.minSupporters ?? 3)
      }
    }
  ),
  mutant(
    "knows no fewest supporters",
    "fewer than minSupporters are no quorum (A16)",
    /two of two: expected "none", saw "settled"/,
    class extends NaiveHeaderDag {
      override isQuorum(supporters: number, electorate: number): boolean {
        return 3 * supporters > 2 * electorate
      }
    }
  ),
  mutant(
    "lets any electorate decide",
    "an electorate that is not more than 2/3 of all electors decides nothing (A8, A16)",
    /six of six, of nine: expected "none", saw "settled"/,
    class extends NaiveHeaderDag {
      override isElectorate(): boolean {
        return true
      }
    }
  ),
  mutant(
    "lets every elector vote on every level",
    "electors whose chain has not passed the level count on neither side (A8)",
    /three of four: expected .*"settledElectorate":4.*, saw .*"settledElectorate":5/,
    class extends NaiveHeaderDag {
      override electorate(): Array<number> {
        return [...this.votes.keys()]
      }
    }
  ),
  mutant(
    "leaves out electors that have not said how far they are",
    "an elector that has not said how far it is counts against, and its replies for nothing (A14)",
    /four of six: expected \["none",6\], saw \["settled",5\]/,
    class extends NaiveHeaderDag {
      override electorate(level: number): Array<number> {
        return super.electorate(level).filter((peer) => this.votes.get(peer) !== Infinity)
      }
    }
  ),
  mutant(
    "counts a peer that left",
    "who left is counted on neither side, and its number may be given again (A14)",
    /two of three: expected .*"0,1"\], saw .*"0,1,2"\]/,
    class extends NaiveHeaderDag {
      override removePeer(peer: number): void {
        this.votes.delete(peer)
      }
    }
  ),
  mutant(
    "counts supporters that are no electors",
    "supporters that are no electors do not count (A14)",
    /two of four: expected \["none",2\], saw \["settled",4\]/,
    class extends NaiveHeaderDag {
      override inElectorate(supporters: ReadonlyArray<number>): Array<number> {
        return [...supporters]
      }
    }
  ),
  mutant(
    "counts replies at a conflict",
    "where two headers of a level have support, replies do not count (A11)",
    /conflict: expected .*, saw \["settled","a102"\]/,
    class extends NaiveHeaderDag {
      override countedWeak(id: string, level: number): Array<number> {
        return this.weakOn(id).filter((peer) => this.hasPassed(peer, level))
      }
    }
  ),
  mutant(
    "looks for conflicts at the level alone, not beneath",
    "a conflict below takes the replies from all that builds on it: support(parent) ⊇ support(child) (A11, 5.12, 4)",
    /child: expected \[1,"none"\], saw \[3,"settled"\]/,
    class extends NaiveHeaderDag {
      override rivals(id: string): Array<NaiveHeader> {
        return this.atLevel(this.levelOfId(id)).filter((other) => other.id !== id && this.supported(other.id))
      }
    }
  ),
  mutant(
    "takes a header without support for a conflict",
    "where two headers of a level have support, replies do not count (A11)",
    /a header without support is no conflict: expected "a102", saw "none"/,
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
    "a reply counts only at levels that the replier has settled (A11, 5.5.3)",
    /above: expected \[2,"a102"\], saw \[3,"a103"\]/,
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
    "an elector that has not said how far it is counts against, and its replies for nothing (A14)",
    /a reply of one that has not said: expected \["5","none"\], saw \["5","settled"\]/,
    class extends NaiveHeaderDag {
      override hasPassed(peer: number, level: number): boolean {
        return level <= (this.votes.get(peer) ?? -1)
      }
    }
  ),
  mutant(
    "counts an equivocator for both sides",
    "a peer that claims two headers of one level counts for neither, nor for what builds on them (A12)",
    /after: expected .*, saw \["settled","settled","settled","none"\]/,
    class extends NaiveHeaderDag {
      override countedStrong(id: string): Array<number> {
        return this.strongOn(id)
      }
    }
  ),
  mutant(
    "counts replies near the tip",
    "claims of more than 2/3 of all electors are a quorum near the tip (R14, A24)",
    /two claims and four replies: expected "none", saw "tip"/,
    class extends NaiveHeaderDag {
      override countedStrong(id: string): Array<number> {
        return [...new Set([...super.countedStrong(id), ...this.weakOn(id)])]
      }
    }
  ),
  mutant(
    "forgets to link a header to children that were there before it",
    "headers may come in any order: links and support are the same (R85–R87)",
    /strong: expected \["0","0","0"\], saw \["","","0"\]/,
    class extends NaiveHeaderDag {
      override childIds(id: string): Array<string> {
        const order = [...this.known.keys()]
        return super.childIds(id).filter((child) => order.indexOf(child) > order.indexOf(id))
      }
    }
  ),
  mutant(
    "spreads support to the parent only",
    "support of a header is support of all its ancestors (R43, R90)",
    /strong: expected .*, saw \["","2","",""\]/,
    class extends NaiveHeaderDag {
      override strongOn(id: string): Array<number> {
        const near = [id, ...this.childIds(id)]
        return [...this.claims].filter(([, ids]) => near.some((at) => ids.has(at))).map(([peer]) => peer).toSorted()
      }
    }
  ),
  mutant(
    "ignores claims on headers that it does not know yet",
    "a claim on an id counts before its header is known, and when it comes (R89, 5.5.3)",
    /a103 should be a node/,
    class extends NaiveHeaderDag {
      override claim(peer: number, id: Uint8Array, at = 0): NodeIndex {
        return this.find(id, at) < 0 ? -1 : super.claim(peer, id, at)
      }
    }
  ),
  mutant(
    "prunes headers and keeps what builds on them",
    "pruning leaves one header a level, and takes whole subtrees (R46, 5.12, 5)",
    /removed: expected ".*b105.*", saw "b102,b103,b104,d104,e102,e103"/,
    class extends NaiveHeaderDag {
      override prunedWith(top: string): Set<string> {
        return new Set(this.contradicting(top))
      }
    }
  ),
  mutant(
    "keeps a header above the top that names another parent",
    "a header one level above the top that names another parent goes as well (5.5.4, d)",
    /removed: expected "x102,x103", saw ""/,
    class extends NaiveHeaderDag {
      override contradicting(top: string): Array<string> {
        return super.contradicting(top).filter((id) => this.levelOfId(id) <= this.levelOfId(top))
      }
    }
  ),
  mutant(
    "remembers claims on what was removed",
    "a removed subtree takes its support from the ancestors, and what was only named by it (R89, A18)",
    /removed: expected "a105", saw ""/,
    class extends NaiveHeaderDag {
      override forget(ids: Iterable<string>): void {
        for (const id of ids) this.known.delete(id)
      }
    }
  ),
  mutant(
    "forgets claims on ids that a removed header named",
    "claims on an id stay when only a removed header said where it stands (A5, R48)",
    /removed: expected "liar", saw "good,liar"/,
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
    "a replaced branch takes its claims along, not the replies (5.5.1, 6)",
    /left: expected .*, saw \["0,1","0,1","","none"\]/,
    class extends NaiveHeaderDag {
      override clearClaims(peer: number): void {
        super.clearClaims(peer)
        this.replies.delete(peer)
      }
    }
  ),
  mutant(
    "keeps the claims of a replaced branch",
    "a replaced branch takes its claims along, not the replies (5.5.1, 6)",
    /left: expected .*, saw \["0,1,2","0,1,2","2","a102"\]/,
    class extends NaiveHeaderDag {
      override clearClaims(): void {}
    }
  ),
  mutant(
    "stops at the first level without a quorum of its own",
    "quorum of a header is quorum of its ancestors, though those who lag make a lower level lack it (R47)",
    /highest: expected .*, saw \["none","none","none","none","none"\]/,
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
    "only what is linked to the base is chosen (A19)",
    /a gap: expected .*, saw \["settled","a103"\]/,
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
    "levels of parent and child differ by one, or nothing is stored (5.12, 4)",
    /child: expected .*"contradiction".*, saw .*"added"/,
    class extends NaiveHeaderDag {
      override misfits(): Array<string> {
        return []
      }
    }
  ),
  mutant(
    "counts proven headers against the peer",
    "a peer delivers a bounded number of unproven headers; pruned chains and removed ones give room again (A34)",
    /proven: expected 1, saw 3/,
    class extends NaiveHeaderDag {
      override unprovenOf(peer: number): number {
        return [...this.known.values()].filter((header) => header.peer === peer).length
      }
    }
  ),
  mutant(
    "counts removed headers against the peer",
    "a peer delivers a bounded number of unproven headers; pruned chains and removed ones give room again (A34)",
    /room: expected 1, saw 3/,
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
    "a peer names a bounded number of unknown ids (A34)",
    /third: expected \[-1,false,2\], saw \[2,true,0\]/,
    class extends NaiveHeaderDag {
      override namedOf(): number {
        return 0
      }
    }
  ),
  mutant(
    "does not count named ids as nodes",
    "nodes are bounded, named ids included (A34)",
    /full: expected \[-1,"full",4\], saw \[3,"added",4\]/,
    class extends NaiveHeaderDag {
      override nodeIds(): Set<string> {
        const nodes = super.nodeIds()
        for (const id of nodes) if (this.levelOfId(id) < 0 && this.childIds(id).length === 0) nodes.delete(id)
        return nodes
      }
    }
  ),
  mutant(
    "takes replies for headers that it does not know",
    "a reply for an unknown header is nothing (R40, R88)",
    /weak: expected "", saw "0"/,
    class extends NaiveHeaderDag {
      override reply(peer: number, id: Uint8Array): void {
        const key = Array.from(id, (byte) => byte.toString(16).padStart(2, "0")).join("")
        this.replies.set(peer, (this.replies.get(peer) ?? new Set()).add(key))
      }
    }
  ),
  mutant(
    "takes each header for its own lowest ancestor",
    "the lowest known ancestor tells where the descent goes on (A21)",
    /lowest: expected \[107,107,-1\], saw \[108,107,-1\]/,
    class extends NaiveHeaderDag {
      override lowestAncestor(node: NodeIndex): NodeIndex {
        return node
      }
    }
  ),
  mutant(
    "reads ids at the beginning of a longer buffer",
    "ids are read where they stand in a longer buffer",
    /claim: expected/,
    class extends NaiveHeaderDag {
      override claim(peer: number, id: Uint8Array): NodeIndex {
        return super.claim(peer, id, 0)
      }
    }
  ),
  mutant(
    "keeps the claims over a reset",
    "a reset forgets headers and claims, and keeps the electors (R56)",
    /empty: expected/,
    class extends NaiveHeaderDag {
      override reset(id: Uint8Array, level: number): void {
        const kept = [...this.claims]
        super.reset(id, level)
        for (const [peer, ids] of kept) this.claims.set(peer, ids)
      }
    }
  ),
  mutant(
    "counts a supporter twice where four claim",
    "answers as the naive header DAG does, after random histories",
    /seed \d+: .*expected .*, saw/,
    class extends NaiveHeaderDag {
      override together(strong: ReadonlyArray<number>, weak: ReadonlyArray<number>): Array<number> {
        return strong.length >= 4 ? [...strong, ...weak] : super.together(strong, weak)
      }
    }
  )
]
