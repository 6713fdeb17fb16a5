/**
 * Values into a stream, with M3's choice between int mode and float mode. In lossless mode every int is checked against
 * what a reader would make of it, and written as a float where that is not the value, bit for bit.
 * (specs: peer streaming 6.5–6.7, K8, K9, K20, D12)
 */
import { high, low, wordsOf } from "../engine/Words.ts"
import type { BitWriter } from "./BitWriter.ts"
import { IntConversion, maxInteger } from "./IntConversion.ts"
import { powersOfTen } from "./ValueReader.ts"

/** The width drops when this many differences in a row are at least 3 bits narrower. */
const narrowerInARow = 5
const narrowerBits = 3

const bitLength = (magnitude: number): number =>
  magnitude >= 0x100000000 ? 64 - Math.clz32(Math.floor(magnitude / 0x100000000)) : 32 - Math.clz32(magnitude)

const cell = new Float64Array(1)
const cellWords = wordsOf(cell)

export class ValueWriter {
  private readonly conversion = new IntConversion()
  private lossless = true
  private first = true
  private isFloat = false
  private readonly integer = new Float64Array(1)
  private multiplier = 0
  private significant = 0
  private narrower = 0
  private widestNarrower = 0
  private bitsHigh = 0
  private bitsLow = 0
  private leading = 0
  private trailing = 0

  reset(lossless: boolean): void {
    this.lossless = lossless
    this.first = true
    this.isFloat = false
    this.integer[0] = 0
    this.multiplier = 0
    this.significant = 0
    this.narrower = 0
  }

  write(bits: BitWriter, bitsHigh: number, bitsLow: number): void {
    cellWords[high] = bitsHigh
    cellWords[low] = bitsLow
    const isInt = this.conversion.convert(cell[0]!, this.multiplier)
    if (this.first) {
      this.first = false
      if (isInt && this.conversion.integer[0]! >= -maxInteger && this.exact(0, bitsHigh, bitsLow)) this.firstInt(bits)
      else {
        bits.put(1, 1)
        this.fullFloat(bits, bitsHigh, bitsLow)
      }
      return
    }
    const difference = isInt ? this.integer[0]! - this.conversion.integer[0]! : 0
    const fits = isInt && difference < maxInteger && difference > -maxInteger
    if (fits && this.exact(difference, bitsHigh, bitsLow)) this.nextInt(bits, difference)
    // M3 keeps the exponent of an integer whose difference is too large.
    else this.nextFloat(bits, bitsHigh, bitsLow, isInt && !fits ? this.conversion.multiplier : 0)
  }

  /** Lossless mode: whether a reader gets the integer, and from it the value. */
  private exact(difference: number, bitsHigh: number, bitsLow: number): boolean {
    if (!this.lossless) return true
    const { multiplier } = this.conversion
    const integer = this.conversion.integer[0]!
    if (difference !== 0 && this.integer[0]! - difference !== integer) return false
    cell[0] = multiplier === 0 ? integer : integer / powersOfTen[multiplier]!
    // A reader never has −0 as an integer.
    if (integer === 0) cell[0] = 0
    return cellWords[high] === bitsHigh && cellWords[low] === bitsLow
  }

  private firstInt(bits: BitWriter): void {
    const integer = this.conversion.integer[0]!
    const magnitude = Math.abs(integer)
    bits.put(0, 1)
    this.widthAndMultiplier(bits, bitLength(magnitude), this.conversion.multiplier, false)
    this.difference(bits, magnitude, integer >= 0)
    this.integer[0] = integer
  }

  private nextInt(bits: BitWriter, difference: number): void {
    const { multiplier } = this.conversion
    const modeChanged = this.isFloat
    if (difference === 0 && !modeChanged && multiplier === this.multiplier) {
      bits.put(0b01, 2)
      return
    }
    const magnitude = Math.abs(difference)
    const significant = this.track(bitLength(magnitude))
    if (multiplier > this.multiplier || significant !== this.significant || modeChanged) {
      bits.put(0b000, 3)
      this.widthAndMultiplier(bits, significant, multiplier, modeChanged)
      this.isFloat = false
    } else {
      bits.put(1, 1)
    }
    this.difference(bits, magnitude, difference < 0)
    this.integer[0] = this.conversion.integer[0]!
  }

