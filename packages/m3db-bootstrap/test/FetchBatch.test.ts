import { assert, describe, it } from "@effect/vitest"
import { type BlocksElement, decodeBlocksAnswer, encodeBlocksAnswer, toHex } from "@peerstrap/m3db-wire"
import { makePackedGrouping } from "@peerstrap/metadata-grouping"
import { highHalf, lowHalf } from "../src/engine/BlockTime.ts"
import { matchAnswer } from "../src/engine/FetchBatch.ts"
import { blockSize, firstBlock } from "./support/SimulatedCluster.ts"

const id = (text: string): Uint8Array => new TextEncoder().encode(text)
const starts = [firstBlock, firstBlock + blockSize]

/** Items: a and b, each at both starts. */
const grouping = makePackedGrouping({ peerCount: 1, maxGroups: 100, maxBytes: 1 << 20, seed: 1 })
const items = ["a", "b"].flatMap((name) =>
  starts.map((start) => grouping.report(0, id(name), 0, 1, 0, 0, highHalf(start), lowHalf(start), 10, 5))
)
const request = {
  namespace: id("ns"),
  shard: 0,
  ids: items.map((group) => grouping.id(group)),
  startHi: Int32Array.from(items, (group) => grouping.startHi(group)),
  startLo: Int32Array.from(items, (group) => grouping.startLo(group))
}

const element = (name: string, ...at: ReadonlyArray<number>): BlocksElement => ({
  id: id(name),
  blocks: at.map((block) => ({
    start: starts[block] ?? firstBlock + 9n * blockSize,
    merged: { head: id(`${name}${block}`), tail: new Uint8Array(0) }
  }))
})

/** What each item got, as the text of its stream. */
const match = (...elements: ReadonlyArray<BlocksElement>) => {
  const answer = decodeBlocksAnswer(encodeBlocksAnswer(elements))
  if (!("elementCount" in answer)) throw new Error("the answer does not decode")
  const text = (row: number): string => {
    if (row < 0) return "-"
    const at = answer.firstSegment[row]!
    const head = answer.headOffset[at]!
    return new TextDecoder().decode(answer.buffer.subarray(head, head + answer.headLength[at]!))
  }
  const matched = matchAnswer(grouping, { groups: items, request }, answer)
  const more = [...matched.more].map(([slot, rows]) => [slot, rows.map(text)])
  return { ...matched, got: [...matched.rows].map(text).join(" "), more }
}

describe("an answer is matched by id and start, never by place", () => {
  it("in order, one element an item", () => {
    const { got, surplus, unrequested } = match(element("a", 0), element("a", 1), element("b", 0), element("b", 1))
    assert.deepStrictEqual([got, surplus, unrequested], ["a0 a1 b0 b1", 0, 0])
  })

  it("in any order", () => {
    assert.strictEqual(match(element("b", 1), element("a", 1), element("b", 0), element("a", 0)).got, "a0 a1 b0 b1")
  })

  it("several blocks in one element", () => {
    assert.strictEqual(match(element("b", 1, 0), element("a", 0, 1)).got, "a0 a1 b0 b1")
  })

  it("short: what does not come is −1, and shifts nothing (D5, D7)", () => {
    assert.strictEqual(match(element("a", 1), element("b", 1)).got, "- a1 - b1")
    assert.strictEqual(match().got, "- - - -")
    assert.strictEqual(match(element("a"), element("a", 1), element("b", 0), element("b", 1)).got, "- a1 b0 b1")
  })

  it("long: surplus elements and blocks that nobody asked for are counted (D6)", () => {
    const found = match(element("x", 0), element("a", 0, 7), element("a", 1), element("b", 0), element("b", 1))
    assert.deepStrictEqual([found.got, found.surplus, found.unrequested], ["a0 a1 b0 b1", 1, 2])
    assert.strictEqual(found.firstUnrequested, toHex(id("x")))
  })

  it("twice: all rows of the item are told", () => {
    const { got, more } = match(element("a", 0, 0), element("a", 0))
    assert.strictEqual(got, "a0 - - -")
    assert.deepStrictEqual(more, [[0, ["a0", "a0", "a0"]]])
  })

  it("a group of the grouping that this batch did not ask for is unrequested", () => {
    const answer = decodeBlocksAnswer(encodeBlocksAnswer([element("b", 1)]))
    if (!("elementCount" in answer)) throw new Error("the answer does not decode")
    const few = { groups: items.slice(0, 2), request }
    assert.strictEqual(matchAnswer(grouping, few, answer).unrequested, 1)
  })
})
