import { assert, describe, it } from "@effect/vitest"
import { makeEvidenceBook } from "@peerstrap/peer-selection"
import * as fc from "fast-check"
import type { Credit, Offence } from "../src/contract/Standing.ts"
import { checkScoreTable, defaultScoreTable } from "../src/engine/standing/ScoreTables.ts"
import { makeStanding } from "../src/engine/standing/Standing.ts"

const begin = () => {
  const book = makeEvidenceBook()
  const standing = makeStanding(defaultScoreTable, book)
  const blame = (id: string, offence: Offence) => standing.blame(id, offence, "subject", "detail", 7)
  return { book, standing, blame }
}

const offences = Object.keys(defaultScoreTable.offences) as Array<Offence>
const credits = Object.keys(defaultScoreTable.credits) as Array<Credit>

describe("scores", () => {
  it("R18: every peer starts with the maximum", () => {
    assert.strictEqual(begin().standing.joined("a"), 100)
  })

  it("5.7.1: the table takes and gives what the specification says", () => {
    const points = Object.fromEntries(offences.map((one) => [one, defaultScoreTable.offences[one].points]))
    assert.deepStrictEqual(points, {
      "branch-unanswered": 10,
      "never-asked": 10,
      "pruned-support": 20,
      "dead-hash": 20,
      "bad-body-proof": 50,
      "bad-header": 50,
      "invalid-block": 100,
      equivocation: 100,
      "base-mismatch": 100,
      "bogus-branch": 100,
      malformed: 100
    })
    assert.deepStrictEqual(defaultScoreTable.credits, { branch: 10, head: 10, header: 1, unit: 1 })
  })

  it("R107, R109: an unanswered question for the branch costs 10; at 0 the peer goes", () => {
    const { blame } = begin()
    for (let score = 90; score > 0; score -= 10) {
      const { consequence, score: now } = blame("a", "branch-unanswered")
      assert.deepStrictEqual([consequence, now], ["points", score])
    }
    const last = blame("a", "branch-unanswered")
    assert.deepStrictEqual([last.score, last.consequence, last.longest], [0, "greylisted", false])
  })

  it("R119: what was expected raises the score, up to the maximum", () => {
    const { blame, standing } = begin()
    blame("a", "dead-hash")
    assert.strictEqual(standing.credit("a", "header", 3), 83)
    assert.strictEqual(standing.credit("a", "branch"), 93)
    assert.strictEqual(standing.credit("a", "head"), 100)
    assert.strictEqual(standing.credit("a", "unit"), 100)
    assert.strictEqual(standing.score("b"), 100)
  })

  it("A39: no reward washes out serious offences; the second one greylists", () => {
    const { blame, standing } = begin()
    assert.strictEqual(blame("a", "bad-body-proof").consequence, "points")
    standing.credit("a", "header", 10_000)
    const second = blame("a", "bad-header")
    assert.deepStrictEqual([second.score, second.consequence, second.longest], [50, "greylisted", false])
    assert.strictEqual(standing.serious("a"), 2)
    standing.joined("a")
    assert.strictEqual(blame("a", "bad-header").consequence, "greylisted")
  })

  it("5.7.1: protocol errors and a mismatch of the base lead to the longest greylisting at once", () => {
    for (const offence of ["base-mismatch", "bogus-branch", "malformed"] as const) {
      const { score, consequence, longest } = begin().blame("a", offence)
      assert.deepStrictEqual([score, consequence, longest], [0, "greylisted", true], offence)
    }
    for (const offence of ["invalid-block", "equivocation"] as const) {
      const { score, consequence, longest } = begin().blame("a", offence)
      assert.deepStrictEqual([score, consequence, longest], [0, "greylisted", false], offence)
    }
  })

  it("a peer that comes back has its last score, after a greylisting half of the maximum", () => {
    const { blame, standing } = begin()
    blame("a", "pruned-support")
    assert.strictEqual(standing.joined("a"), 80)
    blame("a", "invalid-block")
    assert.strictEqual(standing.joined("a"), 50)
    blame("a", "never-asked")
    assert.strictEqual(standing.joined("a"), 40)
  })

  it("R84, R118: every fall has its record in the book: verdict peer, kind = the offence", () => {
    const { blame, book } = begin()
    for (const offence of offences) assert.strictEqual(blame("a", offence).record.kind, offence)
    assert.deepStrictEqual(book.records("a").map((record) => record.kind), offences)
    assert.isTrue(book.records().every((record) => record.verdict === "peer" && record.atMillis === 7))
  })

  it("5.12.8: scores stay within 0..maximum, 0 always goes with the greylist, no score falls without a record", () => {
    const deed = fc.oneof(
      fc.record({ id: fc.constantFrom("a", "b"), offence: fc.constantFrom(...offences) }),
      fc.record({ id: fc.constantFrom("a", "b"), credit: fc.constantFrom(...credits), times: fc.nat(30) }),
      fc.record({ id: fc.constantFrom("a", "b"), joins: fc.constant(true) })
    )
    fc.assert(
      fc.property(fc.array(deed, { maxLength: 60 }), (deeds) => {
        const { blame, book, standing } = begin()
        for (const one of deeds) {
          const before = { score: standing.score(one.id), records: book.count(one.id) }
          if ("offence" in one) {
            const blamed = blame(one.id, one.offence)
            if (blamed.score === 0) assert.strictEqual(blamed.consequence, "greylisted")
          } else if ("credit" in one) standing.credit(one.id, one.credit, one.times)
          else standing.joined(one.id)
          const score = standing.score(one.id)
          assert.isTrue(Number.isInteger(score) && score >= 0 && score <= 100)
          if (score < before.score) assert.isTrue(book.count(one.id) > 0)
          if (score < before.score && !("joins" in one)) assert.strictEqual(book.count(one.id), before.records + 1)
        }
      }),
      { seed: 7, numRuns: 300 }
    )
  })

  it("A34: ever new identities do not fill the memory, and never push out a serious offender", () => {
    const { blame, standing } = begin()
    blame("bad", "bad-header")
    for (let i = 0; i < 6000; i++) standing.blame(`id${i}`, "never-asked", "s", "d", 1)
    assert.deepStrictEqual([standing.serious("bad"), standing.score("bad")], [1, 50])
    assert.strictEqual(standing.score("id0"), 100)
    assert.strictEqual(standing.score("id5999"), 90)
  })

  it("a table that makes no sense is refused", () => {
    assert.throws(() => checkScoreTable({ ...defaultScoreTable, maximum: 0 }), /maximum/)
    assert.throws(() => checkScoreTable({ ...defaultScoreTable, seriousLimit: 0.5 }), /seriousLimit/)
    const credits = { ...defaultScoreTable.credits, head: -1 }
    assert.throws(() => checkScoreTable({ ...defaultScoreTable, credits }), /credit head/)
  })
})
