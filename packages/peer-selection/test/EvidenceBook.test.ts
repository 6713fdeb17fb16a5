import { assert, describe, it } from "@effect/vitest"
import { type EvidenceRecord, makeEvidenceBook } from "@peerstrap/peer-selection"

const record = (peer: string, kind: string, atMillis: number): EvidenceRecord => ({
  peer,
  kind,
  verdict: "peer",
  subject: "shard 3",
  detail: "advertised 0x1, delivered 0x2",
  atMillis
})

describe("EvidenceBook", () => {
  it("counts everything and keeps the first of each kind in the order of arrival", () => {
    const book = makeEvidenceBook({ keepPerKind: 2 })
    for (let at = 0; at < 1000; at++) book.add(record(at % 2 === 0 ? "a" : "b", at % 4 < 2 ? "differs" : "missing", at))
    assert.strictEqual(book.count("a"), 500)
    assert.strictEqual(book.count("a", "differs"), 250)
    assert.strictEqual(book.count("a", "other"), 0)
    assert.strictEqual(book.count("c"), 0)
    assert.deepStrictEqual(book.records().map((of) => of.atMillis), [0, 1, 2, 3, 4, 5, 6, 7])
    assert.deepStrictEqual(book.records("b").map((of) => of.atMillis), [1, 3, 5, 7])
    assert.deepStrictEqual(book.summary(), { a: { differs: 250, missing: 250 }, b: { differs: 250, missing: 250 } })
  })
  it("takes any text as a name", () => {
    const book = makeEvidenceBook()
    book.add(record("__proto__", "constructor", 1))
    assert.strictEqual(JSON.stringify(book.summary()), "{\"__proto__\":{\"constructor\":1}}")
    assert.strictEqual(book.count("constructor"), 0)
  })
  it("refuses a bound that is none", () => {
    assert.throws(() => makeEvidenceBook({ keepPerKind: -1 }), /keepPerKind/)
  })
})
