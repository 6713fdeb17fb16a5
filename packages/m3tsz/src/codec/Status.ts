/** What one step of reading or writing came to. Small integers, because this is per point. */
import type { DecodeReason } from "../contract/Errors.ts"

export const point = 0
export const endOfStream = 1
export const truncated = 2
export const noUnit = 3
export const badUnit = 4
export const badAnnotation = 5
export const badMultiplier = 6

const reasons: ReadonlyArray<DecodeReason> = [
  "truncated",
  "truncated",
  "truncated",
  "no-unit",
  "bad-unit",
  "bad-annotation-length",
  "bad-multiplier"
]

const sentences: Record<DecodeReason, string> = {
  "truncated": "the bytes end before the end-of-stream marker; ask another copy",
  "too-large": "the stream has more bytes than the limit allows; raise maxBytes if it is genuine",
  "too-many-points": "the stream has more points than the limit allows; raise maxPoints if it is genuine",
  "no-unit": "a timestamp comes before any time unit, although the start is no whole second; the stream is damaged",
  "bad-unit": "the time unit id is outside 1–8; the stream is damaged",
  "bad-annotation-length": "the annotation length is no positive varint; the stream is damaged",
  "bad-multiplier": "the decimal exponent is above 6; the stream is damaged"
}

export const reasonOf = (status: number): DecodeReason => reasons[status]!
export const sentenceOf = (reason: DecodeReason): string => sentences[reason]
