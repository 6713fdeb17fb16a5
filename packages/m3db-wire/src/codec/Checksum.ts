/** TChannel's argument checksums: cumulative over all argument bytes of a message (specs: peer streaming 1.7). */
import { crc32 } from "node:zlib"

/** 0 none · 1 CRC-32 IEEE (what M3DB sends) · 3 CRC-32C. Type 2 (Farmhash) makes a Go peer hang and is not offered. */
export const ChecksumType = { none: 0, crc32: 1, crc32c: 3 } as const
export type ChecksumType = (typeof ChecksumType)[keyof typeof ChecksumType]

/** Tells whether a byte names a checksum type that is understood here: none, CRC-32, CRC-32C. */
export const isChecksumType = (value: number): value is ChecksumType => value === 0 || value === 1 || value === 3

const castagnoli = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1
  return value
})

/** CRC-32C of `bytes` continued from `previous` (0 to begin). Unsigned. */
export const crc32c = (bytes: Uint8Array, previous = 0): number => {
  let value = ~previous
  for (let i = 0; i < bytes.length; i++) value = (value >>> 8) ^ castagnoli[(value ^ bytes[i]!) & 0xff]!
  return ~value >>> 0
}

/** The running checksum after `bytes`. Unsigned; 0 for type none. */
export const updateChecksum = (type: ChecksumType, previous: number, bytes: Uint8Array): number =>
  type === ChecksumType.crc32 ? crc32(bytes, previous) : type === ChecksumType.crc32c ? crc32c(bytes, previous) : 0
