/**
 * One stream, point by point, without allocating: the base of decoding into columns and of checking.
 * `open`, then `next` until it is not `point`.
 */
import { DecodeError, type DecodeReason } from "../contract/Errors.ts"
import { BitReader } from "./BitReader.ts"
import * as Status from "./Status.ts"
import { TimeReader } from "./TimeReader.ts"
import { ValueReader } from "./ValueReader.ts"

export const sizeOf = (pieces: ReadonlyArray<Uint8Array>): number => {
  let size = 0
  for (const piece of pieces) size += piece.length
  return size
}

/** Reads one stream point by point; used again for the next one. */
export class BlockCursor {
  readonly bits = new BitReader()
  readonly time = new TimeReader()
  readonly value = new ValueReader()
  /** Points read so far. */
  count = 0
  /** First bit of the point being read: where an error is. */
  itemAt = 0

  /** Copies the pieces in and reads the start. An empty stream is at its end at once: M3 writes no points as no bytes. */
  open(pieces: ReadonlyArray<Uint8Array>, lengthBytes: number): number {
    this.bits.load(pieces, lengthBytes)
    this.count = 0
    this.itemAt = 0
    if (lengthBytes === 0) return Status.endOfStream
    if (this.bits.end < 64) return Status.truncated
    this.time.start(this.bits)
    this.value.reset()
    return Status.point
  }

  next(): number {
    const { bits, time, value } = this
    this.itemAt = bits.position
    const timeStatus = time.next(bits)
    if (timeStatus !== Status.point) return timeStatus
    // Behind the end there are only zeros, and few of them: stop before the value would be read beyond those.
    if (bits.position > bits.end) return Status.truncated
    const status = this.count === 0 ? value.first(bits) : value.next(bits)
    if (bits.position > bits.end) return Status.truncated
    if (status === Status.point) this.count++
    return status
  }

  annotation(): Uint8Array {
    return this.bits.copy(this.time.annotationAt, this.time.annotationLength)
  }

  error(reason: DecodeReason): DecodeError {
    const at = `bit ${this.itemAt} of ${this.bits.end}, after ${this.count} points`
    return new DecodeError(reason, this.itemAt, this.count, `M3TSZ stream, ${at}: ${Status.sentenceOf(reason)}`)
  }
}
