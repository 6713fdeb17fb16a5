/** Growth of answer columns: by what has been read, at most doubling, never by a declared count. */
import { Limits } from "../contract/Limits.ts"
import type { ThriftCursor } from "./Thrift.ts"
import { WireFault } from "./WireFault.ts"

export const firstRows = 64

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
