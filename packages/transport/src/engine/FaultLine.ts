/**
 * One direction of a faulty connection: bytes go in at a time, pieces come out with the time at which they are due. Pure:
 * time and faults are inputs, chance comes from the seed.
 */
import type { DirectionFaults } from "../contract/Faults.ts"
import type { CloseReason } from "../contract/Transport.ts"
import { copyBytes } from "./copyBytes.ts"

/** What comes out of a faulty line, and when, ms. */
export type FaultPiece =
  | { readonly kind: "bytes"; readonly bytes: Uint8Array; readonly dueMillis: number }
  | { readonly kind: "cut"; readonly afterBytes: number; readonly dueMillis: number }
  | { readonly kind: "end"; readonly reason: CloseReason; readonly dueMillis: number }

/** A limited rate is spread over pieces of this much time, so that bytes trickle instead of coming in lumps. */
const rateSliceMillis = 10

/** A seeded generator of numbers in [0, 1) (mulberry32). */
export const seededChance = (seed: number): () => number => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** One direction of a faulty connection. */
export class FaultLine {
  private readonly chance: () => number
  private readonly queue: Array<FaultPiece> = []
  private position = 0
  private queuedBytesNow = 0
  private lineFreeMillis = 0
  private lastDueMillis = 0
  private broken = false
  private silent = false

  constructor(seed: number) {
    this.chance = seededChance(seed)
  }

  /** Bytes that are under way. */
  get queuedBytes(): number {
    return this.queuedBytesNow
  }

  get isEmpty(): boolean {
    return this.queue.length === 0
  }

  /** Whether bytes may bypass the line: nothing is under way and nothing is to be done to them. */
  isClear(faults: DirectionFaults | undefined): boolean {
    return this.queue.length === 0 && !this.broken && !this.silent &&
      (faults === undefined || Object.keys(faults).length === 0)
  }

  /** Counts bytes that bypassed the line, so that positions stay right. */
  pass(bytes: number): void {
    this.position += bytes
  }

  /** Takes bytes (they are copied) at `nowMillis`. */
  push(chunk: Uint8Array, nowMillis: number, faults: DirectionFaults): void {
    if (this.broken) return
    const start = this.position
    const cutAt = faults.cutAfterBytes ?? Infinity
    const silentAt = faults.silenceAfterBytes ?? Infinity
    const heard = Math.max(0, Math.min(chunk.length, cutAt - start, silentAt - start))
    if (!this.silent && heard > 0) {
      this.enqueue(this.flipped(copyBytes(chunk, 0, heard), start, faults), nowMillis, faults)
    }
    this.position += chunk.length
    if (this.position > silentAt) this.silent = true
    if (this.position >= cutAt && !this.silent) {
      this.broken = true
      this.queue.push({
        kind: "cut",
        afterBytes: Math.min(cutAt, this.position),
        dueMillis: this.due(0, nowMillis, faults)
      })
    }
  }

  /** The stream ends, behind what is under way. A silent line does not tell. */
  end(reason: CloseReason, nowMillis: number, faults: DirectionFaults): void {
    if (this.position >= (faults.silenceAfterBytes ?? Infinity)) this.silent = true
    if (this.broken || this.silent) return
    this.broken = true
    this.queue.push({ kind: "end", reason, dueMillis: this.due(0, nowMillis, faults) })
  }

  peek(): FaultPiece | undefined {
    return this.queue[0]
  }

  take(): FaultPiece | undefined {
    const piece = this.queue.shift()
    if (piece?.kind === "bytes") this.queuedBytesNow -= piece.bytes.length
    return piece
  }

  /** Forgets everything; nothing comes out any more. */
  clear(): void {
    this.broken = true
    this.queue.length = 0
    this.queuedBytesNow = 0
  }

  private enqueue(bytes: Uint8Array, nowMillis: number, faults: DirectionFaults): void {
    const chop = Math.max(1, Math.floor(faults.chopBytes ?? Infinity))
    const rate = faults.bytesPerSecond
    const slice = rate === undefined ? Infinity : Math.max(1, Math.floor((rate * rateSliceMillis) / 1_000))
    const size = Math.min(bytes.length, chop, slice)
    for (let at = 0; at < bytes.length; at += size) {
      const piece = bytes.subarray(at, at + size)
      this.queuedBytesNow += piece.length
      this.queue.push({ kind: "bytes", bytes: piece, dueMillis: this.due(piece.length, nowMillis, faults) })
    }
  }

  private due(bytes: number, nowMillis: number, faults: DirectionFaults): number {
    if (faults.bytesPerSecond !== undefined) {
      this.lineFreeMillis = Math.max(this.lineFreeMillis, nowMillis) + (bytes * 1_000) / faults.bytesPerSecond
    }
    const sent = faults.bytesPerSecond === undefined ? nowMillis : this.lineFreeMillis
    const jitter = faults.jitterMillis === undefined ? 0 : this.chance() * faults.jitterMillis
    // Never before an earlier piece: the line keeps its order.
    this.lastDueMillis = Math.max(this.lastDueMillis, sent + (faults.latencyMillis ?? 0) + jitter)
    return this.lastDueMillis
  }

  private flipped(bytes: Uint8Array, start: number, faults: DirectionFaults): Uint8Array {
    const at = (faults.flipBitAtByte ?? -1) - start
    if (at >= 0 && at < bytes.length) bytes[at]! ^= 1 << Math.floor(this.chance() * 8)
    return bytes
  }
}
