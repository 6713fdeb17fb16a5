/**
 * Timestamps of a stream: markers (end, annotation, time unit) and delta of delta, in 32-bit words that wrap as int64
 * does. Adds the truncated steps exactly as M3's reader does, so what its writer lost stays lost in the same way.
 * (specs: peer streaming 6.2–6.4, K10, K11; M3: timestamp_iterator.go)
 */
import { lastUnit, unitNanos } from "../contract/TimeUnits.ts"
import type { BitReader } from "./BitReader.ts"
import * as Status from "./Status.ts"

const markerBits = 11
const markerPrefix = 0x100
/** Integers up to here are exact as doubles. */
const maxExact = Number.MAX_SAFE_INTEGER

export class TimeReader {
  timeHigh = 0
  timeLow = 0
  unit = 0
  /** Annotation of the current point: length in bytes (0 = none) and its first bit. */
  annotationLength = 0
  annotationAt = 0
  private deltaHigh = 0
  private deltaLow = 0
  private unitChanged = false

  /** Reads the 64-bit start and resets everything else. */
  start(bits: BitReader): void {
    this.timeHigh = bits.word()
    this.timeLow = bits.word()
    this.deltaHigh = 0
    this.deltaLow = 0
    this.unitChanged = false
    this.annotationLength = 0
    this.unit = wholeSeconds(this.timeHigh, this.timeLow) ? 1 : 0
  }

  /** Reads one timestamp, or the end. The caller checks afterwards that `position` is not beyond `end`. */
  next(bits: BitReader): number {
    this.annotationLength = 0
    const window = bits.peek()
    if (window >= 0 && this.unit !== 0) {
      bits.position += 1
      this.addDelta()
      return Status.point
    }
    return window >>> 23 === markerPrefix ? this.markersAndDelta(bits) : this.delta(bits, window)
  }

  private markersAndDelta(bits: BitReader): number {
    for (;;) {
      const window = bits.peek()
      const marker = (window >>> 21) & 3
      if (window >>> 23 !== markerPrefix || marker === 3 || bits.position + markerBits > bits.end) {
        return this.delta(bits, window)
      }
      bits.position += markerBits
      if (marker === 0) return Status.endOfStream
      const status = marker === 1 ? this.annotation(bits) : this.unitChange(bits)
      if (status !== Status.point) return status
    }
  }

  private delta(bits: BitReader, window: number): number {
    if (this.unitChanged) {
      this.addDeltaOfDelta(bits.word(), bits.word())
      this.deltaHigh = 0
      this.deltaLow = 0
      this.unitChanged = false
      return Status.point
    }
    const unit = this.unit
    if (unit === 0) return Status.noUnit
    if (unit > 4 || window >= 0) {
      // Units above 4 have buckets of no bits at all: one bit, no change.
      bits.position += 1
      this.addDelta()
    } else if ((window & 0x40000000) === 0) {
      bits.position += 9
      this.addScaled((window << 2) >> 25)
    } else if ((window & 0x20000000) === 0) {
      bits.position += 12
      this.addScaled((window << 3) >> 23)
    } else if ((window & 0x10000000) === 0) {
      bits.position += 16
      this.addScaled((window << 4) >> 20)
    } else {
      bits.position += 4
      if (unit <= 2) this.addScaled(bits.word())
      else if (unit === 4) this.addDeltaOfDelta(bits.word(), bits.word())
      else this.addMicros(bits.word(), bits.word())
    }
    return Status.point
  }

  private addScaled(units: number): void {
    const nanos = units * unitNanos[this.unit]!
    if (nanos > maxExact || nanos < -maxExact) this.addWide(units, unitNanos[this.unit]!)
    else this.addDeltaOfDelta(Math.floor(nanos / 0x100000000), nanos | 0)
  }

  /** 32 × 30 bits, beyond 2^53: in two halves. */
  private addWide(units: number, nanos: number): void {
    const upper = (units >> 16) * nanos
    const lower = (units & 0xffff) * nanos
    const upperHigh = Math.floor(upper / 0x10000)
    const rest = (upper - upperHigh * 0x10000) * 0x10000 + lower
    this.addDeltaOfDelta(upperHigh + Math.floor(rest / 0x100000000), rest | 0)
  }

  private addMicros(highBits: number, lowBits: number): void {
    const lower = (lowBits >>> 0) * 1000
    this.addDeltaOfDelta((highBits * 1000 + Math.floor(lower / 0x100000000)) | 0, lower | 0)
  }

  private addDeltaOfDelta(highBits: number, lowBits: number): void {
    const sum = (this.deltaLow + lowBits) | 0
    const carry = sum >>> 0 < lowBits >>> 0 ? 1 : 0
    this.deltaHigh = (this.deltaHigh + highBits + carry) | 0
    this.deltaLow = sum
    this.addDelta()
  }

  private addDelta(): void {
    const sum = (this.timeLow + this.deltaLow) | 0
    const carry = sum >>> 0 < this.deltaLow >>> 0 ? 1 : 0
    this.timeHigh = (this.timeHigh + this.deltaHigh + carry) | 0
    this.timeLow = sum
  }

  private unitChange(bits: BitReader): number {
    if (bits.position + 8 > bits.end) return Status.truncated
    const unit = bits.take(8)
    if (unit === 0 || unit > lastUnit) return Status.badUnit
    if (unit !== this.unit) this.unitChanged = true
    this.unit = unit
    return Status.point
  }

  /** A zig-zag varint of length − 1, then the bytes; nothing is copied here. */
  private annotation(bits: BitReader): number {
    let encoded = 0
    for (let i = 0;; i++) {
      if (bits.position + 8 > bits.end) return Status.truncated
      const group = bits.take(8)
      if (i === 0 && (group & 1) === 1) return Status.badAnnotation
      if (i === 9 && group > 1) return Status.badAnnotation
      encoded += (group & 0x7f) * 2 ** (7 * i)
      if (group < 0x80) break
    }
    const length = encoded / 2 + 1
    if (length * 8 > bits.end - bits.position) return Status.truncated
    this.annotationAt = bits.position
    this.annotationLength = length
    bits.position += length * 8
    return Status.point
  }
}

/** Whether an int64 of nanoseconds is a multiple of 10^9; 16 bits at a time, so that every product is exact. */
export const wholeSeconds = (highBits: number, lowBits: number): boolean => {
  const upper = (highBits * 0x10000 + (lowBits >>> 16)) % 1e9
  return (upper * 0x10000 + (lowBits & 0xffff)) % 1e9 === 0
}
