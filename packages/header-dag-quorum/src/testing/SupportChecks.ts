/** Checks of links, claims, replies, implied support, and the bounds on what peers may store. */
import type { HeaderDagCheck } from "./HeaderDagMaker.ts"
import { idOf, removedNames, same, Sketch } from "./Sketch.ts"

export const supportChecks: ReadonlyArray<HeaderDagCheck> = [
  {
    name: "support of a header is support of all its ancestors (R43, R90)",
    run: (make) => {
      const it = new Sketch(make, 4)
      it.branch("a", 101, 105)
      it.claim("a104", 2)
      it.reply("a103", 1)
      same("strong", ["a105", "a104", "a101", "base"].map((name) => it.strong(name)), ["", "2", "2", "2"])
      same("weak", ["a104", "a103", "a101"].map((name) => it.weak(name)), ["", "1", "1"])
      same("hasSupport", [0, 1, 2].map((peer) => it.dag.hasSupport(it.node("a101"), peer)), [false, true, true])
    }
  },
  {
    name: "headers may come in any order: links and support are the same (R85–R87)",
    run: (make) => {
      const it = new Sketch(make, 4)
      it.claim("a105", 0)
      for (const level of [105, 102, 104, 101, 103]) {
        it.insert(`a${level}`, level === 101 ? "base" : `a${level - 1}`, level)
        it.reply(`a${level}`, 1)
        same("connected", it.dag.connected(it.node(`a${level}`)), [101, 103].includes(level))
      }
      same("strong", ["a101", "a103", "a105"].map((name) => it.strong(name)), ["0", "0", "0"])
      same("weak", ["a101", "a103", "a105"].map((name) => it.weak(name)), ["1", "1", "1"])
      same("linked", it.dag.connected(it.node("a105")), true)
      const { count, firstLevel, ids } = it.dag.segment(it.node("a105"))
      same("segment", [count, firstLevel, ids.length, ids.slice(0, 8).join()], [5, 101, 40, idOf("a101").join()])
    }
  },
  {
    name: "a claim on an id counts before its header is known, and when it comes (R89, 5.5.3)",
    run: (make) => {
      const it = new Sketch(make, 4)
      it.claim("a103", 0, 1, 2)
      same("named", [it.strong("a103"), it.dag.levelOf(it.node("a103")), it.dag.namedOf(0)], ["0,1,2", -1, 1])
      same("no quorum without a header", it.rule("a103"), "none")
      it.branch("a", 101, 103)
      same("known", [it.strong("a101"), it.dag.namedOf(0), it.highest()], ["0,1,2", 0, "a103"])
    }
  },
  {
    name: "a reply for an unknown header is nothing (R40, R88)",
    run: (make) => {
      const it = new Sketch(make, 4)
      it.reply("a101", 0)
      same("node", it.has("a101"), false)
      it.claim("a101", 1)
      it.reply("a101", 0)
      it.branch("a", 101, 101)
      same("weak", it.weak("a101"), "")
    }
  },
  {
    name: "the lowest known ancestor tells where the descent goes on (A21)",
    run: (make) => {
      const it = new Sketch(make, 4)
      it.insert("a108", "a107", 108)
      it.insert("a107", "a106", 107)
      const lowest = (name: string): number => it.dag.levelOf(it.dag.lowestAncestor(it.node(name)))
      same("lowest", [lowest("a108"), lowest("a107"), lowest("a106")], [107, 107, -1])
      same("parent", it.dag.parentOf(it.node("a107")), it.node("a106"))
      it.branch("a", 101, 106)
      same("linked", [lowest("a108"), lowest("a101"), it.dag.baseLevel], [100, 100, 100])
    }
  },
  {
    name: "levels of parent and child differ by one, or nothing is stored (5.12, 4)",
    run: (make) => {
      const it = new Sketch(make, 4)
      it.branch("a", 101, 102)
      same("parent", it.insert("x", "a102", 104), {
        outcome: "contradiction",
        relative: it.node("a102"),
        relation: "parent"
      })
      it.insert("c", "p", 110)
      same("child", it.insert("p", "o", 108), { outcome: "contradiction", relative: it.node("c"), relation: "child" })
      same("itself", it.insert("s", "s", 105).outcome, "contradiction")
      same("base", it.insert("b", "base", 105).outcome, "contradiction")
      same("stored", [it.has("x"), it.dag.hasHeader(it.node("p")), it.has("o"), it.dag.headers], [
        false,
        false,
        false,
        3
      ])
      same("below", [it.insert("d", "base", 100).outcome, it.insert("d", "e", -5).outcome], ["below", "below"])
      same("known", it.insert("a101", "base", 101).outcome, "known")
    }
  },
  {
    name: "a peer delivers a bounded number of unproven headers; pruned chains and removed ones give room again (A34)",
    run: (make) => {
      const it = new Sketch(make, 3, { maxUnprovenPerPeer: 3 })
      it.branch("a", 101, 103, "base", 7)
      same("refused", [it.insert("a104", "a103", 104, 7).outcome, it.has("a104")], ["unproven", false])
      same("nobody's", it.insert("a104", "a103", 104, -1).outcome, "added")
      same("known", it.insert("a101", "base", 101, 7).outcome, "known")
      it.dag.prune(it.node("a102"))
      same("proven", it.dag.unprovenOf(7), 1)
      it.branch("b", 104, 105, "a103", 7)
      same("full again", it.dag.unprovenOf(7), 3)
      same("removed", removedNames(it.dag.removeSubtree(it.node("b104"))), "b104,b105")
      same("room", it.dag.unprovenOf(7), 1)
      it.dag.removePeer(7)
      same("left", [it.dag.unprovenOf(7), it.dag.headers], [0, 4])
    }
  },
  {
    name: "a peer names a bounded number of unknown ids (A34)",
    run: (make) => {
      const it = new Sketch(make, 3, { maxNamedPerPeer: 2 })
      it.claim("x", 0)
      it.claim("y", 0)
      same("third", [it.dag.claim(0, idOf("z")), it.has("z"), it.dag.namedOf(0)], [-1, false, 2])
      same("again", it.dag.claim(0, idOf("x")), it.node("x"))
      it.branch("a", 101, 101)
      same("known header", it.dag.claim(0, idOf("a101")), it.node("a101"))
      it.insert("x", "a101", 102)
      same("room", [it.dag.namedOf(0), it.dag.claim(0, idOf("z")) >= 0], [1, true])
    }
  },
  {
    name: "nodes are bounded, named ids included (A34)",
    run: (make) => {
      const it = new Sketch(make, 3, { maxNodes: 4 })
      it.branch("a", 101, 102)
      same("needs two", [it.insert("x", "y", 105).outcome, it.dag.nodes], ["full", 3])
      same("needs one", it.dag.claim(0, idOf("z")) >= 0, true)
      same("full", [it.dag.claim(0, idOf("q")), it.insert("a103", "a102", 103).outcome, it.dag.nodes], [-1, "full", 4])
      it.dag.clearClaims(0)
      same("room", it.insert("a103", "a102", 103).outcome, "added")
    }
  },
  {
    name: "ids are read where they stand in a longer buffer",
    run: (make) => {
      const it = new Sketch(make, 3)
      const locator = new Uint8Array(20)
      locator.set(idOf("a102"), 3)
      it.branch("a", 101, 102)
      same("claim", [it.dag.claim(1, locator, 3), it.dag.find(locator, 3)], [it.node("a102"), it.node("a102")])
      same("strong", it.strong("a101"), "1")
    }
  }
]
