/**
 * Values of a stream: int mode (differences with significant bits and a decimal exponent) and float mode (XOR).
 * The int value is a double and drifts beyond 2^53 exactly as M3's does. (specs: peer streaming 6.5–6.7, K8, K20)
 */
import type { BitReader } from "./BitReader.ts"
import * as Status from "./Status.ts"

export const powersOfTen: ReadonlyArray<number> = [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6]
export const maxMultiplier = 6

export class ValueReader {
  isFloat = false
  /** Float mode: the bits of the value. */
  bitsHigh = 0
  bitsLow = 0
  private readonly integer = new Float64Array(1)
  private multiplier = 0
  private significant = 0
  private leading = 0
  private trailing = 0

  reset(): void {
    this.isFloat = false
    this.integer[0] = 0
    this.multiplier = 0
    this.significant = 0
  }

  /** Int mode: the value. */
  get intValue(): number {
    return this.multiplier === 0 ? this.integer[0]! : this.integer[0]! / powersOfTen[this.multiplier]!
  }

  first(bits: BitReader): number {
    if (bits.take(1) === 1) {
      this.fullFloat(bits)
      return Status.point
    }
    return this.intUpdate(bits)
  }

  next(bits: BitReader): number {
    const window = bits.peek()
    if (window < 0) {
      bits.position += 1
      if (this.isFloat) this.xor(bits)
      else this.difference(bits)
      return Status.point
    }
    if ((window & 0x40000000) !== 0) {
      bits.position += 2
      return Status.point
    }
    bits.position += 3
    if ((window & 0x20000000) !== 0) {
      this.fullFloat(bits)
      return Status.point
    }
    this.isFloat = false
    return this.intUpdate(bits)
  }

  private intUpdate(bits: BitReader): number {
    if (bits.take(1) === 1) {
      if (bits.take(1) === 0) this.significant = 0
      else this.significant = bits.take(6) + 1
    }
    if (bits.take(1) === 1) {
      this.multiplier = bits.take(3)
      if (this.multiplier > maxMultiplier) return Status.badMultiplier
    }
    this.difference(bits)
    return Status.point
  }

  private difference(bits: BitReader): void {
    const significant = this.significant
    const window = bits.peek()
    let magnitude: number
    if (significant <= 31) {
      magnitude = significant === 0 ? 0 : (window << 1) >>> (32 - significant)
      bits.position += 1 + significant
    } else {
      bits.position += 1
      const upper = significant === 32 ? 0 : bits.take(significant - 32)
      // One rounding, as in Go's conversion from uint64.
      magnitude = upper * 0x100000000 + (bits.word() >>> 0)
    }
    this.integer[0]! += window < 0 ? magnitude : -magnitude
  }

  private fullFloat(bits: BitReader): void {
    this.isFloat = true
    this.bitsHigh = bits.word()
    this.bitsLow = bits.word()
    this.window(this.bitsHigh, this.bitsLow)
  }

  private xor(bits: BitReader): void {
    const window = bits.peek()
    if (window >= 0) {
      bits.position += 1
      this.window(0, 0)
      return
    }
    if ((window & 0x40000000) === 0) {
      bits.position += 2
      this.meaningful(bits, 64 - this.leading - this.trailing, this.trailing)
      return
    }
    bits.position += 14
    const leading = (window >>> 24) & 0x3f
    const count = ((window >>> 18) & 0x3f) + 1
    this.meaningful(bits, count, 64 - leading - count)
  }

  /** Reads `count` bits, moves them up by `shift` and applies them. A negative shift (damaged stream) means zero. */
  private meaningful(bits: BitReader, count: number, shift: number): void {
    let upper = count > 32 ? bits.take(count - 32) : 0
    let lower = count >= 32 ? bits.word() : count === 0 ? 0 : bits.take(count)
    if (shift < 0) {
      upper = 0
      lower = 0
    } else if (shift >= 32) {
      upper = lower << (shift - 32)
      lower = 0
    } else if (shift > 0) {
      upper = (upper << shift) | (lower >>> (32 - shift))
      lower <<= shift
    }
    this.bitsHigh ^= upper
    this.bitsLow ^= lower
    this.window(upper, lower)
  }

  /** Remembers leading and trailing zeros of the last XOR, (64, 0) for zero. */
  private window(highBits: number, lowBits: number): void {
    this.leading = highBits === 0 ? 32 + Math.clz32(lowBits) : Math.clz32(highBits)
    if (lowBits !== 0) this.trailing = 31 - Math.clz32(lowBits & -lowBits)
    else this.trailing = highBits === 0 ? 0 : 63 - Math.clz32(highBits & -highBits)
  }
}
