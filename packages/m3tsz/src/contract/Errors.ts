/**
 * Malformed input as values: what is wrong, where, what to do. They are returned, not thrown, so that a bad block of one
 * peer ends that block and nothing else.
 */

/**
 * `truncated`: no end-of-stream marker before the bytes ran out · `too-large`: above `maxBytes` · `too-many-points`:
 * above `maxPoints` · `no-unit`: a timestamp before any time unit is known · `bad-unit`: a unit id outside 1–8 ·
 * `bad-annotation-length`: a length ≤ 0 or no varint · `bad-multiplier`: a decimal exponent above 6.
 */
export type DecodeReason =
  | "truncated"
  | "too-large"
  | "too-many-points"
  | "no-unit"
  | "bad-unit"
  | "bad-annotation-length"
  | "bad-multiplier"

/** Why a stream cannot be read, and where; a value that is returned. */
export class DecodeError {
  readonly _tag = "DecodeError"
  readonly reason: DecodeReason
  /** Where the point that cannot be read begins, in bits from the start of the stream. */
  readonly bitOffset: number
  /** Whole points before it. */
  readonly pointIndex: number
  readonly message: string
  constructor(reason: DecodeReason, bitOffset: number, pointIndex: number, message: string) {
    this.reason = reason
    this.bitOffset = bitOffset
    this.pointIndex = pointIndex
    this.message = message
  }
}

/**
 * `unit-not-encodable`: only 1–4 · `delta-too-large`: beyond 32 bits of s or ms, or, in any mode, a step of 291 years or
 * more back, which readers take for a marker · `too-large`: above `maxBytes`. In lossless mode only the last two occur.
 */
export type EncodeReason = "unit-not-encodable" | "delta-too-large" | "too-large"

/** Why points cannot be written, and which one; a value that is returned. */
export class EncodeError {
  readonly _tag = "EncodeError"
  readonly reason: EncodeReason
  readonly pointIndex: number
  readonly message: string
  constructor(reason: EncodeReason, pointIndex: number, message: string) {
    this.reason = reason
    this.pointIndex = pointIndex
    this.message = message
  }
}

/** `out-of-order`: an input goes back in time (M3 fails the merge, too) · `duplicate-peer`: one peer, two copies. */
export type MergeReason = "out-of-order" | "duplicate-peer"

/** Why streams cannot be merged, and which one; a value that is returned. */
export class MergeError {
  readonly _tag = "MergeError"
  readonly reason: MergeReason
  /** Which input, by its position in the list given. */
  readonly inputIndex: number
  readonly pointIndex: number
  readonly message: string
  constructor(reason: MergeReason, inputIndex: number, pointIndex: number, message: string) {
    this.reason = reason
    this.inputIndex = inputIndex
    this.pointIndex = pointIndex
    this.message = message
  }
}
