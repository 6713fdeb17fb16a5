/** One shard of a replica in memory: its series in insertion order, and its blocks as buffers and filesets hold them. */
import { adler32Start, adler32Update } from "@peerstrap/m3tsz"

/** One M3TSZ stream in two parts, as M3DB holds it, with its checksum. */
export interface Stream {
  readonly head: Uint8Array
  readonly tail: Uint8Array
  /** Adler-32 over head then tail, unsigned. */
  readonly checksum: number
}

/** Makes a stream of its parts and computes its checksum. */
export const makeStream = (head: Uint8Array, tail: Uint8Array): Stream => ({
  head,
  tail,
  checksum: adler32Update(adler32Update(adler32Start, head, 0, head.length), tail, 0, tail.length)
})

/** One block of one series, in a buffer or in a fileset. */
export interface ReplicaBlock {
  /** ns. */
  readonly start: bigint
  /** One stream, or several when the buffer holds them unmerged (oldest layer first). Never empty. */
  readonly streams: ReadonlyArray<Stream>
  /** True: still in a buffer, listed in the memory phase. False: in a fileset. */
  readonly inMemory: boolean
}

/** Bytes of all streams: the `size` of a listing. */
export const blockSizeBytes = (block: ReplicaBlock): number => {
  let size = 0
  for (const stream of block.streams) size += stream.head.length + stream.tail.length
  return size
}

/** Present only when exactly one stream exists. (specs: peer streaming 5.2) */
export const blockChecksum = (block: ReplicaBlock): number | undefined =>
  block.streams.length === 1 ? block.streams[0]!.checksum : undefined

/** One series of a replica with all of its blocks. */
export interface ReplicaSeries {
  readonly id: Uint8Array
  /** Undefined for a series without tags. */
  readonly encodedTags: Uint8Array | undefined
  /** Ascending by start; the same start may occur twice, in a fileset and in a buffer. */
  readonly blocks: ReadonlyArray<ReplicaBlock>
}

/** A series and its block in one fileset. */
export interface DiskEntry {
  readonly series: ReplicaSeries
  readonly block: ReplicaBlock
}

/** Keys of a map by id: one char a byte. */
export const idKey = (id: Uint8Array): string => Buffer.from(id.buffer, id.byteOffset, id.length).toString("latin1")

/** One shard's series, with the order in which M3DB lists them: buffers first, then filesets from the newest. */
export class ReplicaShard {
  readonly series: ReadonlyArray<ReplicaSeries>
  /** Series with a buffered block, in insertion order: the memory phase. */
  readonly buffered: ReadonlyArray<ReplicaSeries>
  /** Block starts with a fileset, newest first. */
  readonly diskStarts: ReadonlyArray<bigint>
  private readonly disk = new Map<bigint, Array<DiskEntry>>()
  private readonly byId = new Map<string, ReplicaSeries>()

  /**
   * `series` in insertion order, which is also the order of entries in data files. `emptyFilesets`: starts that have a fileset
   * even without entries.
   */
  constructor(series: ReadonlyArray<ReplicaSeries>, emptyFilesets: ReadonlyArray<bigint> = []) {
    this.series = series
    this.buffered = series.filter((one) => one.blocks.some((block) => block.inMemory))
    for (const start of emptyFilesets) this.disk.set(start, [])
    for (const one of series) {
      this.byId.set(idKey(one.id), one)
      for (const block of one.blocks) {
        if (block.inMemory) continue
        const entries = this.disk.get(block.start)
        if (entries === undefined) this.disk.set(block.start, [{ series: one, block }])
        else entries.push({ series: one, block })
      }
    }
    this.diskStarts = [...this.disk.keys()].toSorted((a, b) => a < b ? 1 : a > b ? -1 : 0)
  }

  find(id: Uint8Array): ReplicaSeries | undefined {
    return this.byId.get(idKey(id))
  }

  diskEntries(start: bigint): ReadonlyArray<DiskEntry> {
    return this.disk.get(start) ?? []
  }
}
