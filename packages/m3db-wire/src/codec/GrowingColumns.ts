/**
 * Growth of answer columns: by what has been read, at most doubling, never by a declared count. Readers keep their columns
 * from answer to answer, because making them costs more than reading, and hand out exact copies in one buffer.
 */
import { Limits } from "../contract/Limits.ts"
import type { ThriftCursor } from "./Thrift.ts"
import { WireFault } from "./WireFault.ts"

export const firstRows = 256

/** Rows that a reader keeps between answers; what a larger answer needed is let go. */
export const keptRows = 16_384

/** The next capacity for more than `rows` rows, or a fault of the answer when it has too many. */
export const nextCapacity = (cursor: ThriftCursor, rows: number): number => {
  if (rows >= Limits.maxRows) {
    throw new WireFault(`more than ${Limits.maxRows} rows`, cursor.position, "too-large")
  }
  return Math.min(Limits.maxRows, Math.max(firstRows, rows * 2))
}

export const growInt32 = (column: Int32Array, capacity: number): Int32Array<ArrayBuffer> => {
  const grown = new Int32Array(capacity)
  grown.set(column)
  return grown
}

export const growFloat64 = (column: Float64Array, capacity: number): Float64Array<ArrayBuffer> => {
  const grown = new Float64Array(capacity)
  grown.set(column)
  return grown
}

export const growUint8 = (column: Uint8Array, capacity: number): Uint8Array<ArrayBuffer> => {
  const grown = new Uint8Array(capacity)
  grown.set(column)
  return grown
}

/** A checksum's i64 as an unsigned 32-bit number; anything else on the wire is a fault. */
export const readChecksum = (cursor: ThriftCursor): number => {
  cursor.i64()
  if (cursor.hi !== 0) cursor.fail("checksum is not an unsigned 32-bit number")
  return cursor.lo >>> 0
}

/** Up to here all columns share a buffer, since making many is dear; above, fresh pages are dearer than buffers. */
const sharedBufferBytes = 64 * 1024

/** Copies the beginnings of columns, exactly as many rows as there are; of shared ones the 8-byte columns must come first. */
export class ColumnPacker {
  private readonly shared: ArrayBufferLike | undefined
  private offset = 0

  constructor(bytes: number) {
    // Not zeroed: every byte that a column shows is written below.
    this.shared = bytes <= sharedBufferBytes ? Buffer.allocUnsafeSlow(bytes).buffer : undefined
  }

  float64(column: Float64Array, rows: number): Float64Array {
    if (this.shared === undefined) return column.slice(0, rows)
    const packed = new Float64Array(this.shared, this.offset, rows)
    packed.set(column.subarray(0, rows))
    this.offset += packed.byteLength
    return packed
  }

  int32(column: Int32Array, rows: number): Int32Array {
    if (this.shared === undefined) return column.slice(0, rows)
    const packed = new Int32Array(this.shared, this.offset, rows)
    packed.set(column.subarray(0, rows))
    this.offset += packed.byteLength
    return packed
  }

  uint8(column: Uint8Array, rows: number): Uint8Array {
    if (this.shared === undefined) return column.slice(0, rows)
    const packed = new Uint8Array(this.shared, this.offset, rows)
    packed.set(column.subarray(0, rows))
    this.offset += packed.byteLength
    return packed
  }
}