  /** The width to use: wider at once, narrower only after a run of narrow differences. */
  private track(needed: number): number {
    if (needed > this.significant) return needed
    if (this.significant - needed < narrowerBits) {
      this.narrower = 0
      return this.significant
    }
    if (this.narrower === 0 || needed > this.widestNarrower) this.widestNarrower = needed
    this.narrower++
    if (this.narrower < narrowerInARow) return this.significant
    this.narrower = 0
    return this.widestNarrower
  }

  private widthAndMultiplier(bits: BitWriter, significant: number, multiplier: number, modeChanged: boolean): void {
    if (significant === this.significant) bits.put(0, 1)
    else if (significant === 0) bits.put(0b10, 2)
    else bits.put(0b11000000 | (significant - 1), 8)
    this.significant = significant
    if (multiplier > this.multiplier || (modeChanged && multiplier === this.multiplier)) {
      bits.put(0b1000 | multiplier, 4)
      this.multiplier = multiplier
    } else {
      bits.put(0, 1)
    }
  }

  private difference(bits: BitWriter, magnitude: number, adds: boolean): void {
    bits.put(adds ? 1 : 0, 1)
    if (this.significant > 32) bits.put(Math.floor(magnitude / 0x100000000), this.significant - 32)
    bits.put(magnitude, Math.min(32, this.significant))
  }

  private nextFloat(bits: BitWriter, bitsHigh: number, bitsLow: number, multiplier: number): void {
    if (!this.isFloat) {
      bits.put(0b001, 3)
      this.fullFloat(bits, bitsHigh, bitsLow)
      this.multiplier = multiplier
    } else if (bitsHigh === this.bitsHigh && bitsLow === this.bitsLow) {
      bits.put(0b01, 2)
    } else {
      bits.put(1, 1)
      this.xor(bits, bitsHigh, bitsLow)
    }
  }

  private fullFloat(bits: BitWriter, bitsHigh: number, bitsLow: number): void {
    bits.put(bitsHigh, 32)
    bits.put(bitsLow, 32)
    this.isFloat = true
    this.bitsHigh = bitsHigh
    this.bitsLow = bitsLow
    this.window(bitsHigh, bitsLow)
  }

  /** The two values differ: an equal one was written as a repeat. */
  private xor(bits: BitWriter, bitsHigh: number, bitsLow: number): void {
    const upper = bitsHigh ^ this.bitsHigh
    const lower = bitsLow ^ this.bitsLow
    const { leading, trailing } = this
    this.window(upper, lower)
    if (this.leading >= leading && this.trailing >= trailing) {
      bits.put(0b10, 2)
      putMiddle(bits, upper, lower, 64 - leading - trailing, trailing)
    } else {
      const count = 64 - this.leading - this.trailing
      bits.put(0b11, 2)
      bits.put(this.leading, 6)
      bits.put(count - 1, 6)
      putMiddle(bits, upper, lower, count, this.trailing)
    }
    this.bitsHigh = bitsHigh
    this.bitsLow = bitsLow
  }

  private window(highBits: number, lowBits: number): void {
    this.leading = highBits === 0 ? 32 + Math.clz32(lowBits) : Math.clz32(highBits)
    if (lowBits !== 0) this.trailing = 31 - Math.clz32(lowBits & -lowBits)
    else this.trailing = highBits === 0 ? 0 : 63 - Math.clz32(highBits & -highBits)
  }
}

/** Writes `count` bits of a 64-bit word, those above its lowest `shift`. */
const putMiddle = (bits: BitWriter, upper: number, lower: number, count: number, shift: number): void => {
  if (shift >= 32) {
    bits.put(upper >>> (shift - 32), count)
    return
  }
  const shiftedLow = shift === 0 ? lower : (lower >>> shift) | (upper << (32 - shift))
  if (count > 32) bits.put(upper >>> shift, count - 32)
  bits.put(shiftedLow, Math.min(32, count))
}
