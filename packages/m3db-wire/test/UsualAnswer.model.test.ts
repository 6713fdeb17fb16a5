// The one pass over a block answer: the kernel, its twin in TypeScript and the general decoder agree about every answer.
import { assert, describe, it } from "@effect/vitest"
import {
  type AnswerBuffer,
  type BlocksElement,
  type BlocksRequest,
  decodeBlocksAnswer,
  encodeBlocksAnswer,
  encodeBlocksRequest,
  makeAnswerBuffers,
  readUsualAnswer,
  requestElements
} from "@peerstrap/m3db-wire"
import { adler32, adler32OfPieces } from "@peerstrap/m3tsz"
import { readFileSync } from "node:fs"
import wabt from "wabt"
import { walkUsual } from "../src/codec/UsualAnswer.ts"
import { usualAnswerModule } from "../src/codec/UsualAnswerModule.ts"
import { Sampler } from "./samples.ts"

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), "utf8")

const need = (maxAnswerBytes: number) => ({ elements: new Uint8Array(100), items: 10, maxAnswerBytes })

interface Case {
  readonly request: BlocksRequest
  readonly elements: Uint8Array
  readonly answer: Array<BlocksElement>
}

const startOf = (request: BlocksRequest, item: number): bigint =>
  (BigInt(request.startHi[item]!) << 32n) | BigInt(request.startLo[item]! >>> 0)

/** A request, and the answer that a node would give. */
const usualCase = (sampler: Sampler, items: number, blockBytes: number): Case => {
  const request = sampler.blocksRequest(items)
  const answer = request.ids.map((id, item): BlocksElement => {
    const segment = { ...sampler.segment(), head: sampler.bytes(blockBytes), tail: sampler.bytes(20) }
    const merged = segment.head.length + segment.tail.length === 0 ? { ...segment, tail: Uint8Array.of(1) } : segment
    const checksum = adler32OfPieces([merged.head, merged.tail])
    return { id, blocks: [{ start: startOf(request, item), merged, checksum }] }
  })
  return { request, elements: requestElements(request, encodeBlocksRequest(request)).elements, answer }
}

const buffers = makeAnswerBuffers(8 << 20)

const take = (elements: Uint8Array, items: number, maxAnswerBytes: number): AnswerBuffer => {
  const buffer = buffers.take({ elements, items, maxAnswerBytes })
  if (buffer === undefined) assert.fail("the kernel does not run here")
  return buffer
}

/** What the general decoder says: every element the one asked for, in order, with one block of one segment and its checksum. */
const isUsualByDecoder = (arg3: Uint8Array, request: BlocksRequest): boolean => {
  const answer = decodeBlocksAnswer(arg3)
  if (!("idOffset" in answer) || answer.elementCount !== request.ids.length) return false
  return request.ids.every((id, i) => {
    const [block, end] = [answer.firstBlock[i]!, answer.firstBlock[i + 1]!]
    const segment = answer.firstSegment[block]!
    if (end !== block + 1 || answer.firstSegment[end] !== segment + 1 || answer.errorLength[block]! >= 0) return false
    const idThere = answer.buffer.subarray(answer.idOffset[i]!, answer.idOffset[i]! + answer.idLength[i]!)
    const head = answer.buffer.subarray(
      answer.headOffset[segment]!,
      answer.headOffset[segment]! + answer.headLength[segment]!
    )
    const tail = answer.buffer.subarray(
      answer.tailOffset[segment]!,
      answer.tailOffset[segment]! + answer.tailLength[segment]!
    )
    return Buffer.compare(id, idThere) === 0 && answer.startHi[block] === request.startHi[i] &&
      answer.startLo[block] === request.startLo[i] && head.length + tail.length > 0 &&
      answer.checksum[block] === adler32OfPieces([head, tail])
  })
}

