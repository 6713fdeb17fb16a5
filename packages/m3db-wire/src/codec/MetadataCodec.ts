/** `fetchBlocksMetadataRawV2`: request and answer, both directions (specs: peer streaming 2.2, 5.2, 11.1). */
import { absentChecksum, type MetadataPage } from "../contract/Columns.ts"
import { Limits } from "../contract/Limits.ts"
import type { MetadataRequest } from "../contract/NodeClient.ts"
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
import { readErrorColumns, type RemoteError, writeError } from "./RemoteError.ts"
import { decodeArguments, decodeResult, encodeArguments, encodeValue } from "./ResultStruct.ts"
import { type ThriftCursor, ThriftType } from "./Thrift.ts"
import type { WireFault } from "./WireFault.ts"

/** What a server learns from a request. */
export interface DecodedMetadataRequest extends MetadataRequest {
  readonly includeSizes: boolean
  readonly includeChecksums: boolean
  readonly includeLastRead: boolean
}

/** Which optional columns to ask for. Last reads are of no use to streaming and cost 18 bytes an element. */
export interface MetadataIncludes {
  readonly sizes?: boolean
  readonly checksums?: boolean
  readonly lastRead?: boolean
}

/** arg3 of a request. Throws when a limit outside 1…4096 would harm the peer. */
export const encodeMetadataRequest = (request: MetadataRequest, includes: MetadataIncludes = {}): Uint8Array => {
  if (!(Number.isInteger(request.limit) && request.limit > 0 && request.limit <= Limits.maxPageSeries)) {
    throw new RangeError(`page limit must be 1…${Limits.maxPageSeries}, got ${request.limit}`)
  }
  return encodeArguments((writer) => {
    writer.bytesField(1, request.namespace)
    writer.i32Field(2, request.shard)
    writer.i64Field(3, request.rangeStart)
    writer.i64Field(4, request.rangeEnd)
    writer.i64Field(5, BigInt(request.limit))
    if (request.pageToken !== undefined) writer.bytesField(6, request.pageToken)
    if (includes.sizes ?? true) writer.boolField(7, true)
    if (includes.checksums ?? true) writer.boolField(8, true)
    if (includes.lastRead ?? false) writer.boolField(9, true)
    writer.stop()
  })
}

const requestTypes: ReadonlyArray<number> = [
  0,
  ThriftType.binary,
  ThriftType.i32,
  ThriftType.i64,
  ThriftType.i64,
  ThriftType.i64,
  ThriftType.binary,
  ThriftType.bool,
  ThriftType.bool,
  ThriftType.bool
]

const readRequest = (cursor: ThriftCursor): DecodedMetadataRequest => {
  let namespace: Uint8Array | undefined
  let pageToken: Uint8Array | undefined
  let shard: number | undefined
  const int64s: Array<bigint | undefined> = [undefined, undefined, undefined]
  const includes = [false, false, false]
  for (let type = cursor.field(); type !== ThriftType.stop; type = cursor.field()) {
    const id = cursor.fieldId
    if (id < 1 || id > 9) {
      cursor.skip(type)
      continue
    }
    cursor.expect(type, requestTypes[id]!)
    if (id === 1) namespace = cursor.bytes()
    else if (id === 2) shard = cursor.i32()
    else if (id <= 5) int64s[id - 3] = cursor.bigint()
    else if (id === 6) pageToken = cursor.bytes()
    else includes[id - 7] = cursor.bool()
  }
  const [rangeStart, rangeEnd, limit] = int64s
  if (
    namespace === undefined || shard === undefined || rangeStart === undefined || rangeEnd === undefined ||
    limit === undefined
  ) return cursor.fail("metadata request lacks one of the required fields 1 to 5")
  return {
    namespace,
    shard,
    rangeStart,
    rangeEnd,
    limit: Number(limit),
    pageToken,
    includeSizes: includes[0]!,
    includeChecksums: includes[1]!,
    includeLastRead: includes[2]!
  }
}

/** Decodes arg3 of a request; byte fields are views into it. */
export const decodeMetadataRequest = (
  arg3: Uint8Array,
  maxBytes: number = Limits.maxRequestBytes
): DecodedMetadataRequest | WireFault => decodeArguments(arg3, maxBytes, readRequest)

/** One element of an answer as a server gives it. */
export interface MetadataElement {
  readonly id: Uint8Array
  /** ns. */
  readonly start: bigint
  readonly error?: RemoteError | undefined
  readonly size?: bigint | undefined
  /** Unsigned 32-bit. */
  readonly checksum?: number | undefined
  /** ns; written with its time type. */
  readonly lastRead?: bigint | undefined
  readonly encodedTags?: Uint8Array | undefined
}

const unixNanoseconds = 3

