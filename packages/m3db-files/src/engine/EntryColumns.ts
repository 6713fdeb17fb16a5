/**
 * Index entries of one fileset in memory: ids and tags packed into large chunks, everything else in typed columns. 36 bytes an
 * entry beside its id and tags, and no object for each: that is what lets a writer hold millions of them until it can sort.
 */
import { compareRange } from "../codec/Bytes.ts"

const chunkBytes = 262_144

export class EntryColumns {
  count = 0
  /** True while every id was above the one before it: then no sort is needed. */
  ascending = true
  chunk: Uint32Array = new Uint32Array(16)
  /** Id is `chunks[chunk][start, start + idLength)`, the tags follow it. */
  start: Uint32Array = new Uint32Array(16)
  idLength: Uint32Array = new Uint32Array(16)
  tagsLength: Uint32Array = new Uint32Array(16)
  size: Uint32Array = new Uint32Array(16)
  checksum: Uint32Array = new Uint32Array(16)
  writeIndex: Uint32Array = new Uint32Array(16)
  offset: Float64Array = new Float64Array(16)
  readonly chunks: Array<Uint8Array> = []
  private used = 0
  private packedBytes = 0

  /** Memory that the entries hold. */
  get bytes(): number {
    return this.packedBytes + this.chunk.length * 36
  }

  private grow(): void {
    const capacity = this.count * 2
    const wider = (old: Uint32Array): Uint32Array => {
      const grown = new Uint32Array(capacity)
      grown.set(old)
      return grown
    }
    this.chunk = wider(this.chunk)
    this.start = wider(this.start)
    this.idLength = wider(this.idLength)
    this.tagsLength = wider(this.tagsLength)
    this.size = wider(this.size)
    this.checksum = wider(this.checksum)
    this.writeIndex = wider(this.writeIndex)
    const offset = new Float64Array(capacity)
    offset.set(this.offset)
    this.offset = offset
  }

  /** Copies id and tags; tags may be the empty range. */
  push(
    id: Uint8Array,
    idStart: number,
    idEnd: number,
    tags: Uint8Array,
    tagsStart: number,
    tagsEnd: number,
    writeIndex: number,
    size: number,
    offset: number,
    checksum: number
  ): void {
    const row = this.count
    if (row === this.chunk.length) this.grow()
    const idLength = idEnd - idStart
    const tagsLength = tagsEnd - tagsStart
    let chunk = this.chunks.at(-1)
    if (chunk === undefined || this.used + idLength + tagsLength > chunk.length) {
      // The first chunk is small: a sink may hold hundreds of blocks open, most of them nearly empty.
      const wanted = this.chunks.length === 0 ? 4096 : chunkBytes
      chunk = new Uint8Array(Math.max(wanted, idLength + tagsLength))
      this.chunks.push(chunk)
      this.packedBytes += chunk.length
      this.used = 0
    }
    chunk.set(id.subarray(idStart, idEnd), this.used)
    if (tagsLength > 0) chunk.set(tags.subarray(tagsStart, tagsEnd), this.used + idLength)
    this.chunk[row] = this.chunks.length - 1
    this.start[row] = this.used
    this.idLength[row] = idLength
    this.tagsLength[row] = tagsLength
    this.size[row] = size
    this.checksum[row] = checksum
    this.writeIndex[row] = writeIndex
    this.offset[row] = offset
    this.used += idLength + tagsLength
    this.count = row + 1
    if (row > 0 && this.ascending && this.compare(row - 1, row) >= 0) this.ascending = false
  }

  /** Order of two rows by id. */
  compare(a: number, b: number): number {
    const aStart = this.start[a]!
    const bStart = this.start[b]!
    return compareRange(
      this.chunks[this.chunk[a]!]!,
      aStart,
      aStart + this.idLength[a]!,
      this.chunks[this.chunk[b]!]!,
      bStart,
      bStart + this.idLength[b]!
    )
  }

  /** Views into the packed bytes; valid as long as the columns. */
  id(row: number): Uint8Array {
    const start = this.start[row]!
    return this.chunks[this.chunk[row]!]!.subarray(start, start + this.idLength[row]!)
  }

  tags(row: number): Uint8Array {
    const start = this.start[row]! + this.idLength[row]!
    return this.chunks[this.chunk[row]!]!.subarray(start, start + this.tagsLength[row]!)
  }
}
