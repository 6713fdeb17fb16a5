/** What a server reads of a `fetchBlocksRaw` request: fields in any order, several starts an element. (specs: peer streaming 2.2) */
import { Limits } from "../contract/Limits.ts"
import { firstRows, growInt32, nextCapacity } from "./GrowingColumns.ts"
import { decodeArguments } from "./ResultStruct.ts"
import { type ThriftCursor, ThriftType } from "./Thrift.ts"
import type { WireFault } from "./WireFault.ts"

/** What a server learns from a request: elements → starts, as columns into `buffer`. */
export interface DecodedBlocksRequest {
  readonly buffer: Uint8Array
  readonly namespace: Uint8Array
  readonly shard: number
  readonly elementCount: number
  readonly idOffset: Int32Array
  readonly idLength: Int32Array
  /** Starts of element i: rows [firstStart[i], firstStart[i + 1]). Length elementCount + 1. */
  readonly firstStart: Int32Array
  readonly startHi: Int32Array
  readonly startLo: Int32Array
  readonly source: Uint8Array | undefined
}

class RequestReader {
  private elements = 0
  private starts = 0
  private idOffset = new Int32Array(firstRows)
  private idLength = new Int32Array(firstRows)
  private firstStart = new Int32Array(firstRows + 1)
  private startHi = new Int32Array(firstRows)
  private startLo = new Int32Array(firstRows)

  read(cursor: ThriftCursor): DecodedBlocksRequest {
    let namespace: Uint8Array | undefined
    let source: Uint8Array | undefined
    let shard: number | undefined
    let elementsSeen = false
    for (let type = cursor.field(); type !== ThriftType.stop; type = cursor.field()) {
      if (cursor.fieldId === 1) {
        cursor.expect(type, ThriftType.binary)
        namespace = cursor.bytes()
      } else if (cursor.fieldId === 2) {
        cursor.expect(type, ThriftType.i32)
        shard = cursor.i32()
      } else if (cursor.fieldId === 3) {
        cursor.expect(type, ThriftType.list)
        elementsSeen = true
        this.elements = 0
        this.starts = 0
        const count = cursor.list(ThriftType.struct)
        for (let i = 0; i < count; i++) this.readElement(cursor)
      } else if (cursor.fieldId === 4) {
        cursor.expect(type, ThriftType.binary)
        source = cursor.bytes()
      } else cursor.skip(type)
    }
    if (namespace === undefined || shard === undefined || !elementsSeen) {
      return cursor.fail("blocks request lacks one of the required fields 1 to 3")
    }
    return {
      buffer: cursor.buffer,
      namespace,
      shard,
      elementCount: this.elements,
      idOffset: this.idOffset.slice(0, this.elements),
      idLength: this.idLength.slice(0, this.elements),
      firstStart: this.firstStart.slice(0, this.elements + 1),
      startHi: this.startHi.slice(0, this.starts),
      startLo: this.startLo.slice(0, this.starts),
      source
    }
  }

  private readElement(cursor: ThriftCursor): void {
    const row = this.elements
    const base = this.starts
    if (row === this.idOffset.length) {
      const capacity = nextCapacity(cursor, row)
      this.idOffset = growInt32(this.idOffset, capacity)
      this.idLength = growInt32(this.idLength, capacity)
      this.firstStart = growInt32(this.firstStart, capacity + 1)
    }
    this.idLength[row] = -1
    let startsSeen = false
    for (let type = cursor.field(); type !== ThriftType.stop; type = cursor.field()) {
      if (cursor.fieldId === 1) {
        cursor.expect(type, ThriftType.binary)
        this.idOffset[row] = cursor.binary()
        this.idLength[row] = cursor.lo
      } else if (cursor.fieldId === 2) {
        cursor.expect(type, ThriftType.list)
        startsSeen = true
        this.starts = base
        const count = cursor.list(ThriftType.i64)
        for (let i = 0; i < count; i++) this.readStart(cursor)
      } else cursor.skip(type)
    }
    if (this.idLength[row]! < 0 || !startsSeen) cursor.fail("request element lacks its id or starts")
    this.elements = row + 1
    this.firstStart[row + 1] = this.starts
  }

  private readStart(cursor: ThriftCursor): void {
    const row = this.starts++
    if (row === this.startHi.length) {
      const capacity = nextCapacity(cursor, row)
      this.startHi = growInt32(this.startHi, capacity)
      this.startLo = growInt32(this.startLo, capacity)
    }
    cursor.i64()
    this.startHi[row] = cursor.hi
    this.startLo[row] = cursor.lo
  }
}

/** Decodes arg3 of a request; byte fields are views into it. */
export const decodeBlocksRequest = (
  arg3: Uint8Array,
  maxBytes: number = Limits.maxRequestBytes
): DecodedBlocksRequest | WireFault => decodeArguments(arg3, maxBytes, (cursor) => new RequestReader().read(cursor))
