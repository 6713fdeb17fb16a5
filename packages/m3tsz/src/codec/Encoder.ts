/**
 * Columns to one M3TSZ stream. Lossless by default: a decoded stream equals its input, and the bytes are M3's own wherever
 * M3's encoder is faithful. (specs: peer streaming 6, 6.9, D12, K8–K11, K20, K21)
 */
import type { Datapoints } from "../contract/Datapoints.ts"
import { EncodeError } from "../contract/Errors.ts"
import { m3tszLimits } from "../contract/Limits.ts"
import { high, highWord, low, lowWord, wordsOf } from "../engine/Words.ts"
import { BitWriter } from "./BitWriter.ts"
import * as Status from "./Status.ts"
import { endMarker, markerBits, TimeWriter } from "./TimeWriter.ts"
import { ValueWriter } from "./ValueWriter.ts"

/** One stream as bytes. */
export interface EncodedBlock {
  /** Head and tail in one. Empty when there are no points, as in M3. */
  readonly bytes: Uint8Array
  /** M3's head is `bytes[0, headLength)`, its tail the last 2 or 3 bytes. */
  readonly headLength: number
}

/** How faithful the encoder is. */
export interface EncodeOptions {
  /**
   * Default true: timestamps, value bits and annotations decode to exactly the input (an empty annotation counts as
   * none); a unit becomes finer only where its step does not divide a time, and ids outside 1–4 become seconds or finer.
   * False: M3's encoder bit for bit, with what it loses — sub-unit time, repeated annotations, −0, 5e−324, integers
   * beyond 2^53 — except that a first value below −2^63 is a float.
   */
  readonly lossless?: boolean
  /** Bytes of the result, default and maximum `m3tszLimits.maxStreamBytes`. */
  readonly maxBytes?: number
}

const bits = new BitWriter()
const time = new TimeWriter()
const value = new ValueWriter()

/**
 * Encodes `points.count` points; `start` is the block start in ns. Timestamps may repeat or go back, in lossless mode by
 * anything up to 291 years.
 */
export const encodeBlock = (
  points: Datapoints,
  start: bigint,
  options?: EncodeOptions
): EncodedBlock | EncodeError => {
  if (points.count === 0) return { bytes: new Uint8Array(0), headLength: 0 }
  const error = writePoints(points, start, options)
  const headLength = Math.ceil(bits.bitLength / 8) - 1
  bits.put(endMarker, markerBits)
  const result = error ?? { bytes: bits.finish(), headLength }
  bits.trim(m3tszLimits.maxKeptBytes)
  return result
}

const writePoints = (points: Datapoints, start: bigint, options?: EncodeOptions): EncodeError | undefined => {
  const lossless = options?.lossless ?? true
  const maxBits = 8 * Math.min(options?.maxBytes ?? m3tszLimits.maxStreamBytes, m3tszLimits.maxStreamBytes)
  const times = wordsOf(points.timestamps)
  const values = wordsOf(points.values)
  bits.reset()
  time.start(bits, highWord(start), lowWord(start), lossless)
  value.reset(lossless)
  for (let i = 0; i < points.count; i++) {
    const unit = points.units[i]!
    if (!lossless && (unit < 1 || unit > 4)) {
      return failure("unit-not-encodable", i, `unit id ${unit} has no encoding; encode lossless`)
    }
    const annotation = points.annotations.size > 0 ? points.annotations.get(i) : undefined
    if (annotation !== undefined && annotation.length * 8 > maxBits) return tooLarge(i, maxBits)
    const status = time.write(bits, times[2 * i + high]!, times[2 * i + low]!, unit, annotation)
    if (status !== Status.point) return failure("delta-too-large", i, tooFar(lossless))
    value.write(bits, values[2 * i + high]!, values[2 * i + low]!)
    if (bits.bitLength + markerBits > maxBits) return tooLarge(i, maxBits)
  }
  return undefined
}

const tooFar = (lossless: boolean): string =>
  lossless ? "the time is 291 years or more before the last; leave it out" : "the step is beyond its unit"

const failure = (reason: EncodeError["reason"], index: number, what: string): EncodeError =>
  new EncodeError(reason, index, `M3TSZ point ${index}: ${what}`)

const tooLarge = (index: number, maxBits: number): EncodeError =>
  new EncodeError("too-large", index, `M3TSZ point ${index}: the stream exceeds ${maxBits / 8} bytes; raise maxBytes`)
