/**
 * The columns of a `fetchBlocksRaw` answer in one pass, without an object per item. Fields may come in any order and more
 * than once (the last one counts, as with M3DB's generated code).
 */
import { absentChecksum, type BlocksAnswer } from "../contract/Columns.ts"
import {
  ColumnPacker,
  firstRows,
  growFloat64,
  growInt32,
  growUint8,
  keptRows,
  nextCapacity,
  readChecksum
} from "./GrowingColumns.ts"
import { readErrorColumns } from "./RemoteError.ts"
import { type ThriftCursor, ThriftType } from "./Thrift.ts"

const mergedForm = 1
const unmergedForm = 2

/** Type byte and field id of a field header as one number. */
const header = (type: number, id: number): number => (type << 16) | id
const i64Field1 = header(ThriftType.i64, 1)
const i64Field3 = header(ThriftType.i64, 3)
const i64Field4 = header(ThriftType.i64, 4)
const structField1 = header(ThriftType.struct, 1)
const structField2 = header(ThriftType.struct, 2)
const binaryField1 = header(ThriftType.binary, 1)
const binaryField2 = header(ThriftType.binary, 2)
const listField2 = header(ThriftType.list, 2)

/** Empty id, head of the list, end. */
const usualElementLeast = 7 + 8 + 1

/** Start, two struct headers, empty head and tail, three ends. */
const usualBlockLeast = 11 + 6 + 14 + 3

/** Type byte and id of the field at `p`; four bytes must be there. */
const fieldAt = (view: DataView, p: number): number => view.getUint32(p) >>> 8

class BlocksReader {
  private elements = 0
  private idOffset = new Int32Array(firstRows)
  private idLength = new Int32Array(firstRows)
  private firstBlock = new Int32Array(firstRows + 1)
  private blocks = 0
  private startHi = new Int32Array(firstRows)
  private startLo = new Int32Array(firstRows)
  private checksum = new Float64Array(firstRows)
  private form = new Uint8Array(firstRows)
  private errorOffset = new Int32Array(firstRows)
  private errorLength = new Int32Array(firstRows)
  private firstSegment = new Int32Array(firstRows + 1)
  private segments = 0
  private headOffset = new Int32Array(firstRows)
  private headLength = new Int32Array(firstRows)
  private tailOffset = new Int32Array(firstRows)
  private tailLength = new Int32Array(firstRows)
  private readonly error = { type: 0, flags: 0, messageOffset: 0, messageLength: 0 }

  /** Rows that the largest of its columns can hold. */
  get rows(): number {
    return Math.max(this.idOffset.length, this.startHi.length, this.headOffset.length)
  }

  read(cursor: ThriftCursor): BlocksAnswer {
    this.elements = 0
    this.blocks = 0
    this.segments = 0
    let elementsSeen = false
    for (let type = cursor.field(); type !== ThriftType.stop; type = cursor.field()) {
      if (cursor.fieldId === 1) {
        cursor.expect(type, ThriftType.list)
        elementsSeen = true
        this.elements = 0
        this.blocks = 0
        this.segments = 0
        const count = cursor.list(ThriftType.struct)
        for (let i = 0; i < count; i++) if (!this.readUsualElement(cursor)) this.readElement(cursor)
      } else cursor.skip(type)
    }
    if (!elementsSeen) cursor.fail("blocks answer lacks its elements")
    return this.answer(cursor.buffer)
  }

  /** Reads an element that has its id, then its blocks, then its end; false, with nothing read, for any other. */
  private readUsualElement(cursor: ThriftCursor): boolean {
    const { buffer: b, end, position: at, view } = cursor
    if (end - at < usualElementLeast || fieldAt(view, at) !== binaryField1) return false
    const idLength = view.getInt32(at + 3)
    if (idLength < 0 || idLength > end - at - usualElementLeast) return false
    const list = at + 7 + idLength
    const count = view.getInt32(list + 4)
    if (fieldAt(view, list) !== listField2 || b[list + 3] !== ThriftType.struct || count < 0 || count > end - list) {
      return false
    }
    const row = this.elements
    if (row === this.idOffset.length) this.growElements(cursor)
    const blocksBase = this.blocks
    const segmentsBase = this.segments
    cursor.position = list + 8
    for (let i = 0; i < count; i++) if (!this.readUsualBlock(cursor)) this.readBlock(cursor)
    if (cursor.position >= end || b[cursor.position] !== ThriftType.stop) {
      this.blocks = blocksBase
      this.segments = segmentsBase
      cursor.position = at
      return false
    }
    cursor.position++
    this.idOffset[row] = at + 7
    this.idLength[row] = idLength
    this.elements = row + 1
    this.firstBlock[row + 1] = this.blocks
    return true
  }