/** arg3 of an answer with code 0. */
export const encodeMetadataAnswer = (
  elements: ReadonlyArray<MetadataElement>,
  nextPageToken?: Uint8Array
): Uint8Array =>
  encodeValue((writer) => {
    writer.listField(1, ThriftType.struct, elements.length)
    for (const element of elements) {
      writer.bytesField(1, element.id)
      writer.i64Field(2, element.start)
      if (element.error !== undefined) {
        writer.field(ThriftType.struct, 3)
        writeError(writer, element.error)
      }
      if (element.size !== undefined) writer.i64Field(4, element.size)
      if (element.checksum !== undefined) writer.i64Field(5, BigInt(element.checksum))
      if (element.lastRead !== undefined) {
        writer.i64Field(6, element.lastRead)
        writer.i32Field(7, unixNanoseconds)
      }
      if (element.encodedTags !== undefined) writer.bytesField(8, element.encodedTags)
      writer.stop()
    }
    if (nextPageToken !== undefined) writer.bytesField(2, nextPageToken)
    writer.stop()
  })

const maxSafeHi = 0x1f_ffff

/** Type byte and field id of a field header as one number. */
const header = (type: number, id: number): number => (type << 16) | id
const binaryField1 = header(ThriftType.binary, 1)
const i64Field2 = header(ThriftType.i64, 2)
const i64Field4 = header(ThriftType.i64, 4)
const i64Field5 = header(ThriftType.i64, 5)
const binaryField8 = header(ThriftType.binary, 8)

/** Empty id, start, end. */
const usualElementLeast = 7 + 11 + 1

/** Type byte and id of the field at `p`; four bytes must be there. */
const fieldAt = (view: DataView, p: number): number => view.getUint32(p) >>> 8

class PageReader {
  private rows = 0
  private capacity = firstRows
  private idOffset = new Int32Array(firstRows)
  private idLength = new Int32Array(firstRows)
  private tagsOffset = new Int32Array(firstRows)
  private tagsLength = new Int32Array(firstRows)
  private startHi = new Int32Array(firstRows)
  private startLo = new Int32Array(firstRows)
  private size = new Float64Array(firstRows)
  private checksum = new Float64Array(firstRows)
  private failed = new Uint8Array(firstRows)
  private readonly error = { type: 0, flags: 0, messageOffset: 0, messageLength: 0 }

  get capacityRows(): number {
    return this.capacity
  }

  read(cursor: ThriftCursor): MetadataPage {
    let elementsSeen = false
    let nextPageToken: Uint8Array | undefined
    for (let type = cursor.field(); type !== ThriftType.stop; type = cursor.field()) {
      if (cursor.fieldId === 1) {
        cursor.expect(type, ThriftType.list)
        elementsSeen = true
        this.rows = 0
        const count = cursor.list(ThriftType.struct)
        for (let read = 0; read < count; read++) {
          read += this.readUsualElements(cursor, count - read)
          if (read < count) this.readElement(cursor)
        }
      } else if (cursor.fieldId === 2) {
        cursor.expect(type, ThriftType.binary)
        nextPageToken = cursor.bytes().slice()
      } else cursor.skip(type)
    }
    if (!elementsSeen) cursor.fail("metadata answer lacks its elements")
    return this.page(cursor.buffer, nextPageToken)
  }

  /**
   * Reads elements, at most `count`, that are laid out as a node writes them, and stops at the first that is not, or where the columns
   * are full. Returns how many it has read.
   *
   *     id 0b0001 · start 0a0002 · size 0a0004, checksum 0a0005, tags 0b0008 as far as there · 00
   */
  private readUsualElements(cursor: ThriftCursor, count: number): number {
    const { buffer: b, end, view } = cursor
    const { checksum, failed, idLength, idOffset, size, startHi, startLo, tagsLength, tagsOffset } = this
    const first = this.rows
    const last = Math.min(first + count, this.capacity)
    let row = first
    let at = cursor.position
    for (; row < last; row++) {
      if (end - at < usualElementLeast || fieldAt(view, at) !== binaryField1) break
      const length = view.getInt32(at + 3)
      if (length < 0 || length > end - at - usualElementLeast) break
      let p = at + 7 + length
      if (fieldAt(view, p) !== i64Field2) break
      startHi[row] = view.getInt32(p + 3)
      startLo[row] = view.getInt32(p + 7)
      p += 11
      let bytes = 0
      let sum = absentChecksum
      // A field counts only when the end that must follow it fits, too; what is not read here is not usual.
      if (end - p >= 12 && fieldAt(view, p) === i64Field4) {
        if (view.getInt32(p + 3) !== 0) break
        bytes = view.getUint32(p + 7)
        p += 11
      }
      if (end - p >= 12 && fieldAt(view, p) === i64Field5) {
        if (view.getInt32(p + 3) !== 0) break
        sum = view.getUint32(p + 7)
        p += 11
      }
      tagsOffset[row] = 0
      tagsLength[row] = 0
      if (end - p >= 8 && fieldAt(view, p) === binaryField8) {
        const tags = view.getInt32(p + 3)
        if (tags < 0 || tags > end - p - 8) break
        tagsOffset[row] = p + 7
        tagsLength[row] = tags
        p += 7 + tags
      }
      if (b[p] !== ThriftType.stop) break
      idOffset[row] = at + 7
      idLength[row] = length
      size[row] = bytes
      checksum[row] = sum
      failed[row] = 0
      at = p + 1
    }
    cursor.position = at
    this.rows = row
    return row - first
  }

