/** Digest file (five Adler-32 sums) and checkpoint file (the Adler-32 of those 20 bytes). (specs: storage 5.7) */
import { adler32 } from "@peerstrap/m3tsz"
import { Malformed } from "../contract/Malformed.ts"
import { readU32LE, writeU32LE } from "./Bytes.ts"

/** Adler-32 of each whole file. */
export interface FileDigests {
  readonly info: number
  readonly index: number
  readonly summaries: number
  readonly bloomfilter: number
  readonly data: number
}

/** The order in the file; not the one of M3's documentation. */
export const digestOrder = ["info", "index", "summaries", "bloomfilter", "data"] as const

/** Encodes a digest file: 5 × u32 little-endian. */
export const encodeDigests = (digests: FileDigests): Uint8Array => {
  const bytes = new Uint8Array(20)
  digestOrder.forEach((file, i) => writeU32LE(bytes, i * 4, digests[file]))
  return bytes
}

/** Decodes a digest file, which has 20 bytes. */
export const decodeDigests = (bytes: Uint8Array): FileDigests | Malformed => {
  if (bytes.length !== 20) return new Malformed("malformed", 0, `a digest file has 20 bytes, this one ${bytes.length}`)
  return {
    info: readU32LE(bytes, 0),
    index: readU32LE(bytes, 4),
    summaries: readU32LE(bytes, 8),
    bloomfilter: readU32LE(bytes, 12),
    data: readU32LE(bytes, 16)
  }
}

/** Encodes the checkpoint file of a digest file: u32 little-endian. */
export const encodeCheckpoint = (digestFile: Uint8Array): Uint8Array => {
  const bytes = new Uint8Array(4)
  writeU32LE(bytes, 0, adler32(digestFile))
  return bytes
}

/** Decodes a checkpoint file, which has 4 bytes. */
export const decodeCheckpoint = (bytes: Uint8Array): number | Malformed =>
  bytes.length === 4
    ? readU32LE(bytes, 0)
    : new Malformed("malformed", 0, `a checkpoint file has 4 bytes, this one ${bytes.length}`)
