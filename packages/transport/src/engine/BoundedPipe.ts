/**
 * One direction of an in-process connection: a bounded window of copied bytes between writers that wait for room and one
 * reader that takes what it wants. Plain and synchronous; whoever owns it decides when to call `take`.
 *
 * ```
 *   write ─► waiting writes (references) ─► window (copies, ≤ capacity) ─► take
 * ```
 */

import { copyBytes } from "./copyBytes.ts"

interface WaitingWrite {
  readonly chunks: ReadonlyArray<Uint8Array>
  readonly settle: (accepted: boolean) => void
  index: number
  offset: number
}

/** A window of bytes between writers and one reader; its capacity is in bytes. */
export class BoundedPipe {
  readonly capacity: number
  private window: Array<Uint8Array> = []
  private windowBytes = 0
  private writes: Array<WaitingWrite> = []
  private ended = false
  private broken = false

  constructor(capacityBytes: number) {
    this.capacity = capacityBytes
  }

  /** Bytes accepted and not yet taken. Never above `capacity`. */
  get bytes(): number {
    return this.windowBytes
  }

  /** Whether `take` would give bytes. */
  get readable(): boolean {
    return this.window.length > 0
  }

  /** Whether the writer has finished and everything accepted has been taken. */
  get atEnd(): boolean {
    return this.ended && this.window.length === 0
  }

  /** Whether writes are still taken on. */
  get writable(): boolean {
    return !this.ended && !this.broken
  }

  /** Queues a write; `settle(true)` is called once all of it is in the window, `settle(false)` when it never will be. */
  write(chunks: ReadonlyArray<Uint8Array>, settle: (accepted: boolean) => void): void {
    if (!this.writable) {
      settle(false)
      return
    }
    this.writes.push({ chunks, settle, index: 0, offset: 0 })
    this.fill()
  }

  /** The next chunk, owned by the caller. */
  take(): Uint8Array | undefined {
    const chunk = this.window.shift()
    if (chunk === undefined) return undefined
    this.windowBytes -= chunk.length
    this.fill()
    return chunk
  }

  /** The writer finishes: what is in the window can still be taken, writes that wait are refused. */
  end(): void {
    this.ended = true
    this.refuseWrites()
  }

  /** The reader has gone: everything is dropped, writes that wait are refused. */
  break(): void {
    this.broken = true
    this.window = []
    this.windowBytes = 0
    this.refuseWrites()
  }

  private refuseWrites(): void {
    const writes = this.writes
    this.writes = []
    for (const write of writes) write.settle(false)
  }

  private fill(): void {
    while (this.writes.length > 0) {
      const write = this.writes[0]!
      while (write.index < write.chunks.length && this.windowBytes < this.capacity) {
        const chunk = write.chunks[write.index]!
        const length = Math.min(chunk.length - write.offset, this.capacity - this.windowBytes)
        if (length > 0) {
          this.window.push(copyBytes(chunk, write.offset, write.offset + length))
          this.windowBytes += length
          write.offset += length
        }
        if (write.offset < chunk.length) break
        write.index++
        write.offset = 0
      }
      if (write.index < write.chunks.length) return
      this.writes.shift()
      write.settle(true)
    }
  }
}
