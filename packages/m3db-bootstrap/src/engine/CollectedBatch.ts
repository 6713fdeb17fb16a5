/**
 * Series-blocks on their way to the sink, kept as numbers: group and row of the answer. Ids, tags and data become views only when
 * a sink looks at them.
 */
import type { BlocksAnswer } from "@peerstrap/m3db-wire"
import type { Grouping } from "@peerstrap/metadata-grouping"
import type { BlockBatch, BlockKey } from "../contract/BlockSink.ts"
import { piecesOfRow, rowBytes } from "./Verification.ts"

const firstCapacity = 64

export class CollectedBatch implements BlockBatch {
  readonly key: BlockKey
  bytes = 0
  count = 0
  private readonly grouping: Grouping
  private groups: Int32Array = new Int32Array(firstCapacity)
  /** Row of the answer, or −1 where `own` has the pieces. */
  private rows: Int32Array = new Int32Array(firstCapacity)
  private sums: Uint32Array = new Uint32Array(firstCapacity)
  private readonly own = new Map<number, ReadonlyArray<Uint8Array>>()
  private answer: BlocksAnswer | undefined
  private idViews: ReadonlyArray<Uint8Array> | undefined
  private tagViews: ReadonlyArray<Uint8Array> | undefined
  private dataViews: ReadonlyArray<ReadonlyArray<Uint8Array>> | undefined

  constructor(key: BlockKey, grouping: Grouping) {
    this.key = key
    this.grouping = grouping
  }

  /** The one segment of a row; all rows of a batch are of the same answer. */
  addRow(group: number, answer: BlocksAnswer, row: number, checksum: number): void {
    this.answer = answer
    this.add(group, row, checksum)
    this.bytes += rowBytes(answer, row)
  }

  addPieces(group: number, pieces: ReadonlyArray<Uint8Array>, checksum: number): void {
    this.own.set(this.count, pieces)
    this.add(group, -1, checksum)
    for (const piece of pieces) this.bytes += piece.length
  }

  private add(group: number, row: number, checksum: number): void {
    const at = this.count++
    if (at === this.groups.length) this.grow()
    this.groups[at] = group
    this.rows[at] = row
    this.sums[at] = checksum
  }

  private grow(): void {
    const { groups, rows, sums } = this
    this.groups = new Int32Array(2 * groups.length)
    this.groups.set(groups)
    this.rows = new Int32Array(2 * rows.length)
    this.rows.set(rows)
    this.sums = new Uint32Array(2 * sums.length)
    this.sums.set(sums)
  }

  get ids(): ReadonlyArray<Uint8Array> {
    return this.idViews ??= Array.from({ length: this.count }, (_, i) => this.grouping.id(this.groups[i]!))
  }

  get tags(): ReadonlyArray<Uint8Array> {
    return this.tagViews ??= Array.from({ length: this.count }, (_, i) => this.grouping.tags(this.groups[i]!))
  }

  get data(): ReadonlyArray<ReadonlyArray<Uint8Array>> {
    return this.dataViews ??= Array.from({ length: this.count }, (_, i) => {
      const row = this.rows[i]!
      return row < 0 ? this.own.get(i)! : piecesOfRow(this.answer!, row)
    })
  }

  get checksums(): Uint32Array {
    return this.sums.subarray(0, this.count)
  }
}
