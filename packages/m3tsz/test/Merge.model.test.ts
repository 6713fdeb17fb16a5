// The merge rules case by case; MergeRule.conformance.test.ts has their laws.
import { assert, describe, it } from "@effect/vitest"
import { decodeBlock, encodeBlock, highestPeer, mergeCopies, mergeSegments, mostReplicas } from "@peerstrap/m3tsz"
import { describePoints, generateCopies, naiveMerge } from "@peerstrap/m3tsz/testing"
import * as fc from "fast-check"
import { expectValue, fromHex, series, toHex } from "./Points.ts"

const start = 1_599_998_400_000_000_000n
const limits = { maxPoints: 1000 }

const copy = (peer: string, value: number, annotation?: string) => ({
  peer,
  points: series(start, 1, [annotation === undefined ? [10, value] : [10, value, annotation]])
})

describe("most-replicas", () => {
  it("two copies outvote one, whoever is first", () => {
    const merged = mostReplicas.merge([copy("a", 1), copy("c", 2), copy("b", 2)])
    assert.strictEqual(merged.values[0], 2)
  })
  it("a tie goes to the smallest peer, with its annotation", () => {
    const merged = mostReplicas.merge([copy("d", 1, "dd"), copy("c", 2), copy("b", 2, "bb"), copy("a2", 1, "aa")])
    assert.strictEqual(merged.values[0], 1)
    assert.deepStrictEqual(merged.annotations.get(0), Uint8Array.of(0xaa))
  })
  it("−0 and 0 are two values", () => {
    const merged = mostReplicas.merge([copy("a", 0), copy("b", -0), copy("c", -0)])
    assert.isTrue(Object.is(merged.values[0], -0))
  })
})

it("highest-peer is associative", () => {
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      const copies = generateCopies(seed).toSorted((a, b) => (a.peer < b.peer ? -1 : 1))
      fc.pre(copies.length > 2)
      const [first, ...others] = copies
      const tail = { peer: others.at(-1)!.peer, points: highestPeer.merge(others) }
      assert.deepStrictEqual(
        describePoints(highestPeer.merge([first!, tail])),
        describePoints(highestPeer.merge(copies))
      )
    }),
    { seed: 7 }
  )
})

describe("segments of one replica", () => {
  it("later segments win, the first of repeated times stays: as a map says", () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const copies = generateCopies(seed)
        const merged = expectValue(mergeSegments(copies.map(({ points }) => points)))
        assert.deepStrictEqual(describePoints(merged), describePoints(naiveMerge((held) => held.at(-1)!)(copies)))
      }),
      { seed: 11 }
    )
    const repeated = series(start, 1, [[10, 1], [10, 2], [20, 3], [20, 4]])
    const merged = expectValue(mergeSegments([series(start, 1, [[20, 9]]), repeated]))
    assert.deepStrictEqual(Array.from(merged.values), [1, 3])
    assert.deepStrictEqual(Array.from(expectValue(mergeSegments([repeated, series(start, 1, [[20, 9]])])).values), [
      1,
      9
    ])
  })
  it("is associative", () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const [a, b, ...rest] = generateCopies(seed).map(({ points }) => points)
        fc.pre(b !== undefined)
        const left = expectValue(mergeSegments([expectValue(mergeSegments([a!, b!])), ...rest]))
        const right = expectValue(mergeSegments([a!, expectValue(mergeSegments([b!, ...rest]))]))
        assert.deepStrictEqual(describePoints(left), describePoints(right))
      }),
      { seed: 13 }
    )
  })
  it("a step back is an error that says where", () => {
    const error = mergeSegments([series(start, 1, [[1, 1]]), series(start, 1, [[10, 1], [20, 1], [15, 1]])])
    assert.deepInclude(error, { _tag: "MergeError", reason: "out-of-order", inputIndex: 1, pointIndex: 2 })
  })
  it("M3's vectors: B wins, A wins", () => {
    const a = "163456115131800085301bc2860b4000"
    const b = "163456115131800085301861b09a0000"
    const decoded = [a, b].map((hex) => expectValue(decodeBlock([fromHex(hex)], limits)))
    const bytes = (order: ReadonlyArray<number>): string =>
      toHex(expectValue(encodeBlock(expectValue(mergeSegments(order.map((i) => decoded[i]!))), start)).bytes)
    assert.strictEqual(bytes([0, 1]), "163456115131800085301861b0998c00")
    assert.strictEqual(bytes([1, 0]), "163456115131800085301bbbc000")
  })
})

describe("mergeCopies", () => {
  it("one peer, two copies", () => {
    const points = series(start, 1, [[1, 1]])
    const error = mergeCopies(mostReplicas, [{ peer: "a", points }, { peer: "a", points }])
    assert.deepInclude(error, { _tag: "MergeError", reason: "duplicate-peer", inputIndex: 1 })
  })
  it("a repeated time", () => {
    const error = mergeCopies(mostReplicas, [{ peer: "a", points: series(start, 1, [[1, 1], [1, 2]]) }])
    assert.deepInclude(error, { _tag: "MergeError", reason: "out-of-order", inputIndex: 0, pointIndex: 1 })
  })
  it("sound copies", () => {
    const copies = generateCopies(3)
    assert.deepStrictEqual(mergeCopies(mostReplicas, copies), mostReplicas.merge(copies))
  })
})
