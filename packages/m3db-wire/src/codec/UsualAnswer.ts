/**
 * The usual block answer in one pass: laid out as a node writes it, with exactly the items asked for, in the order of the request,
 * each with one merged segment and a checksum that its bytes have. Anything else is for the general decoder.
 *
 *     answer:  0c 0000 · 0f 0001 0c count · elements · 00 00
 *     element: 0b 0001 id · 0f 0002 0c 00000001 · block · 00                                    request: 0b 0001 id ·
 *     block:   0a 0001 start · 0c 0002 · 0c 0001 · 0b 0001 head · 0b 0002 tail ·                0f 0002 0a 00000001 start · 00
 *              i64 fields 3, 4, 5 as far as there · 00 00 · 0a 0004 checksum · 00
 *
 * UsualAnswer.wat does the same with vectors where the answer lies in kernel memory; `walkUsual` is its twin. (specs: peer
 * streaming 2.2, 5.3)
 */
import { adler32Start, adler32Update } from "@peerstrap/m3tsz"
import type { AnswerBuffer } from "../contract/AnswerBuffers.ts"
import { type BlocksAnswer, type UsualBlocks, usualTailGap } from "../contract/Columns.ts"
import { Limits } from "../contract/Limits.ts"
import { decodeBlocksAnswer } from "./BlocksCodec.ts"

/** Result struct, list of elements. */
const headBytes = 11
/** Ends of value and result. */
const endBytes = 2

const u16 = (b: Uint8Array, at: number): number => (b[at]! << 8) | b[at + 1]!

const i32 = (b: Uint8Array, at: number): number => (b[at]! << 24) | (b[at + 1]! << 16) | (b[at + 2]! << 8) | b[at + 3]!

const isField = (b: Uint8Array, at: number, type: number, id: number): boolean =>
  b[at] === type && u16(b, at + 1) === id

const isSame = (a: Uint8Array, at: number, b: Uint8Array, from: number, length: number): boolean => {
  for (let i = 0; i < length; i++) if (a[at + i] !== b[from + i]) return false
  return true
}

/** Position behind a usual element, its row written; −1 for any other. */
const walkElement = (
  elements: Uint8Array,
  same: number,
  b: Uint8Array,
  at: number,
  end: number,
  rows: Uint32Array,
  row: number,
  request: number
): number => {
  if (same > end - at || !isSame(b, at, elements, request, same)) return -1
  let p = at + same
  if (!isField(b, p, 15, 2) || b[p + 3] !== 12 || i32(b, p + 4) !== 1) return -1
  if (!isField(b, p + 8, 10, 1) || !isSame(b, p + 11, elements, request + same + 8, 8)) return -1
  if (!isField(b, p + 19, 12, 2) || !isField(b, p + 22, 12, 1) || !isField(b, p + 25, 11, 1)) return -1
  const headLength = i32(b, p + 28) >>> 0
  const head = p + 32
  if (head > end || headLength > end - head) return -1
  p = head + headLength
  if (!isField(b, p, 11, 2)) return -1
  const tailLength = i32(b, p + 3) >>> 0
  const tail = p + usualTailGap
  if (tail > end || tailLength > end - tail || headLength + tailLength === 0) return -1
  p = tail + tailLength
  for (let id = 3; id <= 5; id++) if (isField(b, p, 10, id)) p += 11
  if (u16(b, p) !== 0 || !isField(b, p + 2, 10, 4) || i32(b, p + 5) !== 0 || u16(b, p + 13) !== 0) return -1
  if (p + 15 > end) return -1
  const checksum = i32(b, p + 9) >>> 0
  const headSum = adler32Update(adler32Start, b, head, headLength)
  if (adler32Update(headSum, b, tail, tailLength) !== checksum) return -1
  rows[4 * row] = head
  rows[4 * row + 1] = headLength
  rows[4 * row + 2] = tailLength
  rows[4 * row + 3] = checksum
  return p + 15
}

/** As `AnswerBuffer.walk`, over any answer: the elements in `answer[start, end)`, `items` of them in the request. */
export const walkUsual = (
  elements: Uint8Array,
  items: number,
  answer: Uint8Array,
  start: number,
  end: number,
  rows: Uint32Array
): number => {
  let at = start
  let request = 0
  for (let count = 0; count < items; count++) {
    const same = 7 + i32(elements, request + 3)
    const next = walkElement(elements, same, answer, at, end, rows, count, request)
    if (next < 0) return count
    at = next
    // List of one start, the start, end.
    request += same + 17
  }
  return at === end ? items : -1
}

/** Columns of a usual answer are made when somebody looks at them: what goes straight to a sink never needs them. */
class UsualAnswer implements BlocksAnswer {
  readonly buffer: Uint8Array
  readonly elementCount: number
  readonly usual: UsualBlocks
  readonly release: (() => void) | undefined
  private decoded: BlocksAnswer | undefined

  constructor(buffer: Uint8Array, usual: UsualBlocks, release: (() => void) | undefined) {
    this.buffer = buffer
    this.elementCount = usual.count
    this.usual = usual
    this.release = release
  }

  private get columns(): BlocksAnswer {
    if (this.decoded !== undefined) return this.decoded
    const decoded = decodeBlocksAnswer(this.buffer, this.buffer.length)
    if (!("idOffset" in decoded)) throw new Error(`a usual answer is no answer: ${decoded.message}`)
    return this.decoded = decoded
  }

  get blockCount(): number {
    return this.elementCount
  }
  get segmentCount(): number {
    return this.elementCount
  }
  get idOffset(): Int32Array {
    return this.columns.idOffset
  }
  get idLength(): Int32Array {
    return this.columns.idLength
  }
  get firstBlock(): Int32Array {
    return this.columns.firstBlock
  }
  get startHi(): Int32Array {
    return this.columns.startHi
  }
  get startLo(): Int32Array {
    return this.columns.startLo
  }
  get checksum(): Float64Array {
    return this.columns.checksum
  }
  get form(): Uint8Array {
    return this.columns.form
  }
  get errorOffset(): Int32Array {
    return this.columns.errorOffset
  }
  get errorLength(): Int32Array {
    return this.columns.errorLength
  }
  get firstSegment(): Int32Array {
    return this.columns.firstSegment
  }
  get headOffset(): Int32Array {
    return this.columns.headOffset
  }
  get headLength(): Int32Array {
    return this.columns.headLength
  }
  get tailOffset(): Int32Array {
    return this.columns.tailOffset
  }
  get tailLength(): Int32Array {
    return this.columns.tailLength
  }
}

/**
 * The answer `arg3` (code 0) to the request with these elements, when it is the usual one; undefined for any other, which says
 * nothing about it. With a `buffer`, `arg3` must lie at the beginning of `buffer.answer`.
 */
export const readUsualAnswer = (
  arg3: Uint8Array,
  elements: Uint8Array,
  items: number,
  buffer?: AnswerBuffer
): BlocksAnswer | undefined => {
  const end = arg3.length - endBytes
  if (items === 0 || items > Limits.maxRows || end < headBytes || u16(arg3, end) !== 0) return undefined
  if (!isField(arg3, 0, 12, 0) || !isField(arg3, 3, 15, 1) || arg3[6] !== 12 || i32(arg3, 7) !== items) return undefined
  const rows = buffer?.rows ?? new Uint32Array(4 * items)
  const count = buffer === undefined
    ? walkUsual(elements, items, arg3, headBytes, end, rows)
    : buffer.walk(headBytes, end)
  if (count !== items) return undefined
  return new UsualAnswer(arg3, { count, rows }, buffer === undefined ? undefined : () => buffer.giveBack())
}
