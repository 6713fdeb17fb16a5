/**
 * Walks the records of a log file through windows of its bytes. A record that fails its checksum is skipped by its length; where no head is, the next
 * one is searched. Nothing is ever cut here: whoever scans decides what a bad end means.
 */
import { storeLimits } from "../../contract/StoreLimits.ts"
import { headBytes, payloadIsGood, readHead } from "./RecordCodec.ts"

export interface ScanVisitor {
  /** A good record; `payload` is a view on the window. `offset` and `length` are those of the whole record. */
  record(kind: number, payload: Uint8Array, offset: number, length: number): void
  /** Bytes that are no good record; `kind` 0 when even that is unknown. */
  bad(offset: number, length: number, kind: number): void
}

export interface ScanFile {
  readonly salt: number
  readonly file: number
  /** Where the file's records end. */
  readonly end: number
}

/**
 * Progress of one file. Give it windows that begin at `position` and have at least `wanted` bytes (less only at `file.end`) until `done`.
 */
export class RecordScan {
  position: number
  wanted: number = storeLimits.scanBytes
  private badFrom = -1
  private readonly file: ScanFile
  private readonly visitor: ScanVisitor

  constructor(file: ScanFile, from: number, visitor: ScanVisitor) {
    this.file = file
    this.position = from
    this.visitor = visitor
  }

  get done(): boolean {
    return this.position >= this.file.end
  }

  window(bytes: Uint8Array): void {
    const from = this.position
    const end = Math.min(this.file.end, from + bytes.length)
    this.wanted = storeLimits.scanBytes
    while (this.position < end) {
      const step = this.badFrom < 0 ? this.step(bytes, from, end) : this.search(bytes, from, end)
      if (!step) break
    }
    if (this.done && this.badFrom >= 0) this.endBad(this.file.end)
  }

  /** Reads the record at the position; false when more bytes are needed for that. */
  private step(bytes: Uint8Array, from: number, end: number): boolean {
    const offset = this.position
    const left = this.file.end - offset
    if (left >= headBytes && end - offset < headBytes) return false
    const at = offset - from
    const length = left < headBytes ? -1 : readHead(bytes, at, { ...this.file, offset })
    if (length < 0) {
      this.badFrom = offset
      this.position = left < headBytes ? this.file.end : offset + 1
      return true
    }
    const whole = headBytes + length
    const kind = bytes[at + 8]!
    if (whole > left) {
      this.visitor.bad(offset, left, kind)
      this.position = this.file.end
      return true
    }
    if (offset + whole > end) {
      this.wanted = Math.max(whole, storeLimits.scanBytes)
      return false
    }
    if (payloadIsGood(bytes, at, length)) {
      this.visitor.record(kind, bytes.subarray(at + headBytes, at + whole), offset, whole)
    } else this.visitor.bad(offset, whole, kind)
    this.position = offset + whole
    return true
  }

  /** Looks for the next head behind bad bytes. */
  private search(bytes: Uint8Array, from: number, end: number): boolean {
    const last = end - headBytes
    for (let offset = this.position; offset <= last; offset++) {
      const length = readHead(bytes, offset - from, { ...this.file, offset })
      if (length < 0) continue
      this.position = offset
      this.endBad(offset)
      return true
    }
    const searched = Math.max(this.position, last + 1)
    const moved = searched > this.position
    this.position = end === this.file.end ? end : searched
    return moved && end === this.file.end
  }

  private endBad(end: number): void {
    this.visitor.bad(this.badFrom, end - this.badFrom, 0)
    this.badFrom = -1
  }
}
