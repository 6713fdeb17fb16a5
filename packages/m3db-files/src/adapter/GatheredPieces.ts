/**
 * Many small pieces as few large chunks for one vectored write, which costs more for each piece than copying some thousand bytes. The chunks
 * are buffers that later writes take again: fresh ones would be filled with zeros, page by page, and be garbage at once.
 */
import { Limits } from "../contract/Limits.ts"

/** Pieces of this size on average are written as they are. */
const gatherBelowBytes = 16_384

/** Buffers that wait for the next write, of all writers together. */
const idle: Array<Uint8Array> = []

const takeBuffer = (): Uint8Array => idle.pop() ?? new Uint8Array(Limits.readChunkBytes)

export class GatheredPieces {
  /** To be written in this order. They hold until `release`. */
  readonly chunks: ReadonlyArray<Uint8Array>
  private readonly taken: Array<Uint8Array> = []

  /** `bytes` is the sum of the pieces. */
  constructor(pieces: ReadonlyArray<Uint8Array>, bytes: number) {
    this.chunks = pieces.length < 2 || bytes > pieces.length * gatherBelowBytes ? pieces : this.gather(pieces)
  }

  private gather(pieces: ReadonlyArray<Uint8Array>): ReadonlyArray<Uint8Array> {
    const chunks: Array<Uint8Array> = []
    let target: Uint8Array | undefined
    let used = 0
    const close = (): void => {
      if (target !== undefined && used > 0) chunks.push(target.subarray(0, used))
      target = undefined
      used = 0
    }
    for (const piece of pieces) {
      if (piece.length > Limits.readChunkBytes / 4) {
        close()
        chunks.push(piece)
        continue
      }
      if (target !== undefined && used + piece.length > target.length) close()
      if (target === undefined) {
        target = takeBuffer()
        this.taken.push(target)
      }
      target.set(piece, used)
      used += piece.length
    }
    close()
    return chunks
  }

  /** The write is over, in whatever way; called once. */
  release(): void {
    for (const buffer of this.taken) if (idle.length < Limits.idleWriteBuffers) idle.push(buffer)
    this.taken.length = 0
  }
}
