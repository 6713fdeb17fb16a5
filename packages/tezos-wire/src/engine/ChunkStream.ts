/**
 * The inbound half of an encrypted connection: bytes however fragmented in, opened chunks out, one at a time so that a reader can pause
 * between any two frames.
 *
 *     u16 length L, 16…65535 | 16-byte tag | L − 16 bytes of ciphertext
 */
import type { Boxes } from "../contract/Crypto.ts"
import type { SessionFault } from "../contract/Session.ts"
import { SessionLimits } from "../contract/SessionLimits.ts"
import { incrementNonce } from "./Nonce.ts"

const prefixBytes = 2
const smallestBufferBytes = 1_024

/** Opens inbound chunks one at a time; the first fault ends it. */
export class ChunkStream {
  /** The plaintext of the chunk that was opened last, valid until `take` is called again. */
  plaintext: Uint8Array | undefined
  /** Set once; nothing is taken after it. */
  fault: SessionFault | undefined
  private readonly boxes: Boxes
  private readonly key: Uint8Array
  private readonly nonce: Uint8Array
  private readonly prefix = new Uint8Array(prefixBytes)
  private sealed = new Uint8Array(0)
  /** Bytes of the current chunk that are here, its prefix included. */
  private filled = 0
  private length = 0
  private chunks = 0
  private offset: number
  private lastChunkOffset = 0

  /** `offset`: bytes of the connection before the first chunk, for the positions in faults. The nonce is copied. */
  constructor(boxes: Boxes, key: Uint8Array, nonce: Uint8Array, offset = 0) {
    this.boxes = boxes
    this.key = key
    this.nonce = new Uint8Array(nonce)
    this.offset = offset
  }

  /** Chunks opened so far; also the number of the next one. */
  get opened(): number {
    return this.chunks
  }

  /** The byte of the connection where the chunk begins that was opened last. */
  get lastOffset(): number {
    return this.lastChunkOffset
  }

  /** Whether the stream stands in the middle of a chunk. */
  get midChunk(): boolean {
    return this.filled > 0
  }

  /** Takes bytes from `at` on until a chunk is whole or they end; returns the position after the last byte taken. */
  take(bytes: Uint8Array, at: number): number {
    this.plaintext = undefined
    if (this.fault !== undefined) return at
    let next = at
    while (this.filled < prefixBytes && next < bytes.length) {
      this.prefix[this.filled++] = bytes[next++]!
      if (this.filled === prefixBytes && !this.begin()) return next
    }
    if (this.filled < prefixBytes) return next
    const missing = prefixBytes + this.length - this.filled
    const end = Math.min(bytes.length, next + missing)
    this.sealed.set(bytes.subarray(next, end), this.filled - prefixBytes)
    this.filled += end - next
    if (this.filled === prefixBytes + this.length) this.open()
    return end
  }

  private begin(): boolean {
    this.length = this.prefix[0]! * 256 + this.prefix[1]!
    if (this.length < SessionLimits.minSealedChunkBytes) {
      this.fail(
        "chunk length",
        `a chunk of ${this.length} bytes; its tag alone has ${SessionLimits.minSealedChunkBytes}`
      )
      return false
    }
    if (this.sealed.length < this.length) {
      let capacity = smallestBufferBytes
      while (capacity < this.length) capacity *= 2
      this.sealed = new Uint8Array(capacity)
    }
    return true
  }

  private open(): void {
    const plaintext = this.boxes.open(this.sealed.subarray(0, this.length), this.nonce, this.key)
    if (plaintext === undefined) {
      this.fail(
        "authentication",
        "its tag does not fit: it was changed on the way, or sealed under another key or nonce"
      )
      return
    }
    incrementNonce(this.nonce)
    this.chunks++
    this.lastChunkOffset = this.offset
    this.offset += prefixBytes + this.length
    this.filled = 0
    this.plaintext = plaintext
  }

  private fail(what: SessionFault["what"], message: string): void {
    this.fault = {
      what,
      chunk: this.chunks,
      offset: this.offset,
      message: `chunk ${this.chunks} at byte ${this.offset} of the connection: ${message}`
    }
  }
}
