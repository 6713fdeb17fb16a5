// Payloads, the places around the edges of frames and arguments, and the comparison that all cases use.
import { assert } from "@effect/vitest"
import { ChecksumType } from "../../src/index.ts"
import { pattern } from "../bytes.ts"

export const seed = Number(process.env["PEERSTRAP_SEED"] ?? 20_260)
export const maxFrameBytes = 65_535
/** Argument bytes that a continuation with a checksum and one chunk holds. */
export const continuationRoom = maxFrameBytes - 16 - 6 - 2
export const largestBytes = 5_000_000
export const bytes = pattern(largestBytes)
/** The first `length` bytes of one pattern. */
export const first = (length: number): Uint8Array => bytes.subarray(0, length)
export const allChecksums = Object.values(ChecksumType)

export const sameBytes = (actual: Uint8Array, wanted: Uint8Array, what: string): void => {
  assert.strictEqual(actual.length, wanted.length, `${what}: length`)
  assert.isTrue(Buffer.from(actual.buffer, actual.byteOffset, actual.length).equals(wanted), `${what}: bytes differ`)
}

/** Lengths that end before, at and after the edge of a frame. */
export const around = (edge: number): ReadonlyArray<number> => Array.from({ length: 9 }, (_, i) => edge - 4 + i)

/** Every pair of places to cut around the ends of an argument, the same place twice included. */
export const cutsAround = (length: number): ReadonlyArray<ReadonlyArray<number>> => {
  const places = [...new Set([0, 1, length - 1, length])].filter((at) => at >= 0 && at <= length)
  return [[], ...places.map((at) => [at]), ...places.flatMap((a) => places.filter((b) => b >= a).map((b) => [a, b]))]
}
