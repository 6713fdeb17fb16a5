/**
 * Rows of 32-bit words in chunks. A first chunk grows by doubling up to its full size, so that a small table stays small; from then
 * on growth adds chunks, so that it never copies, never holds two copies and leaves less than one chunk unused.
 */
import type { MemoryBound } from "./MemoryBound.ts"

/** Rows of a full chunk: 2^11 of 32 to 64 bytes stay below the size from which allocators ask the system for fresh pages. */
export const chunkShift = 11
const chunkRows = 1 << chunkShift
export const chunkMask = chunkRows - 1

export class RowChunks {
  private readonly memory: MemoryBound
  /** Words of a row. */
  readonly stride: number
  private readonly firstRows: number
  private capacity = 0
  /** Row r begins at word (r & chunkMask) · stride of chunk r >>> chunkShift. */
  chunks: Array<Int32Array> = []

  /** `firstRows` is how many there is room for at first. */
  constructor(memory: MemoryBound, stride: number, firstRows: number) {
    this.memory = memory
    this.stride = stride
    this.firstRows = firstRows
  }

  /** Makes room for row `row`, which is at most the one after the last; `false` when the memory bound refuses. */
  reserve(row: number): boolean {
    return row < this.capacity || this.grow()
  }

  clear(): void {
    this.chunks = []
    this.capacity = 0
  }

  private grow(): boolean {
    const { capacity, chunks, stride } = this
    if (capacity === 0 || capacity >= chunkRows) return this.addChunk()
    const rows = Math.min(chunkRows, capacity * 2)
    if (!this.memory.tryTake((rows - capacity) * stride * Int32Array.BYTES_PER_ELEMENT)) return false
    const grown = new Int32Array(rows * stride)
    grown.set(chunks[0]!)
    chunks[0] = grown
    this.capacity = rows
    return true
  }

  private addChunk(): boolean {
    const rows = this.capacity === 0 ? Math.min(chunkRows, this.firstRows) : chunkRows
    if (!this.memory.tryTake(rows * this.stride * Int32Array.BYTES_PER_ELEMENT)) return false
    this.chunks.push(new Int32Array(rows * this.stride))
    this.capacity += rows
    return true
  }
}
