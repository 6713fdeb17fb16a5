/**
 * Series-blocks on their way to the sink, kept as numbers: group and row of the answer. Ids, tags and data become views only when
 * a sink looks at them.
 */
import type { BlocksAnswer } from "@peerstrap/m3db-wire"
import type { Grouping } from "@peerstrap/metadata-grouping"
import type { BlockBatch, BlockKey } from "../contract/BlockSink.ts"
import { piecesOfRow, rowBytes } from "./Verification.ts"

export class CollectedBatch implements BlockBatch {
  readonly key: BlockKey
  bytes = 0
  private readonly grouping: Grouping
  private readonly groups: Array<number> = []
  /** Row of the answer, or −1 where `own` has the pieces. */
  private readonly rows: Array<number> = []
  private readonly own = new Map<number, ReadonlyArray<Uint8Array>>()
  private readonly sums: Array<number> = []
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
    this.groups.push(group)
    this.rows.push(row)
    this.sums.push(checksum)
    this.bytes += rowBytes(answer, row)
  }

  addPieces(group: number, pieces: ReadonlyArray<Uint8Array>, checksum: number): void {
    this.own.set(this.groups.length, pieces)
    this.groups.push(group)
    this.rows.push(-1)
    this.sums.push(checksum)
    for (const piece of pieces) this.bytes += piece.length
  }

  get count(): number {
    return this.groups.length
  }

  get ids(): ReadonlyArray<Uint8Array> {
    return this.idViews ??= this.groups.map((group) => this.grouping.id(group))
  }

  get tags(): ReadonlyArray<Uint8Array> {
    return this.tagViews ??= this.groups.map((group) => this.grouping.tags(group))
  }

  get data(): ReadonlyArray<ReadonlyArray<Uint8Array>> {
    return this.dataViews ??= this.rows.map((row, i) => (row < 0 ? this.own.get(i)! : piecesOfRow(this.answer!, row)))
  }

  get checksums(): Uint32Array {
    return Uint32Array.from(this.sums)
  }
}