  private readElement(cursor: ThriftCursor): void {
    const row = this.rows
    if (row === this.capacity) this.grow(cursor)
    this.idLength[row] = -1
    this.tagsOffset[row] = 0
    this.tagsLength[row] = 0
    this.size[row] = 0
    this.checksum[row] = absentChecksum
    this.failed[row] = 0
    let started = false
    for (let type = cursor.field(); type !== ThriftType.stop; type = cursor.field()) {
      switch (cursor.fieldId) {
        case 1:
          cursor.expect(type, ThriftType.binary)
          this.idOffset[row] = cursor.binary()
          this.idLength[row] = cursor.lo
          break
        case 2:
          cursor.expect(type, ThriftType.i64)
          cursor.i64()
          this.startHi[row] = cursor.hi
          this.startLo[row] = cursor.lo
          started = true
          break
        case 3:
          cursor.expect(type, ThriftType.struct)
          readErrorColumns(cursor, this.error)
          this.failed[row] = 1
          break
        case 4:
          cursor.expect(type, ThriftType.i64)
          this.size[row] = this.readSize(cursor)
          break
        case 5:
          cursor.expect(type, ThriftType.i64)
          this.checksum[row] = readChecksum(cursor)
          break
        case 8:
          cursor.expect(type, ThriftType.binary)
          this.tagsOffset[row] = cursor.binary()
          this.tagsLength[row] = cursor.lo
          break
        default:
          cursor.skip(type)
      }
    }
    if (this.idLength[row]! < 0 || !started) cursor.fail("metadata element lacks its id or start")
    if (this.failed[row] === 1) {
      this.size[row] = 0
      this.checksum[row] = absentChecksum
    }
    this.rows = row + 1
  }

  private readSize(cursor: ThriftCursor): number {
    cursor.i64()
    if (cursor.hi < 0) cursor.fail("negative block size")
    return cursor.hi > maxSafeHi ? Number.MAX_SAFE_INTEGER : cursor.hi * 2 ** 32 + (cursor.lo >>> 0)
  }

  private grow(cursor: ThriftCursor): void {
    const capacity = nextCapacity(cursor, this.rows)
    this.capacity = capacity
    this.idOffset = growInt32(this.idOffset, capacity)
    this.idLength = growInt32(this.idLength, capacity)
    this.tagsOffset = growInt32(this.tagsOffset, capacity)
    this.tagsLength = growInt32(this.tagsLength, capacity)
    this.startHi = growInt32(this.startHi, capacity)
    this.startLo = growInt32(this.startLo, capacity)
    this.size = growFloat64(this.size, capacity)
    this.checksum = growFloat64(this.checksum, capacity)
    this.failed = growUint8(this.failed, capacity)
  }

  private page(buffer: Uint8Array, nextPageToken: Uint8Array | undefined): MetadataPage {
    const count = this.rows
    const packer = new ColumnPacker(count * 41)
    const size = packer.float64(this.size, count)
    const checksum = packer.float64(this.checksum, count)
    return {
      buffer,
      count,
      idOffset: packer.int32(this.idOffset, count),
      idLength: packer.int32(this.idLength, count),
      tagsOffset: packer.int32(this.tagsOffset, count),
      tagsLength: packer.int32(this.tagsLength, count),
      startHi: packer.int32(this.startHi, count),
      startLo: packer.int32(this.startLo, count),
      size,
      checksum,
      failed: packer.uint8(this.failed, count),
      nextPageToken
    }
  }
}

let kept = new PageReader()

const readPage = (cursor: ThriftCursor): MetadataPage => {
  try {
    return kept.read(cursor)
  } finally {
    if (kept.capacityRows > keptRows) kept = new PageReader()
  }
}

/** Decodes arg3 of an answer into columns; the page keeps `arg3` as its buffer. */
export const decodeMetadataAnswer = (
  arg3: Uint8Array,
  maxBytes: number = Limits.maxAnswerBytes
): MetadataPage | RemoteError | WireFault => decodeResult(arg3, maxBytes, readPage)
