/**
 * Frames out of the concatenated plaintext of chunks: u32 size, then that many bytes. A chunk may hold several frames and parts of two, as
 * Octez tolerates. Each body is handed out in memory of its own, which stays valid.
 */
import type { ByteLedger } from "@peerstrap/transport"
import { Limits } from "../contract/Limits.ts"
import { SessionLimits } from "../contract/SessionLimits.ts"

const sizeBytes = 4
const account = "frames"

/** Why `push` stopped before the end of what it was given, or right at it. */
export type FrameStop = "consumer" | "memory"

/** Puts frames together from plaintext, each drawn from a ledger before it is held. */
export class FrameReader {
  /** Set by `push`: the consumer said false, or the ledger refused the next frame. Undefined: it wants more. */
  stopped: FrameStop | undefined
  /** Set once: what is wrong with the frames of this stream. */
  fault: { readonly what: "frame size" | "memory budget"; readonly message: string } | undefined
  /** Frames handed out. */
  frames = 0
  /** Frames that began behind another one in the same chunk, which TezEdge does not read. */
  framesInsideChunks = 0
  private readonly onFrame: (body: Uint8Array) => boolean
  private readonly ledger: ByteLedger | undefined
  /** Bytes of the size field, then of the body, that are here. */
  private sizeFilled = 0
  private size = 0
  private body: Uint8Array | undefined
  private bodyFilled = 0
  private reserved = 0

  constructor(onFrame: (body: Uint8Array) => boolean, ledger?: ByteLedger) {
    this.onFrame = onFrame
    this.ledger = ledger
  }

  /** Whether the stream stands in the middle of a frame. */
  get midFrame(): boolean {
    return this.sizeFilled > 0
  }

  /** Takes plaintext from `at` on until it ends, the consumer says false, memory is refused or a size is wrong; returns how far it came. */
  push(plaintext: Uint8Array, at: number): number {
    this.stopped = undefined
    let next = at
    while (next < plaintext.length && this.stopped === undefined && this.fault === undefined) {
      if (this.sizeFilled < sizeBytes) {
        if (this.sizeFilled === 0 && next > 0) this.framesInsideChunks++
        this.size = ((this.size << 8) | plaintext[next++]!) >>> 0
        if (++this.sizeFilled === sizeBytes) this.checkSize()
      } else if (this.body === undefined && !this.begin()) this.stopped = "memory"
      else next = this.fill(plaintext, next)
    }
    return next
  }

  /** Gives back what an unfinished frame has drawn. */
  dispose(): void {
    this.release()
    this.body = undefined
  }

  private checkSize(): void {
    if (this.size === 0 || this.size > Limits.maxFrameBytes) {
      this.fault = {
        what: "frame size",
        message: `frame ${this.frames} announces ${this.size} bytes; one has 1 to ${Limits.maxFrameBytes}`
      }
    } else this.checkBudget()
  }

  /** The budget may change: what fitted when its size came may not fit any more when memory is asked for. */
  private checkBudget(): void {
    const { ledger, size } = this
    if (ledger === undefined || size <= SessionLimits.largeFrameBytes || size <= ledger.capacity) return
    this.fault = {
      what: "memory budget",
      message: `a frame of ${size} bytes exceeds the whole memory budget of ${ledger.capacity}; raise the budget`
    }
  }

  /** Makes room for a body; false when the ledger refuses. The claim is reserved whole, the memory grows with the bytes. */
  private begin(): boolean {
    if (this.size > SessionLimits.largeFrameBytes && this.ledger !== undefined) {
      if (!this.ledger.tryReserve(account, this.size)) {
        this.checkBudget()
        return false
      }
      this.reserved = this.size
    }
    this.body = new Uint8Array(Math.min(this.size, SessionLimits.firstFrameBufferBytes))
    this.bodyFilled = 0
    return true
  }

  private fill(plaintext: Uint8Array, at: number): number {
    const end = Math.min(plaintext.length, at + this.size - this.bodyFilled)
    const filled = this.bodyFilled + end - at
    let body = this.body!
    if (filled > body.length) {
      body = new Uint8Array(Math.min(this.size, Math.max(filled, body.length * 2)))
      body.set(this.body!.subarray(0, this.bodyFilled))
      this.body = body
    }
    body.set(plaintext.subarray(at, end), this.bodyFilled)
    this.bodyFilled = filled
    if (filled === this.size) this.finish(body)
    return end
  }

  /** The reservation goes back first: who keeps the frame can draw the same bytes for it within the call. */
  private finish(body: Uint8Array): void {
    this.release()
    this.body = undefined
    this.sizeFilled = 0
    this.size = 0
    this.frames++
    if (!this.onFrame(body)) this.stopped = "consumer"
  }

  private release(): void {
    if (this.reserved > 0) this.ledger?.release(account, this.reserved)
    this.reserved = 0
  }
}
