/**
 * Timestamps into a stream. M3's way divides by the unit and drops the rest; in lossless mode a point whose step does not
 * fit its unit gets the coarsest finer unit that divides its time, and so do its successors until one fits again.
 * (specs: peer streaming 6.3, 6.4, K10, K11)
 */
import { unitNanos } from "../contract/TimeUnits.ts"
import { fromWords, highWord, lowWord } from "../engine/Words.ts"
import type { BitWriter } from "./BitWriter.ts"
import * as Status from "./Status.ts"
import { wholeSeconds } from "./TimeReader.ts"

const marker = (kind: number): number => (0x100 << 2) | kind
export const endMarker = marker(0)
export const markerBits = 11
/** The delta does not fit the 32 bits that s and ms have, or would read as a marker. */
export const deltaTooLarge = -2

/** Up to here a dod is exact as a double, and so is its division by any unit. */
const exactHigh = 1 << 19

export class TimeWriter {
  private lossless = true
  private timeHigh = 0
  private timeLow = 0
  private deltaHigh = 0
  private deltaLow = 0
  private unit = 0
  /** The current unit is finer than what was asked for. */
  private refined = false
  private lastAnnotation: Uint8Array | undefined
  /** Result of `divide`. */
  private quotientHigh = 0
  private quotientLow = 0

  /** Writes the 64-bit start. */
  start(bits: BitWriter, highBits: number, lowBits: number, lossless: boolean): void {
    this.lossless = lossless
    this.timeHigh = highBits
    this.timeLow = lowBits
    this.deltaHigh = 0
    this.deltaLow = 0
    this.unit = wholeSeconds(highBits, lowBits) ? 1 : 0
    this.refined = false
    this.lastAnnotation = undefined
    bits.put(highBits, 32)
    bits.put(lowBits, 32)
  }

  /** Writes annotation, unit change and delta of delta. `unit` is any id in lossless mode, 1–4 otherwise. */
  write(
    bits: BitWriter,
    highBits: number,
    lowBits: number,
    unit: number,
    annotation: Uint8Array | undefined
  ): number {
    if (annotation !== undefined && annotation.length > 0) this.annotation(bits, annotation)
    const deltaLow = (lowBits - this.timeLow) | 0
    const deltaHigh = (highBits - this.timeHigh - (lowBits >>> 0 < this.timeLow >>> 0 ? 1 : 0)) | 0
    const dodLow = (deltaLow - this.deltaLow) | 0
    const dodHigh = (deltaHigh - this.deltaHigh - (deltaLow >>> 0 < this.deltaLow >>> 0 ? 1 : 0)) | 0
    this.timeHigh = highBits
    this.timeLow = lowBits
    const chosen = this.lossless ? this.fitting(unit, deltaHigh, deltaLow, dodHigh, dodLow) : unit
    if (chosen !== this.unit) {
      if (readsAsMarker(dodHigh)) return deltaTooLarge
      this.unit = chosen
      bits.put(marker(2), markerBits)
      bits.put(chosen, 8)
      bits.put(dodHigh, 32)
      bits.put(dodLow, 32)
      this.deltaHigh = 0
      this.deltaLow = 0
      return Status.point
    }
    if (dodHigh === 0 && dodLow === 0) {
      // A regular series, all but its first points.
      bits.put(0, 1)
      return Status.point
    }
    this.deltaHigh = deltaHigh
    this.deltaLow = deltaLow
    this.divide(dodHigh, dodLow, chosen)
    return this.bucket(bits)
  }

  /** The unit under which a reader gets exactly this time. */
  private fitting(asked: number, deltaHigh: number, deltaLow: number, dodHigh: number, dodLow: number): number {
    const wanted = asked >= 1 && asked <= 4 ? asked : 1
    if (wanted === this.unit) {
      this.refined = false
      if ((dodHigh === 0 && dodLow === 0) || this.fits(dodHigh, dodLow, wanted)) return wanted
    } else if (this.refined && wanted < this.unit) {
      if (!this.divide(deltaHigh, deltaLow, wanted)) {
        if (this.fits(dodHigh, dodLow, this.unit)) return this.unit
        return this.finer(this.unit)
      }
      this.refined = false
      return wanted
    } else {
      // A change of unit carries its step in nanoseconds: always exact.
      this.refined = false
      return wanted
    }
    return this.finer(wanted)
  }

  private finer(unit: number): number {
    this.refined = true
    for (let finer = unit + 1; finer < 4; finer++) {
      if (this.divide(this.timeHigh, this.timeLow, finer)) return finer
    }
    return 4
  }

  private fits(dodHigh: number, dodLow: number, unit: number): boolean {
    return this.divide(dodHigh, dodLow, unit) && (unit > 2 || this.quotientHigh === this.quotientLow >> 31)
  }

  /** Divides an int64 by the unit, truncating towards zero; whether nothing is left over. */
  private divide(highBits: number, lowBits: number, unit: number): boolean {
    const nanos = unitNanos[unit]!
    if (highBits >= -exactHigh && highBits < exactHigh) {
      const dividend = highBits * 0x100000000 + (lowBits >>> 0)
      const quotient = Math.trunc(dividend / nanos)
      this.quotientHigh = Math.floor(quotient / 0x100000000)
      this.quotientLow = quotient | 0
      return quotient * nanos === dividend
    }
    const dividend = fromWords(highBits, lowBits)
    const quotient = dividend / BigInt(nanos)
    this.quotientHigh = highWord(quotient)
    this.quotientLow = lowWord(quotient)
    return quotient * BigInt(nanos) === dividend
  }

  private bucket(bits: BitWriter): number {
    const small = this.quotientHigh === this.quotientLow >> 31
    const dod = this.quotientLow
    if (small && dod === 0) bits.put(0, 1)
    else if (small && dod >= -64 && dod < 64) bits.put((0b10 << 7) | (dod & 0x7f), 9)
    else if (small && dod >= -256 && dod < 256) bits.put((0b110 << 9) | (dod & 0x1ff), 12)
    else if (small && dod >= -2048 && dod < 2048) bits.put((0b1110 << 12) | (dod & 0xfff), 16)
    else {
      bits.put(0b1111, 4)
      if (this.unit > 2) bits.put(this.quotientHigh, 32)
      else if (!small) return deltaTooLarge
      bits.put(dod, 32)
    }
    return Status.point
  }

  private annotation(bits: BitWriter, bytes: Uint8Array): void {
    // M3 leaves out one that equals the last written; its reader then reports none for that point.
    if (!this.lossless && this.lastAnnotation !== undefined && equalBytes(this.lastAnnotation, bytes)) return
    this.lastAnnotation = bytes
    bits.put(marker(1), markerBits)
    let rest = 2 * (bytes.length - 1)
    while (rest > 0x7f) {
      bits.put((rest & 0x7f) | 0x80, 8)
      rest = Math.floor(rest / 0x80)
    }
    bits.put(rest, 8)
    for (let i = 0; i < bytes.length; i++) bits.put(bytes[i]!, 8)
  }
}

/**
 * After a unit change a reader still looks for a marker before the 64-bit step, which has no prefix: steps back of 291.4
 * years or more begin like one.
 */
const readsAsMarker = (dodHigh: number): boolean => dodHigh >>> 23 === 0x100 && ((dodHigh >>> 21) & 3) !== 3

const equalBytes = (a: Uint8Array, b: Uint8Array): boolean => {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}
