/** Lays out the records of one group commit: chunks for one write, and what they mean to the index. Small payloads are copied together, large ones not. */
import type { BodyUnit, HeaderFacts } from "../../contract/Block.ts"
import type { AppliedStep, ChosenSegment } from "../../contract/ChainStore.ts"
import { storeLimits } from "../../contract/StoreLimits.ts"
import type { IndexEntry, RecordLocation } from "./IndexEntry.ts"
import { headBytes, type RecordKind, recordKinds, type RecordPlace, writeHead } from "./RecordCodec.ts"
import {
  beginPayload,
  headerPrefix,
  idToBytes,
  numberedIds,
  packIds,
  segmentPayload,
  unitPrefix
} from "./RecordPayloads.ts"

const slabBytes = 64 * 1024
const copiedBytes = 8 * 1024

export class GroupEncoder {
  readonly entries: Array<IndexEntry> = []
  /** Bytes laid out so far. */
  bytes = 0
  private readonly done: Array<Uint8Array> = []
  private slab = new Uint8Array(0)
  private from = 0
  private to = 0
  private readonly start: RecordPlace
  private readonly idBytes: number

  /** `start`: where the first record will stand. */
  constructor(start: RecordPlace, idBytes: number) {
    this.start = start
    this.idBytes = idBytes
  }

  /** All that is to be written, in order. */
  chunks(): ReadonlyArray<Uint8Array> {
    this.closeSlab()
    return this.done
  }

  begin(previousFile: number, previousEnd: number): void {
    this.record(recordKinds.begin, beginPayload(previousFile, previousEnd))
  }

  header(header: HeaderFacts): void {
    const id = idToBytes(header.id, this.idBytes)
    const at = this.record(recordKinds.header, headerPrefix(header, id), header.bytes)
    this.entries.push({ kind: "header", id, at })
  }

  unit({ block, body, unit }: BodyUnit): void {
    const id = idToBytes(block, this.idBytes)
    const at = this.record(recordKinds.unit, unitPrefix(id, unit), body)
    this.entries.push({ kind: "unit", block: id, unit, at })
  }

  segment(segment: ChosenSegment): void {
    const { idBytes } = this
    const { evidence, firstLevel, ids } = segment
    const packed = packIds(ids, 0, ids.length, idBytes)
    const partBytes = storeLimits.idsPerRecord * idBytes
    const parts = Math.ceil(packed.length / partBytes) - 1
    const offset = this.start.offset + this.bytes
    for (let i = 0; i < parts; i++) {
      this.record(recordKinds.segmentPart, numberedIds(i, packed.subarray(i * partBytes, (i + 1) * partBytes)))
    }
    const last = this.record(
      recordKinds.segment,
      segmentPayload(segment, parts, packed.subarray(parts * partBytes), idBytes)
    )
    const at = { file: last.file, offset, length: last.offset + last.length - offset }
    this.entries.push({ kind: "segment", firstLevel, parent: idToBytes(evidence.baseId, idBytes), ids: packed, at })
  }

  step(step: AppliedStep): void {
    const { idBytes } = this
    if (step.kind === "rollback") {
      const id = idToBytes(step.to.id, idBytes)
      const at = this.record(recordKinds.rollback, numberedIds(step.to.level, id))
      this.entries.push({ kind: "rollback", level: step.to.level, id, at })
      return
    }
    for (let from = 0; from < step.ids.length; from += storeLimits.idsPerRecord) {
      const to = Math.min(step.ids.length, from + storeLimits.idsPerRecord)
      const ids = packIds(step.ids, from, to, idBytes)
      const firstLevel = step.firstLevel + from
      const at = this.record(recordKinds.applied, numberedIds(firstLevel, ids))
      this.entries.push({ kind: "applied", firstLevel, ids, at })
    }
  }

  private record(kind: RecordKind, ...payload: ReadonlyArray<Uint8Array>): RecordLocation {
    const offset = this.start.offset + this.bytes
    this.reserve(payload.reduce((sum, { length }) => length <= copiedBytes ? sum + length : sum, headBytes))
    writeHead(this.slab, this.to, kind, payload, { ...this.start, offset })
    this.to += headBytes
    let length = headBytes
    for (const piece of payload) {
      length += piece.length
      if (piece.length <= copiedBytes) {
        this.slab.set(piece, this.to)
        this.to += piece.length
      } else {
        this.closeSlab()
        this.done.push(piece)
      }
    }
    this.bytes += length
    return { file: this.start.file, offset, length }
  }

  private reserve(room: number): void {
    if (this.slab.length - this.to >= room) return
    this.closeSlab()
    this.slab = new Uint8Array(Math.max(slabBytes, room))
    this.from = 0
    this.to = 0
  }

  private closeSlab(): void {
    if (this.to > this.from) this.done.push(this.slab.subarray(this.from, this.to))
    this.from = this.to
  }
}
