/** What a record of the log means to the index; a writer makes entries from what it writes, a scan from what it reads. Ids are raw bytes. */
import { recordKinds } from "./RecordCodec.ts"
import {
  readBeginPayload,
  readHeaderPayload,
  readNumberedIds,
  readSegmentPayload,
  readUnitPayload
} from "./RecordPayloads.ts"
import { RecordScan, type ScanFile, type ScanVisitor } from "./RecordScan.ts"

/** A whole record, its head included. */
export interface RecordLocation {
  readonly file: number
  readonly offset: number
  readonly length: number
}

/** Bytes of the log that are not what was written; `kind` 0 when not even that is known. */
export interface DamageEntry extends RecordLocation {
  readonly kind: number
  readonly what: string
}

export type IndexEntry =
  | { readonly kind: "header"; readonly id: Uint8Array; readonly at: RecordLocation }
  | { readonly kind: "unit"; readonly block: Uint8Array; readonly unit: number; readonly at: RecordLocation }
  | {
    readonly kind: "segment"
    readonly firstLevel: number
    readonly parent: Uint8Array
    readonly ids: Uint8Array
    /** With its parts. */
    readonly at: RecordLocation
  }
  | { readonly kind: "applied"; readonly firstLevel: number; readonly ids: Uint8Array; readonly at: RecordLocation }
  | { readonly kind: "rollback"; readonly level: number; readonly id: Uint8Array; readonly at: RecordLocation }
  | { readonly kind: "damage"; readonly damage: DamageEntry }

/** Joins chunks of ids; only for segments that were written in parts. */
const joined = (chunks: ReadonlyArray<Uint8Array>): Uint8Array => {
  const bytes = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0))
  let at = 0
  for (const chunk of chunks) {
    bytes.set(chunk, at)
    at += chunk.length
  }
  return bytes
}

/**
 * Reads one file of the log as entries. `entries` is to be emptied by the caller between windows; `settled` is where the scan may go on later: never
 * between the parts of a segment. A bad end is `tail`, not damage, until `closeTail` says otherwise.
 */
export class LogReading implements ScanVisitor {
  entries: Array<IndexEntry> = []
  begin: { readonly previousFile: number; readonly previousEnd: number } | undefined
  tail: DamageEntry | undefined
  settled: number
  readonly scan: RecordScan
  private parts: Array<Uint8Array> = []
  private partsFrom = 0
  private readonly file: ScanFile
  private readonly idBytes: number

  constructor(file: ScanFile, from: number, idBytes: number) {
    this.file = file
    this.idBytes = idBytes
    this.settled = from
    this.scan = new RecordScan(file, from, this)
  }

  window(bytes: Uint8Array): void {
    this.scan.window(bytes)
    if (this.parts.length > 0 && this.scan.done) this.dropParts(this.scan.position)
  }

  /** The file is not the last one: what was bad at its end is damage as well. */
  closeTail(): void {
    if (this.tail !== undefined) this.entries.push({ kind: "damage", damage: this.tail })
    this.tail = undefined
  }

  record(kind: number, payload: Uint8Array, offset: number, length: number): void {
    const at = { file: this.file.file, offset, length }
    if (kind === recordKinds.segmentPart) return this.part(payload, at)
    if (kind === recordKinds.segment) this.segment(payload, at)
    else {
      this.dropParts(offset)
      const entry = this.entry(kind, payload, at)
      if (entry !== undefined) this.entries.push(entry)
    }
    this.settled = offset + length
  }

  bad(offset: number, length: number, kind: number): void {
    this.dropParts(offset)
    const damage = { file: this.file.file, offset, length, kind, what: "bytes fail their checksum" }
    if (offset + length >= this.file.end) this.tail = damage
    else {
      this.entries.push({ kind: "damage", damage })
      this.settled = offset + length
    }
  }

  private entry(kind: number, payload: Uint8Array, at: RecordLocation): IndexEntry | undefined {
    if (kind === recordKinds.header) {
      const header = readHeaderPayload(payload, this.idBytes)
      if (header !== undefined) return { kind: "header", id: header.id.slice(), at }
    } else if (kind === recordKinds.unit) {
      const unit = readUnitPayload(payload, this.idBytes)
      if (unit !== undefined) return { kind: "unit", block: unit.block.slice(), unit: unit.unit, at }
    } else if (kind === recordKinds.applied) {
      const step = readNumberedIds(payload, this.idBytes)
      if (step !== undefined) return { kind: "applied", firstLevel: step.number, ids: step.ids.slice(), at }
    } else if (kind === recordKinds.rollback) {
      const step = readNumberedIds(payload, this.idBytes)
      if (step?.ids.length === this.idBytes) return { kind: "rollback", level: step.number, id: step.ids.slice(), at }
    } else if (kind === recordKinds.begin && at.offset === 0) {
      this.begin = readBeginPayload(payload)
      if (this.begin !== undefined) return undefined
    }
    return { kind: "damage", damage: { ...at, kind, what: "a record that no version of this store writes" } }
  }

  private part(payload: Uint8Array, at: RecordLocation): void {
    const part = readNumberedIds(payload, this.idBytes)
    if (part === undefined || part.number !== this.parts.length) this.dropParts(at.offset)
    if (this.parts.length === 0) this.partsFrom = at.offset
    if (part?.number === this.parts.length) this.parts.push(part.ids.slice())
  }

  private segment(payload: Uint8Array, at: RecordLocation): void {
    const segment = readSegmentPayload(payload, this.idBytes)
    if (segment === undefined || segment.parts !== this.parts.length) {
      this.dropParts(at.offset)
      const damage = { ...at, kind: recordKinds.segment, what: "a segment whose parts are not there" }
      this.entries.push({ kind: "damage", damage })
      return
    }
    const from = this.parts.length === 0 ? at.offset : this.partsFrom
    this.entries.push({
      kind: "segment",
      firstLevel: segment.firstLevel,
      parent: segment.parent.slice(),
      ids: joined([...this.parts, segment.ids]),
      at: { file: at.file, offset: from, length: at.offset + at.length - from }
    })
    this.parts = []
  }

  /** Parts whose segment never came. At the end of the file they are a tail. */
  private dropParts(until: number): void {
    if (this.parts.length === 0) return
    this.parts = []
    const from = this.partsFrom
    this.bad(from, until - from, recordKinds.segmentPart)
  }
}
