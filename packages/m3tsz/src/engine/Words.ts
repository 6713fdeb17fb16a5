/**
 * 64-bit columns seen as pairs of 32-bit words, because bigint in a loop is 15 times slower and a NaN read as a number
 * may lose its payload.
 */
import type { Datapoints } from "../contract/Datapoints.ts"

const littleEndian = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1

/** Position of the low and high word within a pair on this machine. */
export const low = littleEndian ? 0 : 1
export const high = littleEndian ? 1 : 0

export const wordsOf = (column: BigInt64Array | Float64Array): Int32Array =>
  new Int32Array(column.buffer, column.byteOffset, column.length * 2)

const cell = new BigInt64Array(1)
const cellWords = wordsOf(cell)

export const highWord = (value: bigint): number => {
  cell[0] = value
  return cellWords[high]!
}

export const lowWord = (value: bigint): number => {
  cell[0] = value
  return cellWords[low]!
}

export const fromWords = (highBits: number, lowBits: number): bigint => {
  cellWords[high] = highBits
  cellWords[low] = lowBits
  return cell[0]!
}

/** Sign of a − b for signed 64-bit integers as words. */
export const compareWords = (aHigh: number, aLow: number, bHigh: number, bLow: number): number =>
  aHigh !== bHigh ? (aHigh < bHigh ? -1 : 1) : aLow === bLow ? 0 : aLow >>> 0 < bLow >>> 0 ? -1 : 1

/** Datapoints with the word views of their columns. */
export interface PointWords {
  readonly points: Datapoints
  readonly times: Int32Array
  readonly values: Int32Array
}

export const pointWords = (points: Datapoints): PointWords => ({
  points,
  times: wordsOf(points.timestamps),
  values: wordsOf(points.values)
})
