/**
 * The columns of a `fetchBlocksRaw` answer in one pass, without an object per item. Fields may come in any order and more
 * than once (the last one counts, as with M3DB's generated code).
 */
import { absentChecksum, type BlocksAnswer } from "../contract/Columns.ts"
import { firstRows, growFloat64, growInt32, growUint8, nextCapacity, readChecksum } from "./GrowingColumns.ts"
import { readErrorColumns } from "./RemoteError.ts"
import { type ThriftCursor, ThriftType } from "./Thrift.ts"

const mergedForm = 1
const unmergedForm = 2

export class BlocksReader {
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

  /** Reads a `FetchBlocksRawResult` at the cursor. A reader is good for one answer. */
  read(cursor: ThriftCursor): BlocksAnswer {
    let elementsSeen = false
    for (let type = cursor.field(); type !== ThriftType.stop; type = cursor.field()) {
      if (cursor.fieldId === 1) {
        cursor.expect(type, ThriftType.list)
        elementsSeen = true
        this.elements = 0
        this.blocks = 0
        this.segments = 0
        const count = cursor.list(ThriftType.struct)
        for (let i = 0; i < count; i++) this.readElement(cursor)
      } else cursor.skip(type)
    }
    if (!elementsSeen) cursor.fail("blocks answer lacks its elements")
    return this.answer(cursor.buffer)
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
        for (let i = 0; i < count; i++) this.readBlock(cursor)
      } else cursor.skip(type)
    }
    if (this.idLength[row]! < 0 || !blocksSeen) cursor.fail("element of the answer lacks its id or blocks")
    this.elements = row + 1
    this.firstBlock[row + 1] = this.blocks
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
    return {
      buffer,
      elementCount: elements,
      idOffset: this.idOffset.subarray(0, elements),
      idLength: this.idLength.subarray(0, elements),
      firstBlock: this.firstBlock.subarray(0, elements + 1),
      blockCount: blocks,
      startHi: this.startHi.subarray(0, blocks),
      startLo: this.startLo.subarray(0, blocks),
      checksum: this.checksum.subarray(0, blocks),
      form: this.form.subarray(0, blocks),
      errorOffset: this.errorOffset.subarray(0, blocks),
      errorLength: this.errorLength.subarray(0, blocks),
      firstSegment: this.firstSegment.subarray(0, blocks + 1),
      segmentCount: segments,
      headOffset: this.headOffset.subarray(0, segments),
      headLength: this.headLength.subarray(0, segments),
      tailOffset: this.tailOffset.subarray(0, segments),
      tailLength: this.tailLength.subarray(0, segments)
    }
  }
}
