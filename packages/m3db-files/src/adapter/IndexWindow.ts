/** A sliding window over an index file: decodes entries from pieces of the file, and keeps the digest of what it has read. */
import { adler32Start, adler32Update } from "@peerstrap/m3tsz"
import type { File } from "@peerstrap/storage"
import * as Effect from "effect/Effect"
import { IndexEntryDecoder } from "../codec/IndexEntry.ts"
import type { FilesetError } from "../contract/errors.ts"
import { Limits } from "../contract/Limits.ts"
import { damaged, fault, io, refetch } from "./Faults.ts"

export class IndexWindow {
  /** Decoded entries point into these bytes; a new buffer with each `fill`, so views of an old one stay valid. */
  bytes: Uint8Array = new Uint8Array(0)
  /** Where the next entry begins in `bytes`. */
  position = 0
  readonly entry = new IndexEntryDecoder()
  /** Adler-32 of all bytes read so far. */
  digest = adler32Start
  private base: number
  private readonly file: File
  private readonly size: number
  private readonly chunkBytes: number

  constructor(file: File, size: number, from = 0, chunkBytes: number = Limits.indexChunkBytes) {
    this.file = file
    this.size = size
    this.base = from
    this.chunkBytes = chunkBytes
  }

  /** Offset in the file of the next entry. */
  get offset(): number {
    return this.base + this.position
  }

  /** Nothing follows the last decoded entry. */
  get atEnd(): boolean {
    return this.offset >= this.size
  }

  /** Decodes the next entry into `entry` and moves past it; "more": call `fill` first. */
  next(): "entry" | "more" | "malformed" {
    const found = this.entry.read(this.bytes, this.position, this.bytes.length)
    if (found === "entry") this.position = this.entry.next
    return found
  }

  /** What `next` found wrong. */
  get problem(): FilesetError {
    return damaged(this.file.path, this.entry.failure!, this.base)
  }

  /** Reads on; fails when the file ends within an entry or an entry is larger than the limit. */
  readonly fill: Effect.Effect<void, FilesetError> = Effect.suspend(() => {
    const rest = this.bytes.subarray(this.position)
    const from = this.base + this.bytes.length
    const missing = Math.max(1, this.entry.needed - this.bytes.length)
    if (from + missing > this.size) {
      const message = this.atEnd ? "the file ends before the last entry" : "the file ends within an entry"
      return Effect.fail(fault("malformed", this.file.path, message, refetch, this.offset))
    }
    if (rest.length + missing > 2 * Limits.maxEntryBytes + 128) {
      const message = `an entry of more than ${rest.length + missing} bytes`
      return Effect.fail(fault("limit", this.file.path, message, refetch, this.offset))
    }
    const length = Math.min(this.size - from, Math.max(this.chunkBytes, missing))
    return Effect.flatMap(io(this.file.read(from, length)), (read) => {
      if (read.length < length) {
        return Effect.fail(fault("io", this.file.path, "the file became shorter while it was read", "read again", from))
      }
      this.digest = adler32Update(this.digest, read, 0, read.length)
      let bytes: Uint8Array = read
      if (rest.length > 0) {
        bytes = new Uint8Array(rest.length + read.length)
        bytes.set(rest)
        bytes.set(read, rest.length)
      }
      this.base += this.position
      this.position = 0
      this.bytes = bytes
      return Effect.void
    })
  })
}
