import { assert, describe, it } from "@effect/vitest"
import {
  type BlockParts,
  type BlocksAnswer,
  decodeBlocksAnswer,
  encodeBlocksAnswer,
  RemoteError
} from "@peerstrap/m3db-wire"
import { adler32 } from "@peerstrap/m3tsz"
import { noChecksum } from "@peerstrap/metadata-grouping"
import { joinPieces, verifyDelivered } from "../src/engine/Verification.ts"
import { firstBlock } from "./support/SimulatedCluster.ts"

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const none = new Uint8Array(0)

const answerOf = (...blocks: ReadonlyArray<Omit<BlockParts, "start">>): BlocksAnswer => {
  const parts = blocks.map((block) => ({ start: firstBlock, ...block }))
  const answer = decodeBlocksAnswer(encodeBlocksAnswer([{ id: bytes("a"), blocks: parts }]))
  if (!("elementCount" in answer)) throw new Error("the answer does not decode")
  return answer
}

const sum = adler32(bytes("headtail"))
const split = { merged: { head: bytes("head"), tail: bytes("tail") } }

const verify = (advertised: number, ...blocks: ReadonlyArray<Omit<BlockParts, "start">>) =>
  verifyDelivered(answerOf(...blocks), 0, blocks.length > 1 ? blocks.map((_, row) => row) : undefined, advertised)

describe("a delivered block", () => {
  it("is as advertised when its bytes are, however they are split", () => {
    for (
      const merged of [split.merged, { head: bytes("headtail"), tail: none }, { head: none, tail: bytes("headtail") }]
    ) {
      const found = verify(sum, { merged, checksum: sum })
      assert.strictEqual(found._tag, "as-advertised")
      if (found._tag === "as-advertised") {
        assert.deepStrictEqual(joinPieces(found.segments[0]!), bytes("headtail"))
        assert.deepStrictEqual([found.checksum, found.bytes], [sum, 8])
      }
    }
    assert.strictEqual(verify(sum, split)._tag, "as-advertised")
  })

  it("differs when it is right in itself but not what was announced", () => {
    const found = verify(sum ^ 1, { ...split, checksum: sum })
    assert.strictEqual(found._tag, "differs")
    assert.include("detail" in found ? found.detail : "", `delivered 0x${sum.toString(16).padStart(8, "0")}`)
  })

  it("is unannounced when there was nothing to compare with", () => {
    assert.strictEqual(verify(noChecksum, { ...split, checksum: sum })._tag, "unannounced")
  })

  it("in several streams has no checksum, and differs from any that was announced", () => {
    const unmerged = [split.merged, { head: bytes("more"), tail: none }]
    const found = verify(noChecksum, { unmerged })
    assert.deepStrictEqual("segments" in found ? [found.checksum, found.segments.length, found.bytes] : [], [
      noChecksum,
      2,
      12
    ])
    assert.strictEqual(verify(sum, { unmerged })._tag, "differs")
  })

  it("that came twice is one copy of two streams", () => {
    const found = verify(sum, split, split)
    assert.deepStrictEqual("segments" in found ? [found._tag, found.segments.length] : [], ["differs", 2])
  })

  for (
    const [kind, block] of [
      ["corrupt-block", { ...split, checksum: sum ^ 0x100 }],
      ["block-error", { error: new RemoteError(0, "disk read failed") }],
      ["hollow-block", { merged: { head: none, tail: none } }],
      ["hollow-block", { unmerged: [] }]
    ] as const
  ) {
    it(`is unusable as ${kind}: ${JSON.stringify(Object.keys(block))}`, () => {
      const found = verify(sum, block)
      assert.strictEqual("kind" in found ? found.kind : found._tag, kind)
    })
  }
})
