/**
 * The outbound half of an encrypted connection: every frame begins a chunk, no chunk reaches into the next frame, and none carries more than
 * the strictest known reader takes.
 */
import type { Boxes } from "../contract/Crypto.ts"
import { Limits } from "../contract/Limits.ts"
import { SessionLimits } from "../contract/SessionLimits.ts"
import { incrementNonce } from "./Nonce.ts"

const prefixBytes = 2
const tagBytes = 16
const sizeBytes = 4
const perChunk = SessionLimits.maxPlaintextChunkBytes

/** Bytes on the wire of a frame with a body of so many. */
const sealedBytes = (bodyBytes: number): number => {
  const plaintext = sizeBytes + bodyBytes
  return plaintext + Math.ceil(plaintext / perChunk) * (prefixBytes + tagBytes)
}

/** Seals frames into chunks, counting the nonce up. */
export class ChunkWriter {
  private readonly boxes: Boxes
  private readonly key: Uint8Array
  private readonly nonce: Uint8Array
  /** Where a frame's size and the beginning of its body come together. */
  private head = new Uint8Array(0)
  private chunks = 0

  /** The nonce is copied. */
  constructor(boxes: Boxes, key: Uint8Array, nonce: Uint8Array) {
    this.boxes = boxes
    this.key = key
    this.nonce = new Uint8Array(nonce)
  }

  /** Chunks sealed so far. */
  get sealed(): number {
    return this.chunks
  }

  /** One chunk of its own, as the handshake sends them: 1 to 65,503 bytes. */
  sealChunk(plaintext: Uint8Array): Uint8Array {
    if (plaintext.length === 0 || plaintext.length > perChunk) {
      throw new RangeError(`a chunk carries 1 to ${perChunk} bytes, not ${plaintext.length}`)
    }
    const out = new Uint8Array(prefixBytes + tagBytes + plaintext.length)
    this.write(out, 0, plaintext)
    return out
  }

  /** The chunks of these frames in one buffer. Bodies have 1 to `Limits.maxFrameBytes` bytes, else it throws before sealing any. */
  sealFrames(bodies: ReadonlyArray<Uint8Array>): Uint8Array {
    let total = 0
    for (const body of bodies) {
      if (body.length === 0 || body.length > Limits.maxFrameBytes) {
        throw new RangeError(`a frame has 1 to ${Limits.maxFrameBytes} bytes, not ${body.length}`)
      }
      total += sealedBytes(body.length)
    }
    const out = new Uint8Array(total)
    let at = 0
    for (const body of bodies) at = this.writeFrame(out, at, body)
    return out
  }

  private writeFrame(out: Uint8Array, start: number, body: Uint8Array): number {
    const inHead = Math.min(body.length, perChunk - sizeBytes)
    if (this.head.length < sizeBytes + inHead) this.head = new Uint8Array(Math.max(256, sizeBytes + inHead))
    new DataView(this.head.buffer).setUint32(0, body.length)
    this.head.set(body.subarray(0, inHead), sizeBytes)
    let at = this.write(out, start, this.head.subarray(0, sizeBytes + inHead))
    for (let from = inHead; from < body.length; from += perChunk) {
      at = this.write(out, at, body.subarray(from, from + perChunk))
    }
    return at
  }

  private write(out: Uint8Array, at: number, plaintext: Uint8Array): number {
    const length = tagBytes + plaintext.length
    out[at] = length >> 8
    out[at + 1] = length & 0xff
    this.boxes.sealInto(out, at + prefixBytes, plaintext, this.nonce, this.key)
    incrementNonce(this.nonce)
    this.chunks++
    return at + prefixBytes + length
  }
}
