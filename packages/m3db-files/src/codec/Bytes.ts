/** Byte order of ids (raw bytes, shorter first), and little-endian words. */

/** Negative, 0 or positive as `a[aStart, aEnd)` sorts before, at or after `b[bStart, bEnd)`. */
export const compareRange = (
  a: Uint8Array,
  aStart: number,
  aEnd: number,
  b: Uint8Array,
  bStart: number,
  bEnd: number
): number => {
  const aLength = aEnd - aStart
  const bLength = bEnd - bStart
  const shared = aLength < bLength ? aLength : bLength
  for (let i = 0; i < shared; i++) {
    const difference = a[aStart + i]! - b[bStart + i]!
    if (difference !== 0) return difference
  }
  return aLength - bLength
}

export const compareBytes = (a: Uint8Array, b: Uint8Array): number => compareRange(a, 0, a.length, b, 0, b.length)

export const readU32LE = (bytes: Uint8Array, at: number): number =>
  (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0

export const writeU32LE = (bytes: Uint8Array, at: number, value: number): void => {
  bytes[at] = value
  bytes[at + 1] = value >>> 8
  bytes[at + 2] = value >>> 16
  bytes[at + 3] = value >>> 24
}

export const toHex = (bytes: Uint8Array): string => {
  let text = ""
  for (const byte of bytes) text += byte.toString(16).padStart(2, "0")
  return text
}

/** An id for messages: quoted when it is plain ASCII, else hex; cut after 64 bytes. */
export const showId = (id: Uint8Array): string => {
  const shown = id.subarray(0, 64)
  const plain = shown.every((byte) => byte >= 0x20 && byte < 0x7f)
  const text = plain ? JSON.stringify(String.fromCharCode(...shown)) : `0x${toHex(shown)}`
  return id.length > 64 ? `${text}… (${id.length} bytes)` : text
}
