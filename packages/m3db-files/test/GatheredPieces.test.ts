/** Gathering changes how pieces are cut, never their bytes. */
import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { GatheredPieces } from "../src/adapter/GatheredPieces.ts"
import { Limits } from "../src/contract/Limits.ts"

const joined = (chunks: ReadonlyArray<Uint8Array>): Uint8Array => new Uint8Array(chunks.flatMap((chunk) => [...chunk]))

const gathered = (pieces: ReadonlyArray<Uint8Array>): GatheredPieces =>
  new GatheredPieces(pieces, pieces.reduce((sum, piece) => sum + piece.length, 0))

const bufferOf = ({ chunks }: GatheredPieces): unknown => chunks[0]!.buffer

describe("gathered pieces", () => {
  it("keep bytes and order, also in buffers that are used again", () => {
    const piece = fc.uint8Array({ maxLength: 300 })
    fc.assert(fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
      const one = gathered(pieces)
      assert.deepStrictEqual(joined(one.chunks), joined(pieces))
      one.release()
    }))
  })

  it("small ones become one chunk, large ones stay as they are", () => {
    const small = Array.from({ length: 4096 }, (_, i) => new Uint8Array(200).fill(i))
    const one = gathered(small)
    assert.lengthOf(one.chunks, 1)
    one.release()
    const large = [new Uint8Array(40_000), new Uint8Array(40_000)]
    assert.strictEqual(gathered(large).chunks, large)
  })

  it("a large piece among small ones keeps its place", () => {
    const small = Array.from({ length: 100 }, () => new Uint8Array(10).fill(1))
    const large = new Uint8Array(Limits.readChunkBytes / 4 + 1).fill(2)
    const one = gathered([...small, large, ...small])
    assert.deepStrictEqual(one.chunks.map((chunk) => chunk.length), [1000, large.length, 1000])
    assert.strictEqual(one.chunks[1], large)
    one.release()
  })

  it("two at the same time share no buffer; released ones are taken again", () => {
    const pieces = [new Uint8Array(10), new Uint8Array(10)]
    const [first, second] = [gathered(pieces), gathered(pieces)]
    const taken = bufferOf(first)
    assert.notStrictEqual(taken, bufferOf(second))
    first.release()
    assert.strictEqual(bufferOf(gathered(pieces)), taken)
    second.release()
  })
})