/** Kernel and twin give the same; what they take as usual is usual for the decoder. Whether it was. */
const agree = ({ elements, request }: Case, arg3: Uint8Array, behind: Uint8Array = new Uint8Array(0)): boolean => {
  const items = request.ids.length
  const buffer = take(elements, items, arg3.length + behind.length)
  buffer.answer.set(arg3)
  // What an earlier, longer answer left behind must decide nothing.
  buffer.answer.set(behind, arg3.length)
  const end = arg3.length - 2
  if (end >= 11) {
    const rows = new Uint32Array(4 * items)
    const count = walkUsual(elements, items, arg3, 11, end, rows)
    assert.strictEqual(buffer.walk(11, end), count)
    const written = 4 * (count < 0 ? items : count)
    assert.deepStrictEqual(buffer.rows.slice(0, written), rows.slice(0, written))
  }
  const byTwin = readUsualAnswer(arg3, elements, items)
  const byKernel = readUsualAnswer(buffer.answer.subarray(0, arg3.length), elements, items, buffer)
  assert.strictEqual(byKernel === undefined, byTwin === undefined)
  if (byKernel !== undefined) {
    assert.isTrue(isUsualByDecoder(arg3, request))
    const decoded = decodeBlocksAnswer(arg3)
    if (!("idOffset" in decoded)) assert.fail(decoded.message)
    for (const answer of [byKernel, byTwin!]) {
      for (const column of Object.keys(decoded) as Array<keyof typeof decoded>) {
        assert.deepStrictEqual(answer[column], column === "buffer" ? answer.buffer : decoded[column], column)
      }
      const { rows } = answer.usual!
      for (let i = 0; i < items; i++) {
        const segment = decoded.firstSegment[decoded.firstBlock[i]!]!
        assert.deepStrictEqual([...rows.subarray(4 * i, 4 * i + 4)], [
          decoded.headOffset[segment],
          decoded.headLength[segment],
          decoded.tailLength[segment],
          decoded.checksum[decoded.firstBlock[i]!]
        ])
        assert.strictEqual(decoded.tailOffset[segment], rows[4 * i]! + rows[4 * i + 1]! + 7)
      }
    }
  }
  buffer.giveBack()
  return byTwin !== undefined
}

describe("the usual answer", () => {
  it("is known in one pass, whatever the lengths of ids and blocks", () => {
    for (let seed = 1; seed <= 200; seed++) {
      const sampler = new Sampler(seed)
      const one = usualCase(sampler, 1 + sampler.below(40), [3, 40, 300, 6_000][seed % 4]!)
      assert.isTrue(agree(one, encodeBlocksAnswer(one.answer)), `seed ${seed}`)
    }
  })

  it("is one with a checksum above 2^31, too", () => {
    const one = usualCase(new Sampler(5), 1, 0)
    const full = new Uint8Array(300).fill(0xff)
    const length = full.findIndex((_, length) => adler32(full.subarray(0, length)) >= 2 ** 31)
    const head = full.subarray(0, length)
    const checksum = adler32(head)
    assert.isAtLeast(checksum, 2 ** 31)
    const answer = [{
      id: one.request.ids[0]!,
      blocks: [{ ...one.answer[0]!.blocks[0]!, merged: { head, tail: head.subarray(0, 0) }, checksum }]
    }]
    assert.isTrue(agree(one, encodeBlocksAnswer(answer)))
  })

  it("is no other for kernel or twin: every bit flip of a small answer", () => {
    const one = usualCase(new Sampler(3), 3, 24)
    const arg3 = encodeBlocksAnswer(one.answer)
    let usual = 0
    for (let bit = 0; bit < arg3.length * 8; bit++) {
      const flipped = arg3.slice()
      flipped[bit >> 3]! ^= 1 << (bit & 7)
      if (agree(one, flipped)) usual++
    }
    // What nobody reads may be anything: start, size and checksum of the segments.
    assert.isBelow(usual, 3 * 33 * 8)
  })

  it("is no other for kernel or twin: every truncation, the rest of the answer still behind it in memory", () => {
    const one = usualCase(new Sampler(4), 4, 40)
    const arg3 = encodeBlocksAnswer(one.answer)
    for (let length = 0; length < arg3.length; length++) {
      assert.isFalse(agree(one, arg3.slice(0, length), arg3.subarray(length)))
      const closed = arg3.slice(0, length)
      closed.fill(0, Math.max(0, length - 2))
      agree(one, closed, arg3.subarray(length))
    }
    assert.isFalse(agree(one, Uint8Array.from([...arg3, 0]), arg3))
  })

  it("is no other for kernel or twin: changed, doubled, missing, moved elements; lengths that point anywhere", () => {
    let usual = 0
    for (let seed = 1; seed <= 600; seed++) {
      const sampler = new Sampler(1_000 + seed)
      const one = usualCase(sampler, 1 + sampler.below(6), 60)
      const { answer } = one
      const at = sampler.below(answer.length)
      const element = answer[at]!
      const block = element.blocks[0]!
      const change = sampler.below(9)
      if (change === 0) answer.splice(at, 1)
      else if (change === 1) answer.splice(at, 0, element)
      else if (change === 2) answer.reverse()
      else if (change === 3) answer[at] = { ...element, blocks: [{ ...block, checksum: undefined }] }
      else if (change === 4) answer[at] = { ...element, blocks: [{ ...block, error: sampler.error() }] }
      else if (change === 5) answer[at] = { ...element, blocks: [{ ...block, start: block.start + 1n }] }
      else if (change === 6) answer[at] = { ...element, blocks: [block, block] }
      else if (change === 7) answer[at] = sampler.blocksElement()
      const arg3 = encodeBlocksAnswer(answer)
      if (change === 8) {
        const spot = sampler.below(arg3.length - 4)
        arg3.set(
          [[0x7f, 0xff, 0xff, 0xff], [0xff, 0xff, 0xff, 0xff], [0x80, 0, 0, 0], [0, 0, 0, 0]][sampler.below(4)]!,
          spot
        )
      }
      if (agree(one, arg3)) usual++
      else if (change < 8) assert.isFalse(isUsualByDecoder(arg3, one.request), `seed ${1_000 + seed}`)
    }
    assert.isAbove(usual, 0)
  })

  it("is assembled from its source", async () => {
    const adler = /;; begin of \$update[^]*;; end of \$update/.exec(read("../../m3tsz/src/engine/Adler32.wat"))![0]
    const source = read("../src/codec/UsualAnswer.wat")
      .replace(";; @update", () => adler.replace("(export \"update\") ", ""))
    const parsed = (await wabt()).parseWat("UsualAnswer.wat", source, { simd: true })
    parsed.resolveNames()
    const assembled = Buffer.from(parsed.toBinary({ write_debug_names: false }).buffer).toString("base64")
    assert.strictEqual(usualAnswerModule, assembled, "put the assembled bytes into UsualAnswerModule.ts")
  })
})

