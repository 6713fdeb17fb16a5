/**
 * Append-only bytes in chunks: growth never copies what is there, and a run of bytes never spans two chunks, so that a view
 * of it is one `subarray`. Runs are addressed by (chunk, offset).
 */
import { Limits } from "../contract/Limits.ts"
import type { MemoryBound } from "./MemoryBound.ts"

/** Below this many bytes a loop over words beats `TypedArray.set` on a fresh subarray, threefold at 80 bytes. */
const wordCopyBytes = 512

/** The one view of no bytes: a new one for each series without tags is garbage. */
const nothing = new Uint8Array(0)

export class ByteArena {
  private readonly memory: MemoryBound
  private chunks: Array<Uint8Array> = []
  private views: Array<DataView> = []
  private heldBytes = 0
  private openChunk = -1
  private openOffset = 0

  /** Where the last successful `append` put its bytes. */
  lastChunk = 0
  lastOffset = 0

  constructor(memory: MemoryBound) {
    this.memory = memory
  }

  /**
   * Copies two ranges of `source`, one behind the other, and sets `lastChunk`, `lastOffset`; `false`, with nothing copied, when the
   * memory bound refuses.
   */
  append(source: DataView, first: number, firstLength: number, second: number, secondLength: number): boolean {
    if (!this.place(firstLength + secondLength)) return false
    const chunk = this.lastChunk
    if (firstLength > 0) this.copy(chunk, this.lastOffset, source, first, firstLength)
    if (secondLength > 0) this.copy(chunk, this.lastOffset + firstLength, source, second, secondLength)
    return true
  }

  /** Whether `length` bytes at (chunk, at) are those at `other[offset, …)`. */
  equals(chunk: number, at: number, length: number, other: DataView, offset: number): boolean {
    return equalBytes(this.views[chunk]!, at, other, offset, length)
  }

  /** Copies `length` bytes at (chunk, from) to `target[at, …)`. */
  copyOut(chunk: number, from: number, length: number, target: DataView, at: number): void {
    if (length <= wordCopyBytes) copyBytes(target, at, this.views[chunk]!, from, length)
    else new Uint8Array(target.buffer, target.byteOffset + at, length).set(this.view(chunk, from, length))
  }

  byteAt(chunk: number, at: number): number {
    return this.chunks[chunk]![at]!
  }

  view(chunk: number, offset: number, length: number): Uint8Array {
    return length === 0 ? nothing : this.chunks[chunk]!.subarray(offset, offset + length)
  }

  clear(): void {
    this.chunks = []
    this.views = []
    this.heldBytes = 0
    this.openChunk = -1
    this.openOffset = 0
  }

  private copy(chunk: number, to: number, source: DataView, offset: number, length: number): void {
    if (length <= wordCopyBytes) copyBytes(this.views[chunk]!, to, source, offset, length)
    else this.chunks[chunk]!.set(new Uint8Array(source.buffer, source.byteOffset + offset, length), to)
  }

  private place(length: number): boolean {
    if (length === 0) {
      this.lastChunk = 0
      this.lastOffset = 0
      return true
    }
    if (this.openChunk >= 0 && this.openOffset + length <= this.chunks[this.openChunk]!.length) {
      this.lastChunk = this.openChunk
      this.lastOffset = this.openOffset
      this.openOffset += length
      return true
    }
    const shared = Math.min(Limits.maxChunkBytes, Math.max(Limits.minChunkBytes, this.heldBytes))
    // A long run gets a chunk of its own, so that the open one is left with at most a quarter unused.
    const alone = length > shared / 4
    if (!this.addChunk(alone ? length : shared)) return false
    this.lastChunk = this.chunks.length - 1
    this.lastOffset = 0
    if (!alone) {
      this.openChunk = this.lastChunk
      this.openOffset = length
    }
    return true
  }

  private addChunk(bytes: number): boolean {
    if (!this.memory.tryTake(bytes)) return false
    // Not zeroed: what is shown of it has been written.
    const chunk = new Uint8Array(Buffer.allocUnsafeSlow(bytes).buffer)
    this.chunks.push(chunk)
    this.views.push(new DataView(chunk.buffer))
    this.heldBytes += bytes
    return true
  }
}

// The 64-bit reads below never become BigInt objects once compiled; they are the widest loads that plain code has.

const copyBytes = (target: DataView, to: number, source: DataView, from: number, length: number): void => {
  const tail = length - 8
  if (tail < 0) {
    for (let i = 0; i < length; i++) target.setUint8(to + i, source.getUint8(from + i))
    return
  }
  for (let i = 0; i < tail; i += 8) target.setBigInt64(to + i, source.getBigInt64(from + i, true), true)
  target.setBigInt64(to + tail, source.getBigInt64(from + tail, true), true)
}

/** Looks at the end first, because ids share beginnings; the last word may overlap the one before. Many words are read in fours. */
const equalBytes = (one: DataView, at: number, other: DataView, offset: number, length: number): boolean => {
  const tail = length - 8
  if (tail < 0) {
    for (let i = 0; i < length; i++) if (one.getUint8(at + i) !== other.getUint8(offset + i)) return false
    return true
  }
  if (one.getBigInt64(at + tail, true) !== other.getBigInt64(offset + tail, true)) return false
  let i = 0
  for (; i + 16 <= tail; i += 16) {
    if (
      one.getBigInt64(at + i, true) !== other.getBigInt64(offset + i, true) ||
      one.getBigInt64(at + i + 8, true) !== other.getBigInt64(offset + i + 8, true)
    ) return false
  }
  for (; i < tail; i += 8) {
    if (one.getBigInt64(at + i, true) !== other.getBigInt64(offset + i, true)) return false
  }
  return true
}
