/** Checks of the two quorum rules, of who is counted, and of the choice of the top. */
import type { HeaderDagCheck } from "./HeaderDagMaker.ts"
import { nameOf, same, Sketch } from "./Sketch.ts"

export const quorumChecks: ReadonlyArray<HeaderDagCheck> = [
  {
    name: "the worked example: a8 by the reply of D, else d5 (5.14, A20)",
    run: (make) => {
      const it = new Sketch(make, 0)
      for (const peer of [0, 1, 2, 3]) it.dag.setElector(peer, 498)
      it.claim("a108", 0, 2)
      it.claim("a103", 1)
      it.claim("a105", 3)
      for (const level of [108, 107, 106, 105, 104, 103, 102, 101]) {
        it.insert(`a${level}`, level === 101 ? "base" : `a${level - 1}`, level, 0)
        it.reply(`a${level}`, 0)
      }
      same("support", [it.strong("a105"), it.strong("a103")], ["0,2,3", "0,1,2,3"])
      same("top", it.highest(), "a105")
      it.reply("a108", 3)
      same("top after the reply", [it.highest(), it.rule("a108")], ["a108", "settled"])
      same("prune", it.prune("a108"), "")
    }
  },
  {
    name: "quorum is strictly more than two thirds, in integers (R14)",
    run: (make) => {
      for (
        const [electors, supporters, rule] of [[6, 4, "none"], [6, 5, "settled"], [9, 6, "none"], [
          9,
          7,
          "settled"
        ]] as const
      ) {
        const it = new Sketch(make, electors)
        it.branch("a", 101, 101)
        for (let peer = 0; peer < supporters; peer++) it.claim("a101", peer)
        same(`${supporters} of ${electors}`, [it.rule("a101"), it.highest() !== "none"], [rule, rule !== "none"])
      }
    }
  },
  {
    name: "fewer than minSupporters are no quorum (A16)",
    run: (make) => {
      const it = new Sketch(make, 2)
      it.branch("a", 101, 101)
      it.claim("a101", 0, 1)
      same("two of two", it.rule("a101"), "none")
      const alone = new Sketch(make, 1, { minSupporters: 1 })
      alone.branch("a", 101, 101)
      same("nobody", alone.rule("a101"), "none")
      alone.claim("a101", 0)
      same("one of one", alone.rule("a101"), "settled")
    }
  },
  {
    name: "a peer that claims and replies is one supporter (R89)",
    run: (make) => {
      const it = new Sketch(make, 6)
      it.branch("a", 101, 101)
      it.claim("a101", 0, 1, 2)
      it.reply("a101", 0, 1, 2)
      same("counted", [it.dag.quorum(it.node("a101")).settledSupporters, it.rule("a101")], [3, "none"])
    }
  },
  {
    name: "electors whose chain has not passed the level count on neither side (A8)",
    run: (make) => {
      const it = new Sketch(make, 5)
      it.branch("a", 101, 101)
      it.dag.setElector(4, 100)
      it.claim("a101", 0, 1, 2)
      same("three of four", it.dag.quorum(it.node("a101")), {
        rule: "settled",
        settledSupporters: 3,
        settledElectorate: 4,
        strongSupporters: 3,
        electors: 5,
        conflict: false
      })
      it.dag.setElector(4, 101)
      same("three of five", [it.rule("a101"), it.highest()], ["none", "none"])
    }
  },
  {
    name: "an electorate that is not more than 2/3 of all electors decides nothing (A8, A16)",
    run: (make) => {
      const it = new Sketch(make, 9)
      it.branch("a", 101, 101)
      for (let peer = 6; peer < 9; peer++) it.dag.setElector(peer, 100)
      it.claim("a101", 0, 1, 2, 3, 4, 5)
      same("six of six, of nine", it.rule("a101"), "none")
      it.dag.setElector(6, 101)
      same("six of seven, of nine", it.rule("a101"), "settled")
    }
  },
  {
    name: "an elector that has not said how far it is counts against, and its replies for nothing (A14)",
    run: (make) => {
      const it = new Sketch(make, 5)
      it.branch("a", 101, 101)
      it.dag.setElector(5, Infinity)
      it.claim("a101", 0, 1, 2, 3)
      same("four of six", [it.rule("a101"), it.dag.quorum(it.node("a101")).settledElectorate], ["none", 6])
      it.reply("a101", 5)
      same("a reply of one that has not said", [it.weak("a101"), it.rule("a101")], ["5", "none"])
      it.dag.setElector(5, 101)
      same("now it has", [it.rule("a101"), it.highest()], ["settled", "a101"])
    }
  },
  {
    name: "a reply counts only at levels that the replier has settled (A11, 5.5.3)",
    run: (make) => {
      const it = new Sketch(make, 4)
      it.branch("a", 101, 103)
      it.claim("a103", 0, 1)
      it.dag.setElector(2, 102)
      it.reply("a103", 2)
      same("above", [it.dag.quorum(it.node("a103")).settledSupporters, it.highest()], [2, "a102"])
    }
  },
  {
    name: "claims of more than 2/3 of all electors are a quorum near the tip (R14, A24)",
    run: (make) => {
      const it = new Sketch(make, 0)
      for (const peer of [0, 1, 2, 3]) it.dag.setElector(peer, 100)
      it.branch("a", 101, 101)
      it.reply("a101", 0, 1, 2, 3)
      it.claim("a101", 0, 1)
      same("two claims and four replies", it.rule("a101"), "none")
      it.claim("a101", 2)
      same("three claims", [it.rule("a101"), it.highest()], ["tip", "a101"])
    }
  },
  {
    name: "where two headers of a level have support, replies do not count (A11)",
    run: (make) => {
      const it = new Sketch(make, 4)
      it.branch("a", 101, 102)
      it.claim("a102", 0, 1)
      it.reply("a102", 2)
      same("before", it.highest(), "a102")
      it.branch("b", 101, 101)
      same("a header without support is no conflict", it.highest(), "a102")
      it.reply("b101", 30)
      same("conflict", [it.rule("a101"), it.highest()], ["none", "none"])
      same("told", [it.dag.quorum(it.node("a101")).conflict, it.dag.quorum(it.node("b101")).conflict], [true, true])
      it.dag.removePeer(30)
      same("after", it.highest(), "a102")
    }
  },
  {
    name:
      "a conflict below takes the replies from all that builds on it: support(parent) ⊇ support(child) (A11, 5.12, 4)",
    run: (make) => {
      const it = new Sketch(make, 4)
      it.branch("a", 101, 103)
      it.branch("b", 101, 101)
      it.claim("b101", 3)
      it.claim("a103", 0)
      it.reply("a103", 1, 2)
      same("child", [it.dag.quorum(it.node("a103")).settledSupporters, it.rule("a103")], [1, "none"])
      it.insert("u105", "u104", 105)
      it.reply("u105", 0, 1, 2)
      same("its ancestors are not known yet", it.rule("u105"), "settled")
    }
  },
  {
    name: "a peer that claims two headers of one level counts for neither, nor for what builds on them (A12)",
    run: (make) => {
      const it = new Sketch(make, 4)
      it.branch("a", 101, 104)
      it.branch("b", 102, 102, "a101")
      it.claim("a104", 0, 1, 2)
      same("before", [it.highest(), it.dag.equivocators()], ["a104", []])
      it.claim("b102", 2)
      same("after", ["a101", "a102", "a103", "b102"].map((name) => it.rule(name)), ["settled", "none", "none", "none"])
      same("top", it.highest(), "a101")
      same("counted", it.dag.quorum(it.node("a104")).strongSupporters, 2)
      const told = it.dag.equivocators().map(({ ids, level, peer }) => [peer, level, ids.map(nameOf).toSorted()])
      same("told", told, [[2, 102, ["a102", "b102"]]])
      it.dag.clearClaims(2)
      it.claim("a104", 2)
      same("a new branch is no equivocation", [it.highest(), it.dag.equivocators()], ["a104", []])
    }
  },
  {
    name: "who left is counted on neither side, and its number may be given again (A14)",
    run: (make) => {
      const it = new Sketch(make, 4)
      it.branch("a", 101, 101)
      it.claim("a101", 0, 1, 2)
      same("three of four", it.rule("a101"), "settled")
      it.dag.removePeer(2)
      same("two of three", [it.rule("a101"), it.dag.electors, it.strong("a101")], ["none", 3, "0,1"])
      it.dag.setElector(2, 500)
      same("another peer", [it.rule("a101"), it.highest()], ["none", "none"])
      it.dag.removePeer(3)
      it.claim("a101", 2)
      same("three of three", it.highest(), "a101")
    }
  },
  {
    name: "supporters that are no electors do not count (A14)",
    run: (make) => {
      const it = new Sketch(make, 4)
      it.branch("a", 101, 101)
      it.claim("a101", 0, 1, 20, 21)
      same("two of four", [it.rule("a101"), it.dag.quorum(it.node("a101")).settledSupporters], ["none", 2])
      it.dag.setElector(3, undefined)
      same("two of three", it.rule("a101"), "none")
      it.dag.setElector(20, 500)
      same("three of four", it.rule("a101"), "settled")
    }
  },
  {
    name: "a replaced branch takes its claims along, not the replies (5.5.1, 6)",
    run: (make) => {
      const it = new Sketch(make, 4)
      it.branch("a", 101, 102)
      it.claim("a102", 0, 1, 2)
      it.reply("a101", 2)
      it.dag.clearClaims(2)
      same("left", [it.strong("a102"), it.strong("a101"), it.weak("a101"), it.highest()], ["0,1", "0,1", "2", "a101"])
    }
  },
  {
    name: "quorum of a header is quorum of its ancestors, though those who lag make a lower level lack it (R47)",
    run: (make) => {
      const it = new Sketch(make, 9)
      it.branch("a", 101, 104)
      for (const peer of [7, 8]) it.dag.setElector(peer, 102)
      it.claim("a104", 0, 1, 2, 3, 4)
      same("five of nine, five of seven", [it.rule("a102"), it.rule("a103")], ["none", "settled"])
      same("highest", [it.highest(), it.highest(3), it.highest(2), it.highest(1), it.highest(0)], [
        "a104",
        "a103",
        "a102",
        "a101",
        "none"
      ])
      const { runs } = it.dag.evidence(it.node("a102"))
      same("evidence", runs.map((run) => [run.fromLevel, run.toLevel, run.witnessLevel, run.electorate.length]), [
        [101, 102, 103, 7]
      ])
    }
  },
  {
    name: "only what is linked to the base is chosen (A19)",
    run: (make) => {
      const it = new Sketch(make, 3)
      it.branch("a", 103, 104, "a102")
      it.claim("a104", 0, 1, 2)
      same("a gap", [it.rule("a104"), it.highest()], ["settled", "none"])
      it.insert("a101", "base", 101)
      same("still a gap", it.highest(), "none")
      it.insert("a102", "a101", 102)
      same("linked", it.highest(), "a104")
    }
  }
]
