/**
 * Writes a list of chunks completely: cuts it into calls that the system accepts, and goes on after a short write. It takes the
 * write call as an argument, so that a test can write short.
 */
import { Limits } from "../contract/Limits.ts"

/** One vectored write at a byte offset; answers how many bytes were taken, which may be fewer than given. */
export type VectoredWrite = (chunks: Array<Uint8Array>, position: number) => Promise<number>

const advance = (chunks: ReadonlyArray<Uint8Array>, from: { index: number; offset: number }, bytes: number): void => {
  let left = bytes
  while (left > 0) {
    const available = chunks[from.index]!.length - from.offset
    if (left < available) {
      from.offset += left
      return
    }
    left -= available
    from.index++
    from.offset = 0
  }
}

/** Writes all `chunks` in order from `position` on; answers their total length in bytes. Rejects when a write takes nothing. */
export const writeFully = async (
  write: VectoredWrite,
  chunks: ReadonlyArray<Uint8Array>,
  position: number
): Promise<number> => {
  const full = chunks.filter((chunk) => chunk.length > 0)
  const cursor = { index: 0, offset: 0 }
  let written = 0
  while (cursor.index < full.length) {
    const batch = full.slice(cursor.index, cursor.index + Limits.chunksPerWrite)
    if (cursor.offset > 0) batch[0] = batch[0]!.subarray(cursor.offset)
    const taken = await write(batch, position + written)
    if (taken <= 0) throw new Error(`the system took 0 of the remaining bytes at offset ${position + written}`)
    advance(full, cursor, taken)
    written += taken
  }
  return written
}