  private readElement(cursor: ThriftCursor): void {
    const row = this.elements
    if (row === this.idOffset.length) this.growElements(cursor)
    const blocksBase = this.blocks
    const segmentsBase = this.segments
    this.idLength[row] = -1
    let blocksSeen = false
    for (let type = cursor.field(); type !== ThriftType.stop; type = cursor.field()) {
      if (cursor.fieldId === 1) {
        cursor.expect(type, ThriftType.binary)
        this.idOffset[row] = cursor.binary()
        this.idLength[row] = cursor.lo
      } else if (cursor.fieldId === 2) {
        cursor.expect(type, ThriftType.list)
        blocksSeen = true
        this.blocks = blocksBase
        this.segments = segmentsBase
        const count = cursor.list(ThriftType.struct)
        for (let i = 0; i < count; i++) if (!this.readUsualBlock(cursor)) this.readBlock(cursor)
      } else cursor.skip(type)
    }
    if (this.idLength[row]! < 0 || !blocksSeen) cursor.fail("element of the answer lacks its id or blocks")
    this.elements = row + 1
    this.firstBlock[row + 1] = this.blocks
  }

  /**
   * Reads a block that is laid out as a node writes one with a single segment; false, with nothing read, for any other.
   *
   *     start 0a0001 · segments 0c0002 · merged 0c0001 · head 0b0001 · tail 0b0002 · i64 fields 3, 4, 5 as far as there ·
   *     00 · 00 · checksum 0a0004 as far as there · 00
   */
  private readUsualBlock(cursor: ThriftCursor): boolean {
    const { buffer: b, end, position: at, view } = cursor
    if (end - at < usualBlockLeast) return false
    if (
      fieldAt(view, at) !== i64Field1 || fieldAt(view, at + 11) !== structField2 ||
      fieldAt(view, at + 14) !== structField1 ||
      fieldAt(view, at + 17) !== binaryField1
    ) return false
    const headOffset = at + 24
    const headLength = view.getInt32(at + 20)
    // What follows the head has at least its 7 bytes of tail and three ends.
    if (headLength < 0 || headLength > end - headOffset - 10) return false
    const tail = headOffset + headLength
    const tailLength = view.getInt32(tail + 3)
    if (fieldAt(view, tail) !== binaryField2 || tailLength < 0 || tailLength > end - tail - 10) return false
    let p = tail + 7 + tailLength
    // An i64 field counts only when the ends that must follow it fit, too.
    for (let field = i64Field3; field < i64Field3 + 3; field++) {
      if (end - p >= 14 && fieldAt(view, p) === field) p += 11
    }
    if (b[p] !== 0 || b[p + 1] !== 0) return false
    p += 2
    let checksum = absentChecksum
    if (end - p >= 12 && fieldAt(view, p) === i64Field4) {
      if (view.getInt32(p + 3) !== 0) return false
      checksum = view.getInt32(p + 7) >>> 0
      p += 11
    }
    if (b[p] !== 0) return false
    const row = this.blocks
    if (row === this.startHi.length) this.growBlocks(cursor)
    const segment = this.segments
    if (segment === this.headOffset.length) this.growSegments(cursor)
    this.startHi[row] = view.getInt32(at + 3)
    this.startLo[row] = view.getInt32(at + 7)
    this.checksum[row] = checksum
    this.form[row] = mergedForm
    this.errorOffset[row] = 0
    this.errorLength[row] = -1
    this.headOffset[segment] = headOffset
    this.headLength[segment] = headLength
    this.tailOffset[segment] = tail + 7
    this.tailLength[segment] = tailLength
    this.blocks = row + 1
    this.segments = segment + 1
    this.firstSegment[row + 1] = segment + 1
    cursor.position = p + 1
    return true
  }

  private readBlock(cursor: ThriftCursor): void {
    const row = this.blocks
    if (row === this.startHi.length) this.growBlocks(cursor)
    const segmentsBase = this.segments
    this.checksum[row] = absentChecksum
    this.form[row] = 0
    this.errorOffset[row] = 0
    this.errorLength[row] = -1
    let started = false
    for (let type = cursor.field(); type !== ThriftType.stop; type = cursor.field()) {
      switch (cursor.fieldId) {
        case 1:
          cursor.expect(type, ThriftType.i64)
          cursor.i64()
          this.startHi[row] = cursor.hi
          this.startLo[row] = cursor.lo
          started = true
          break
        case 2:
          cursor.expect(type, ThriftType.struct)
          this.segments = segmentsBase
          this.form[row] = this.readSegments(cursor)
          break
        case 3:
          cursor.expect(type, ThriftType.struct)
          readErrorColumns(cursor, this.error)
          this.errorOffset[row] = this.error.messageOffset
          this.errorLength[row] = this.error.messageLength
          break
        case 4:
          cursor.expect(type, ThriftType.i64)
          this.checksum[row] = readChecksum(cursor)
          break
        default:
          cursor.skip(type)
      }
    }
    if (!started) cursor.fail("block lacks its start")
    this.blocks = row + 1
    this.firstSegment[row + 1] = this.segments
  }

