/** Checks of pruning, of removed subtrees, of a new base, and of what is forgotten with them. */
import type { HeaderDagCheck } from "./HeaderDagMaker.ts"
import { idOf, nameOf, removedNames, same, Sketch } from "./Sketch.ts"

export const removalChecks: ReadonlyArray<HeaderDagCheck> = [
  {
    name: "pruning leaves one header a level, and takes whole subtrees (R46, 5.12, 5)",
    run: (make) => {
      const it = new Sketch(make, 4)
      it.branch("a", 101, 105)
      it.branch("b", 102, 106, "a101")
      it.branch("c", 105, 105, "a104")
      it.branch("d", 104, 104, "b103")
      it.insert("e103", "e102", 103)
      it.claim("a104", 0, 1, 2)
      same("removed", it.prune("a104"), "b102,b103,b104,b105,b106,d104,e102,e103")
      same("left", ["a105", "c105", "e102"].map((name) => it.has(name)), [true, true, false])
      same("counts", [it.dag.headers, it.dag.nodes], [6, 7])
    }
  },
  {
    name: "who supported what was pruned is told, implied support included (R48)",
    run: (make) => {
      const it = new Sketch(make, 4)
      it.branch("a", 101, 102)
      it.branch("b", 101, 102)
      it.claim("b102", 3)
      it.reply("b101", 2)
      it.claim("b102", 0)
      const removed = it.dag.prune(it.node("a101")).map((
        { id, level, strong, weak }
      ) => [nameOf(id), level, strong, weak])
      same("told", removed.toSorted(), [["b101", 101, [0, 3], [2]], ["b102", 102, [0, 3], []]])
      same("forgotten", [it.strong("base"), it.weak("base")], ["", ""])
      it.branch("b", 101, 102)
      same("claims do not come back", it.strong("b102"), "")
    }
  },
  {
    name: "a pruned rival gives the replies their weight again (A11, R46)",
    run: (make) => {
      const it = new Sketch(make, 4)
      it.branch("a", 101, 103)
      it.branch("b", 103, 103, "a102")
      it.claim("a102", 0, 1, 2)
      it.claim("b103", 3)
      it.reply("a103", 0, 1, 2)
      same("conflict", it.highest(), "a102")
      it.dag.removeSubtree(it.node("b103"))
      same("none", it.highest(), "a103")
    }
  },
  {
    name: "a header one level above the top that names another parent goes as well (5.5.4, d)",
    run: (make) => {
      const it = new Sketch(make, 4)
      it.branch("a", 101, 102)
      it.insert("x103", "x102", 103, 5)
      it.insert("y104", "y103", 104)
      it.claim("y104", 1)
      same("removed", it.prune("a102"), "x102,x103")
      same("left", [it.has("y104"), it.has("y103"), it.dag.unprovenOf(5)], [true, true, 0])
    }
  },
  {
    name: "claims on an id stay when only a removed header said where it stands (A5, R48)",
    run: (make) => {
      const it = new Sketch(make, 4)
      it.branch("a", 101, 102)
      it.claim("good", 0, 1)
      it.insert("liar", "good", 102, 3)
      it.claim("liar", 3)
      same("implied", it.strong("good"), "0,1,3")
      same("removed", it.prune("a102"), "liar")
      same("kept", it.strong("good"), "0,1")
      same("place", it.insert("good", "a102", 103).outcome, "added")
    }
  },
  {
    name: "a removed subtree takes its support from the ancestors, and what was only named by it (R89, A18)",
    run: (make) => {
      const it = new Sketch(make, 4)
      it.branch("a", 103, 105, "a102")
      it.claim("a105", 0)
      it.claim("a104", 1)
      same("removed", removedNames(it.dag.removeSubtree(it.node("a105"))), "a105")
      same("left", [it.strong("a104"), it.strong("a102")], ["1", "1"])
      same("all", removedNames(it.dag.removeSubtree(it.node("a103"))), "a102,a103,a104")
      same("nothing", [it.dag.headers, it.dag.nodes], [0, 1])
      it.claim("named", 2)
      same("named", [removedNames(it.dag.removeSubtree(it.node("named"))), it.dag.namedOf(2)], ["named", 0])
    }
  },
  {
    name: "a new base keeps what builds on it, and its support (R54, R56)",
    run: (make) => {
      const it = new Sketch(make, 3)
      it.branch("a", 101, 106)
      it.branch("b", 102, 107, "a101")
      it.claim("a106", 0, 1, 2)
      it.claim("a102", 0)
      same("removed", removedNames(it.dag.advanceBase(it.node("a103"))), "b102,b103,b104,b105,b106,b107")
      same("base", [nameOf(it.dag.baseId), it.dag.baseLevel, it.dag.headers, it.dag.nodes], ["a103", 103, 3, 4])
      same("ancestors", [it.has("a102"), it.has("base")], [false, false])
      same("above", [it.highest(), it.highest(2), it.strong("a104")], ["a106", "a105", "0,1,2"])
      same("below", it.insert("b103", "b102", 103).outcome, "below")
      same("linked", it.dag.levelOf(it.dag.lowestAncestor(it.node("a106"))), 103)
    }
  },
  {
    name: "a reset forgets headers and claims, and keeps the electors (R56)",
    run: (make) => {
      const it = new Sketch(make, 3)
      it.branch("a", 101, 103, "base", 1)
      it.claim("a103", 0, 1, 2)
      it.claim("x", 0)
      it.dag.reset(idOf("new"), 500)
      same("empty", [it.dag.headers, it.dag.nodes, it.dag.unprovenOf(1), it.dag.namedOf(0), it.highest()], [
        0,
        1,
        0,
        0,
        "none"
      ])
      same("electors", [it.dag.electors, nameOf(it.dag.baseId), it.dag.baseLevel], [3, "new", 500])
      it.insert("n501", "new", 501)
      it.claim("n501", 0, 1, 2)
      same("again", it.highest(), "n501")
    }
  },
  {
    name: "ids that nobody names any more are no nodes (A34)",
    run: (make) => {
      const it = new Sketch(make, 3)
      it.claim("x", 0)
      it.claim("x", 1)
      it.dag.clearClaims(0)
      same("still claimed", [it.has("x"), it.dag.nodes], [true, 2])
      it.dag.removePeer(1)
      same("gone", [it.has("x"), it.dag.nodes, it.dag.namedOf(1)], [false, 1, 0])
    }
  }
]
