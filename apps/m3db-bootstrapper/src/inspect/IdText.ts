/** Ids, tags and checksums as JSON readers get them, and the order of ids. For people there is `showId` of m3db-wire. */

export const toHex = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("hex")

/** 8 hex digits. */
export const hex32 = (checksum: number): string => checksum.toString(16).padStart(8, "0")

/** Order of bytes, shorter first. */
export const compareIds = (a: Uint8Array, b: Uint8Array): number => Buffer.compare(a, b)