  /** Reads a `Segments` struct; the merged segment's row comes first whatever the order on the wire. */
  private readSegments(cursor: ThriftCursor): number {
    const base = this.segments
    let form = 0
    for (let type = cursor.field(); type !== ThriftType.stop; type = cursor.field()) {
      if (cursor.fieldId === 1) {
        cursor.expect(type, ThriftType.struct)
        if ((form & mergedForm) === 0) this.makeRoom(cursor, base)
        this.readSegment(cursor, base)
        form |= mergedForm
      } else if (cursor.fieldId === 2) {
        cursor.expect(type, ThriftType.list)
        this.segments = base + (form & mergedForm)
        const count = cursor.list(ThriftType.struct)
        for (let i = 0; i < count; i++) this.readSegment(cursor, this.appendSegment(cursor))
        form |= unmergedForm
      } else cursor.skip(type)
    }
    return form
  }

  private appendSegment(cursor: ThriftCursor): number {
    const row = this.segments
    if (row === this.headOffset.length) this.growSegments(cursor)
    this.segments = row + 1
    return row
  }

  /** A free row at `base`, the rows from there on moved up by one. */
  private makeRoom(cursor: ThriftCursor, base: number): void {
    const end = this.appendSegment(cursor)
    for (const column of [this.headOffset, this.headLength, this.tailOffset, this.tailLength]) {
      if (end > base) column.copyWithin(base + 1, base, end)
    }
  }

  private readSegment(cursor: ThriftCursor, row: number): void {
    let headLength = -1
    let tailLength = -1
    for (let type = cursor.field(); type !== ThriftType.stop; type = cursor.field()) {
      if (cursor.fieldId === 1) {
        cursor.expect(type, ThriftType.binary)
        this.headOffset[row] = cursor.binary()
        headLength = cursor.lo
      } else if (cursor.fieldId === 2) {
        cursor.expect(type, ThriftType.binary)
        this.tailOffset[row] = cursor.binary()
        tailLength = cursor.lo
      } else cursor.skip(type)
    }
    if (headLength < 0 || tailLength < 0) cursor.fail("segment lacks its head or tail")
    this.headLength[row] = headLength
    this.tailLength[row] = tailLength
  }

  private growElements(cursor: ThriftCursor): void {
    const capacity = nextCapacity(cursor, this.elements)
    this.idOffset = growInt32(this.idOffset, capacity)
    this.idLength = growInt32(this.idLength, capacity)
    this.firstBlock = growInt32(this.firstBlock, capacity + 1)
  }

  private growBlocks(cursor: ThriftCursor): void {
    const capacity = nextCapacity(cursor, this.blocks)
    this.startHi = growInt32(this.startHi, capacity)
    this.startLo = growInt32(this.startLo, capacity)
    this.checksum = growFloat64(this.checksum, capacity)
    this.form = growUint8(this.form, capacity)
    this.errorOffset = growInt32(this.errorOffset, capacity)
    this.errorLength = growInt32(this.errorLength, capacity)
    this.firstSegment = growInt32(this.firstSegment, capacity + 1)
  }

  private growSegments(cursor: ThriftCursor): void {
    const capacity = nextCapacity(cursor, this.segments)
    this.headOffset = growInt32(this.headOffset, capacity)
    this.headLength = growInt32(this.headLength, capacity)
    this.tailOffset = growInt32(this.tailOffset, capacity)
    this.tailLength = growInt32(this.tailLength, capacity)
  }

  private answer(buffer: Uint8Array): BlocksAnswer {
    const { blocks, elements, segments } = this
    const packer = new ColumnPacker(elements * 12 + blocks * 29 + segments * 16 + 8)
    const checksum = packer.float64(this.checksum, blocks)
    return {
      buffer,
      elementCount: elements,
      idOffset: packer.int32(this.idOffset, elements),
      idLength: packer.int32(this.idLength, elements),
      firstBlock: packer.int32(this.firstBlock, elements + 1),
      blockCount: blocks,
      startHi: packer.int32(this.startHi, blocks),
      startLo: packer.int32(this.startLo, blocks),
      checksum,
      errorOffset: packer.int32(this.errorOffset, blocks),
      errorLength: packer.int32(this.errorLength, blocks),
      firstSegment: packer.int32(this.firstSegment, blocks + 1),
      segmentCount: segments,
      headOffset: packer.int32(this.headOffset, segments),
      headLength: packer.int32(this.headLength, segments),
      tailOffset: packer.int32(this.tailOffset, segments),
      tailLength: packer.int32(this.tailLength, segments),
      form: packer.uint8(this.form, blocks)
    }
  }
}

let kept = new BlocksReader()

/** Reads a `FetchBlocksRawResult` at the cursor. */
export const readBlocks = (cursor: ThriftCursor): BlocksAnswer => {
  try {
    return kept.read(cursor)
  } finally {
    if (kept.rows > keptRows) kept = new BlocksReader()
  }
}
