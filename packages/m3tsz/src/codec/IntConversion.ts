/**
 * Which values M3 stores as integers with a decimal exponent: an exact integer, or |v|·10^k within one float step of one.
 * (specs: peer streaming 6.6, K9, K21; M3: m3tsz.go)
 */
import { high, low, wordsOf } from "../engine/Words.ts"
import { maxMultiplier, powersOfTen } from "./ValueReader.ts"

/** Scaled values from here on are not tried as integers. */
const maxScaled = 1e13

/** 2^63: integers from here on are not stored as integers. */
export const maxInteger = 2 ** 63

const cell = new Float64Array(1)
const cellWords = wordsOf(cell)

/** The next float after a positive `value`, towards zero (−1) or infinity (1). */
const neighbour = (value: number, direction: -1 | 1): number => {
  cell[0] = value
  const lower = cellWords[low]!
  cellWords[low] = lower + direction
  if (direction === 1 ? lower === -1 : lower === 0) cellWords[high]! += direction
  return cell[0]!
}

export class IntConversion {
  /** The integer, in units of 10^−multiplier. */
  readonly integer = new Float64Array(1)
  multiplier = 0

  /** Whether `value` is stored as an integer when exponents below `from` are no longer used. */
  convert(value: number, from: number): boolean {
    if (from === 0 && value < maxInteger && Math.trunc(value) === value && value !== -Infinity) {
      this.integer[0] = value
      this.multiplier = 0
      return true
    }
    const magnitude = Math.abs(value)
    for (let k = from; k <= maxMultiplier; k++) {
      const scaled = magnitude * powersOfTen[k]!
      // Written so that NaN stops, too.
      if (!(scaled < maxScaled)) return false
      const floor = Math.floor(scaled)
      const rest = scaled - floor
      let integer = -1
      if (rest === 0 || (rest < 0.1 && neighbour(scaled, -1) <= floor)) integer = floor
      else if (rest > 0.9 && neighbour(scaled, 1) >= floor + 1) integer = floor + 1
      if (integer >= 0) {
        this.integer[0] = value < 0 ? -integer : integer
        this.multiplier = k
        return true
      }
    }
    return false
  }
}