describe("answer buffers", () => {
  it("are used again, and whoever still looks at one sees nothing", () => {
    const pool = makeAnswerBuffers(1 << 20)
    const first = pool.take(need(100_000))!
    first.answer.fill(7)
    const view = first.answer.subarray(10, 20)
    const { rows } = first
    assert.strictEqual(pool.idleBytes, 0)
    first.giveBack()
    first.giveBack()
    assert.isAbove(pool.idleBytes, 100_000)
    assert.deepStrictEqual([first.answer.length, view.length, rows.length], [0, 0, 0])
    const idle = pool.idleBytes
    const second = pool.take(need(90_000))!
    assert.strictEqual(pool.idleBytes, 0)
    assert.strictEqual(second.answer.length, 90_000)
    assert.deepStrictEqual([view.length, view[0]], [0, undefined])
    second.giveBack()
    first.giveBack()
    assert.strictEqual(pool.idleBytes, idle)
  })

  it("are kept up to the bound, the last given back before others", () => {
    const pool = makeAnswerBuffers(1 << 20)
    const loans = Array.from({ length: 10 }, () => pool.take(need(200_000))!)
    for (const loan of loans) loan.giveBack()
    assert.isAtMost(pool.idleBytes, 1 << 20)
    assert.isAbove(pool.idleBytes, (1 << 20) - 400_000)
    const none = makeAnswerBuffers(0)
    none.take(need(10))!.giveBack()
    assert.strictEqual(none.idleBytes, 0)
  })

  it("are at most twice as large as what is asked for", () => {
    const pool = makeAnswerBuffers(64 << 20)
    pool.take(need(8 << 20))!.giveBack()
    const idle = pool.idleBytes
    pool.take(need(1 << 20))
    assert.strictEqual(pool.idleBytes, idle)
    pool.take(need(5 << 20))
    assert.strictEqual(pool.idleBytes, 0)
  })
})
