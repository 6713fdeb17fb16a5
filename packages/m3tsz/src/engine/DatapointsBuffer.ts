/**
 * Columns that grow and are used again: decoding many blocks into one buffer allocates nothing per block.
 * Valid until the next `clear`; `toDatapoints` copies.
 */
import type { Datapoints } from "../contract/Datapoints.ts"
import { m3tszLimits } from "../contract/Limits.ts"
import { high, low, type PointWords, wordsOf } from "./Words.ts"

export class DatapointsBuffer implements Datapoints {
  count = 0
  timestamps: BigInt64Array<ArrayBuffer>
  values: Float64Array<ArrayBuffer>
  units: Uint8Array<ArrayBuffer>
  readonly annotations = new Map<number, Uint8Array>()
  /** Word views of the columns, see Words.ts. Replaced when the columns grow. */
  timeWords: Int32Array
  valueWords: Int32Array

  constructor(capacity: number = m3tszLimits.initialPoints) {
    this.timestamps = new BigInt64Array(capacity)
    this.values = new Float64Array(capacity)
    this.units = new Uint8Array(capacity)
    this.timeWords = wordsOf(this.timestamps)
    this.valueWords = wordsOf(this.values)
  }

  get capacity(): number {
    return this.units.length
  }

  clear(): void {
    this.count = 0
    if (this.annotations.size > 0) this.annotations.clear()
  }

  /** Makes room for at least one more point, at most `limit` in all; false when there is none. */
  grow(limit: number): boolean {
    if (this.count >= limit) return false
    const capacity = Math.min(limit, Math.max(16, this.capacity * 2))
    const { timestamps, units } = this
    this.timestamps = new BigInt64Array(capacity)
    this.timestamps.set(timestamps)
    this.values = new Float64Array(capacity)
    this.units = new Uint8Array(capacity)
    this.units.set(units)
    this.timeWords = wordsOf(this.timestamps)
    const words = this.valueWords
    this.valueWords = wordsOf(this.values)
    this.valueWords.set(words)
    return true
  }

  /** Appends point `index` of `source` with its unit and annotation, bit for bit. */
  push(source: PointWords, index: number): void {
    if (this.count === this.capacity) this.grow(Number.MAX_SAFE_INTEGER)
    const to = this.count++
    this.timeWords[2 * to + high] = source.times[2 * index + high]!
    this.timeWords[2 * to + low] = source.times[2 * index + low]!
    this.valueWords[2 * to + high] = source.values[2 * index + high]!
    this.valueWords[2 * to + low] = source.values[2 * index + low]!
    this.units[to] = source.points.units[index]!
    const annotations = source.points.annotations
    if (annotations.size > 0) {
      const annotation = annotations.get(index)
      if (annotation !== undefined) this.annotations.set(to, annotation)
    }
  }

  /** A copy of exactly `count` points; annotation bytes are shared. */
  toDatapoints(): Datapoints {
    const values = new Float64Array(this.count)
    wordsOf(values).set(this.valueWords.subarray(0, 2 * this.count))
    return {
      count: this.count,
      timestamps: this.timestamps.slice(0, this.count),
      values,
      units: this.units.slice(0, this.count),
      annotations: new Map(this.annotations)
    }
  }
}
