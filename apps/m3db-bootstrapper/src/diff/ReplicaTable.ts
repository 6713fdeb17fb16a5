/**
 * What each replica of one shard lists, by series and block start: a plain table with a bound on its memory. Pure.
 *
 *     row = (series, block) │ replica a    │ replica b    │ …      presence: absent, with checksum, without
 *                           │ size, Adler  │ size, Adler  │
 */
import { absentChecksum, type MetadataPage } from "@peerstrap/m3db-wire"
import { compareIds } from "../inspect/IdText.ts"

/** What a listing says of one replica's copy. */
export const Presence = { absent: 0, withChecksum: 1, withoutChecksum: 2 } as const
export type Presence = (typeof Presence)[keyof typeof Presence]

/** About what a map's entry with its key costs beside the bytes of an id, and what a row costs beside its cells. */
const seriesBytes = 200
const rowBytes = 80
/** Size, checksum, presence. */
const cellBytes = 17

const grown = <A extends Float64Array | Int32Array | Uint8Array>(old: A, length: number): A => {
  const next = new (old.constructor as new(length: number) => A)(length)
  next.set(old)
  return next
}

export class ReplicaTable {
  readonly replicas: number
  rows = 0
  /** Estimate of what the table holds. */
  bytes = 0
  /** Listed blocks inside the range that begin between two block starts: the block size is another one. */
  unaligned = 0
  /** Of them by replica. */
  readonly unalignedOf: Float64Array
  private readonly starts: ReadonlyArray<bigint>
  private readonly blockOfStart = new Map<bigint, number>()
  private readonly maxBytes: number
  private readonly seriesOfId = new Map<string, number>()
  private readonly ids: Array<Uint8Array> = []
  private readonly seriesTags: Array<Uint8Array> = []
  private readonly rowOf = new Map<number, number>()
  private seriesOfRow = new Int32Array(1024)
  private blockOfRow = new Int32Array(1024)
  private presenceCells: Uint8Array
  private sizeCells: Float64Array
  private checksumCells: Float64Array

  /** `starts`: block starts in ns, ascending; blocks that begin elsewhere are not compared. */
  constructor(replicas: number, starts: ReadonlyArray<bigint>, maxBytes: number) {
    this.replicas = replicas
    this.unalignedOf = new Float64Array(replicas)
    this.starts = starts
    this.maxBytes = maxBytes
    starts.forEach((start, block) => this.blockOfStart.set(start, block))
    this.presenceCells = new Uint8Array(1024 * replicas)
    this.sizeCells = new Float64Array(1024 * replicas)
    this.checksumCells = new Float64Array(1024 * replicas)
  }

  /** Takes the rows of a page; how many of them said something new, or undefined when the table is full. */
  addPage(replica: number, page: MetadataPage): number | undefined {
    const from = this.starts[0]!
    const last = this.starts.at(-1)!
    let fresh = 0
    for (let i = 0; i < page.count; i++) {
      const start = (BigInt(page.startHi[i]!) << 32n) | BigInt(page.startLo[i]! >>> 0)
      if (start < from || start > last) continue
      const block = this.blockOfStart.get(start)
      if (block === undefined) {
        this.unaligned++
        this.unalignedOf[replica]!++
        continue
      }
      const series = this.seriesAt(page, i)
      if (this.record(series, block, replica, page, i)) fresh++
      if (this.bytes > this.maxBytes) return undefined
    }
    return fresh
  }

  private seriesAt(page: MetadataPage, i: number): number {
    const { buffer, idLength, idOffset, tagsLength, tagsOffset } = page
    const view = buffer.subarray(idOffset[i]!, idOffset[i]! + idLength[i]!)
    const key = Buffer.from(view.buffer, view.byteOffset, view.length).toString("latin1")
    let series = this.seriesOfId.get(key)
    if (series === undefined) {
      series = this.ids.push(view.slice()) - 1
      this.seriesOfId.set(key, series)
      this.seriesTags.push(new Uint8Array(0))
      this.bytes += seriesBytes + 2 * view.length
    }
    if (tagsLength[i]! > 0 && this.seriesTags[series]!.length === 0) {
      this.seriesTags[series] = buffer.slice(tagsOffset[i]!, tagsOffset[i]! + tagsLength[i]!)
      this.bytes += tagsLength[i]!
    }
    return series
  }

  private rowAt(series: number, block: number): number {
    const key = series * this.starts.length + block
    const known = this.rowOf.get(key)
    if (known !== undefined) return known
    const row = this.rows++
    if (row === this.seriesOfRow.length) this.grow(row * 2)
    this.rowOf.set(key, row)
    this.seriesOfRow[row] = series
    this.blockOfRow[row] = block
    this.bytes += rowBytes + cellBytes * this.replicas
    return row
  }

  private grow(rows: number): void {
    this.seriesOfRow = grown(this.seriesOfRow, rows)
    this.blockOfRow = grown(this.blockOfRow, rows)
    this.presenceCells = grown(this.presenceCells, rows * this.replicas)
    this.sizeCells = grown(this.sizeCells, rows * this.replicas)
    this.checksumCells = grown(this.checksumCells, rows * this.replicas)
  }

  /** A replica may list a block twice, from memory and from disk. Where the two differ, nothing is known of the whole. */
  private record(series: number, block: number, replica: number, page: MetadataPage, i: number): boolean {
    const cell = this.rowAt(series, block) * this.replicas + replica
    const checksum = page.failed[i] === 1 ? absentChecksum : page.checksum[i]!
    const size = page.size[i]!
    const before = this.presenceCells[cell]!
    if (before === Presence.absent) {
      this.presenceCells[cell] = checksum === absentChecksum ? Presence.withoutChecksum : Presence.withChecksum
      this.sizeCells[cell] = size
      this.checksumCells[cell] = checksum
      return true
    }
    if (this.checksumCells[cell] !== checksum || this.sizeCells[cell] !== size) {
      this.presenceCells[cell] = Presence.withoutChecksum
      this.sizeCells[cell] = Math.max(this.sizeCells[cell]!, size)
    }
    return false
  }

  id(row: number): Uint8Array {
    return this.ids[this.seriesOfRow[row]!]!
  }

  tags(row: number): Uint8Array {
    return this.seriesTags[this.seriesOfRow[row]!]!
  }

  /** ns. */
  blockStart(row: number): bigint {
    return this.starts[this.blockOfRow[row]!]!
  }

  presence(row: number, replica: number): Presence {
    return this.presenceCells[row * this.replicas + replica] as Presence
  }

  /** Bytes, 0 when the replica did not say. */
  size(row: number, replica: number): number {
    return this.sizeCells[row * this.replicas + replica]!
  }

  /** Only where the presence is `withChecksum`. */
  checksum(row: number, replica: number): number {
    return this.checksumCells[row * this.replicas + replica]!
  }

  /** Negative, 0 or positive as row `a` stands before, at or after `b`: by id bytes, then block start. */
  compare(a: number, b: number): number {
    return compareIds(this.id(a), this.id(b)) || this.blockOfRow[a]! - this.blockOfRow[b]!
  }
}
