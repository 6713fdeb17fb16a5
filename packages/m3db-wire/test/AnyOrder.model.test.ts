// Answers with fields in any order and unknown fields between decode to the same columns as those in order.
import { assert, describe, it } from "@effect/vitest"
import {
  type BlocksAnswer,
  type BlocksElement,
  decodeBlocksAnswer,
  encodeBlocksAnswer,
  isWireFault,
  ThriftType,
  ThriftWriter
} from "@peerstrap/m3db-wire"
import { hex } from "./bytes.ts"
import { Sampler } from "./samples.ts"

/** A naive reading of the columns: what they say about each element, with the bytes instead of their place. */
const elements = (answer: BlocksAnswer): unknown => {
  const bytes = (offset: number, length: number) =>
    length < 0 ? undefined : hex(answer.buffer.subarray(offset, offset + length))
  return Array.from({ length: answer.elementCount }, (_, i) => ({
    id: bytes(answer.idOffset[i]!, answer.idLength[i]!),
    blocks: Array.from({ length: answer.firstBlock[i + 1]! - answer.firstBlock[i]! }, (_, k) => {
      const j = answer.firstBlock[i]! + k
      const first = answer.firstSegment[j]!
      return {
        start: (BigInt(answer.startHi[j]!) << 32n) | BigInt(answer.startLo[j]! >>> 0),
        checksum: answer.checksum[j],
        form: answer.form[j],
        error: bytes(answer.errorOffset[j]!, answer.errorLength[j]!),
        segments: Array.from({ length: answer.firstSegment[j + 1]! - first }, (_, s) => [
          bytes(answer.headOffset[first + s]!, answer.headLength[first + s]!),
          bytes(answer.tailOffset[first + s]!, answer.tailLength[first + s]!)
        ])
      }
    })
  }))
}

/** The same, straight from what was encoded. */
const model = (source: ReadonlyArray<BlocksElement>): unknown =>
  source.map((element) => ({
    id: hex(element.id),
    blocks: element.blocks.map((block) => ({
      start: block.start,
      checksum: block.checksum ?? -1,
      form: (block.merged === undefined ? 0 : 1) + (block.unmerged === undefined ? 0 : 2),
      error: block.error === undefined ? undefined : hex(Buffer.from(block.error.message)),
      segments: [...(block.merged === undefined ? [] : [block.merged]), ...(block.unmerged ?? [])]
        .map(({ head, tail }) => [hex(head), hex(tail)])
    }))
  }))

const text = (value: string): string => hex(Buffer.from(value))

const decoded = (arg3: Uint8Array): BlocksAnswer => {
  const answer = decodeBlocksAnswer(arg3)
  if (isWireFault(answer) || !("segmentCount" in answer)) assert.fail(String(answer))
  return answer
}

describe("blocks answers", () => {
  it("say the same in any field order, with unknown fields of every type, for 300 seeds", () => {
    for (let seed = 1; seed <= 300; seed++) {
      const sampler = new Sampler(seed)
      const source = Array.from({ length: sampler.below(40) }, () => sampler.blocksElement())
      assert.deepStrictEqual(elements(decoded(encodeBlocksAnswer(source))), model(source), `seed ${seed}`)
      assert.deepStrictEqual(elements(decoded(sampler.scrambledBlocks(source))), model(source), `seed ${seed}`)
    }
  })

  it("grow over many rows of each level", () => {
    const sampler = new Sampler(5)
    const segment = sampler.segment()
    const block = { start: 1n, unmerged: Array.from({ length: 300 }, () => segment) }
    const source: Array<BlocksElement> = [
      { id: Uint8Array.of(1), blocks: [] },
      { id: Uint8Array.of(2), blocks: Array.from({ length: 300 }, () => block) },
      ...Array.from(
        { length: 600 },
        (_, i) => ({ id: Uint8Array.of(i & 255), blocks: [{ start: 2n, merged: segment }] })
      )
    ]
    const answer = decoded(encodeBlocksAnswer(source))
    assert.strictEqual(answer.segmentCount, 90_600)
    assert.deepStrictEqual(elements(answer), model(source))
  })

  it("count the last of a field that comes twice, at every level", () => {
    const writer = new ThriftWriter(4096)
    const binary = (id: number, text: string) => writer.bytesField(id, Buffer.from(text))
    const segment = (text: string) => {
      binary(1, `${text}!`)
      binary(1, text)
      binary(2, "")
      writer.stop()
    }
    const segments = (merged: ReadonlyArray<string>, unmerged: ReadonlyArray<ReadonlyArray<string>>) => {
      writer.field(ThriftType.struct, 2)
      for (const list of unmerged) {
        writer.listField(2, ThriftType.struct, list.length)
        for (const text of list) segment(text)
      }
      for (const text of merged) {
        writer.field(ThriftType.struct, 1)
        segment(text)
      }
      writer.stop()
    }
    const blocks = (starts: ReadonlyArray<bigint>) => {
      writer.listField(2, ThriftType.struct, starts.length)
      for (const start of starts) {
        segments(["old"], [["x", "y", "z"]])
        segments(["m1", "m2"], [["u1", "u2", "u3"], ["u4"]])
        writer.i64Field(1, 0n)
        writer.i64Field(1, start)
        writer.stop()
      }
    }
    writer.field(ThriftType.struct, 0)
    for (const id of ["dropped", "kept"]) {
      writer.listField(1, ThriftType.struct, 1)
      blocks([7n, 8n])
      binary(1, "first")
      binary(1, id)
      blocks([9n])
      writer.stop()
    }
    writer.stop()
    writer.stop()
    assert.deepStrictEqual(elements(decoded(writer.finish())), [{
      id: text("kept"),
      blocks: [{
        start: 9n,
        checksum: -1,
        form: 3,
        error: undefined,
        segments: [[text("m2"), ""], [text("u4"), ""]]
      }]
    }])
  })
})
